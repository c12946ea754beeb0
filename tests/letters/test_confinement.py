# SPDX-License-Identifier: Apache-2.0
import io
import socket
import subprocess
import sys
import zipfile

import pytest
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject
from tests.letters import letters
from tests.letters.pdffiles import pdf_writer, written

from bluezone.letters.files import confinement
from bluezone.letters.letter import FileActive, FileUnreadable, Letter
from bluezone.letters.letter_text import LetterTooLarge


def form(writer: PdfWriter, content: str, **forms) -> object:
    stream = DecodedStreamObject()
    stream.set_data(content.encode())
    stream.update({NameObject("/Type"): NameObject("/XObject"), NameObject("/Subtype"): NameObject("/Form")})
    named = DictionaryObject({NameObject(f"/{name}"): value for name, value in forms.items()})
    stream[NameObject("/Resources")] = DictionaryObject({NameObject("/XObject"): named})
    return writer._add_object(stream)


def endless_page() -> bytes:
    """A page that draws a form a thousand times that draws one a thousand times, and so on."""
    writer = pdf_writer(letters.BY_ORDER)
    inner = form(writer, "0 0 m " * 500)
    for _ in range(3):
        inner = form(writer, "/A Do " * 1000, A=inner)
    page = writer.pages[0]
    page["/Resources"][NameObject("/XObject")] = DictionaryObject({NameObject("/A"): inner})
    content = DecodedStreamObject()
    content.set_data(b"/A Do " * 1000)
    page[NameObject("/Contents")] = writer._add_object(content)
    return written(writer)


def test_a_page_that_is_never_done_ends_in_a_sentence(monkeypatch):
    monkeypatch.setattr(confinement, "MOST_SECONDS", 2)

    with pytest.raises(LetterTooLarge, match="more time or memory"):
        Letter(endless_page()).read()


def test_a_file_that_wants_more_memory_than_a_letter_ends_in_a_sentence(monkeypatch):
    monkeypatch.setattr(confinement, "MOST_MEMORY", 30 * 1024 * 1024)

    with pytest.raises(LetterTooLarge, match="memory"):
        Letter(written(pdf_writer(letters.BY_ORDER))).read()
    with pytest.raises(FileUnreadable):
        Letter(written(pdf_writer(letters.BY_ORDER))).check()


def packed_bomb() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("word/document.xml", bytes(80 * 1024 * 1024))
    return target.getvalue()


# In a process of its own, which waits for no other large one than the letter's.
READ = """
import resource, sys
from bluezone.letters.letter import Letter
try:
    Letter(sys.stdin.buffer.read()).read()
except Exception as refused:
    print(type(refused).__name__, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def huge_stream() -> bytes:
    writer = pdf_writer(letters.BY_ORDER)
    bomb = DecodedStreamObject()
    bomb.set_data(b"BT ET " * 25_000_000)
    writer.pages[0][NameObject("/Contents")] = writer._add_object(bomb.flate_encode())
    return written(writer)


@pytest.mark.long
@pytest.mark.parametrize("make", [packed_bomb, huge_stream])
def test_a_bomb_is_refused_within_the_memory_of_a_letter(make):
    read = subprocess.run([sys.executable, "-c", READ], input=make(), capture_output=True, check=True)
    refused, largest_kb = read.stdout.split()

    assert refused in (b"LetterTooLarge", b"LetterUnreadable")
    assert int(largest_kb) < 500_000


def test_a_macro_is_not_kept():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as package:
        package.writestr("word/document.xml", "<a/>")
        package.writestr("word/vbaProject.bin", b"macro")
    with pytest.raises(FileActive):
        Letter(target.getvalue()).check()


def test_the_reading_process_writes_no_file(tmp_path):
    code = (
        "import os; from bluezone.letters.files import confinement; confinement._confine(5, 480 * 1024 * 1024)\n"
        f"os.write(os.open({str(tmp_path / 'x')!r}, os.O_WRONLY | os.O_CREAT), b'x')"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True)

    assert "File too large" in done.stderr


def test_the_reading_process_reaches_no_server():
    probe = subprocess.run(["unshare", "--user", "--net", "true"], capture_output=True)
    if probe.returncode:
        pytest.skip("this system grants no namespaces")
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = (
            "import socket; from bluezone.letters.files import confinement; confinement._confine(5,"
            " 480 * 1024 * 1024)\n"
            f"socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), timeout=5)"
        )
        done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True)

    assert "Network is unreachable" in done.stderr
