# SPDX-License-Identifier: Apache-2.0
import base64
import datetime
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner
from tests.rollout.directives.exchange.edxml.keys import NOW, signer
from tests.rollout.directives.exchange.edxml.test_exchange import CITY, LETTER

from bluezone.refusal import Refused
from bluezone.rollout.directives.exchange.edxml import read_message, signature, write_message

SIGNATURE = re.compile(rb"<ds:Signature .*</ds:Signature>", re.DOTALL)


@pytest.fixture(scope="module")
def letter():
    return write_message(LETTER, signer())


def refused(data, trusted=None, at=NOW) -> str:
    """The code under which the file is refused."""
    if trusted is None:
        trusted = {CITY.id: [signer().certificate]}
    with pytest.raises(Refused) as refusal:
        read_message(data, trusted, at)
    return refusal.value.code


def test_a_changed_letter_is_refused(letter):
    assert refused(letter.replace(b">458<", b">459<")) == "edxml_signature_wrong"


def test_a_changed_attachment_is_refused(letter):
    content = base64.b64encode(LETTER.attachments[0].content)

    assert content in letter
    assert refused(letter.replace(content, base64.b64encode(b"another"))) == "edxml_signature_wrong"


def test_a_letter_without_its_signature_is_refused(letter):
    assert refused(SIGNATURE.sub(b"", letter)) == "edxml_unsigned"


def test_another_office_cannot_sign_for_the_city(letter):
    assert refused(write_message(LETTER, signer("other"))) == "edxml_signature_wrong"
    assert refused(letter, {"01.H17": [signer().certificate]}) == "edxml_signer_unknown"


def test_a_certificate_that_has_expired_proves_nothing(letter):
    assert refused(letter, at=NOW + datetime.timedelta(days=31)) == "edxml_signer_unknown"


def test_one_of_several_certificates_of_an_office_is_enough(letter):
    trusted = {CITY.id: [signer("other").certificate, signer().certificate]}

    assert read_message(letter, trusted, NOW) == LETTER


def weakly_signed(method, digest):
    """The letter signed by a writer that still allows SHA-1, as the public sample is."""

    class OldSigner(XMLSigner):
        def check_deprecated_methods(self):
            """Old programs check nothing."""

    root = etree.fromstring(SIGNATURE.sub(b"", write_message(LETTER, signer("city", "rsa"))))
    old = signer("city", "rsa")
    writer = OldSigner(signature_algorithm=method, digest_algorithm=digest)
    return etree.tostring(writer.sign(root, key=old.private_key, cert=[old.certificate]))


@pytest.mark.parametrize(
    ("method", "digest"),
    [
        (SignatureMethod.RSA_SHA1, DigestAlgorithm.SHA1),
        (SignatureMethod.RSA_SHA256, DigestAlgorithm.SHA1),
        (SignatureMethod.RSA_SHA1, DigestAlgorithm.SHA256),
    ],
)
def test_a_letter_signed_with_sha_1_is_refused(method, digest):
    trusted = {CITY.id: [signer("city", "rsa").certificate]}

    assert refused(weakly_signed(method, digest), trusted) == "edxml_signature_weak"


def test_a_short_key_neither_signs_nor_proves():
    short = signer("short", "rsa", 1024)
    with pytest.raises(Refused) as refusal:
        write_message(LETTER, short)

    assert refusal.value.code == "edxml_signature_weak"
    assert refused(write_message(LETTER, signer()), {CITY.id: [short.certificate]}) == "edxml_signature_weak"


def test_a_signed_letter_wrapped_into_a_forged_one_is_refused(letter):
    forged = etree.fromstring(SIGNATURE.sub(b"", letter.replace(b">458<", b">999<")))
    original = etree.fromstring(letter)
    header = forged.find(f".//{{{signature.EDXML}}}edXMLHeader")
    header.append(original.find(f".//{{{signature.SIGNATURE}}}Signature"))
    etree.SubElement(forged, "Hidden").append(original)

    assert refused(etree.tostring(forged)) == "edxml_signature_wrong"


def test_two_signatures_are_refused(letter):
    [signature] = SIGNATURE.findall(letter)

    assert refused(letter.replace(signature, signature * 2)) == "edxml_signature_wrong"


ENTITY = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
BOMB = (
    b"<!DOCTYPE x ["
    + b"".join(
        b'<!ENTITY e%d "%s">' % (depth, b"&e%d;" % (depth - 1) * 10 if depth else b"ha" * 10) for depth in range(9)
    )
    + b"]>"
)


@pytest.mark.parametrize("declaration", [ENTITY, BOMB, b'<!doctype x SYSTEM "http://198.51.100.1/x.dtd">'])
def test_a_file_with_a_document_type_is_refused_before_it_is_parsed(letter, declaration):
    start = letter.index(b"<edXML ")
    bad = letter[:start] + declaration + letter[start:].replace(b">458<", b">&e8;<")

    assert refused(bad) == "edxml_invalid"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-7"])
def test_a_document_type_hidden_in_another_encoding_is_refused(letter, encoding):
    text = letter.decode().replace("UTF-8", encoding)
    start = text.index("<edXML ")

    assert refused((text[:start] + ENTITY.decode() + text[start:]).encode(encoding)) == "edxml_invalid"


def test_a_file_nested_without_end_is_refused():
    def nested(depth: int) -> bytes:
        inside = b"<a>" * (depth - 1) + b"</a>" * (depth - 1)
        return b'<edXML xmlns="http://www.mic.gov.vn/TBT/QCVN_102_2016">' + inside + b"</edXML>"

    assert signature.parse(nested(signature.DEEPEST_ELEMENT)).tag.endswith("edXML")
    with pytest.raises(signature.InvalidEdxml, match="nested deeper"):
        signature.parse(nested(signature.DEEPEST_ELEMENT + 1))
    assert refused(nested(200)) == "edxml_invalid"


def test_a_file_larger_than_any_letter_is_refused_unread():
    assert refused(b" " * (signature.LARGEST_MESSAGE + 1)) == "edxml_too_large"


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"<edXML/>", b"\xff\xfe", b"<html></html>"])
def test_what_is_no_edxml_is_refused(data):
    assert refused(data) == "edxml_invalid"


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_no_single_changed_byte_passes_as_another_letter(letter, data):
    at = data.draw(st.integers(0, len(letter) - 1))
    changed = letter[:at] + bytes([data.draw(st.integers(0, 255))]) + letter[at + 1 :]
    try:
        message = read_message(changed, {CITY.id: [signer().certificate]}, NOW)
    except Refused:
        return

    assert message == LETTER
