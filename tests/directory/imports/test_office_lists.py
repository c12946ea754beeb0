# SPDX-License-Identifier: Apache-2.0
"""Lists as offices keep them: title rows, merged headings, sections, sums, several sheets, old fonts, no codes."""

import io
import re
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.builders.agencies import write_csv, write_workbook
from tests.builders.office import data_folder, furnished_folder, quick_passwords, user

from bluezone.directory.imports.files.file_types import read_sheets
from bluezone.directory.imports.files.raw_sheets import (
    SpreadsheetRefused,
    pack_sheets,
    sheets_from_json,
    sheets_to_json,
    unpack_sheets,
)
from bluezone.directory.kinds import UnitKind
from bluezone.directory.models import AdminUnit, Agency, RememberedHeading
from bluezone.directory.records.store import rewrite_paths
from bluezone.identity.models import Role
from bluezone.vietnamese.legacy_fonts import TextEncoding, from_unicode

__all__ = ["data_folder", "furnished_folder", "quick_passwords"]
TITLE = [["UBND TỈNH NÚI XANH"], [], ["DANH SÁCH CƠ QUAN, ĐƠN VỊ"], ["(Kèm theo Công văn số 12/UBND-VX)"], []]
LIST = [
    ["STT", "Cơ quan, đơn vị", "Thông tin liên hệ", None, "Mã định danh", "Trực thuộc", "Ghi chú"],
    [None, None, "Điện thoại", "Email", None, None, None],
    ["(1)", "(2)", "(3)", "(4)", "(5)", "(6)", "(7)"],
    ["I", "KHỐI TỈNH"],
    [1, "Ủy ban nhân dân tỉnh Núi Xanh", "0209 3870 001", "ubnd@nuixanh.vn", "H99", None, None],
    [2, "Sở Y tế", 2093870002, "syt@nuixanh.vn", "H99.5", "Ủy ban nhân dân tỉnh Núi Xanh", None],
    ["II", "KHỐI XÃ, PHƯỜNG"],
    [3, "Trạm Y tế\nphường Suối Bạc", "0209.3870.003", None, None, "Sở Y tế", "mới"],
    [None, "Tổng cộng: 03 đơn vị"],
]


@pytest.fixture
def office(client, db):
    province = AdminUnit.objects.create(key="nx", code="99", name="tỉnh Núi Xanh", kind=UnitKind.PROVINCE, path="")
    AdminUnit.objects.create(
        key="sb", code="99001", name="phường Suối Bạc", kind=UnitKind.WARD, parent=province, path=""
    )
    rewrite_paths(AdminUnit)
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(user("mai", Role.ADMIN))
    return client


def send(client, content, name="list.xlsx"):
    file = SimpleUploadedFile(name, content)
    return client.post("/imports/", {"about": "agencies", "file": file}, follow=True)


def press(client, page, what, **sent):
    address = re.search(rf'action="(/imports/\d+/{what}/)"', page.text)[1]
    return client.post(address, sent, follow=True)


def accept(client, page):
    return press(client, page, "apply", digest=page.context["preview"].digest)


@pytest.mark.long
def test_a_list_with_titles_merged_headings_sections_and_a_sum_is_read_whole(office):
    page = send(office, write_workbook(TITLE + LIST))

    assert page.context["plan"].refused == ()
    assert page.context["plan"].ignored == ("STT", "Ghi chú")
    assert "Tổng" not in page.text
    accept(office, page)
    health = Agency.objects.get(name="Sở Y tế")
    station = Agency.objects.get(name="Trạm Y tế phường Suối Bạc")
    assert (health.phone, health.email, health.edxml_id) == ("02093870002", "syt@nuixanh.vn", "H99.5")
    assert (health.kind, health.parent.name) == ("department", "Ủy ban nhân dân tỉnh Núi Xanh")
    assert (station.kind, station.unit.name, station.parent, station.code) == (
        "health",
        "phường Suối Bạc",
        health,
        None,
    )
    assert station.path.startswith(health.path)
    assert len(send(office, write_workbook(TITLE + LIST)).context["plan"].unchanged) == 3


@pytest.mark.long
def test_cells_that_say_more_than_one_number_give_the_first_and_the_page_says_so(office):
    rows = [
        ["Đơn vị", "Điện thoại", "Email"],
        ["Sở Y tế", "0209 3870 001 - 0912 345 678", "a@x.vn; b@x.vn"],
        ["Sở Nội vụ", "(0209) 3870 002 (văn thư)", "mailto:snv@x.vn"],
        ["Sở Tư pháp", "chưa có", "không có"],
        ["Sở Xây dựng", 19001234, "-"],
    ]
    page = send(office, write_workbook(rows))

    assert [(one.entry.phone, one.entry.email) for one in page.context["plan"].added] == [
        ("0209 3870 001", "a@x.vn"), ("0209 3870 002", "snv@x.vn"), ("", ""), ("19001234", ""),
    ]  # fmt: skip
    assert "Row 2: only 0209 3870 001 is used from this cell." in page.text
    assert "Row 2: only a@x.vn is used from this cell." in page.text
    assert "Row 2, Row 3, Row 4, Row 5: the kind was taken from the name" in page.text


