# SPDX-License-Identifier: Apache-2.0
"""A long list of units or agencies: stored some rows at a time, seen whole or not at all, and it can be taken back."""

import re

import pytest
from django.utils import timezone
from tests.builders.agencies import agency_values, unit_values, write_csv
from tests.directory.imports.test_list_imports import (
    GROUP_1,
    HEADINGS,
    accept,
    data_folder,
    furnished_folder,
    office,
    quick_passwords,
    send,
)

from bluezone.directory.imports import list_imports, list_storage
from bluezone.directory.models import AdminUnit, Agency, ListImport
from bluezone.directory.records import changes
from bluezone.directory.records.reading import read_directory, state_digest
from bluezone.directory.records.store import ImportUnderWay, wrong_paths
from bluezone.identity.models import AuditEntry

__all__ = ["data_folder", "furnished_folder", "office", "quick_passwords"]
pytestmark = pytest.mark.django_db
GROUPS = [(f"SC-{n:03}", f"Tổ {n}", "tổ dân phố", "01840") for n in range(600)]


def acts():
    return list(AuditEntry.objects.values_list("action", flat=True))


def accepted(office, content, about="units"):
    """Send a list in and accept it: the list as it waits for the worker."""
    page = send(office, content, about)
    assert "Accept and store" in page.text, re.findall(r"<li>(.*?)</li>", page.text)
    accept(office, page)
    return ListImport.objects.defer("content", "accepted").order_by("pk").last()


def stored(office, content, about="units"):
    held = accepted(office, content, about)
    if held:
        list_imports.continue_list(held, timezone.now())


@pytest.mark.long
def test_a_long_list_is_seen_when_the_last_row_is_stored_and_its_page_says_how_far_it_is(office):
    before = state_digest(read_directory())
    held = accepted(office, write_csv(HEADINGS, *GROUPS))
    assert bytes(held.content) == b"", "the file is forgotten"
    list_imports.continue_list(held, timezone.now(), transactions=2)
    assert AdminUnit.everything.filter(kind="group").count() == 400
    assert state_digest(read_directory()) == before
    page = office.get(f"/imports/{held.pk}/")
    assert "400 of 600 rows" in page.text
    assert page.headers["Refresh"] == "5"
    assert "list_imported" not in acts()

    list_imports.continue_lists(timezone.now())
    assert AdminUnit.objects.filter(kind="group").count() == 600
    page = office.get(f"/imports/{held.pk}/")
    assert "The list has been stored" in page.text
    assert "Refresh" not in page.headers
    assert acts().count("list_imported") == 1
    assert not wrong_paths(AdminUnit)
    assert ListImport.objects.get().accepted == {}


@pytest.mark.long
def test_while_a_list_is_stored_nothing_else_of_the_directory_is_changed_and_the_pages_say_why(office):
    ward = AdminUnit.objects.filter(kind="ward").valid_on(timezone.localdate()).first()
    until = ward.valid_to
    since = ward.valid_from
    held = accepted(office, write_csv(HEADINGS, *GROUPS))
    with pytest.raises(ImportUnderWay):
        changes.save_unit("mai", None, unit_values(parent=ward, valid_from=since, valid_to=until))
    with pytest.raises(ImportUnderWay):
        changes.save_agency("mai", None, agency_values(ward, valid_from=since, valid_to=until))
    values = {"name": "Tổ 77", "kind": "group", "parent": ward.pk, "confirmed": "on", "valid_from": str(since)}
    page = office.post("/units/new/", values)
    assert (page.status_code, "A list of units or agencies is being stored" in page.text) == (422, True)
    another = accept(office, send(office, write_csv(HEADINGS, GROUP_1)))
    assert (another.status_code, "A list of units or agencies is being stored" in another.text) == (409, True)

    list_imports.continue_list(held, timezone.now())
    changes.save_unit("mai", None, unit_values(parent=ward, valid_from=since, valid_to=until))


