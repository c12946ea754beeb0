# SPDX-License-Identifier: Apache-2.0
"""Read the text layer of a PDF; note scripts, actions and embedded files, and what its electronic signatures prove by
themselves.
"""

import base64
import datetime
import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from pypdf import PdfReader
from pypdf.errors import PyPdfError
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

from bluezone.letters.files.pdf_page import read_page
from bluezone.letters.letter_text import (
    LARGEST_TEXT,
    SIGNATURE_MARKS,
    LetterText,
    LetterTooLarge,
    LetterUnreadable,
    Remark,
    add_page,
    unread_signature,
)

MOST_PAGES = 200

# What draws a page of text is some 50 kB; what unpacks to more is a drawing, or made to be slow.
_LARGEST_PAGE = 2 * 1024 * 1024

# How many arrays and dictionaries are looked at for what they would start; a long letter with tags has 50,000.
_MOST_OBJECTS = 300_000
# A damaged file fails anywhere in the reader; whatever the place, it is the file that cannot be read.
_DAMAGE = (
    PyPdfError,
    RecursionError,
    ValueError,
    KeyError,
    TypeError,
    IndexError,
    AttributeError,
    OverflowError,
    NotImplementedError,
)
# Annotations that play what is packed into them.
_PLAYERS = ("/RichMedia", "/Movie", "/Sound", "/Screen", "/FileAttachment", "/3D")
_CONTAINERS = (IndirectObject, ArrayObject, DictionaryObject)
_ACTIONS = {
    "/JavaScript": Remark.SCRIPT,
    "/Launch": Remark.LAUNCH_ACTION,
    "/SubmitForm": Remark.LAUNCH_ACTION,
    "/ImportData": Remark.LAUNCH_ACTION,
    "/GoToR": Remark.LAUNCH_ACTION,
    "/GoToE": Remark.EMBEDDED_FILE,
}


class PdfLetter:
    """A PDF, parsed once when it is first asked for something.

    Every question raises LetterUnreadable for a damaged or locked file.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data

    @cached_property
    def remarks(self) -> frozenset[Remark]:
        """What the PDF would start or holds beside its pages.

        Raises LetterTooLarge for a file with more objects than are looked at.
        """
        with _damage_refused():
            return frozenset(_remarks(self._reader))

    @cached_property
    def letter_text(self) -> LetterText:
        """The text in reading order, pages one below the other.

        Raises LetterTooLarge for too many pages or too much text.
        """
        with _damage_refused():
            pages = len(self._reader.pages)
            if pages > MOST_PAGES:
                raise LetterTooLarge(f"the PDF has {pages} pages, at most {MOST_PAGES} are read")
            return LetterText(_text(self._reader), "pdf", self.remarks, pages)

    @cached_property
    def _reader(self) -> PdfReader:
        reader = PdfReader(io.BytesIO(self._data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise LetterUnreadable("the PDF is locked with a password")
        return reader


@contextmanager
def _damage_refused() -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise LetterUnreadable(f"the PDF cannot be read ({type(error).__name__})") from None


def _text(reader: PdfReader) -> str:
    lines: list[str] = []
    for page in reader.pages:
        contents = page.get_contents()
        if contents is not None and len(contents.get_data()) > _LARGEST_PAGE:
            raise LetterTooLarge(f"a page of the PDF is drawn by more than {_LARGEST_PAGE} bytes")
        add_page(lines, read_page(page))
        if sum(map(len, lines)) > LARGEST_TEXT:
            raise LetterTooLarge(f"the PDF contains more than {LARGEST_TEXT} characters of text")
    return "\n".join(lines)


def _remarks(reader: PdfReader) -> Iterator[Remark]:
    """Walk everything the document's root leads to and name what it would start or holds."""
    waiting: list[Any] = [reader.trailer.get("/Root")]
    seen: set[tuple[int, int]] = set()
    looked_at = 0
    while waiting:
        looked_at += 1
        if looked_at > _MOST_OBJECTS:
            raise LetterTooLarge(f"the PDF has more than {_MOST_OBJECTS} objects; a long letter has 50,000")
        value = waiting.pop()
        if isinstance(value, IndirectObject):
            if (value.idnum, value.generation) in seen:
                continue
            seen.add((value.idnum, value.generation))
            value = value.get_object()
        if isinstance(value, ArrayObject):
            waiting.extend(one for one in value if isinstance(one, _CONTAINERS))
        elif isinstance(value, DictionaryObject):
            yield from _of_dictionary(value)
            waiting.extend(one for one in value.values() if isinstance(one, _CONTAINERS))


