# SPDX-License-Identifier: Apache-2.0
"""Scenario 1: "City clerk imports the seed letter (DOCX/PDF/text), app proposes the 6 clauses as tasks, signer signs,
clerk issues to 8 wards + N departments: N+8 dispatches, edXML files validate, recipients see it; revocation (13)
reaches an unopened inbox and blocks it."
"""

import io

import docx
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from tests.builders.directives import LETTER, confirm_as_seen
from tests.builders.office import app_code

from bluezone.rollout.directives.exchange.edxml import BusinessKind, read_message
from bluezone.rollout.directives.exchange.partners import office_signer
from bluezone.rollout.directives.models import Directive

# 8 wards and communes, and the 24 other agencies of the seed.
N = 24


def as_docx():
    document = docx.Document()
    for line in LETTER.splitlines():
        document.add_paragraph(line)
    file = io.BytesIO()
    document.save(file)
    return SimpleUploadedFile("cong-van-458.docx", file.getvalue())


def form_of(page):
    """What a browser would send back from the page of the draft, unchanged."""
    data = {}
    for form in [page.context["form"], page.context["tasks"].management_form, *page.context["tasks"].forms]:
        for field in form:
            data[field.html_name] = "" if field.value() in (None, False) else str(field.value())
    return data


def taken_in(client, committee, **letter):
    """The clerk takes the letter in, sees six tasks, names the lead that the letter does not name, and stores it."""
    drafted = client.post("/directives/new/", {"issuer": committee.pk, **letter})
    assert drafted.status_code == 302
    page = client.get(drafted.url)
    assert [form.instance.label for form in page.context["tasks"].forms] == list("123456")
    stored = client.post(drafted.url, form_of(page) | {"task-1-lead_names": "UBND các xã, phường", "then": "submit"})
    assert stored.status_code == 302
    return Directive.objects.get()


def approved(client, directive, signer):
    """The signer reads it, gives the second factor, and confirms."""
    client.force_login(signer)
    address = f"/directives/{directive.pk}/approve/"
    assert client.get(address).status_code == 200
    asked = client.post(address)
    assert asked.url.startswith("/confirm/")
    assert client.post(asked.url, {"code": app_code()}).url == address
    confirm_as_seen(client, directive.pk)


def edxml(client, dispatch):
    """The file of a dispatch as a clerk takes it, read with nothing trusted but the city's certificate."""
    answer = client.post(f"/exchange/documents/{dispatch.pk}/")
    assert answer.status_code == 200
    now = timezone.now()
    trusted = {dispatch.directive.issuer.edxml_id: [office_signer(now).certificate]}
    return read_message(answer.content, trusted, now)


@pytest.mark.long
@pytest.mark.parametrize("letter", ["text", "docx"])
def test_a_letter_goes_out_to_8_wards_and_n_agencies_and_a_recall_blocks_it(
    client, committee, clerk, signer, officer, ward, letter
):
    client.force_login(clerk)
    directive = taken_in(client, committee, **({"text": LETTER} if letter == "text" else {"file": as_docx()}))
    approved(client, directive, signer)
    client.force_login(clerk)
    client.post(f"/directives/{directive.pk}/issue/", {"on_paper": "on"})
    directive.refresh_from_db()
    assert (directive.state, directive.dispatches.count()) == ("issued", N + 8)

    for dispatch in directive.dispatches.exclude(agency=committee).select_related("agency"):
        message = edxml(client, dispatch)
        assert (message.number, message.notation) == ("458", "UBND-VP")
        assert dispatch.agency.edxml_id in {to.id for to in message.recipients}

    client.force_login(officer)
    received = directive.dispatches.get(agency=ward)
    assert "458/UBND-VP" in client.get("/inbox/").text

    client.force_login(clerk)
    client.post(f"/directives/{directive.pk}/revoke/", {"reason": "Ban hành nhầm"})
    received.refresh_from_db()
    assert received.opened_at is None
    assert edxml(client, received).business.kind == BusinessKind.REVOCATION
    client.force_login(officer)
    page = client.get(f"/inbox/{received.pk}/").text
    assert "Ban hành nhầm" in page
    assert "Không thực hiện văn bản này" in page
    assert client.post(f"/inbox/{received.pk}/act/", {"to": "received"}).status_code == 409
