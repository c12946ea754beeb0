# SPDX-License-Identifier: Apache-2.0
"""The pages of the directory: who may do what, what is found, what is refused, and how fast a big one is."""

import datetime
import unicodedata

import pytest
from tests.builders.agencies import plant_many, plant_seed
from tests.builders.largeoffice import server_clock
from tests.builders.office import data_folder, furnished_folder, quick_passwords, user
from tests.builders.pace import BUDGET_SECONDS, queries, quickest

from bluezone.directory.models import AdminUnit, Agency, RecipientGroup, UnitSuccession
from bluezone.identity.models import Role

__all__ = ["data_folder", "furnished_folder", "quick_passwords"]
pytestmark = pytest.mark.django_db
LIST_PAGES = ["/agencies/", "/agencies/?q=tieu+hoc&kind=school", "/agencies/?page=7", "/units/", "/recipients/"]


@pytest.fixture
def reader(client):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(user("lan", Role.HEALTH_WORKER))
    return client


@pytest.fixture
def editor(client):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(user("mai", Role.ADMIN))
    return client


@pytest.mark.long
def test_everybody_in_the_office_reads_and_only_editors_write(reader):
    _city, ward = plant_seed()
    agency = Agency.objects.get(key="ubnd-phuong-song-cau")
    page = reader.get(f"/units/{ward.pk}/")

    assert page.status_code == 200
    assert "Change or end" not in page.text
    assert reader.get(f"/agencies/{agency.pk}/").status_code == 200
    for path in (f"/units/{ward.pk}/change/", "/units/new/", f"/agencies/{agency.pk}/change/", "/imports/"):
        assert reader.get(path).status_code == 403
    assert reader.post(f"/units/{ward.pk}/figures/", {}).status_code == 403
    assert reader.post("/agencies/new/", {"name": "x"}).status_code == 403


def test_a_list_is_that_of_the_day_asked_for(reader):
    plant_seed()

    assert "32 agencies valid" in reader.get("/agencies/?on=2020-08-07").text
    assert "No agencies are valid today" in reader.get("/agencies/").text
    assert "phường Xuất Hóa" in reader.get("/units/?on=2020-08-07").text
    assert "tỉnh Thái Nguyên" in reader.get("/units/?on=2026-01-01").text


def test_the_file_of_the_agencies_names_the_identifier_of_each_that_has_one(reader):
    plant_seed()
    Agency.objects.filter(key="ubnd-tp").update(edxml_id="28.22.H17")
    lines = reader.get("/agencies/list.csv?on=2020-08-07").content.decode().splitlines()

    assert sum("28.22.H17" in line for line in lines) == 1
    assert "None" not in "".join(lines)


@pytest.mark.parametrize(
    "asked", ["?on=yesterday", "?page=x", "?unit=9999999999999999999", "?kind=cow", "?q=%00", "?unit=-1"]
)
def test_an_address_that_makes_no_sense_shows_a_page(reader, asked):
    plant_seed()

    assert reader.get(f"/agencies/{asked}").status_code == 200


def test_a_unit_is_entered_and_ended_through_its_form(editor):
    plant_seed()
    form = {
        "name": "Tổ 5",
        "kind": "group",
        "parent": AdminUnit.objects.get(name="phường Bắc Kạn").pk,
        "valid_from": "2025-07-01",
    }
    made = editor.post("/units/new/", {**form, "head_name": "Nông Văn Ba", "confirmed": "on"}, follow=True)

    assert "Nông Văn Ba" in made.text
    unit = AdminUnit.objects.get(name="Tổ 5")
    ended = editor.post(f"/units/{unit.pk}/change/", {**form, "valid_to": "2025-06-01"})
    assert ended.status_code == 422
    assert "The days are not consistent" in ended.text