def _of_dictionary(value: DictionaryObject) -> Iterator[Remark]:
    action = _resolved(value.get("/S"))
    if isinstance(action, str) and action in _ACTIONS:
        yield _ACTIONS[action]
    if "/JS" in value or "/JavaScript" in value or "/XFA" in value:
        yield Remark.SCRIPT
    if "/EmbeddedFiles" in value or "/EF" in value or _resolved(value.get("/Subtype")) in _PLAYERS:
        yield Remark.EMBEDDED_FILE
    if value.get("/Type") == "/Sig" or "/ByteRange" in value:
        yield Remark.SIGNATURE


def _resolved(value: Any) -> Any:
    """A value that may be kept elsewhere in the file, which hides nothing."""
    return value.get_object() if isinstance(value, IndirectObject) else value


MOST_SIGNATURES = 20
WHOLE, ADDED, CHANGED, BROKEN = "whole", "added", "changed", "broken"


def read_signatures(data: bytes) -> list[dict[str, Any]]:
    """Return what each signature of a PDF shows, as values that JSON can hold; [] where there is none.

    state: "whole": nothing was changed after it; "added": only what signing itself adds came after (another signature,
    a form filled in); "changed": pages or other content came after; "broken": the signed bytes were changed or the
    signature does not fit; "unreadable": what is signed cannot be told.
    certificate: the signer's, DER in base64, or "". said_at: by the signer's clock, ISO 8601 in UTC, or "".
    stamped: whether it has a time stamp.
    Never raises: what cannot be read is said to be unreadable.
    """
    if not any(mark in data for mark in SIGNATURE_MARKS):
        return []
    from pyhanko.pdf_utils.reader import PdfFileReader

    # pyHanko tells of every odd certificate at length; the finding itself says it.
    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
    logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL)
    try:
        found = list(PdfFileReader(io.BytesIO(data), strict=False).embedded_signatures)[:MOST_SIGNATURES]
    except Exception:  # a damaged file fails anywhere in the reader
        return [unread_signature()]
    if not found:
        # Its bytes are there, but nothing in the file leads to them any more.
        return [unread_signature()]
    return [_read(one) for one in found if one.sig_object.get("/Type", "/Sig") != "/DocTimeStamp"]


def _read(embedded: Any) -> dict[str, Any]:
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko_certvalidator import ValidationContext

    try:
        # No roots: pyHanko is asked for integrity alone; trust is this office's list.
        context = ValidationContext(trust_roots=[], allow_fetching=False)
        status = validate_pdf_signature(embedded, signer_validation_context=context)
        certificate = status.signing_cert
        said_at = status.signer_reported_dt
        return _finding(
            _state(status),
            certificate.dump(),
            said_at.astimezone(datetime.UTC).isoformat() if said_at and said_at.tzinfo else "",
            stamped=status.timestamp_validity is not None,
        )
    except Exception:  # as above
        return unread_signature()


def _state(status: Any) -> str:
    from pyhanko.sign.diff_analysis import ModificationLevel
    from pyhanko.sign.validation import SignatureCoverageLevel

    if not (status.intact and status.valid):
        return BROKEN
    if status.coverage == SignatureCoverageLevel.ENTIRE_FILE:
        return WHOLE
    if status.coverage != SignatureCoverageLevel.ENTIRE_REVISION:
        return CHANGED
    harmless = (ModificationLevel.NONE, ModificationLevel.LTA_UPDATES, ModificationLevel.FORM_FILLING)
    return ADDED if status.modification_level in harmless and status.docmdp_ok is not False else CHANGED


def _finding(state: str, certificate: bytes = b"", said_at: str = "", *, stamped: bool = False) -> dict[str, Any]:
    return {
        "state": state,
        "certificate": base64.b64encode(certificate).decode(),
        "said_at": said_at,
        "stamped": stamped,
    }
