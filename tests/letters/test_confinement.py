# SPDX-License-Identifier: Apache-2.0
import io
import json
import socket
import subprocess
import sys
import zipfile
import zlib

import pytest
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject
from tests.letters import letters
from tests.letters.pdffiles import pdf_writer, with_script, written

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


def huge_stream() -> bytes:
    writer = pdf_writer(letters.BY_ORDER)
    bomb = DecodedStreamObject()
    bomb.set_data(b"BT ET " * 25_000_000)
    writer.pages[0][NameObject("/Contents")] = writer._add_object(bomb.flate_encode())
    return written(writer)


# In a process of its own, which waits for no other large one than the letter's.
READ = """
import json, resource, sys
from bluezone.letters.letter import Letter
from bluezone.refusal import Refused

letter = Letter(sys.stdin.buffer.read())
try:
    found = "scan" if sys.argv[1:] else "read"
    pages = letter.read_scan().pages if sys.argv[1:] else letter.read()
except Refused as refused:
    found = refused.code
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([found, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000]))
"""


def package(**parts: bytes) -> bytes:
    """A DOCX of these parts, by their names in the folder word; its main part is document."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as whole:
        whole.writestr("_rels/.rels", f'<Relationships xmlns="{PACKAGE}"><Relationship Id="a" Type="{MAIN}"'
                       ' Target="word/document.xml"/></Relationships>')  # fmt: skip
        for name, content in parts.items():
            whole.writestr(f"word/{name.replace('_', '.')}", content)
    return target.getvalue()


PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def document(body: str, before: str = "") -> bytes:
    return f'{before}<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>'.encode()


LAUGHS = "<!DOCTYPE a [<!ENTITY a0 'ha'>" + "".join(
    f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12)
) + "]>"  # fmt: skip


def opendocument(content: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as whole:
        whole.writestr("mimetype", "application/vnd.oasis.opendocument.text", zipfile.ZIP_STORED)
        whole.writestr("content.xml", content)
    return target.getvalue()


ODT = "urn:oasis:names:tc:opendocument:xmlns"


def odt_text(text: str, before: str = "") -> bytes:
    return opendocument(
        f'{before}<o:document-content xmlns:o="{ODT}:office:1.0" xmlns:t="{ODT}:text:1.0"><o:body><o:text>{text}'
        "</o:text></o:body></o:document-content>"
    )


def giant_picture() -> bytes:
    """A PNG of 60,000 times 60,000 white points, packed into three megabytes."""
    rows = zlib.compress(bytes(1 + 60_000 // 8) * 60_000, 9)

    def chunk(kind: bytes, content: bytes) -> bytes:
        sum_ = zlib.crc32(kind + content)
        return len(content).to_bytes(4) + kind + content + sum_.to_bytes(4)

    size = (60_000).to_bytes(4)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size + size + b"\1\0\0\0\0") + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def many_pages() -> bytes:
    writer = pdf_writer(letters.BY_ORDER)
    for _ in range(3000):
        writer.add_page(writer.pages[0])
    return written(writer)


def looped_pages() -> bytes:
    """A PDF whose tree of pages holds itself."""
    writer = pdf_writer(letters.BY_ORDER)
    writer.root_object["/Pages"]["/Kids"].append(writer.root_object.raw_get("/Pages"))
    return written(writer)


PARAGRAPH = "<w:p><w:r><w:t>Kính gửi</w:t></w:r></w:p>"
CELLS = "<w:tr>" + f"<w:tc>{PARAGRAPH}</w:tc>" * 50_000 + "</w:tr>"
READABLE = {"letter_too_large", "letter_unreadable", "letter_without_text", "old_word_unread"}
# What a file may end in beside a refusal: it is read, and nothing in it was run.
HOSTILE = {
    "bomb": (packed_bomb, READABLE),
    "huge stream": (huge_stream, READABLE),
    "endless page": (endless_page, READABLE),
    "many pages": (many_pages, READABLE | {"read"}),
    "looped pages": (looped_pages, READABLE | {"read"}),
    "billion laughs": (lambda: package(document_xml=document("<w:p>&a11;</w:p>", LAUGHS)), READABLE),
    "entity of a file": (
        lambda: package(document_xml=document("&a;", "<!DOCTYPE a [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>")),
        READABLE,
    ),
    "deep xml": (lambda: package(document_xml=document("<w:sdt>" * 2_000_000 + "</w:sdt>" * 2_000_000)), READABLE),
    "deep drawing": (
        lambda: package(document_xml=document("<w:p>" * 250 + "</w:p>" * 250)), READABLE | {"read"},
    ),
    "many parts": (lambda: package(**{f"a{number}": b"" for number in range(5000)}), READABLE),
    "many paragraphs": (lambda: package(document_xml=document(PARAGRAPH * 300_000)), READABLE),
    "wide table": (
        lambda: package(document_xml=document(f"<w:tbl>{CELLS * 4}</w:tbl>")),
        READABLE,
    ),
    "macros": (lambda: package(document_xml=document(PARAGRAPH), vbaProject_bin=b"macro"), {"read"}),
    "old word of noise": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(range(256)) * 40_000, READABLE),
    "laughs in an odt": (lambda: odt_text("<t:p>&a11;</t:p>", LAUGHS), READABLE),
    "deep odt": (lambda: odt_text("<t:list>" * 1_000_000 + "</t:list>" * 1_000_000), READABLE),
    "deep lists of an odt": (
        lambda: odt_text("<t:list><t:list-item>" * 120 + "<t:p>a</t:p>" + "</t:list-item></t:list>" * 120),
        READABLE | {"read"},
    ),
    "blanks of an odt": (lambda: odt_text('<t:p>a<t:s t:c="999999999"/></t:p>'), {"read"}),
    "nested rtf": (lambda: b"{\\rtf1 " + b"{" * 10_000_000, READABLE),
    "long rtf": (lambda: b"{\\rtf1 " + b"\\par\\u7842 a" * 1_500_000, READABLE),
    "binary of an rtf": (lambda: b"{\\rtf1 a{\\pict\\bin999999999 a}", {"read"}),
    "script in a pdf": (lambda: written(with_script(pdf_writer(letters.BY_ORDER))), {"read"}),
}  # fmt: skip


def reading(data: bytes, *scan: str) -> tuple[str, float, float]:
    """What became of a file, and the seconds of a core and megabytes that its reader took."""
    done = subprocess.run([sys.executable, "-c", READ, *scan], input=data, capture_output=True, check=True)
    found, seconds, megabytes = json.loads(done.stdout)
    return found, seconds, megabytes


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_ends_in_a_sentence_within_the_time_and_memory_of_a_letter(name):
    make, endings = HOSTILE[name]
    found, seconds, megabytes = reading(make())

    assert found in endings
    assert seconds < 20
    assert megabytes < 500


@pytest.mark.slow
@pytest.mark.parametrize("make", [giant_picture, many_pages, endless_page])
def test_a_hostile_scan_is_left_to_the_eye_within_the_time_and_memory_of_a_letter(make):
    found, _, megabytes = reading(make(), "scan")

    assert found == "scan"
    assert megabytes < 500


@pytest.mark.long
@pytest.mark.parametrize("make", [packed_bomb, huge_stream])
def test_a_bomb_is_refused_within_the_memory_of_a_letter(make):
    found, _, megabytes = reading(make())

    assert found in READABLE
    assert megabytes < 500


def test_a_macro_is_not_kept():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as package:
        package.writestr("word/document.xml", "<a/>")
        package.writestr("word/vbaProject.bin", b"macro")
    with pytest.raises(FileActive):
        Letter(target.getvalue()).check()


def test_the_reading_process_writes_no_file(tmp_path):
    code = (
        "import os; from bluezone import confinement; confinement.confine(5, 480 * 1024 * 1024)\n"
        f"os.write(os.open({str(tmp_path / 'x')!r}, os.O_WRONLY | os.O_CREAT), b'x')"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True)

    # Where the office runs as root, it is nobody, who may not even begin to.
    assert "File too large" in done.stderr or "Permission denied" in done.stderr


def test_the_reading_process_reaches_no_server():
    probe = subprocess.run(["unshare", "--user", "--net", "true"], capture_output=True)
    if probe.returncode:
        pytest.skip("this system grants no namespaces")
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = (
            "import socket; from bluezone import confinement; confinement.confine(5,"
            " 480 * 1024 * 1024)\n"
            f"socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), timeout=5)"
        )
        done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True)

    assert "Network is unreachable" in done.stderr