@pytest.mark.parametrize("phone", ["ĐT: 0209.3870.115", "\u202a0209.3870.115\u202c ", "0209.3870.115\u200b"])
def test_a_name_and_a_number_are_stored_without_what_came_with_them(editor, phone):
    plant_seed()
    above = AdminUnit.objects.get(name="phường Bắc Kạn").pk
    typed = {
        "name": "  Tổ\u200b  dân phố\u00a0Đức\u00adXuân ",
        "head_name": unicodedata.normalize("NFD", "Nông Văn Bế"),
    }
    answer = editor.post(
        "/units/new/", {"kind": "group", "parent": above, "valid_from": "1/7/2025", **typed, "head_phone": phone}
    )

    assert answer.status_code == 302
    made = AdminUnit.objects.get(name="Tổ dân phố ĐứcXuân")
    assert (made.head_name, made.head_phone) == ("Nông Văn Bế", "0209.3870.115")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"head_phone": "gọi bác Ba"}, "Write one telephone number"),
        ({"name": "Tæ d©n phè §øc Xu©n"}, "Is it “Tổ dân phố Đức Xuân”?"),
        ({"code": "01840"}, "Another entry has this code"),
        ({"kind": "district"}, "The unit above is missing"),
        ({"kind": "ward", "head_name": "Ba"}, "Only a residential group has a head"),
        ({"successors": "phường Không Có"}, "is not in the directory"),
        ({"valid_from": "1/13/2025"}, "Write the day first, then the month"),
    ],
)
def test_a_form_that_contradicts_is_refused_with_a_sentence(editor, change, said):
    plant_seed()
    form = {
        "name": "Tổ 5",
        "kind": "group",
        "parent": AdminUnit.objects.get(name="phường Bắc Kạn").pk,
        "valid_from": "2025-07-01",
    }
    answer = editor.post("/units/new/", {**form, **change})

    assert answer.status_code == 422
    assert said in answer.text
    assert not AdminUnit.objects.filter(name="Tổ 5").exists()


@pytest.mark.long
def test_a_figure_is_recorded_as_offices_write_it(editor):
    ward = plant_seed()[1]
    figure = {"kind": "population", "value": "5.123", "source": "Công an phường", "as_of": "2020-08-01"}

    assert "5,123" in editor.post(f"/units/{ward.pk}/figures/", figure, follow=True).text
    assert editor.post(f"/units/{ward.pk}/figures/", {**figure, "as_of": "2999-01-01"}).status_code == 422
    assert editor.post(f"/units/{ward.pk}/figures/", {**figure, "value": "5,1"}).status_code == 422
    assert "1,500,000" in editor.post(f"/units/{ward.pk}/figures/", {**figure, "value": "1,5 triệu"}, follow=True).text


def test_members_are_found_and_added_to_a_group(editor):
    plant_seed()
    group = RecipientGroup.objects.get(key="ct-pct-ubnd-tp")

    assert "Công an thành phố" in editor.get(f"/recipients/{group.pk}/?q=cong+an").text
    editor.post(f"/recipients/{group.pk}/add/", {"q": "ubnd phuong"})
    assert group.agencies.count() == 7
    editor.post(f"/recipients/{group.pk}/{group.agencies.first().pk}/remove/")
    assert group.agencies.count() == 6


def test_text_is_shown_as_typed_and_runs_nothing(editor):
    plant_seed()
    name = "<script>alert(1)</script>"
    unit = AdminUnit.objects.get(name="phường Bắc Kạn")
    page = editor.post(
        "/agencies/new/", {"name": name, "kind": "school", "unit": unit.pk, "confirmed": "on"}, follow=True
    )

    assert name not in page.text
    assert "&lt;script&gt;" in page.text


