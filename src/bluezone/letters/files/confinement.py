# SPDX-License-Identifier: Apache-2.0
"""The files of a letter, each opened in a process of its own (bluezone.confinement)."""

import base64
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any

from bluezone.confinement import MOST_MEMORY, MOST_SECONDS, LimitExceeded, RefusedInside, run_confined
from bluezone.letters.letter_text import (
    LetterText,
    LetterTooLarge,
    LetterUnreadable,
    LetterWithoutText,
    OldWordUnread,
    Remark,
)
from bluezone.refusal import Refused

_REFUSALS: dict[str, type[Refused]] = {
    refusal.code: refusal for refusal in (LetterTooLarge, LetterUnreadable, LetterWithoutText, OldWordUnread)
}


@dataclass(frozen=True)
class OpenedPdf:
    """A PDF looked through and read in one go. refused: why it has no text that can be read."""

    remarks: frozenset[Remark]
    letter_text: LetterText | None
    refused: Refused | None


def open_pdf(data: bytes) -> OpenedPdf:
    """Look through a PDF and read it, in a process of its own.

    Raises LetterTooLarge or LetterUnreadable for one that cannot be looked through.
    """
    found = _run("read_pdf", data)
    remarks = frozenset(Remark(one) for one in found["remarks"])
    if "refused" in found:
        return OpenedPdf(remarks, None, _refusal(found))
    return OpenedPdf(remarks, LetterText(found["text"], "pdf", remarks, found["pages"]), None)


def open_docx(data: bytes) -> LetterText:
    """Return the text of a DOCX, read in a process of its own. Raises LetterTooLarge or LetterUnreadable."""
    found = _run("read_docx", data)
    return LetterText(found["text"], "docx", frozenset(Remark(one) for one in found["remarks"]))


def open_odt(data: bytes) -> LetterText:
    """Return the text of an ODT, read in a process of its own. Raises LetterTooLarge or LetterUnreadable."""
    found = _run("read_odt", data)
    return LetterText(found["text"], "odt", frozenset(Remark(one) for one in found["remarks"]))


def open_rtf(data: bytes) -> LetterText:
    """Return the text of an RTF, read in a process of its own. Raises LetterTooLarge or LetterUnreadable."""
    return LetterText(_run("read_rtf", data), "rtf")


def _refusal(said: dict[str, str]) -> Refused:
    return _REFUSALS.get(said["refused"], LetterUnreadable)(said["message"])


def signatures_confined(data: bytes) -> list[dict[str, Any]]:
    """Return what each signature of a PDF shows (`pdf_letter.read_signatures`).

    Raises LetterTooLarge for a file that takes more time or memory than a letter does.
    """
    found: list[dict[str, Any]] = _run("read_signatures", data)
    return found


def open_old_word(data: bytes) -> LetterText:
    """Return the text of a document of Word 97 to 2003, as antiword or catdoc reads it.

    Raises LetterUnreadable, also where neither is installed, or LetterTooLarge.
    """
    return LetterText(_run("read_old_word", data, written=len(data)), "doc")


@dataclass(frozen=True)
class ScanPage:
    """One page of a scan as read. lines: its paragraphs. words: each with its place, x0, y0, x1, y1 in 0..1."""

    lines: list[str]
    words: list[tuple[str, float, float, float, float]]


def count_scan_pages(data: bytes) -> int:
    """How many pages a scan or picture has. Raises LetterTooLarge or LetterUnreadable."""
    pages: int = _run(f"{_SCAN}:count_pages", data)
    return pages


def draw_scan_page(data: bytes, page: int) -> bytes:
    """One page as JPEG for a browser. page: from 0. Raises LetterTooLarge or LetterUnreadable."""
    return base64.b64decode(_run(f"{_SCAN}:draw_page", _asked(data, page)))


def read_scan_page(data: bytes, page: int, wait: float) -> ScanPage:
    """Read one page with Tesseract. wait: seconds at most. Raises LetterTooLarge or LetterUnreadable."""
    found = _run(f"{_SCAN}:read_page_words", _asked(data, page), wait=wait)
    return ScanPage(found["lines"], [(text, x0, y0, x1, y1) for text, x0, y0, x1, y1 in found["words"]])


_SCAN = "bluezone.letters.files.scan"


def _asked(data: bytes, page: int) -> bytes:
    """What a job about one page is given, as `scan` reads it."""
    return json.dumps({"page": page}).encode() + b"\n" + data


def _run(job: str, data: bytes, **bounds: Any) -> Any:
    job = job if ":" in job else f"{__name__}:{job}"
    try:
        return run_confined(job, data, **{"seconds": MOST_SECONDS, "memory": MOST_MEMORY, **bounds})
    except LimitExceeded as error:
        raise LetterTooLarge(str(error)) from None
    except RefusedInside as refused:
        raise _refusal({"refused": refused.code, "message": refused.message}) from None


# Each reader is imported by its own job alone, inside the bounds.
def read_pdf(data: bytes) -> Any:
    """The job of `open_pdf`."""
    from bluezone.letters.files.pdf_letter import PdfLetter

    letter = PdfLetter(data)
    remarks = sorted(letter.remarks)
    try:
        return {"remarks": remarks, "text": letter.letter_text.text, "pages": letter.letter_text.pages}
    except Refused as refused:
        return {"remarks": remarks, "refused": refused.code, "message": refused.message}


def read_docx(data: bytes) -> Any:
    """The job of `open_docx`."""
    from bluezone.letters.files import docx_text

    letter = docx_text.read_docx(data)
    return {"text": letter.text, "remarks": sorted(letter.remarks)}


def read_odt(data: bytes) -> Any:
    """The job of `open_odt`."""
    from bluezone.letters.files import odt_text

    letter = odt_text.read_odt(data)
    return {"text": letter.text, "remarks": sorted(letter.remarks)}


def read_rtf(data: bytes) -> str:
    """The job of `open_rtf`."""
    from bluezone.letters.files import rtf_text

    return rtf_text.read_rtf(data).text


def read_signatures(data: bytes) -> Any:
    """The job of `signatures_confined`."""
    from bluezone.letters.files import pdf_letter

    return pdf_letter.read_signatures(data)


OLD_WORD_PROGRAMS = {
    "antiword": ["-m", "UTF-8.txt", "-w", "0", "-s"],
    "catdoc": ["-d", "utf-8", "-w"],
}


def read_old_word(data: bytes) -> str:
    """The job of `open_old_word`: the program is given the document as a file that lies in memory alone."""
    for name, arguments in OLD_WORD_PROGRAMS.items():
        program = shutil.which(name, path="/usr/bin:/usr/local/bin")
        if program is None:
            continue
        held = os.memfd_create("letter")
        os.write(held, data)
        os.lseek(held, 0, os.SEEK_SET)
        done = subprocess.run(  # noqa: S603 - a program of the system, in this confined process
            [program, *arguments, f"/proc/self/fd/{held}"], capture_output=True, check=False, pass_fds=[held]
        )
        os.close(held)
        text = done.stdout.decode("utf-8", errors="replace")
        if not done.returncode and text.strip():
            return text
    raise OldWordUnread(
        "the file is of Word 97-2003, and neither antiword nor catdoc could read it; install one of them on the "
        "server, or save the file as DOCX or PDF"
    )
