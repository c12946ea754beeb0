# SPDX-License-Identifier: Apache-2.0
"""Lists through the pages: looked at first, done exactly as shown or not at all."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.translation import override
from tests.builders.agencies import plant_seed, write_csv, write_workbook
from tests.builders.office import data_folder, furnished_folder, quick_passwords, user

from bluezone.authority.people import people_lists
from bluezone.directory.imports import list_imports
from bluezone.directory.models import AdminUnit, Agency, ListImport
from bluezone.directory.records.reading import read_directory, state_digest
from bluezone.identity.models import AuditEntry, Role
from bluezone.rollout.canvass.households import door_lists
from bluezone.rollout.schools.classes import class_lists
from bluezone.vietnamese.legacy_fonts import TextEncoding, from_unicode
from bluezone.vietnamese.spelling import fold

__all__ = ["data_folder", "furnished_folder", "quick_passwords"]
pytestmark = pytest.mark.django_db
HEADINGS = ("Mã đơn vị", "Tên đơn vị", "Loại", "Mã cấp trên")
GROUP_1 = ("SC-01", "Tổ 1", "tổ dân phố", "01840")
GROUP_2 = ("SC-02", "Tổ 2", "tổ dân phố", "01840")


@pytest.fixture
def office(client):
    plant_seed()
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(user("mai", Role.ADMIN))
    return client


def send(client, content, about="units", name="list.csv"):
    return client.post("/imports/", {"about": about, "file": SimpleUploadedFile(name, content)}, follow=True)


def accept(client, page):
    address = re.search(r'action="(/imports/\d+/apply/)"', page.text)[1]
    return client.post(address, {"digest": re.search(r'name="digest" value="(\w+)"', page.text)[1]}, follow=True)


@pytest.mark.long
def test_nothing_is_stored_until_the_preview_is_accepted(office):
    before = state_digest(read_directory())
    page = send(office, write_csv(HEADINGS, GROUP_1, GROUP_2))

    assert page.status_code == 200
    assert "Tổ 1" in page.text
    assert state_digest(read_directory()) == before

    done = accept(office, page)
    assert "2 added, 0 changed" in done.text
    assert set(AdminUnit.objects.filter(kind="group").values_list("code", flat=True)) == {"SC-01", "SC-02"}
    assert not ListImport.objects.exists()


def test_the_audit_names_the_file_by_its_hash(office):
    accept(office, send(office, write_csv(HEADINGS, GROUP_1)))
    entry = AuditEntry.objects.order_by("-number").first()

    assert (entry.action, len(entry.subject)) == ("list_imported", 64)
    assert entry.details == {"about": "units", "added": 1, "changed": 0, "unchanged": 0}


@pytest.mark.long
def test_a_preview_made_before_somebody_changed_the_directory_is_refused(office):
    page = send(office, write_csv(HEADINGS, GROUP_1))
    AdminUnit.objects.filter(code="01840", valid_to=None).update(name="phường Đức Xuân mới")
    late = accept(office, page)

    assert late.status_code == 409
    assert "has changed since this preview was created" in late.text
    assert not AdminUnit.objects.filter(kind="group").exists()
    assert accept(office, late).status_code == 200
    assert AdminUnit.objects.filter(kind="group").count() == 1


@pytest.mark.long
def test_a_made_up_or_missing_digest_stores_nothing(office):
    page = send(office, write_csv(HEADINGS, GROUP_1))
    address = re.search(r'action="(/imports/\d+/apply/)"', page.text)[1]

    assert office.post(address, {"digest": "0" * 64}).status_code == 409
    assert office.post(address).status_code == 409
    assert not AdminUnit.objects.filter(kind="group").exists()


def test_one_bad_row_stops_the_whole_list_and_comes_back_marked(office):
    page = send(office, write_csv(HEADINGS, GROUP_1, ("SC-02", "Tổ 2", "tổ dân phố", "99999")))

    assert "Row 3, column D" in page.text
    assert "Accept and store" not in page.text
    number = ListImport.objects.get().pk
    assert office.post(f"/imports/{number}/apply/", {"digest": ""}).status_code == 409
    assert not AdminUnit.objects.filter(kind="group").exists()
    assert office.get(f"/imports/{number}/marked.xlsx").content.startswith(b"PK")


def old_list(*names):
    """A list whose names are typed for a TCVN3 font."""
    typed = [from_unicode(name, TextEncoding.TCVN3) for name in names]
    return write_workbook([HEADINGS, *((f"T-{n}", name, "group", "01840") for n, name in enumerate(typed))])


@pytest.mark.long
def test_old_fonts_are_converted_only_after_they_were_shown(office):
    page = send(office, old_list("Tổ dân phố Đức Xuân", "Tổ dân phố Bắc Kạn"), name="list.xlsx")
    assert "Does this text use an old font?" in page.text
    assert from_unicode("Tổ dân phố Đức Xuân", TextEncoding.TCVN3) in page.text
    assert "Tổ dân phố Đức Xuân" in page.text
    assert "Accept and store" not in page.text

    decided = office.post(page.request["PATH_INFO"] + "conversion/", {"conversion": "convert"}, follow=True)
    accept(office, decided)
    assert AdminUnit.objects.filter(name="Tổ dân phố Đức Xuân").exists()


@pytest.mark.long
def test_a_conversion_nobody_answered_stores_nothing(office):
    send(office, old_list("Tổ dân phố Đức Xuân", "Tổ dân phố Bắc Kạn"), name="list.xlsx")
    number = ListImport.objects.get().pk

    assert office.post(f"/imports/{number}/apply/", {"digest": ""}).status_code == 409
    assert not AdminUnit.objects.filter(kind="group").exists()


@pytest.mark.long
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (write_csv(HEADINGS), "no rows below the headings"),
        (b"%PDF-1.7 ...", "not a list in XLSX, XLS, ODS or CSV"),
        (b"\xd0\xcf\x11\xe0 old", "not a list in XLSX, XLS, ODS or CSV"),
        (b"PK\x03\x04 broken", "damaged"),
        (write_workbook([HEADINGS, ("1", "=1+1", "tổ", "01840")]), "formula without a stored result"),
        (write_csv(HEADINGS, GROUP_1) + b"\r\nSC-02;ph\xad\xeang;x;01840", "text of the file cannot be read"),
        (
            write_csv(HEADINGS, ("1", "phường Đức Xuân", "tổ", "01840"), ("2", "S«ng CÇu", "tổ", "01840")),
            "Some cells use a different font",
        ),
    ],
)
def test_a_file_that_is_no_such_list_is_refused_with_a_sentence(office, content, said):
    page = send(office, content)

    assert page.status_code == 422
    assert said in page.text
    assert not ListImport.objects.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (write_csv(("Họ tên", "Ngày sinh"), ("a", "b")), "No row near the top has the expected headings"),
        (write_csv(("Mã đơn vị", "Loại"), ("1", "tổ")), "A required column is missing"),
        (write_csv((*HEADINGS, "Mã"), (*GROUP_1, "2")), "Two columns seem to mean the same"),
        (write_csv(("Mã đơn vị", "Tên đơn vị", ""), ("1", "Tổ 1", "x")), "values but no heading"),
    ],
)
def test_where_the_columns_are_not_clear_a_person_is_asked_beside_the_first_rows(office, content, said):
    page = send(office, content)

    assert page.status_code == 200
    assert said in page.text
    assert "Which column is which?" in page.text
    assert 'name="column-0"' in page.text


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([GROUP_1, GROUP_1], "Another row is about the same entry"),
        ([("SC-01", "Tổ 1", "con gà", "01840")], "The kind is missing or not one of the known words"),
        ([("01840", "phường Đức Xuân", "phường", "01840")], "be under itself"),
        ([("SC-01", "Tổ " + "x" * 200, "tổ", "01840")], "missing, too long or not on one line"),
    ],
    ids=["duplicate", "kind", "cycle", "long"],
)
def test_a_row_that_contradicts_is_refused_with_a_sentence(office, rows, said):
    before = state_digest(read_directory())
    page = send(office, write_csv(HEADINGS, *rows))

    assert said in page.text
    assert "Accept and store" not in page.text
    assert state_digest(read_directory()) == before


def test_a_hundred_megabytes_are_refused_before_they_are_read(office):
    answer = office.post("/imports/", CONTENT_LENGTH=str(100 * 1024 * 1024))

    assert answer.status_code == 413
    assert "at most" in answer.text or "10 MB" in answer.text


def test_a_list_belongs_to_who_sent_it_and_can_be_discarded(office, client):
    send(office, write_csv(HEADINGS, GROUP_1))
    number = ListImport.objects.get().pk
    other = type(client)()
    other.force_login(user("ba", Role.ADMIN))

    assert other.get(f"/imports/{number}/").status_code == 404
    office.post(f"/imports/{number}/discard/")
    assert not ListImport.objects.exists()


def test_a_role_outside_its_rights_sends_nothing_in(office):
    office.force_login(user("lan", Role.HEALTH_WORKER))

    assert send(office, write_csv(HEADINGS, GROUP_1)).status_code == 403
    assert not ListImport.objects.exists()


@pytest.mark.long
def test_the_list_of_agencies_can_go_out_and_come_back(office):
    file = office.get("/agencies/list.xlsx?on=2020-08-07&kind=union").content
    assert file.startswith(b"PK")
    page = send(
        office,
        write_workbook([("Mã cơ quan", "Tên cơ quan", "Mã địa bàn"), ("TH01", "Trường Tiểu học Đức Xuân", "01840")]),
        "agencies",
        "a.xlsx",
    )

    assert page.status_code == 200
    assert not Agency.objects.filter(code="TH01").exists()


@pytest.mark.long
def test_a_short_name_or_source_longer_than_its_field_is_refused_before_it_is_stored(office):
    headings = (
        "Mã cơ quan",
        "Tên cơ quan",
        "Tên viết tắt",
        "Loại",
        "Mã địa bàn",
        "Số cán bộ",
        "Nguồn",
        "Tính đến ngày",
    )
    row = ("TH01", "Trường Tiểu học", "TH", "Trường", "01840", "20", "Phòng Nội vụ", "01/8/2020")
    for place, text in ((2, "x" * 81), (6, "x" * 201)):
        page = send(office, write_csv(headings, (*row[:place], text, *row[place + 1 :])), "agencies")
        assert "too long" in page.text
    assert "Accept and store" in send(office, write_csv(headings, row), "agencies").text


@pytest.mark.parametrize(
    "columns", [*list_imports.COLUMNS.values(), people_lists.COLUMNS, door_lists.COLUMNS, class_lists.COLUMNS]
)
def test_the_last_heading_of_a_column_is_the_english_one(columns):
    assert [column.headings for column in columns if fold(column.headings[-1]) != column.headings[-1].lower()] == []
    with override("en"):
        assert len({column.label for column in columns}) == len(columns)
