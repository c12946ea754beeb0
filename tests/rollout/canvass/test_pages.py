# SPDX-License-Identifier: Apache-2.0
"""The office's pages of house visits, through the browser's eyes."""

import datetime
import io
import json
from dataclasses import astuple

import openpyxl
import pytest
from django.test import Client
from pypdf import PdfReader
from tests.builders.canvass import NOW, agency, connected_phone, door, street
from tests.builders.office import user

from bluezone.directory.models import AdminUnit
from bluezone.identity.models import AuditEntry, Role
from bluezone.rollout.canvass.households import decisions, projection
from bluezone.rollout.canvass.models import (
    Aside,
    Change,
    DuplicatePair,
    Household,
    LeafletMove,
    Lease,
    LeaseEnd,
    Turf,
    Visit,
)
from bluezone.rollout.canvass.progress import doors_by_unit, shown_to
from bluezone.rollout.coverage.api import DoorCounts
from bluezone.vietnamese.legacy_fonts import TextEncoding, from_unicode
from bluezone.web import settings_public

HOUR = datetime.timedelta(hours=1)
PAGES = ("", "households/", "lists/", "phones/", "conflicts/", "doubles/", "aside/", "imports/", "leaflets/")


def doors(turf):
    return list(Household.objects.filter(places__turf=turf).order_by("address"))


def acts():
    return set(AuditEntry.objects.values_list("action", flat=True))


@pytest.mark.long
def test_every_page_opens_and_says_what_to_do_where_there_is_nothing(client, officer, clock):
    for page in PAGES:
        answer = client.get(f"/canvass/{page}")
        assert answer.status_code == 200, page
        assert "empty" in answer.text or page == "imports/", page


@pytest.mark.long
def test_a_list_is_cut_given_taken_back_and_given_again(client, officer, committee, ward, clock):
    street(ward, 3)
    Turf.objects.all().delete()
    assert client.post(f"/canvass/lists/new/{ward.pk}/", {"group": "Tổ 5"}).status_code == 302
    turf = Turf.objects.get()
    device, _token = connected_phone(committee)
    assert client.post(f"/canvass/lists/{turf.pk}/give/", {"device": device.pk, "days": 31}).status_code == 422
    answer = client.post(f"/canvass/lists/{turf.pk}/give/", {"device": device.pk, "days": 30})
    assert answer.status_code == 302
    lease = Lease.objects.get()
    assert lease.until - lease.since == datetime.timedelta(days=30)
    shown = client.get(f"/canvass/lists/{turf.pk}/")
    assert "Máy 1" in shown.text

    assert client.post(f"/canvass/lists/{turf.pk}/close/").status_code == 302
    assert Turf.objects.get().closed_at is None, "a phone has it"
    client.post(f"/canvass/leases/{lease.pk}/end/")
    lease.refresh_from_db()
    assert lease.ended_why == LeaseEnd.DONE
    client.post(f"/canvass/lists/{turf.pk}/close/")
    assert Turf.objects.get().closed_at is not None
    assert {"turf_cut", "turf_leased", "lease_ended", "turf_closed"} <= acts()


@pytest.mark.long
def test_doors_are_drawn_by_ticking_them_and_those_on_another_list_are_not_given(client, officer, committee, phone):
    ours = doors(phone.turf)[:2]
    new = f"/canvass/lists/new/{phone.turf.unit_id}/"
    assert client.post(new, {"name": "", "door": [ours[0].pk]}).status_code == 422
    assert client.post(new, {"name": "x", "door": ["7"]}).status_code == 422
    assert client.post(new, {"name": "Vẽ tay", "door": [str(one.pk) for one in ours]}).status_code == 302
    drawn = Turf.objects.get(name="Vẽ tay")
    other, _token = connected_phone(committee, "Máy 2")
    answer = client.post(f"/canvass/lists/{drawn.pk}/give/", {"device": other.pk, "days": 7})
    assert answer.status_code == 422
    assert "2 doors of this list are on another list" in answer.text