@pytest.mark.long
def test_the_foot_of_a_list_is_left_out_and_a_row_without_a_name_within_it_is_refused(office):
    rows = [
        ["STT", "Đơn vị", "Điện thoại"],
        [1, "Sở Y tế", "0209 3870 001"],
        [2, None, "0209 3870 002"],
        [],
        [3, "Sở Nội vụ", "0209 3870 003"],
        [],
        [None, None, "Núi Xanh, ngày 01 tháng 8 năm 2026"],
        ["NGƯỜI LẬP BIỂU", "Giám đốc", None],
        [None, "Nguyễn Văn A", None],
    ]
    plan = send(office, write_workbook(rows)).context["plan"]

    assert [one.entry.name for one in plan.added] == ["Sở Y tế", "Sở Nội vụ"]
    assert [(one.row, one.column) for one in plan.refused] == [(3, "name")]
    assert plan.left_out == (7, 8, 9)


@pytest.mark.long
def test_longer_headings_are_known_by_how_they_begin(office):
    head = ["TT", "Tên cơ quan, đơn vị, địa phương", "Số điện thoại văn thư", "Thư điện tử dùng chung", "Địa chỉ"]
    plan = send(office, write_workbook([head, [1, "Sở Y tế", "0209 3870 001", "syt@x.vn", "Số 1"]])).context["plan"]

    assert [(one.entry.name, one.entry.phone, one.entry.email) for one in plan.added] == [
        ("Sở Y tế", "0209 3870 001", "syt@x.vn")
    ]
    assert plan.ignored == ("TT", "Địa chỉ")


@pytest.mark.long
def test_a_short_name_is_about_the_entry_of_the_whole_one_and_does_not_shorten_it(office):
    head = ["Đơn vị", "Điện thoại"]
    accept(office, send(office, write_workbook([head, ["Ủy ban nhân dân phường Suối Bạc", ""]])))
    plan = send(office, write_workbook([head, ["UBND P. Suối Bạc", "0209 3870 009"]])).context["plan"]

    assert (plan.added, [one.after.name for one in plan.changed]) == ((), ["Ủy ban nhân dân phường Suối Bạc"])


@pytest.mark.long
def test_short_words_for_units_are_understood_and_an_unknown_kind_is_chosen(office):
    rows = [["Đơn vị", "Điện thoại"], ["UBND P.Suối Bạc", ""], ["Trường THCS Suối Bạc", ""], ["Vật lạ", ""]]
    page = send(office, write_workbook(rows))

    assert [one.entry.unit for one in page.context["plan"].added] == ["sb", "sb"]
    assert '<option value="service">Public service unit</option>' in page.text
    page = press(office, page, "fix", **{"fix-4-kind": "service"})
    assert page.context["plan"].added[-1].entry.kind == "service"


@pytest.mark.long
def test_sheets_of_a_workbook_are_one_list_and_a_refused_row_names_its_sheet(office):
    head = ["Cơ quan", "Điện thoại"]
    page = send(office, write_workbook([head, ["Sở Y tế"]], [head, ["Tổ hợp lạ", "0209 3870 001"]]))

    assert "Sheet 2, row 2: The kind is missing" in page.text


@pytest.mark.long
@pytest.mark.parametrize("font", [TextEncoding.TCVN3, TextEncoding.VNI])
def test_headings_typed_in_an_old_font_are_known(office, font):
    rows = [["Tên đơn vị", "Số điện thoại"], ["Phòng Y tế suối Bạc", "0209 3870 001"]]
    page = send(office, write_csv(*([from_unicode(cell, font) for cell in row] for row in rows)), "l.csv")

    assert "Does this text use an old font?" in page.text
    assert press(office, page, "conversion", conversion="convert").context["plan"].added[0].entry.name == rows[1][0]


@pytest.mark.long
def test_a_refused_row_is_corrected_in_the_browser_and_sending_it_twice_is_the_same(office):
    page = send(office, write_csv(("Tên cơ quan", "Điện thoại"), ("Sở Y tế", "gọi số lạ"), ("Vật lạ", "")), "l.csv")
    assert [row for _sentence, row, _cells in page.context["to_fix"]] == [2, 3]
    assert "/apply/" not in page.text

    sent = {"fix-2-phone": "0209 3870 001", "out-3": "on"}
    once = press(office, page, "fix", **sent)
    twice = press(office, page, "fix", **sent)
    assert once.context["preview"].digest == twice.context["preview"].digest
    assert twice.context["left_out"] == ["Row 3"]
    accept(office, twice)
    assert list(Agency.objects.values_list("name", "phone")) == [("Sở Y tế", "0209 3870 001")]


