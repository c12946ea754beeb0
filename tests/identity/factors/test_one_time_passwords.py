# SPDX-License-Identifier: Apache-2.0
"""One-time passwords against the published vectors."""

import base64
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.identity.factors import totp

RFC_SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("unix_seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_vectors_of_rfc_6238_appendix_b(unix_seconds, code):
    assert totp.code_at(RFC_SECRET, unix_seconds // 30, digits=8) == code


@given(st.binary(min_size=20, max_size=20), st.integers(10**6, 10**10), st.integers(-4, 4))
def test_a_code_fits_half_a_minute_around_its_own_and_no_further(secret, unix_seconds, off):
    step = unix_seconds // 30
    code = totp.code_at(secret, step + off)
    others = [totp.code_at(secret, step + near) for near in (-1, 0, 1)]

    found = totp.matching_step(secret, code, unix_seconds, 0)
    assert (found is not None) == (code in others)


def test_a_used_step_and_those_before_it_fit_no_more():
    code = totp.code_at(RFC_SECRET, 100)

    assert totp.matching_step(RFC_SECRET, code, 3000, 99) == 100
    assert totp.matching_step(RFC_SECRET, code, 3000, 100) is None


def test_the_address_and_the_shown_key_carry_the_secret():
    address = urlsplit(totp.otpauth_address(RFC_SECRET, "lan.nguyen", "Bluezone"))
    secret = parse_qs(address.query)["secret"][0]

    assert base64.b32decode(secret) == RFC_SECRET
    assert totp.grouped_text(RFC_SECRET).replace(" ", "") == secret
    assert address.path == "/Bluezone%3Alan.nguyen"