def test_a_lost_phone_is_reported_with_one_click_and_the_page_says_when_it_was_emptied(
    client, officer, phone, settings
):
    leasing_page = client.get(f"/canvass/lists/{phone.turf.pk}/")
    assert f"/canvass/phones/{phone.device.pk}/lost/" in leasing_page.text
    settings.ROOT_URLCONF, keep = settings_public.ROOT_URLCONF, settings.ROOT_URLCONF
    phone.call(Client())
    settings.ROOT_URLCONF = keep
    assert client.post(f"/canvass/phones/{phone.device.pk}/lost/").status_code == 302
    assert Lease.objects.get().ended_why == LeaseEnd.LOST
    assert "There has been no contact since" in client.get("/canvass/phones/").text
    assert "phone_lost" in acts()


@pytest.mark.long
@pytest.mark.parametrize(
    ("role", "within", "reaches"),
    [
        (Role.OFFICER, "committee", True),
        (Role.LEAD, "committee", True),
        (Role.OFFICER, "department", False),
        (Role.OFFICER, "elsewhere", False),
        (Role.DRIVE_LEAD, "union", True),
        (Role.OFFICER, "union", False),
        (Role.OFFICER, "ward", True),
    ],
)
def test_only_who_works_for_the_ward_sees_its_doors(client, ward, phone, role, within, reaches):
    other = AdminUnit.objects.get(name="phường Sông Cầu")
    places = {
        "committee": phone.device.agency,
        "department": agency("Phòng Văn hóa", ward),
        "union": agency("Đoàn phường", ward, kind="union"),
        "elsewhere": agency("UBND phường Sông Cầu", other, kind="committee"),
        "ward": ward,
    }
    client.force_login(user("somebody", role, within=places[within]))
    one = doors(phone.turf)[0]
    status = 200 if reaches else 404
    assert client.get(f"/canvass/households/{one.pk}/").status_code == status
    assert client.get(f"/canvass/lists/{phone.turf.pk}/").status_code == status
    assert client.get(f"/canvass/lists/{phone.turf.pk}/sheet/1/").status_code == status
    assert (one.address in client.get("/canvass/households/").text) == reaches
    assert client.post(f"/canvass/phones/{phone.device.pk}/lost/").status_code == (302 if reaches else 404)


def test_everybody_signed_in_reads_the_counts_and_no_names(client, phone):
    client.force_login(user("teacher", Role.TEACHER))
    text = client.get("/canvass/").text
    assert "phường Đức Xuân" in text
    assert "Hộ 1" not in text
    assert client.get("/canvass/households/").status_code == 403


def test_small_numbers_of_a_ward_are_shown_to_the_ward_alone(client, officer, phone):
    """Three doors: whoever does not keep the ward reads none of its numbers, nor what would give one away."""
    assert 'class="kept"' not in client.get("/canvass/").text
    client.force_login(user("teacher", Role.TEACHER))
    assert client.get("/canvass/").text.count('class="kept"') == 2


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        (DoorCounts(40, 20, 10, None), (40, 20, 20, 10)),
        (DoorCounts(40, 38, 2, None), (40, None, None, None)),
        (DoorCounts(40, 3, 10, None), (40, None, None, None)),
        (DoorCounts(3, 0, 0, None), (None, 0, None, 0)),
    ],
)
def test_no_small_number_follows_from_the_others(told, seen):
    assert astuple(shown_to(told, is_own=False)) == seen
    assert astuple(shown_to(told, is_own=True)) == (told.households, told.visited, told.not_visited, told.revisit)


def test_two_versions_are_shown_side_by_side_and_one_is_chosen(client, officer, phone, committee, clock):
    one = doors(phone.turf)[0]
    for name, at in (("Nông Thị Lan", 1), ("Nông Văn Lâm", 2)):
        entry, clock_of = f"00000000-0000-7000-8000-00000000000{at}", f"159700000000{at}.0000.a{at}"
        Change.objects.create(entry=entry, household=one, field="head", value=name, clock=clock_of, bases=[""],
                              device=phone.device, at=NOW)  # fmt: skip
    projection.refresh({one.pk: one}, [], list(one.changes.all()))
    projection.store([one])
    text = client.get("/canvass/conflicts/").text
    assert "Nông Thị Lan" in text
    assert "Nông Văn Lâm" in text
    client.post(f"/canvass/households/{one.pk}/choose/", {"field": "head", "value": "Nông Thị Lan"})
    one.refresh_from_db()
    assert (one.head, one.is_disputed) == ("Nông Thị Lan", False)
    answer = client.post(f"/canvass/households/{one.pk}/choose/", {"field": "head", "value": "x"}, follow=True)
    assert "already decided this" in answer.text
    assert "conflict_decided" in acts()


