# SPDX-License-Identifier: Apache-2.0
"""Random words, which may contain any short text by chance, and so must be removed before a test searches for one."""

import re


def remove_random_words(text: str) -> str:
    """A text without its words of 16 characters and more: tokens, seals, digests, identifiers."""
    return re.sub(r"[A-Za-z0-9_=-]{16,}", "", text)
