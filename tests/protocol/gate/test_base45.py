# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.protocol.gate import base45


@pytest.mark.parametrize(("data", "text"), [(b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581")])
def test_the_examples_of_the_rfc_come_out(data, text):
    assert base45.encode(data) == text
    assert base45.decode(text) == data


@given(st.binary(max_size=400))
def test_what_is_written_is_read_back(data):
    assert base45.decode(base45.encode(data)) == data


@given(st.text(alphabet=base45.ALPHABET, max_size=40))
def test_each_text_that_is_read_is_the_one_that_would_be_written(text):
    try:
        data = base45.decode(text)
    except base45.InvalidBase45:
        return
    assert base45.encode(data) == text


@pytest.mark.parametrize("text", ["0", "BB80", "A", "GGW", ":::", "::", "abc", "AB\n", "ĐÃ1"])
def test_text_that_no_encoder_writes_is_refused(text):
    with pytest.raises(base45.InvalidBase45):
        base45.decode(text)