@pytest.mark.long
def test_a_fact_is_corrected_over_all_that_was_said(client, officer, phone):
    one = doors(phone.turf)[0]
    form = {"address": one.address, "head": "  Lý   Văn Páo", "group": one.group, "smartphones": "3", "note": ""}
    assert client.post(f"/canvass/households/{one.pk}/", form).status_code == 302
    one.refresh_from_db()
    assert (one.head, one.smartphones) == ("Lý Văn Páo", 3)
    assert client.post(f"/canvass/households/{one.pk}/", {**form, "smartphones": "61"}).status_code == 422
    assert client.post(f"/canvass/households/{one.pk}/", {**form, "note": "a" * 121}).status_code == 422
    shown = client.get("/canvass/households/?q=ly van pao").text
    assert "Lý Văn Páo" in shown
    assert "Hộ 2" not in shown


def test_near_doubles_are_proposed_and_merged_and_every_visit_is_kept(client, officer, ward, phone):
    one = door(ward, "Nguyễn Văn A", "", "tổ 5")
    two = door(ward, "Nguyen Van A", "Số 12", "Tổ 5", smartphones=2)
    far = door(ward, "Nguyễn Văn An", "Số 13", "Tổ 6")
    for number, each in enumerate((one, two)):
        Visit.objects.create(key=f"00000000-0000-7000-8000-00000000000{number}", household=each, door=each.pk,
                             device=phone.device, at=NOW - HOUR * (number + 1), outcome="leaflet")  # fmt: skip
    client.post(f"/canvass/doubles/look/{ward.pk}/")
    pair = DuplicatePair.objects.get()
    assert {pair.first_id, pair.second_id} == {one.pk, two.pk}
    assert far.pk not in (pair.first_id, pair.second_id)
    assert "likeness" in client.get("/canvass/doubles/").text
    keep = "first" if pair.first_id == one.pk else "second"
    client.post(f"/canvass/doubles/{pair.pk}/", {"decision": keep})

    one.refresh_from_db()
    two.refresh_from_db()
    assert two.merged_into_id == one.pk
    assert (one.smartphones, one.address, one.visits.count(), one.last_at) == (2, "Số 12", 2, NOW - HOUR)
    assert client.get(f"/canvass/households/{two.pk}/").url == f"/canvass/households/{one.pk}/"
    answer = client.post(f"/canvass/doubles/{pair.pk}/", {"decision": "apart"}, follow=True)
    assert "already" in answer.text
    assert decisions.propose(ward, NOW) == 0


def test_what_is_kept_aside_is_shown_whole_and_taken_in(client, officer, phone, settings):
    keep, settings.ROOT_URLCONF = settings.ROOT_URLCONF, settings_public.ROOT_URLCONF
    first, second, third = doors(phone.turf)
    entries = [
        phone.entry(first, at=NOW + 48 * HOUR, changes={"note": "cổng xanh"}),
        {**phone.entry(second), "form": 0},
        {**phone.entry(third), "visit": {"outcome": "sold"}},
    ]
    phone.call(Client(), *entries)
    settings.ROOT_URLCONF = keep
    text = client.get("/canvass/aside/").text
    assert text.count("The entry as received") == 3
    for aside in Aside.objects.all():
        client.post(f"/canvass/aside/{aside.pk}/", {"decision": "take"})
    first.refresh_from_db()
    assert (first.last_at, first.note) == (NOW, "cổng xanh")
    assert Visit.objects.count() == 2
    (left,) = Aside.objects.filter(state=Aside.State.OPEN)
    assert json.loads(left.body)["visit"]["outcome"] == "sold"
    client.post(f"/canvass/aside/{left.pk}/", {"decision": "dismiss"})
    assert not Aside.objects.filter(state=Aside.State.OPEN).exists()
    assert Aside.objects.count() == 3, "none is dropped"


