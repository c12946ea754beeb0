# SPDX-License-Identifier: Apache-2.0
"""The text of a letter with what was remarked in its file, the bounds of both, and why a file is not read."""

from dataclasses import dataclass
from enum import StrEnum

from bluezone.refusal import Refused
from bluezone.vietnamese.detection import detect
from bluezone.vietnamese.legacy_fonts import TextEncoding

# About 150 pages of text.
LARGEST_TEXT = 400_000


class LetterTooLarge(Refused):
    """The file, its unpacked content, its pages or its text exceed what a letter needs."""

    code = "letter_too_large"


class LetterUnreadable(Refused):
    """The file is damaged, protected by a password, or of a kind that is not read."""

    code = "letter_unreadable"


class LetterWithoutText(Refused):
    """The file is a picture or a scan: it is kept, and a clerk types the form beside it."""

    code = "letter_without_text"


class Remark(StrEnum):
    """What a file holds beside its text and what became of it; pages translate it."""

    MACROS = "macros"  # VBA; never run
    EXTERNAL_LINK = "external_link"  # a template, picture or object elsewhere; never fetched
    EMBEDDED_FILE = "embedded_file"  # a file inside the file; not opened
    SCRIPT = "script"  # JavaScript in a PDF; never run
    LAUNCH_ACTION = "launch_action"  # a PDF action that starts a program or opens an address; never followed
    SIGNATURE = "signature"  # an electronic signature, not checked here


@dataclass(frozen=True)
class LetterText:
    """The text of a letter. format: "text", "docx" or "pdf"; pages only for a PDF."""

    text: str
    format: str
    remarks: frozenset[Remark] = frozenset()
    pages: int | None = None


def bounded(letter: LetterText) -> LetterText:
    """Return the letter, or raise LetterTooLarge for more text than a letter has, LetterWithoutText for none."""
    if len(letter.text) > LARGEST_TEXT:
        raise LetterTooLarge(f"the letter has {len(letter.text)} characters, at most {LARGEST_TEXT} are read")
    if not any(sign.isalpha() for sign in letter.text):
        raise LetterWithoutText(f"the {letter.format} holds no text; it is a scan or empty")
    return letter


class LegacyEncoding(Refused):
    """The text was typed in a TCVN3 or VNI font.

    encoding: which; `bluezone.vietnamese.legacy_fonts.to_unicode` converts it.
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
