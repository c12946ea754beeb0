# SPDX-License-Identifier: Apache-2.0
"""The package's own steps: archives that come out the same and aligned, proxies in Java, Android's table made older."""

import struct
import zipfile

import pytest
from tools.apk.framework import rewritten
from tools.apk.packing import LIBRARY_ALIGNMENT, misaligned, pack
from tools.apk.proxies import write_proxies

FILES = {"a.txt": b"one", "lib/arm64-v8a/libx.so": b"\x7fELF" * 9, "resources.arsc": b"table", "z": b"2" * 1000}


def test_the_same_files_make_the_same_package_and_what_is_stored_lies_on_a_page(tmp_path):
    stored = frozenset({"lib/arm64-v8a/libx.so", "resources.arsc"})
    pack(tmp_path / "one", FILES, stored)
    pack(tmp_path / "two", dict(reversed(FILES.items())), stored)

    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    with zipfile.ZipFile(tmp_path / "one") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == FILES
        assert archive.testzip() is None
    assert misaligned(tmp_path / "one") == []
    assert (tmp_path / "one").read_bytes().find(b"\x7fELF") % LIBRARY_ALIGNMENT == 0


def test_a_stored_library_that_lies_on_no_page_is_found(tmp_path):
    with zipfile.ZipFile(tmp_path / "plain", "w") as archive:
        archive.writestr("lib/arm64-v8a/libx.so", b"\x7fELF")

    assert misaligned(tmp_path / "plain") == ["lib/arm64-v8a/libx.so"]


def test_a_class_of_python_that_extends_one_of_java_gets_a_java_class_that_calls_it(tmp_path):
    source = tmp_path / "ears.py"
    source.write_text(
        "from android.webkit import WebView, WebChromeClient\n"
        "from java import Override, jboolean, jvoid, static_proxy\n"
        "class Chrome(static_proxy(WebChromeClient)):\n"
        "    @Override(jboolean, [WebView, WebChromeClient.FileChooserParams])\n"
        "    def choose(self, view, wanted): ...\n"
        "    @Override(jvoid, [])\n"
        "    def end(self): ...\n"
        "class Other: ...\n"
    )

    (written,) = write_proxies(source, "pack.ears", tmp_path / "gen")
    java = written.read_text()
    assert written == tmp_path / "gen" / "pack" / "ears" / "Chrome.java"
    assert "class Chrome extends android.webkit.WebChromeClient implements bluezone.phone.Held" in java
    assert "boolean choose(android.webkit.WebView a0, android.webkit.WebChromeClient.FileChooserParams a1)" in java
    assert 'Boolean.TRUE.equals(python.call("choose", a0, a1))' in java
    assert 'python.call("end");' in java


def table(*types: bytes) -> bytes:
    body = b"".join(types)
    package = struct.pack("<HHI", 0x0200, 288, 288 + len(body)) + bytes(280) + body
    return struct.pack("<HHII", 2, 12, 12 + len(package), 1) + package


def type_chunk(flags: int, offsets: bytes, count: int, entries: bytes, configuration: bytes = bytes(60)) -> bytes:
    header, start = 84, 84 + len(offsets)
    fixed = struct.pack("<HHIBBHII", 0x0201, header, start + len(entries), 1, flags, 0, count, start)
    return fixed + struct.pack("<I", 64) + configuration + offsets + entries


def test_short_offsets_and_short_values_of_androids_table_become_long_ones():
    compact = struct.pack("<HHI", 7, 8 | 0x10 << 8, 99)
    long = struct.pack("<HHIHBBI", 8, 0, 5, 8, 0, 0x10, 42)
    new = type_chunk(2, struct.pack("<4H", 0, 0xFFFF, 2, 0xFFFF), 4, compact + long)

    made = rewritten(table(new))
    chunk = made[12 + 288 :]
    _, header, size, number, flags, _, count, start = struct.unpack_from("<HHIBBHII", chunk)
    assert (header, number, flags, count, size) == (84, 1, 0, 4, len(chunk))
    offsets = struct.unpack_from("<4I", chunk, header)
    assert offsets == (0, 0xFFFFFFFF, 16, 0xFFFFFFFF)
    assert struct.unpack_from("<HHIHBBI", chunk, start) == (8, 0, 7, 8, 0, 0x10, 99)
    assert chunk[start + 16 : start + 32] == long


@pytest.mark.parametrize("dropped", [True, False])
def test_only_the_default_configuration_is_kept(dropped):
    other = type_chunk(0, b"", 0, b"", (b"\x01" if dropped else b"\0") + bytes(59))

    assert len(rewritten(table(other))) == 12 + 288 + (0 if dropped else len(other))
