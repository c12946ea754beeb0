# SPDX-License-Identifier: Apache-2.0
"""What was drawn and may hold any few letters or digits, so that none can be missed in it."""

import re


def undrawn(text: str) -> str:
    """A text without its words of 16 signs and more: tokens, seals, digests, identifiers."""
    return re.sub(r"[A-Za-z0-9_=-]{16,}", "", text)