@pytest.mark.long
def test_a_thousand_agencies_take_as_many_queries_as_ten_and_little_time(reader):
    plant_many(10)
    few = {path: queries(reader, path) for path in LIST_PAGES}
    plant_many(1000)  # beside the ten that are there
    lots = {path: queries(reader, path) for path in LIST_PAGES}
    spent = {path: quickest(lambda path=path: reader.get(path), server_clock()) for path in LIST_PAGES}

    # A page beyond the first is one question more than an only page.
    assert {path: count for path, count in lots.items() if count > few[path] + 1} == {}
    assert {path: seconds for path, seconds in spent.items() if seconds >= BUDGET_SECONDS} == {}


def form_of(agency, **changed):
    """What the page of an agency sends back."""
    sent = {
        "name": agency.name,
        "short_name": agency.short_name,
        "kind": agency.kind,
        "unit": agency.unit_id,
        "parent": agency.parent.name if agency.parent else "",
        "code": agency.code or "",
        "valid_from": agency.valid_from or "",
        "valid_to": agency.valid_to or "",
        "successors": "",
    }
    return sent | changed


@pytest.mark.long
def test_a_clerk_keeps_the_part_of_the_directory_that_the_role_reaches(client):
    plant_seed()
    ward, other = (Agency.objects.get(key=f"ubnd-phuong-{name}") for name in ("song-cau", "duc-xuan"))
    client.force_login(user("vanthu", Role.CLERK, ward))
    changed = client.post(f"/agencies/{ward.pk}/change/", form_of(ward, phone="0209 3870 111"))
    moved = client.post(f"/agencies/{ward.pk}/change/", form_of(ward, unit=other.unit_id, parent=other.name))
    now, beside = AdminUnit.objects.valid_on(datetime.date(2026, 1, 1)).filter(kind="ward").order_by("pk")[:2]
    for ended, successor in ((ward.unit, now), (other.unit, beside)):
        UnitSuccession.objects.create(ended=ended, successor=successor, day=datetime.date(2025, 7, 1))
    Agency.objects.filter(pk__in=[ward.pk, other.pk]).update(valid_to=None)
    below = {"name": "Tổ công nghệ Sông Cầu", "kind": "department", "unit": now.pk, "parent": ward.name}
    below |= {"valid_from": "2026-01-01"}
    entered = client.post("/agencies/new/", below)
    elsewhere = client.post("/agencies/new/", below | {"name": "Tổ khác", "parent": other.name, "unit": beside.pk})
    wider = client.post("/agencies/new/", below | {"name": "Ban cả tỉnh", "unit": now.parent_id})
    ward.refresh_from_db()

    assert (changed.status_code, ward.phone) == (302, "0209 3870 111")
    assert (moved.status_code, entered.status_code, elsewhere.status_code) == (422, 302, 422)
    assert client.get(f"/agencies/{other.pk}/change/").status_code == 403
    assert client.post(f"/agencies/{other.pk}/figures/", {}).status_code == 403
    assert client.get(f"/units/{ward.unit_id}/change/").status_code == 403
    assert [client.get(path).status_code for path in ("/imports/", "/recipients/new/")] == [403, 403]
    assert wider.status_code == 422, "under a ward's committee nothing serves the province"
    assert not Agency.objects.filter(name__in=["Tổ khác", "Ban cả tỉnh"]).exists()


@pytest.mark.long
def test_a_clerk_of_a_ward_keeps_its_units_too(client):
    plant_seed()
    ward, other = (AdminUnit.objects.get(agencies__key=f"ubnd-phuong-{name}") for name in ("song-cau", "duc-xuan"))
    client.force_login(user("vanthu", Role.CLERK, ward))
    group = {"name": "tổ 19", "kind": "group", "head_name": "Bà Hoa"}

    assert client.post("/units/new/", group | {"parent": ward.pk}).status_code in (302, 422)
    assert client.get(f"/units/{ward.pk}/change/").status_code == 200
    assert client.get(f"/units/{other.pk}/change/").status_code == 403
    assert client.post("/units/new/", group | {"name": "tổ 20", "parent": other.pk}).status_code == 422
    assert not AdminUnit.objects.filter(name="tổ 20").exists()
