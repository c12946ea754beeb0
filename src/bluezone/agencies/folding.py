# SPDX-License-Identifier: Apache-2.0
"""One spelling for searching and comparing: "Đức Xuân", its NFD form and "duc xuan" are the same."""

import unicodedata


def fold(text: str) -> str:
    """Small letters without Vietnamese marks, đ as d, one space between words.

    Takes any normal form, gives ASCII for Vietnamese text. Folding a folded text changes nothing.
    """
    plain = _without_marks(_without_marks(text).casefold())
    return " ".join(plain.replace("đ", "d").split())


def _without_marks(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(character for character in decomposed if not unicodedata.combining(character))
