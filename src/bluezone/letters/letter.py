# SPDX-License-Identifier: Apache-2.0
"""A file that somebody sent in: its kind, whether it may be kept, its text and its signatures.

The kind is told by the content, never by the name; whatever must be parsed for the rest is parsed in a confined process
(`files.confinement`), and nothing inside the file is run.
"""

import json
import shutil
import time
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bluezone.confinement import LONGEST_WAIT_SECONDS
from bluezone.letters.files.confinement import (
    OpenedPdf,
    ScanPage,
    count_scan_pages,
    open_docx,
    open_odt,
    open_old_word,
    open_pdf,
    open_rtf,
    read_scan_page,
    signatures_confined,
)
from bluezone.letters.files.scan_numbers import renumbered
from bluezone.letters.letter_text import (
    SIGNATURE_MARKS,
    LetterText,
    LetterTooLarge,
    LetterUnreadable,
    LetterWithoutText,
    Remark,
    add_page,
    bounded,
    unread_signature,
)
from bluezone.media_types import DOCX, PDF, XLSX
from bluezone.refusal import Refused

LARGEST_KEPT = 10 * 1024 * 1024
# A signed scan of a long plan is a few megabytes; what is larger is no letter.
LARGEST_READ = 20 * 1024 * 1024
_STARTS = (
    (b"%PDF-", PDF),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
)
_IMAGES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*", b"GIF8", b"BM", b"RIFF")
_OLD_WORD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_RTF = b"{\\rtf"
_ODT = b"mimetypeapplication/vnd.oasis.opendocument.text"
# A letter needs none of these; a PDF that has one is not passed on to a hundred agencies.
_ACTIVE = frozenset({Remark.SCRIPT, Remark.LAUNCH_ACTION, Remark.EMBEDDED_FILE})


class FileTypeRefused(Refused):
    """The file is none of the kinds that are kept: PDF, DOCX, XLSX, JPEG, PNG, TIFF, plain text."""

    code = "file_type_refused"


class FileTooLarge(Refused):
    """The file is larger than 10 MB."""

    code = "file_too_large"


class FileActive(Refused):
    """The file holds a script, a program, a file within it or an action that starts something, or is a packed bomb."""

    code = "file_active"


class FileUnreadable(Refused):
    """The PDF is damaged, locked, or too large to be looked through, so what it would start cannot be told."""

    code = "file_unreadable"


# What a server needs to read scans, by the names of its packages in Debian and Ubuntu.
SCAN_PACKAGES = "tesseract-ocr tesseract-ocr-vie"


def can_read_scans() -> bool:
    """Whether Tesseract is installed here, with Vietnamese."""
    places = ("/usr/share/tesseract-ocr", "/usr/share/tessdata", "/usr/local/share/tessdata")
    return shutil.which("tesseract") is not None and any(
        next(Path(place).glob("**/vie.traineddata"), None) is not None for place in places
    )


def reading_figures() -> list[dict[str, Any]]:
    """What `bluezone bench letters` measured last, by format: letters, fields, tasks, invented.

    others: letters that were read for the first time (docs/letters.md), with their fields and tasks in percent and in
    how many of them an order was invented.
    """
    found: list[dict[str, Any]] = json.loads(Path(__file__).with_name("reading_figures.json").read_text("utf-8"))
    return found


@dataclass(frozen=True)
class Scan:
    """A scan as far as it was read. pages: how many it has. missing: there is no program to read it with."""

    pages: int
    read: tuple[ScanPage, ...]
    missing: bool = False

    @property
    def text(self) -> str:
        """The paragraphs of all pages that were read."""
        lines: list[str] = []
        for page in self.read:
            add_page(lines, page.lines)
        return "\n".join(renumbered(lines))

    def place_of(self, passage: str) -> tuple[int, float, float, float, float] | None:
        """Where a passage of the text stands: page from 0, and x0, y0, x1, y1 in 0..1 of it; None where it is unclear.

        Found by its words that stand on one page near each other.
        """
        wanted = Counter(passage.split()[:40])
        best: tuple[int, float, float, float, float] | None = None
        most = 0
        for number, page in enumerate(self.read):
            near = [word for word in page.words if word[0] in wanted]
            for anchor in near:
                there = [w for w in near if abs(w[2] - anchor[2]) < 0.06 and abs(w[1] - anchor[1]) < 0.75]
                hits = sum((Counter(w[0] for w in there) & wanted).values())
                if hits > most:
                    most = hits
                    best = (number, min(w[1] for w in there), min(w[2] for w in there),
                            max(w[3] for w in there), max(w[4] for w in there))  # fmt: skip
        return best if most * 2 >= sum(wanted.values()) else None


