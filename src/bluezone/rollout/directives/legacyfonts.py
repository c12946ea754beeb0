# SPDX-License-Identifier: Apache-2.0
"""Refuse text typed in a Vietnamese font of before Unicode: it is read once a person has confirmed its conversion."""

from bluezone.agencies.encodingdetection import detect
from bluezone.agencies.legacytext import TextEncoding
from bluezone.refusal import Refused


class LegacyEncoding(Refused):
    """The text was typed in a TCVN3 or VNI font.

    encoding: which, for `bluezone.agencies`: `encodingdetection.preview` shows what converting changes,
    `legacytext.to_unicode` converts.
    """

    code = "letter_encoding_legacy"

    def __init__(self, encoding: TextEncoding) -> None:
        super().__init__(
            f"the text is in {encoding}, an encoding of old fonts; convert it to Unicode before it is read"
        )
        self.encoding = encoding


def refuse_legacy_text(text: str) -> None:
    """Raise LegacyEncoding for text in an old encoding."""
    found = detect(text)
    if found.is_legacy:
        raise LegacyEncoding(found.encoding)
