# SPDX-License-Identifier: Apache-2.0
"""A file that somebody sent in, opened in a process of its own that has little time, little memory and no network.

What a hostile file does to its reader happens there: the office's process waits, at most twenty seconds, and tells.
"""

import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bluezone.letters.letter_text import (
    LetterText,
    LetterTooLarge,
    LetterUnreadable,
    LetterWithoutText,
    Remark,
)
from bluezone.refusal import Refused

# Most letters take half a second; a plan of a hundred pages some five.
MOST_SECONDS = 15
LONGEST_WAIT_SECONDS = 20.0
MOST_MEMORY = 480 * 1024 * 1024
_REFUSALS: dict[str, type[Refused]] = {
    refusal.code: refusal for refusal in (LetterTooLarge, LetterUnreadable, LetterWithoutText)
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
    found = _run("pdf", data)
    remarks = frozenset(Remark(one) for one in found["remarks"])
    if "refused" in found:
        return OpenedPdf(remarks, None, _refusal(found))
    return OpenedPdf(remarks, LetterText(found["text"], "pdf", remarks, found["pages"]), None)


def open_docx(data: bytes) -> LetterText:
    """Return the text of a DOCX, read in a process of its own. Raises LetterTooLarge or LetterUnreadable."""
    found = _run("docx", data)
    return LetterText(found["text"], "docx", frozenset(Remark(one) for one in found["remarks"]))


def _refusal(said: dict[str, str]) -> Refused:
    return _REFUSALS.get(said["refused"], LetterUnreadable)(said["message"])


def signatures_confined(data: bytes) -> list[dict[str, Any]]:
    """Return what each signature of a PDF shows (`pdf_letter.read_signatures`).

    Raises LetterTooLarge for a file that takes more time or memory than a letter does.
    """
    found: list[dict[str, Any]] = _run("signatures", data)
    return found


def _run(job: str, data: bytes) -> Any:
    # Nothing of the office's environment goes along: it may hold secrets.
    environment = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
    process = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-I", "-m", "bluezone.letters.files.confinement", job, str(MOST_SECONDS), str(MOST_MEMORY)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**environment, "PYTHONUTF8": "1"},
    )
    try:
        said, _ = process.communicate(data, timeout=LONGEST_WAIT_SECONDS)
    except subprocess.TimeoutExpired:
        raise LetterTooLarge(f"the file takes more than {LONGEST_WAIT_SECONDS:.0f} s to be read") from None
    finally:
        process.kill()
        process.wait()
    try:
        answer = json.loads(said)
    except ValueError:
        raise LetterTooLarge("the file takes more time or memory to be read than any letter does") from None
    if "refused" in answer:
        raise _refusal(answer)
    return answer["found"]


def _confine(seconds: int, memory: int) -> None:
    """Give up what reading a file does not need: more time and memory than a letter takes, writing, the network."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    for limit, most in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(limit)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(limit, (most, most))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        # Refused where the system grants no namespaces; the other bounds hold all the same.
        libc.unshare(_NEW_USER | _NEW_NETWORK)


_NO_NEW_PRIVILEGES = 38
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000


# Each reader is imported by its own job alone, inside the bounds.
def _pdf(data: bytes) -> Any:
    from bluezone.letters.files.pdf_letter import PdfLetter

    letter = PdfLetter(data)
    remarks = sorted(letter.remarks)
    try:
        return {"remarks": remarks, "text": letter.letter_text.text, "pages": letter.letter_text.pages}
    except Refused as refused:
        return {"remarks": remarks, "refused": refused.code, "message": refused.message}


def _docx(data: bytes) -> Any:
    from bluezone.letters.files.docx_text import read_docx

    letter = read_docx(data)
    return {"text": letter.text, "remarks": sorted(letter.remarks)}


def _signatures(data: bytes) -> Any:
    from bluezone.letters.files.pdf_letter import read_signatures

    return read_signatures(data)


_JOBS: dict[str, Callable[[bytes], Any]] = {"pdf": _pdf, "docx": _docx, "signatures": _signatures}


def main(job: str, seconds: str, memory: str) -> None:
    """Do one job with the file on standard input, in so many seconds of a core and bytes of memory.

    Its result goes to standard output as JSON.
    """
    _confine(int(seconds), int(memory))
    try:
        answer: dict[str, Any] = {"found": _JOBS[job](sys.stdin.buffer.read())}
    except Refused as refused:
        answer = {"refused": refused.code, "message": refused.message}
    except (MemoryError, RecursionError):
        answer = {
            "refused": LetterTooLarge.code,
            "message": "the file takes more memory to be read than any letter does",
        }
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
