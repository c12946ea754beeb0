# SPDX-License-Identifier: Apache-2.0
"""What the signatures of a PDF prove by themselves."""

import pytest
from tests.letters.signedpdfs import identity, letter, signed, with_page_added

from bluezone.letters.files.pdf_letter import read_signatures


def states(data):
    return [one["state"] for one in read_signatures(data)]


@pytest.mark.long
def test_each_state_of_a_signature_is_told_apart():
    once = signed(letter())
    twice = signed(once, identity("Trần Thị Duyệt"), "Sig2")
    altered = bytearray(once)
    altered[altered.index(b"/MediaBox") + 12] = ord("1")

    assert states(letter()) == []
    assert states(once) == ["whole"]
    assert states(twice) == ["added", "whole"]
    assert states(with_page_added(once)) == ["changed"]
    assert states(bytes(altered)) == ["broken"]


@pytest.mark.long
def test_a_file_that_only_says_it_is_signed_is_unreadable_and_raises_nothing():
    assert states(b"%PDF-1.4\n<< /Type /Sig /ByteRange [0 1 2 3] >>") == ["unreadable"]
    data = signed(letter())
    assert states(data[: data.rindex(b"xref\n")]) == ["unreadable"]