@pytest.mark.long
def test_a_sheet_is_printed_with_boxes_and_typed_in_once(client, officer, ward):
    turf = street(ward, 25)
    pdf = client.get(f"/canvass/lists/{turf.pk}/sheet.pdf")
    reader = PdfReader(io.BytesIO(pdf.content))
    page = reader.pages[0]
    assert (len(reader.pages), round(float(page.mediabox.width) / 72 * 25.4)) == (2, 297)
    text = "".join("".join(one.extract_text().split()) for one in reader.pages)
    assert "PHIẾUĐITỪNGNHÀ" in text
    assert "Hộ25" in text
    for heading in ("Sốmáy", "Thấyđangchạy", "Nóiđangchạy", "Giúpcài", "Sốtờrơi", "Sau17:00"):
        assert heading in text, "every box of the screen stands on paper"

    form = {"day": "2020-08-13", "lot": "L7", "outcome-1": "3", "leaflets-1": "1", "phones-1": "2", "outcome-2": "4",
            "again-2": "on"}  # fmt: skip
    answer = client.post(f"/canvass/lists/{turf.pk}/sheet/1/", form)
    assert (answer.status_code, answer.url) == (302, f"/canvass/lists/{turf.pk}/sheet/2/")
    visit = Visit.objects.get(outcome="leaflet")
    assert (visit.phones, visit.leaflets, visit.leaflet_lot, visit.entered_by) == (2, 1, "L7", "officer")
    assert Visit.objects.get(outcome="not_home").revisit == "after_17"
    again = client.post(f"/canvass/lists/{turf.pk}/sheet/1/", form, follow=True)
    assert "already been entered for that day" in again.text
    assert Visit.objects.count() == 2
    wrong = client.post(f"/canvass/lists/{turf.pk}/sheet/1/", {**form, "outcome-3": "x"})
    assert wrong.status_code == 422
    assert "Line 3" in wrong.text
    assert 'value="x"' in wrong.text, "what was typed is still there"
    assert client.post(f"/canvass/lists/{turf.pk}/sheet/1/", {**form, "day": "2030-01-01"}).status_code == 422


@pytest.mark.long
def test_leaflets_go_from_the_printer_to_the_group_and_never_more_than_there_are(client, officer, ward, phone):
    def book(kind, count, **more):
        return client.post("/canvass/leaflets/", {"kind": kind, "lot": "L7", "count": count, **more})

    assert book("ward", 10, unit=ward.pk).status_code == 422
    assert book("printed", "x tờ").status_code == 422
    assert book("printed", "1.000").status_code == 302, "not one leaflet"
    assert book("printed", -500).status_code == 302
    assert book("ward", "200 tờ", unit=ward.pk).status_code == 302
    assert book("group", 50, unit=ward.pk, group="Tổ 5").status_code == 302
    assert book("group", 151, unit=ward.pk, group="Tổ 6").status_code == 422
    Visit.objects.create(key="00000000-0000-7000-8000-000000000001", household=doors(phone.turf)[0], leaflets=3,
                         door=doors(phone.turf)[0].pk, device=phone.device, at=NOW, outcome="leaflet",
                         leaflet_lot="L7")  # fmt: skip
    (row,) = client.get("/canvass/leaflets/").context["rows"]
    assert (row.received, row.in_store, row.with_groups, row.at_doors) == (200, 150, 47, 3)
    assert list(LeafletMove.objects.order_by("pk").values_list("count", flat=True)) == [1000, -500, 200, 50]


def upload(client, ward, content, name="ho.csv"):
    file = io.BytesIO(content)
    file.name = name
    return client.post("/canvass/imports/", {"unit": ward.pk, "file": file})


def workbook(*rows, font=None):
    book = openpyxl.Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(row)
    if font:
        for cells in sheet.iter_rows():
            for cell in cells:
                cell.font = openpyxl.styles.Font(name=font)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.long