@pytest.mark.long
def test_until_it_is_seen_a_list_can_be_taken_back_and_leaves_nothing(office):
    before = state_digest(read_directory())
    held = accepted(office, write_csv(HEADINGS, *GROUPS))
    list_imports.continue_list(held, timezone.now(), transactions=3)
    office.post(f"/imports/{held.pk}/discard/")
    assert "being undone" in office.get(f"/imports/{held.pk}/").text
    list_imports.continue_lists(timezone.now())
    assert not AdminUnit.everything.filter(kind="group").exists()
    assert not ListImport.objects.exists()
    assert state_digest(read_directory()) == before

    held = accepted(office, write_csv(HEADINGS, *GROUPS))
    list_imports.continue_list(held, timezone.now(), transactions=4)
    assert office.post(f"/imports/{held.pk}/discard/").status_code == 409


@pytest.mark.long
def test_a_list_that_was_cut_off_is_stored_once_by_two_workers(office, monkeypatch):
    held = accepted(office, write_csv(HEADINGS, *GROUPS))
    other = ListImport.objects.get()
    while list_imports.continue_list(held, timezone.now(), transactions=1):
        list_imports.continue_list(other, timezone.now(), transactions=1)
    assert AdminUnit.objects.filter(kind="group").count() == 600
    assert acts().count("list_imported") == 1


@pytest.mark.long
def test_what_hangs_together_is_stored_in_pieces_as_it_would_be_at_once(office, monkeypatch):
    monkeypatch.setattr(list_imports, "ROWS_A_TRANSACTION", 2)
    headings = (*HEADINGS, "Từ ngày", "Đến ngày", "Sáp nhập vào")
    provinces = [("T9", "tỉnh Chín", "tỉnh", "", "", "", ""), ("T8", "tỉnh Tám", "tỉnh", "", "", "", "")]
    communes = [("X1", "xã Một", "xã", "T9", "", "", ""), ("X2", "xã Hai", "xã", "T9", "", "", "")]
    stored(office, write_csv(headings, provinces[0], *communes, provinces[1]))
    school = ("S1", "Trường Một", "Trường", "X1")
    committees = [(f"C{n}", f"UBND {n}", "Ủy ban nhân dân", unit) for n, unit in ((1, "X1"), (9, "T9"))]
    stored(office, write_csv(("Mã cơ quan", "Tên cơ quan", "Loại", "Mã địa bàn"), school, *committees), "agencies")
    found = Agency.objects.get(code="S1")
    assert [found.parent.code, found.parent.parent.code] == ["C1", "C9"]

    # The code of a commune goes on after a merger, and one moves to another province.
    ended = ("X1", "xã Một", "xã", "T9", "", "01/9/2030", "X1")
    begun = ("X1", "xã Một mới", "xã", "T9", "01/9/2030", "", "")
    stored(office, write_csv(headings, ended, begun, ("X2", "xã Hai", "xã", "T8", "", "", "")))
    old, new = AdminUnit.objects.filter(code="X1").order_by("pk")
    assert (str(old.valid_to), str(new.valid_from), list(old.successors.all())) == ("2030-09-01", "2030-09-01", [new])
    moved = AdminUnit.objects.get(code="X2")
    assert moved.path == f"{moved.parent.path}{moved.pk}/"
    assert moved.parent.code == "T8"
    assert not wrong_paths(AdminUnit)
    assert not wrong_paths(Agency)


@pytest.mark.long
def test_the_worker_is_told_of_lists_and_a_code_of_one_that_arrives_is_nobodys_yet(office):
    held = accepted(office, write_csv(HEADINGS, *GROUPS))
    list_imports.continue_list(held, timezone.now(), transactions=1)
    taken = AdminUnit.everything.filter(arriving=held).first()
    assert re.fullmatch(r"SC-\d{3}", taken.code)
    assert not AdminUnit.objects.filter(code=taken.code).exists()
    assert list_storage.progress(ListImport.objects.get()) == (200, 600)