@pytest.mark.long
def test_what_a_column_means_is_said_once_and_known_for_the_next_list(office):
    rows = write_csv(("Nhãn A", "Nhãn B", "Nhãn C"), ("Sở Y tế", "0209 3870 001", "x"))
    page = send(office, rows, "l.csv")
    assert "Which column is which?" in page.text
    assert 'phone" selected' in page.text
    assert page.context["sheet"].header_row == 1

    empty = press(office, page, "columns", sheet="0", header_row="1")
    assert empty.status_code == 422
    page = press(office, page, "columns", sheet="0", header_row="1", **{"column-0": "name", "column-1": "phone"})
    assert page.context["plan"].added[0].entry.name == "Sở Y tế"
    assert dict(RememberedHeading.objects.values_list("heading", "column")) == {"nhan a": "name", "nhan b": "phone"}
    assert send(office, rows, "l.csv").context["plan"].added[0].entry.name == "Sở Y tế"


@pytest.mark.parametrize(
    "heads",
    [
        ("Họ và tên", "Chức vụ", "Đơn vị", "Số điện thoại"),
        ("Họ đệm", "Năm sinh", "Đơn vị", "Số điện thoại"),
        ("Họ tên cán bộ, công chức", "Chức danh nghề nghiệp", "Đơn vị", "Số điện thoại"),
    ],
    ids=["post", "year of birth", "longer headings"],
)
def test_a_list_of_people_gives_no_agency_the_number_of_a_person_and_leads_to_where_it_belongs(office, heads):
    page = send(office, write_workbook([heads, ("Lý Thị Mảy", "1990", "Sở Y tế", "0912 345 678")]))

    assert "This seems to be a list of people" in page.text
    assert 'href="/accounts/lists/"' in page.text
    assert "/apply/" not in page.text
    assert not re.search("<option[^>]* selected", page.text)
    assert not Agency.objects.exists()
    page = press(office, page, "columns", sheet="0", header_row="1", **{"column-2": "name", "column-3": "phone"})
    assert [(one.entry.name, one.entry.phone) for one in page.context["plan"].added] == [("Sở Y tế", "0912 345 678")]


def test_a_list_of_agencies_that_names_who_answers_for_each_is_one_of_agencies(office):
    page = send(
        office, write_workbook([("Đơn vị", "Họ và tên thủ trưởng", "Điện thoại"), ("Sở Y tế", "Lý Thị Mảy", "115")])
    )

    assert [one.entry.phone for one in page.context["plan"].added] == ["115"]


def opened(*rows):
    """An .ods as LibreOffice writes it: values with types, repeated cells, a million empty columns at the end."""
    cell = '<table:table-cell office:value-type="{kind}" {value}><text:p>{text}</text:p></table:table-cell>'
    space = 'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'  # noqa: E501
    lines = "".join(
        "<table:table-row>"
        + "".join(
            cell.format(kind="float", value=f'office:value="{one}"', text=one)
            if isinstance(one, int)
            else cell.format(kind="string", value="", text=one)
            for one in row
        )
        + '<table:table-cell table:number-columns-repeated="1048000"/></table:table-row>'
        for row in rows
    )
    tail = '<table:table-row table:number-rows-repeated="1048000"><table:table-cell/></table:table-row>'
    xml = f'<office:document-content {space}><office:body><office:spreadsheet><table:table table:name="A">{lines}{tail}</table:table></office:spreadsheet></office:body></office:document-content>'  # noqa: E501
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", xml)
    return file.getvalue()


@pytest.mark.long
def test_a_workbook_of_libreoffice_is_read():
    (sheet,) = read_sheets(opened(["Tên", "Số hộ"], ["Tổ 1", 12]))

    assert [row.cells for row in sheet.rows] == [("Tên", "Số hộ"), ("Tổ 1", 12)]


def test_a_cell_of_libreoffice_over_several_rows_says_so():
    data = opened(["Tổ", "Chủ hộ"], ["Tổ 1", "A"], ["", "B"])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    parts["content.xml"] = parts["content.xml"].replace(
        '"string" ><text:p>Tổ 1', '"string" table:number-rows-spanned="2"><text:p>Tổ 1'
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    (sheet,) = read_sheets(file.getvalue())

    assert [row.cells for row in sheet.rows_below(1)] == [("Tổ 1", "A"), ("Tổ 1", "B")]


@pytest.mark.long
@pytest.mark.parametrize("spoil", ["<!DOCTYPE a>", "repeated"])
def test_a_hostile_workbook_of_libreoffice_ends_in_a_refusal(spoil):
    data = opened(["Tên"], ["x"])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        xml = archive.read("content.xml").decode()
    wide = xml.replace("<text:p>x", '<text:p>x', 1).replace(
        'office:value-type="string" ', 'office:value-type="string" table:number-columns-repeated="900000000" ', 1
    )  # fmt: skip
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", wide if spoil == "repeated" else spoil + xml)
    with pytest.raises(SpreadsheetRefused):
        read_sheets(file.getvalue())


@pytest.mark.long
def test_sheets_are_kept_as_they_were_read():
    (sheet,) = read_sheets(write_workbook([["Mã", "Tên"], ["01", 5], [None, 1.5]]))

    assert unpack_sheets(pack_sheets([sheet])) == [sheet] == sheets_from_json(sheets_to_json([sheet]))
