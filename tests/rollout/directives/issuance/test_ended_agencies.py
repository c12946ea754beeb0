# SPDX-License-Identifier: Apache-2.0
"""Before an agency ends its keeper reads what is open there; afterwards its letters are with who takes over."""

import datetime

import pytest
from django.utils import timezone
from tests.builders.agencies import agency_values, write_csv
from tests.builders.directives import person
from tests.builders.office import prove_second_factor
from tests.directory.imports.test_list_imports import accept, send

from bluezone.directory.models import Agency
from bluezone.directory.records.changes import save_agency

YESTERDAY = datetime.timedelta(days=1)


@pytest.fixture
def ward(committee):
    found = Agency.objects.get(key="ubnd-phuong-song-cau")
    Agency.objects.filter(pk=found.pk).update(code="SC01")
    found.refresh_from_db()
    return found


@pytest.fixture
def heir(committee):
    values = agency_values(committee.unit, name="Ủy ban nhân dân phường mới", kind="committee", code="PM01")
    return save_agency("test", None, values)


@pytest.fixture
def admin(client, committee):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(person("root", "admin"))
    return prove_second_factor(client)


def ending_of(agency, **changes):
    return {
        "name": agency.name, "short_name": agency.short_name, "kind": agency.kind, "unit": agency.unit_id,
        "code": agency.code or "", "email": "", "phone": "", "edxml_id": "", "valid_from": agency.valid_from or "",
        "valid_to": timezone.localdate(), "parent": agency.parent.name if agency.parent else "", "successors": "",
        "confirmed": "on", **changes,
    }  # fmt: skip


@pytest.mark.long
def test_before_an_agency_ends_the_page_names_what_is_open_there_and_who_takes_over(admin, directive, ward, heir):
    person("officer", "officer", ward)
    address = f"/agencies/{ward.pk}/change/"
    form = ending_of(ward, successors="PM01")
    asked = admin.post(address, form)

    assert asked.status_code == 200
    assert "1 letter is not done." in asked.text
    assert "1 person has a role in it." in asked.text
    assert f"<li>{heir.name}</li>" in asked.text
    ward.refresh_from_db()
    assert ward.valid_to is None
    assert "no one works on them" in admin.post(address, ending_of(ward)).text

    assert admin.post(address, {**form, "ending": "known"}).status_code == 302
    ward.refresh_from_db()
    assert ward.valid_to == timezone.localdate()
    assert directive.dispatches.get(agency=heir).taken_over_from.agency_id == ward.pk


def test_an_agency_at_which_nothing_is_open_ends_without_a_question(admin, committee, heir):
    assert admin.post(f"/agencies/{heir.pk}/change/", ending_of(heir)).status_code == 302


@pytest.mark.long
def test_a_list_that_ends_an_agency_gives_its_letters_to_the_successor_at_once(
    admin, directive, ward, heir, django_capture_on_commit_callbacks
):
    headings = ("Mã cơ quan", "Tên cơ quan", "Hết hiệu lực từ ngày", "Kế thừa")
    day = timezone.localdate() - YESTERDAY
    page = send(admin, write_csv(headings, ("SC01", ward.name, f"{day:%d/%m/%Y}", "PM01")), "agencies")
    with django_capture_on_commit_callbacks(execute=True):
        accept(admin, page)
    ward.refresh_from_db()

    assert ward.valid_to is not None
    assert directive.dispatches.get(agency=ward).state == "handed_on"
    assert directive.dispatches.get(agency=heir).state == "arrived"
