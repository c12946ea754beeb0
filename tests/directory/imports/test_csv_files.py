# SPDX-License-Identifier: Apache-2.0
"""bluezone.directory.imports.tables: which bytes become which text."""

import pytest

from bluezone.directory.imports.files.csv_files import decode_text, read_csv
from bluezone.directory.imports.files.raw_sheets import SpreadsheetEncodingUnknown, SpreadsheetTooLarge


@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        (b"abc", "abc", "utf-8"),
        ("Bắc Kạn".encode(), "Bắc Kạn", "utf-8"),
        ("\ufeffBắc Kạn".encode("utf-16-be"), "Bắc Kạn", "utf-16-be"),
        ("B\u0103\u0301c Ka\u0323n, \u0111\xea".encode("cp1258"), "Bắc Kạn, đê", "windows-1258"),
        ("B¾c K¹n".encode("cp1252"), "B¾c K¹n", "windows-1252"),
        ("Baéc Kaïn".encode("cp1252"), "Baéc Kaïn", "windows-1252"),
        ("“Café”".encode("cp1252"), "“Café”", "windows-1252"),
    ],
)
def test_bytes_become_the_text_their_writer_meant(data, text, encoding):
    assert decode_text(data) == (text, encoding)


@pytest.mark.parametrize("data", [b"\xef\xbb\xbf\xff", b"\xff\xfe\x00", b"\x00", b"a\x00\x00\x00b", b"\x81\x90"])
def test_bytes_that_are_no_text_are_refused(data):
    with pytest.raises(SpreadsheetEncodingUnknown):
        decode_text(data)


def test_more_columns_than_a_list_has_are_refused_but_empty_ones_are_not():
    assert len(read_csv(b"a" + b"," * 100).rows) == 1
    with pytest.raises(SpreadsheetTooLarge):
        read_csv(b"a" + b"," * 100 + b"b")
