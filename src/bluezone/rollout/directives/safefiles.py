# SPDX-License-Identifier: Apache-2.0
"""Files that people send in: told by their content, bounded, and kept under a token that cannot be guessed."""

import hashlib
import secrets
import unicodedata

from bluezone.refusal import Refused
from bluezone.rollout.directives.models import StoredFile

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
# What a browser may show by itself; all else is only downloaded.
SHOWN_INLINE = frozenset({"image/jpeg", "image/png"})


class FileTypeRefused(Refused):
    """The file is none of the kinds that are kept: PDF, DOCX, XLSX, JPEG, PNG, TIFF, plain text."""

    code = "file_type_refused"


class FileTooLarge(Refused):
    """The file is larger than 10 MB."""

    code = "file_too_large"


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


def store(data: bytes, name: str) -> StoredFile:
    """Keep a file. Raises FileTooLarge or FileTypeRefused; nothing is kept then."""
    if len(data) > LARGEST_FILE:
        raise FileTooLarge(f"the file is {len(data)} bytes, at most {LARGEST_FILE} are kept")
    return StoredFile.objects.create(
        token=secrets.token_urlsafe(32),
        name=_plain(name),
        content_type=content_type(data),
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        content=data,
    )


def _plain(name: str) -> str:
    """A file name without folders and control characters."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(sign for sign in last if sign.isprintable()).strip(" .")[-200:] or "tệp"