class Letter:
    """The bytes of a file, asked as often as needed: a PDF is opened once for its remarks and text, and its signatures
    are verified once.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data

    @property
    def is_read_only(self) -> bool:
        """Whether its text is read and the file not kept: of Word 97 to 2003, RTF or ODT, which may hold macros or
        files.
        """
        return self.data.startswith((_OLD_WORD, _RTF)) or self._is_odt

    @property
    def _is_odt(self) -> bool:
        return self.data.startswith(b"PK") and _ODT in self.data[:120]

    def check(self) -> str:
        """Return the media type of a file that may be kept; looked through once.

        Raises FileTooLarge, FileTypeRefused, FileActive for what would start something where it is opened,
        FileUnreadable.
        """
        return self._kind

    def examine(self) -> None:
        """Do now what takes long: look the file through and verify its signatures. Raises as `check`.

        Whoever stores the file does it before the transaction, so that nobody else who writes waits.
        """
        self.check()
        self.signatures  # noqa: B018 - kept

    @cached_property
    def _kind(self) -> str:
        if len(self.data) > LARGEST_KEPT:
            raise FileTooLarge(f"the file is {len(self.data)} bytes, at most {LARGEST_KEPT} are kept")
        kind = _media_type(self.data)
        if kind == PDF:
            self._refuse_active_pdf()
        elif kind in (DOCX, XLSX):
            _refuse_active_package(self.data)
        return kind

    def read(self) -> LetterText:
        """Return the text of the letter: of plain text, DOCX, ODT, RTF, a document of old Word, or PDF.

        Raises LetterTooLarge, LetterUnreadable or LetterWithoutText.
        """
        if len(self.data) > LARGEST_READ:
            raise LetterTooLarge(f"the file is {len(self.data)} bytes, at most {LARGEST_READ} are read")
        if b"%PDF-" in self.data[:1024]:
            if self._pdf.letter_text is None:
                raise self._pdf.refused or LetterUnreadable("the PDF cannot be read")
            return bounded(self._pdf.letter_text)
        if self._is_odt:
            return bounded(open_odt(self.data))
        if self.data.startswith(_RTF):
            return bounded(open_rtf(self.data))
        if self.data.startswith(b"PK"):
            return bounded(open_docx(self.data))
        if self.data.startswith(_IMAGES):
            raise LetterWithoutText("the file is a picture; a letter is read from text, DOCX or PDF with text")
        if self.data.startswith(_OLD_WORD):
            return bounded(open_old_word(self.data))
        return bounded(LetterText(_decoded(self.data), "text"))

    def read_scan(self) -> Scan:
        """Return the text of a scan or picture with the place of each word, as far as the time goes.

        Never raises: what cannot be read is left to the eye.
        """
        try:
            pages = count_scan_pages(self.data)
        except Refused:
            return Scan(0, ())
        if not can_read_scans():
            return Scan(pages, (), missing=True)
        found: list[ScanPage] = []
        begun = time.monotonic()
        for number in range(pages):
            left = LONGEST_WAIT_SECONDS - (time.monotonic() - begun)
            if left <= 1:
                break
            try:
                found.append(read_scan_page(self.data, number, left))
            except Refused:
                break
        return Scan(pages, tuple(found))

    @cached_property
    def signatures(self) -> list[dict[str, Any]]:
        """What each electronic signature of a PDF shows (see `pdf_letter`); [] for every other kind of file."""
        if not self.data.startswith(b"%PDF-"):
            return []
        if not any(mark in self.data for mark in SIGNATURE_MARKS):
            return []
        try:
            return signatures_confined(self.data)
        except Refused:
            return [unread_signature()]

    @cached_property
    def _pdf(self) -> OpenedPdf:
        return open_pdf(self.data)

    def _refuse_active_pdf(self) -> None:
        try:
            remarks = self._pdf.remarks
        except (LetterUnreadable, LetterTooLarge) as refused:
            raise FileUnreadable(refused.message) from None
        if found := sorted(remarks & _ACTIVE):
            raise FileActive(f"the PDF contains {', '.join(found)}")


def _refuse_active_package(data: bytes) -> None:
    from bluezone.letters.files.docx_text import PackageRefused, check_package

    try:
        check_package(data)
    except PackageRefused as refused:
        raise FileActive(str(refused)) from None


def _media_type(data: bytes) -> str:
    for start, kind in _STARTS:
        if data.startswith(start):
            return kind
    if data.startswith(b"PK\x03\x04"):
        if b"word/" in data:
            return DOCX
        if b"xl/" in data:
            return XLSX
    elif b"\0" not in data:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = "<"
        if not text.lstrip().startswith("<"):
            return "text/plain; charset=utf-8"
    raise FileTypeRefused("the file is none of PDF, DOCX, XLSX, JPEG, PNG, TIFF or plain text")


def _decoded(data: bytes) -> str:
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        # Text of old fonts is in Western European signs; reading goes on to name the font's encoding.
        text = data.decode("cp1252", errors="replace")
    if "\0" in text or text.count("�") > len(text) // 50:
        raise LetterUnreadable("the file is neither text nor DOCX nor PDF")
    return text
