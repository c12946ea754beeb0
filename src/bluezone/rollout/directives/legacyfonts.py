# SPDX-License-Identifier: Apache-2.0
"""Notice text typed in a Vietnamese font of before Unicode (TCVN3, VNI), which has to be converted before it is read.

Such text is made of Western European letters: TCVN3 writes "Céng hßa x· héi chñ nghÜa ViÖt Nam", VNI writes
"Coäng hoøa xaõ hoäi chuû nghóa Vieät Nam". Converting it is the part of the agencies' import, which shows it first.
"""

import re
import unicodedata
from typing import Literal

from bluezone.refusal import Refused

# Signs that stand for Vietnamese letters in TCVN3 and that Vietnamese in Unicode never uses.
_TCVN3 = set(
    "\u00b5\u00b6\u00b7\u00b8\u00b9\u00a8\u00bb\u00bc\u00bd\u00be\u00c6\u00a9\u00c7\u00cb\u00ae\u00cc\u00ce\u00cf\u00d0\u00d1\u00aa\u00d6\u00d7\u00d8\u00dc\u00de\u00df\u00e4\u00e5\u00e6\u00e7\u00ab\u00eb\u00ee\u00a5\u00f1\u00f6\u00ac\u00f7\u00f8\u00fb\u00fe\u00a7\u00ad"
)
# In VNI a mark is a letter of its own that follows the vowel it belongs to.
_VNI = re.compile(r"[aeiouyöôAEIOUYÖÔ][äàáâãåèéêëùúûüøõïñóò]|[öô][ùøûõï]")
_UNICODE_VIETNAMESE = re.compile("[\u1ea0-\u1ef9ăđơưĂĐƠƯ]")

# A long word in a foreign language does not make a letter a legacy one.
_FEWEST_SIGNS = 8


class LegacyEncoding(Refused):
    """The text was typed in a TCVN3 or VNI font and must be converted to Unicode first; encoding says which."""

    code = "letter_encoding_legacy"

    def __init__(self, encoding: str) -> None:
        super().__init__(
            f"the text is in the {encoding} encoding of old fonts; convert it to Unicode before it is read"
        )
        self.encoding = encoding


def legacy_encoding(text: str) -> Literal["TCVN3", "VNI"] | None:
    """Return which old encoding the text is in, or None for Unicode."""
    text = unicodedata.normalize("NFC", text)
    unicode_letters = len(_UNICODE_VIETNAMESE.findall(text))
    tcvn3 = sum(sign in _TCVN3 for sign in text)
    vni = len(_VNI.findall(text))
    if max(tcvn3, vni) < _FEWEST_SIGNS or unicode_letters >= max(tcvn3, vni) // 2:
        return None
    return "TCVN3" if tcvn3 >= vni else "VNI"


def refuse_legacy_text(text: str) -> None:
    """Raise LegacyEncoding for text in an old encoding."""
    if encoding := legacy_encoding(text):
        raise LegacyEncoding(encoding)
