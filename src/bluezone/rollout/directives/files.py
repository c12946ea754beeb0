# SPDX-License-Identifier: Apache-2.0
"""Files that people send in: told by their content, bounded, and kept under a token that cannot be guessed."""

import hashlib
import secrets
import unicodedata

from bluezone.letters.docx_text import PackageRefused, check_package
from bluezone.letters.letter_text import LetterTooLarge, LetterUnreadable, Remark
from bluezone.refusal import Refused
from bluezone.rollout.directives.models import StoredFile
from bluezone.rollout.directives.pdf_signatures import read_signatures

LARGEST_FILE = 10 * 1024 * 1024
PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_STARTS = (
    (b"%PDF-", PDF),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
)
# A letter needs none of these; a PDF that has one is not passed on to a hundred agencies.
_ACTIVE = frozenset({Remark.SCRIPT, Remark.LAUNCH_ACTION, Remark.EMBEDDED_FILE})
# What a browser may show by itself; all else is only downloaded.
SHOWN_INLINE = frozenset({"image/jpeg", "image/png"})


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


def content_type(data: bytes) -> str:
    """Return the type that the content shows. Raises FileTypeRefused."""
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


def check(data: bytes) -> str:
    """Return the type of a file that may be kept.

    Raises FileTooLarge, FileTypeRefused, FileActive for what would start something where it is opened, FileUnreadable.
    """
    if len(data) > LARGEST_FILE:
        raise FileTooLarge(f"the file is {len(data)} bytes, at most {LARGEST_FILE} are kept")
    kind = content_type(data)
    if kind == PDF:
        _check_pdf(data)
    elif kind in (DOCX, XLSX):
        try:
            check_package(data)
        except PackageRefused as refused:
            raise FileActive(str(refused)) from None
    return kind


def _check_pdf(data: bytes) -> None:
    # pypdf takes a tenth of the office's start, so whoever takes in a PDF loads it.
    from bluezone.letters.pdf_text import remarks_of

    try:
        remarks = remarks_of(data)
    except (LetterUnreadable, LetterTooLarge) as refused:
        raise FileUnreadable(refused.message) from None
    if found := sorted(remarks & _ACTIVE):
        raise FileActive(f"the PDF holds {', '.join(found)}")


def store(data: bytes, name: str) -> StoredFile:
    """Keep a file as it came. Raises what `check` raises; nothing is kept then."""
    kind = check(data)
    made: StoredFile = StoredFile.objects.create(
        token=secrets.token_urlsafe(32),
        name=_plain(name),
        content_type=kind,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        content=data,
        signatures=read_signatures(data) if kind == PDF else [],
    )
    return made


def _plain(name: str) -> str:
    """A file name without folders and control characters."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(sign for sign in last if sign.isprintable()).strip(" .")[-200:] or "tệp"