def test_a_list_is_looked_at_first_then_stored_and_sent_again_changes_nothing(client, officer, ward):
    rows = [("Danh sách hộ",), (), ("STT", "Chủ hộ", "Địa chỉ", "Tổ dân phố", "Số ĐTTM"),
            (1, "Nông Thị Lan", "Số 1", 5, 2), (2, "Hoàng Văn Bình", "Số 2", "Tổ 5", None), (3, "", "", 5, 1),
            (4, "Ma Thị Hồng", "Số 4", "", 1), (5, "Nông Thị Lan", "Số 1", "tổ 5", 2)]  # fmt: skip
    answer = upload(client, ward, workbook(*rows), "ho.xlsx")
    assert answer.status_code == 302
    seen = client.get(answer.url)
    plan = seen.context["plan"]
    assert (len(plan.added), [row.reason for row in plan.refused]) == (2, ["no_name", "no_group", "repeated"])
    assert not Household.objects.exists()
    marked = openpyxl.load_workbook(io.BytesIO(client.get(f"{answer.url}marked.xlsx").content)).active
    assert "residential group is missing" in marked.cell(5, marked.max_column).value
    assert client.post(f"{answer.url}apply/", {"digest": "x"}).status_code == 409
    assert client.post(f"{answer.url}apply/", {"digest": seen.context["preview"].digest}).status_code == 302
    assert set(Household.objects.values_list("head", "group", "smartphones")) == {
        ("Nông Thị Lan", "Tổ 5", 2),
        ("Hoàng Văn Bình", "Tổ 5", None),
    }
    rows[4] = (2, "HOÀNG VĂN BÌNH", "Số 2", "Tổ 5", 4)
    answer = upload(client, ward, workbook(*rows), "ho.xlsx")
    plan = client.get(answer.url).context["plan"]
    assert (len(plan.added), len(plan.changed), plan.unchanged) == (0, 1, 1)
    client.post(f"{answer.url}apply/", {"digest": client.get(answer.url).context["preview"].digest})
    assert Household.objects.get(address="Số 2").smartphones == 4
    assert "households_imported" in acts()


@pytest.mark.long
def test_a_list_in_vntime_is_converted_after_a_look(client, officer, ward):
    def old(text):
        return from_unicode(text, TextEncoding.TCVN3)

    names = ["Nguyễn Văn Đức", "Hoàng Thị Thủy", "Lường Đình Hưởng", "Phạm Thị Mơ"]
    rows = [(old("Chủ hộ"), old("Địa chỉ"), old("Tổ dân phố"))]
    rows += [(old(name), old(f"Số {n}, đường Thống Nhất"), old("Tổ 5")) for n, name in enumerate(names)]
    answer = upload(client, ward, workbook(*rows, font=".VnTime"), "ho.xlsx")
    assert "Nguyễn Văn Đức" in client.get(answer.url).text
    client.post(f"{answer.url}conversion/", {"conversion": "convert"})
    seen = client.get(answer.url)
    client.post(f"{answer.url}apply/", {"digest": seen.context["preview"].digest})
    assert set(Household.objects.values_list("head", flat=True)) == set(names)


@pytest.mark.parametrize("content", ["a,b\n1,2\n", "Chủ hộ,Địa chỉ,Tổ\nA,B,5,C\n"])
def test_where_the_columns_are_not_clear_a_person_is_asked(client, officer, ward, content):
    page = client.get(upload(client, ward, content.encode()).url)

    assert "Which column is which?" in page.text


@pytest.mark.long
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "as .xlsx without a password"),
        (b"\x89PNG....", "not a list in XLSX, XLS, ODS or CSV"),
        (b"", ""),
    ],
)
def test_a_file_that_is_no_such_list_is_refused_with_a_sentence(client, officer, ward, content, words):
    answer = upload(client, ward, content)
    assert answer.status_code == 422
    assert words in answer.text


@pytest.mark.long
def test_in_training_mode_the_same_pages_work_on_their_own_doors(client, officer, ward):
    session = client.session
    session["training"] = True
    session.save()
    answer = upload(client, ward, workbook(("Chủ hộ", "Địa chỉ", "Tổ"), ("A", "Số 1", 5)), "ho.xlsx")
    client.post(f"{answer.url}apply/", {"digest": client.get(answer.url).context["preview"].digest})
    client.post(f"/canvass/lists/new/{ward.pk}/", {"group": "Tổ 5"})
    turf = Turf.everything.get()
    client.post(f"/canvass/lists/{turf.pk}/sheet/1/", {"day": "2020-08-13", "outcome-1": "3"})

    assert (turf.training, Visit.everything.get().training) == (True, True)
    assert not Household.objects.exists()
    assert not AuditEntry.objects.exists()
    assert doors_by_unit(NOW) == {}
