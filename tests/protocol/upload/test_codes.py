# SPDX-License-Identifier: Apache-2.0
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.protocol.upload.codes import (
    LONG_CODE_LENGTH,
    Credential,
    CredentialKind,
    InvalidCode,
    damm_digit,
    format_code,
    link_url,
    new_code,
    new_link,
    parse_code,
    parse_link,
)
from bluezone.refusal import Refused

codes = st.integers(0, 10**11 - 1).map(lambda number: new_code(lambda _: number))
links = st.binary(min_size=16, max_size=16)


def test_published_codes_are_told_apart(vectors):
    published = json.loads((vectors / "presence.json").read_text())["ours_v1"]["upload_code"]

    assert [parse_code(code) for code in published["valid"]] == published["valid"]
    for code in published["invalid"]:
        with pytest.raises(InvalidCode) as refused:
            parse_code(code)
        assert refused.value.code == "code_malformed"
        assert code not in refused.value.message


@given(codes)
def test_a_code_survives_the_way_it_is_written(code):
    assert parse_code(format_code(code)) == code


@pytest.mark.parametrize(
    "written",
    [
        "1234 5678 9018",
        " 1234-5678-9018\n",
        "1234\u20135678\u20139018",
        "1234\u22125678\u22129018",
        "\uff11\uff12\uff13\uff14\uff0d5678\uff0d9018",
        "1234\u00a05678\u202f9018",
        "\u200b123456789018\u200e",
        "1234.5678.9018",
    ],
)
def test_a_code_is_read_however_people_type_it(written):
    assert parse_code(written) == "123456789018"


@pytest.mark.parametrize("written", ["", "12345678901", "1234567890188", "12345678901A", "1234/5678/9018", "9" * 5000])
def test_other_text_is_no_code(written):
    with pytest.raises(InvalidCode):
        parse_code(written)


@given(codes, st.integers(0, 11), st.integers(1, 9))
def test_one_wrong_digit_is_noticed(code, position, shift):
    wrong = str((int(code[position]) + shift) % 10)

    with pytest.raises(InvalidCode):
        parse_code(code[:position] + wrong + code[position + 1 :])


@given(codes, st.integers(0, 10))
def test_two_swapped_neighbours_are_noticed(code, position):
    swapped = code[:position] + code[position + 1] + code[position] + code[position + 2 :]

    if swapped != code:
        with pytest.raises(InvalidCode):
            parse_code(swapped)


def test_codes_use_all_eleven_digits():
    drawn = [new_code(random.Random(seed).randrange) for seed in range(200)]

    assert len(set(drawn)) == 200
    assert {len(code) for code in drawn} == {12}
    assert {damm_digit(code) for code in drawn} == {"0"}
    assert {code[0] for code in drawn} == set("0123456789")


@given(st.integers(0, 10**15 - 1), st.sampled_from(["-", " ", "", "\u2013"]))
def test_a_long_code_is_read_as_a_short_one_is(number, separator):
    code = new_code(lambda below: number % below, LONG_CODE_LENGTH)
    wrong = code[:5] + str((int(code[5]) + 1) % 10) + code[6:]

    assert len(code) == 16
    assert parse_code(separator.join(format_code(code).split("-"))) == code
    assert Credential.from_text(format_code(code)).value == code.encode()
    with pytest.raises(InvalidCode):
        parse_code(wrong)


@given(links)
def test_a_link_survives_its_address(link):
    address = link_url("https://bluezone.example.vn", link)

    assert address.startswith("https://bluezone.example.vn/r#")
    assert parse_link(address) == link
    assert parse_link(address.split("#")[1] + "\n") == link


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://bluezone.example.vn/r#",
        "https://bluezone.example.vn/v#AAAAAAAAAAAAAAAAAAAAAA",
        "ftp://bluezone.example.vn/r#AAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAB",
        "AAAAAAAAAAAAAAAAAAAAAA==",
        "A" * 5000,
    ],
)
def test_other_text_is_no_link(text):
    with pytest.raises(InvalidCode):
        parse_link(text)


def test_a_link_with_blanks_around_it_is_read_up_to_the_longest_text():
    assert parse_link(("A" * 22).ljust(200)) == bytes(16)
    with pytest.raises(InvalidCode):
        parse_link(("A" * 22).ljust(201))


@given(st.text())
def test_any_text_is_a_credential_or_refused(text):
    try:
        credential = Credential.from_text(text)
    except Refused:
        return
    assert len(credential.value) == 16


def test_a_credential_holds_digits_or_a_link_and_does_not_print_them():
    digits = Credential.from_text("1234-5678-9018")
    link = Credential.from_text(link_url("https://bluezone.example.vn", new_link(lambda size: b"k" * size)))

    assert digits == Credential(CredentialKind.DIGITS, b"123456789018\0\0\0\0")
    assert link == Credential(CredentialKind.LINK, b"k" * 16)
    assert "1234" not in repr(digits)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (CredentialKind.DIGITS, b"1" * 14 + bytes(2)),
        (CredentialKind.DIGITS, b"1" * 12),
        (CredentialKind.LINK, b"1" * 15),
    ],
)
def test_a_credential_of_another_shape_is_refused(kind, value):
    with pytest.raises(InvalidCode):
        Credential(kind, value)


def test_a_text_of_two_hundred_characters_is_read_and_a_longer_one_is_not():
    assert parse_code("1234 5678 9018".ljust(200)) == "123456789018"
    with pytest.raises(InvalidCode, match="201 characters"):
        parse_code("1234 5678 9018".ljust(201))
