# SPDX-License-Identifier: Apache-2.0
"""Read the text layer of a PDF; note scripts, actions, embedded files and signatures, and run none of them."""

import io
from collections.abc import Iterator
from typing import Any

from pypdf import PdfReader
from pypdf.errors import PyPdfError
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

from bluezone.rollout.directives.lettertext import LARGEST_TEXT, LetterText, LetterTooLarge, LetterUnreadable, Remark

MOST_PAGES = 200

# What draws a page of text is some 50 kB; what unpacks to more is a drawing, or made to be slow.
_LARGEST_PAGE = 2 * 1024 * 1024

# How many objects are looked at for what they would start; a letter has a few thousand.
_MOST_OBJECTS = 50_000
_ACTIONS = {
    "/JavaScript": Remark.SCRIPT,
    "/Launch": Remark.LAUNCH_ACTION,
    "/SubmitForm": Remark.LAUNCH_ACTION,
    "/ImportData": Remark.LAUNCH_ACTION,
    "/GoToR": Remark.LAUNCH_ACTION,
    "/GoToE": Remark.EMBEDDED_FILE,
}


def read_pdf(data: bytes) -> LetterText:
    """Return the text of a PDF, pages one below the other, columns of a line apart by blanks.

    Raises LetterTooLarge for too many pages or too much text, LetterUnreadable for a damaged or locked file.
    """
    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise LetterUnreadable("the PDF is locked with a password")
        pages = len(reader.pages)
        if pages > MOST_PAGES:
            raise LetterTooLarge(f"the PDF has {pages} pages, at most {MOST_PAGES} are read")
        return LetterText(_text(reader), "pdf", frozenset(_remarks(reader)), pages)
    except (
        PyPdfError,
        RecursionError,
        ValueError,
        KeyError,
        TypeError,
        IndexError,
        AttributeError,
        OverflowError,
        NotImplementedError,
    ) as error:
        # A damaged file fails anywhere in the reader; whatever the place, it is the file that cannot be read.
        raise LetterUnreadable(f"the PDF cannot be read ({type(error).__name__})") from None


def _text(reader: PdfReader) -> str:
    texts: list[str] = []
    for page in reader.pages:
        contents = page.get_contents()
        if contents is not None and len(contents.get_data()) > _LARGEST_PAGE:
            raise LetterTooLarge(f"a page of the PDF is drawn by more than {_LARGEST_PAGE} bytes")
        texts.append(page.extract_text(extraction_mode="layout", layout_mode_space_vertically=True))
        if sum(map(len, texts)) > LARGEST_TEXT:
            raise LetterTooLarge(f"the PDF holds more than {LARGEST_TEXT} characters of text")
    return "\n".join(texts)


def _remarks(reader: PdfReader) -> Iterator[Remark]:
    """Walk everything the document's root leads to and name what it would start or holds."""
    waiting: list[Any] = [reader.trailer.get("/Root")]
    seen: set[tuple[int, int]] = set()
    looked_at = 0
    while waiting and looked_at < _MOST_OBJECTS:
        looked_at += 1
        value = waiting.pop()
        if isinstance(value, IndirectObject):
            if (value.idnum, value.generation) in seen:
                continue
            seen.add((value.idnum, value.generation))
            value = value.get_object()
        if isinstance(value, ArrayObject):
            waiting.extend(value)
        elif isinstance(value, DictionaryObject):
            yield from _of_dictionary(value)
            waiting.extend(value.values())


def _of_dictionary(value: DictionaryObject) -> Iterator[Remark]:
    action = value.get("/S")
    if isinstance(action, str) and action in _ACTIONS:
        yield _ACTIONS[action]
    if "/JS" in value or "/JavaScript" in value:
        yield Remark.SCRIPT
    if "/EmbeddedFiles" in value or (value.get("/Type") == "/Filespec" and "/EF" in value):
        yield Remark.EMBEDDED_FILE
    if value.get("/Type") == "/Sig" or "/ByteRange" in value:
        yield Remark.SIGNATURE
