# SPDX-License-Identifier: Apache-2.0
"""Turn an uploaded letter (plain text, DOCX, PDF) into text, within bounds, running nothing that is inside it; text in
an old font is refused.
"""

from dataclasses import dataclass
from enum import StrEnum

from bluezone.refusal import Refused
from bluezone.vietnamese.detection import detect
from bluezone.vietnamese.legacy_fonts import TextEncoding

# A signed scan of a long plan is a few megabytes; what is larger is no letter.
LARGEST_FILE = 20 * 1024 * 1024
# About 150 pages of text.
LARGEST_TEXT = 400_000

_IMAGES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*", b"GIF8", b"BM", b"RIFF")
_OLD_WORD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


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


def read_letter_text(data: bytes) -> LetterText:
    """Return the text of a letter; the kind of file is told by its content, never by its name.

    Raises LetterTooLarge, LetterUnreadable or LetterWithoutText.
    """
    if len(data) > LARGEST_FILE:
        raise LetterTooLarge(f"the file is {len(data)} bytes, at most {LARGEST_FILE} are read")
    if data.startswith(b"%PDF-") or b"%PDF-" in data[:1024]:
        from bluezone.letters.pdf_text import read_pdf

        return bounded(read_pdf(data))
    if data.startswith(b"PK"):
        from bluezone.letters.docx_text import read_docx

        return bounded(read_docx(data))
    if data.startswith(_IMAGES):
        raise LetterWithoutText("the file is a picture; a letter is read from text, DOCX or PDF with text")
    if data.startswith(_OLD_WORD):
        raise LetterUnreadable("the file is of Word 97-2003; save it as DOCX or PDF")
    return bounded(LetterText(_decode(data), "text"))


def _decode(data: bytes) -> str:
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        # Text of old fonts is in Western European signs; reading goes on to name the font's encoding.
        text = data.decode("cp1252", errors="replace")
    if "\0" in text or text.count("�") > len(text) // 50:
        raise LetterUnreadable("the file is neither text nor DOCX nor PDF")
    return text


def bounded(letter: LetterText) -> LetterText:
    """Return the letter, or raise LetterTooLarge for more text than a letter has, LetterWithoutText for none."""
    if len(letter.text) > LARGEST_TEXT:
        raise LetterTooLarge(f"the letter has {len(letter.text)} characters, at most {LARGEST_TEXT} are read")
    if not any(sign.isalpha() for sign in letter.text):
        raise LetterWithoutText(f"the {letter.format} holds no text; it is a scan or empty")
    return letter


class LegacyEncoding(Refused):
    """The text was typed in a TCVN3 or VNI font.

    encoding: which, for `bluezone.directory`: `encodingdetection.preview` shows what converting changes,
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
