# SPDX-License-Identifier: Apache-2.0
"""The Android app from the city's own page: what is said of the file, and that it is the file that is sent."""

import contextlib
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.androidpackages import certificate, signed_package

from bluezone.paper import androidpackage
from bluezone.paper.androidpackage import PackageUnsigned, signing_certificate

SIGNER = certificate()


@pytest.fixture
def handed_out(settings, server):
    """Lay a file where the city hands out its app; gives its bytes."""

    def lay(content):
        path = settings.DATA_FOLDER / "app" / "bluezone.apk"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return content

    return lay


@pytest.mark.django_db
def test_the_page_offers_the_file_with_what_lets_anybody_check_it(public, handed_out):
    content = handed_out(signed_package(SIGNER))
    text = public.get("/install/").text
    sent = public.get("/install/bluezone.apk")

    assert 'href="/install/bluezone.apk"' in text
    assert hashlib.sha256(content).hexdigest() in text
    assert hashlib.sha256(SIGNER).hexdigest() in text
    assert "Xiaomi" in text
    assert sent.content == content
    assert sent.headers["Content-Type"] == "application/vnd.android.package-archive"
    assert "attachment" in sent.headers["Content-Disposition"]


@pytest.mark.django_db
def test_a_new_file_is_told_of_at_once(public, handed_out):
    handed_out(signed_package(SIGNER))
    public.get("/install/")
    content = handed_out(signed_package(certificate()) + b"")

    assert hashlib.sha256(content).hexdigest() in public.get("/install/").text


@pytest.mark.django_db
def test_without_a_file_there_is_no_app_and_no_address(public):
    assert public.get("/install/bluezone.apk").status_code == 404
    assert "bluezone.apk" not in public.get("/install/").text


@pytest.mark.django_db
def test_a_file_that_nobody_signed_is_neither_offered_nor_handed_out(public, handed_out):
    handed_out(b"PK\x05\x06" + bytes(18))

    assert "bluezone.apk" not in public.get("/install/").text
    assert public.get("/install/bluezone.apk").status_code == 404
    assert androidpackage.package() is None


@pytest.mark.parametrize("scheme", [0x7109871A, 0xF05368C0])
def test_the_signer_is_found_in_both_schemes(scheme):
    assert signing_certificate(signed_package(SIGNER, scheme)) == SIGNER


@given(at=st.integers(0, 10_000), byte=st.integers(0, 255), cut=st.integers(0, 2000))
def test_a_damaged_file_is_read_or_refused(at, byte, cut):
    content = bytearray(signed_package(SIGNER))
    content[at % len(content)] = byte
    with contextlib.suppress(PackageUnsigned):
        signing_certificate(bytes(content[: len(content) - cut]))
