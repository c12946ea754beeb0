# SPDX-License-Identifier: Apache-2.0
"""What leaves the office as edXML, read by a reader that knows the gateways' list of fields and none of our code."""

import re

import pytest
from tests.builders.directives import NOW
from tests.rollout.directives.exchange.edxml import fieldlist
from tests.rollout.directives.exchange.edxml.keys import signer
from tests.rollout.directives.exchange.edxml.test_exchange import CITY, LETTER, WARD

from bluezone.directory.models import Agency
from bluezone.rollout.directives.exchange import outgoing, partners
from bluezone.rollout.directives.exchange.edxml import Business, BusinessKind, Edoc, Replacement, write_message
from bluezone.rollout.directives.models import Directive

IDS = {"ubnd-tp": "28.22.H17", "ubnd-phuong-song-cau": "05.28.22.H17"}


def written(directive):
    """The letter as the file for one ward, and what the independent reader finds in it."""
    for key, identifier in IDS.items():
        Agency.objects.filter(key=key).update(edxml_id=identifier)
    dispatch = Directive.objects.get(pk=directive.pk).dispatches.get(agency__key="ubnd-phuong-song-cau")
    data = outgoing.write_document(dispatch, directive.made_by, NOW).content
    return data, fieldlist.read(data)


@pytest.mark.long
def test_a_letter_has_every_field_that_public_gateways_demand(directive):
    _data, found = written(directive)

    assert found.objections == []
    assert found.values["PromulgationInfo/Place"] == "Thành phố Bắc Kạn"
    assert found.values["From/OrganizationInCharge"]
    assert (found.values["DocumentType/Type"], found.values["DocumentType/TypeName"]) == ("18", "Công văn")
    assert found.values["OtherInfo/PromulgationAmount"] == "32"
    assert int(found.values["OtherInfo/PageAmount"]) >= 1
    assert found.values["SteeringType"] == "2"
    assert found.values["DocumentId"] == "28.22.H17,2020/08/07,458/UBND-VP"
    assert [content.decode()[:10] for content in found.files.values()] == [directive.text[:10]]


@pytest.mark.long
def test_the_reader_objects_to_a_letter_without_one_of_them(directive):
    data, _found = written(directive)
    for gone in (
        rb"<edXML:Place>[^<]*</edXML:Place>",
        rb" actor=\"[^\"]*\"",
        rb"<edXML:DigitalSignature/>",
        rb"xlink:href=\"[^\"]*\"",
    ):
        changed = re.sub(gone, b"", data, count=1)
        assert changed != data
        assert fieldlist.read(changed).objections, gone


@pytest.mark.long
def test_another_program_finds_the_signature_right_and_a_changed_letter_wrong(directive):
    data, _found = written(directive)
    certificate = partners.office_certificate(NOW)

    assert fieldlist.signed_by(data, certificate)
    assert not fieldlist.signed_by(data.replace(b">458<", b">459<"), certificate)


def test_what_a_letter_replaces_is_listed_where_it_replaces_something_and_nowhere_else():
    """An empty list is no list: a gateway would take it for a replacement of nothing."""
    kind = Business(
        BusinessKind.REPLACEMENT,
        "",
        LETTER.document_id,
        replacements=(Replacement("1,2020/01/01,3/A", ("05.28.22.H17",)),),
    )
    later = Edoc(CITY, (WARD,), "470", "UBND-VP", LETTER.date, "thay thế", business=kind)

    assert b"ReplacementInfoList" not in write_message(LETTER, signer())
    assert write_message(later, signer()).count(b"<edXML:ReplacementInfoList>") == 1
