# SPDX-License-Identifier: Apache-2.0
"""Coverage: columns that are never added, small numbers kept back, reports that run nothing."""

import io
import re
import unicodedata
import zipfile

import docx
import openpyxl
import pypdf
import pytest
from django.utils import timezone
from tests.builders.coverage import WEEK, agency, city, registered_only, staff_report
from tests.builders.office import user

from bluezone.identity.models import Role
from bluezone.rollout.coverage.api import Figure, RunningShare
from bluezone.rollout.report_week import Week
from bluezone.rollout.staffing.queries import StaffRunning

pytestmark = pytest.mark.django_db
LETTER = {"issuer": "=cmd|' /c calc'!A1", "notation": "BC-UBND", "place": "Bắc Kạn", "basis": "<script>x</script>"}


class Gates(RunningShare):
    """Gate-days as the gates give them."""

    def __init__(self, *days):
        self.days = days

    def figures(self, week):
        return [Figure(path, None, proven, phones, "gates", week.last_day) for path, proven, phones in self.days]

    def rows_address(self, unit_id, week):
        return f"/gates/?unit={unit_id}"


@pytest.fixture
def reader(client):
    client.cookies.load({"bluezone-language": "en"})
    made = user("hoa", Role.SUPERVISOR)
    client.force_login(made)
    return made


@pytest.fixture
def wards():
    return city("phường Đức Xuân", "phường Sông Cầu", "xã Dương Quang")


def body(text):
    return " ".join(text.split("<tbody>")[1].split("</tbody>")[0].split())


def test_the_city_is_the_smallest_unit_that_most_agencies_serve(client, reader, wards):
    _top, below = wards
    for ward in below[:2]:
        staff_report(agency(f"UBND {ward.name}", ward), reader, 10, 40)
    text = client.get(f"/coverage/?week={WEEK}").text

    assert "Share running, thành phố Bắc Kạn" in text
    assert "25.0%" in text


def test_an_office_of_the_province_makes_no_province_of_the_city(client, reader, wards):
    top, below = wards
    for ward in below[:2]:
        agency(f"UBND {ward.name}", ward)
    agency("Sở Y tế", top.parent)

    assert "thành phố Bắc Kạn" in client.get(f"/coverage/?week={WEEK}").text.split("</h1>")[0]


def test_proven_and_self_reported_stand_in_columns_of_their_own_and_are_never_added(client, reader, wards):
    top, below = wards
    staff_report(agency("UBND Đức Xuân", below[0]), reader, 10, 40)
    gates = Gates((below[0].path, 300, 1000), (below[0].path, 500, 1000))
    with registered_only(gates, StaffRunning()):
        text = client.get(f"/coverage/units/{top.pk}/numbers/?week={WEEK}").text
    columns = re.findall(r"<td.*?</td>", body(text).split("<tr", 2)[1])

    assert ["40.0%" in columns[0], "25.0%" in columns[3]] == [True, True]
    # Of what is read: a page's drawn tokens may hold any digits.
    assert "810" not in re.sub(r"<[^>]*>", " ", body(text)), "800 proven and 10 self-reported are no sum"
    assert f'href="/gates/?unit={below[0].pk}"' in columns[0]
    assert f"unit={below[0].pk}" in columns[3]


def test_the_share_running_is_proven_passages_by_passages_with_a_smartphone_over_gate_days(client, reader, wards):
    _top, below = wards
    agency("UBND Đức Xuân", below[0])
    days = [(below[0].path, 200, 1000), (below[1].path, 800, 1000)] * 3
    with registered_only(Gates(*days)):
        text = client.get(f"/coverage/units/{_top.pk}/numbers/?week={WEEK}").text

    low, high = map(float, re.search(r"95% interval ([\d.]+)–([\d.]+)%, over gate-days", text).groups())
    assert "50.0%" in text
    assert high - low > 20, "gate-days differ far more than six thousand passages by chance"


def test_without_gates_the_share_running_is_empty_and_nothing_stands_in_for_it(client, reader, wards):
    _top, below = wards
    staff_report(agency("UBND Đức Xuân", below[0]), reader, 10, 40)

    assert "nothing else replaces it" in client.get(f"/coverage/units/{_top.pk}/numbers/?week={WEEK}").text
    assert "No gate has counted; " in client.get(f"/coverage/?week={WEEK}").text


def test_the_web_edition_is_never_counted_as_running(client, reader, wards):
    _top, below = wards
    staff_report(agency("UBND Đức Xuân", below[0]), reader, 10, 40, web_edition=30)
    text = client.get(f"/coverage/units/{_top.pk}/numbers/?week={WEEK}").text

    assert "25.0%" in text
    assert "never counted as running" in text


def test_training_is_in_no_figure(client, reader, wards):
    top, below = wards
    staff_report(agency("UBND Đức Xuân", below[0]), reader, 38, 40, training=True)

    assert list(StaffRunning().figures(WEEK)) == []
    assert StaffRunning().reporting(top.path, WEEK).received == 0
    assert "Nothing was counted here this week" in client.get(f"/coverage/?week={WEEK}").text


def test_a_small_number_is_kept_back_with_another_so_that_the_sum_does_not_tell_it(client, reader, wards):
    top, below = wards
    for ward, running in zip(below, (3, 20, 31), strict=True):
        staff_report(agency(f"UBND {ward.name}", ward), reader, running, 60)
    text = body(client.get(f"/coverage/units/{top.pk}/numbers/?week={WEEK}").text)
    first, second, third, whole = text.split("<tr")[1:]

    assert "withheld / 60" in first
    assert "withheld / 60" in second
    assert "31 / 60" in third
    assert "54 / 180" in whole


def test_a_page_says_why_a_number_is_kept_back_only_where_one_is(client, reader, wards):
    top, below = wards
    staff_report(agency("UBND Đức Xuân", below[0]), reader, 10, 40)
    shown = client.get(f"/coverage/units/{top.pk}/numbers/?week={WEEK}").text
    staff_report(agency("UBND Sông Cầu", below[1]), reader, 3, 40)

    assert "Withheld" not in shown.split("<main")[1]
    assert "Withheld: a number under 5" in client.get(f"/coverage/units/{top.pk}/numbers/?week={WEEK}").text


def test_from_a_ward_one_gets_back_to_the_whole_city(client, reader, wards):
    top, below = wards
    pages = [client.get(f"/coverage/units/{unit.pk}/?week={WEEK}").text for unit in (top, below[0])]

    assert ["The whole city" in page for page in pages] == [False, True]


@pytest.mark.long
def test_every_page_knows_whether_its_week_is_the_one_going_on(client, reader, wards):
    _top, below = wards
    staff_report(agency("UBND Đức Xuân", below[0]), reader, 10, 40)
    last = Week.of(timezone.localdate())

    for page in ("", "priority/", "league/", "trend/"):
        now, before = (
            client.get(f"/coverage/units/{below[0].pk}/{page}?week={week}").context["is_latest"]
            for week in (last, last.previous)
        )
        assert (now, before) == (True, False), page


def test_a_share_of_which_nothing_is_shown_says_so_once_with_the_way_to_its_rows(client, reader, wards):
    top, below = wards
    staff_report(agency("UBND Đức Xuân", below[0]), reader, 3, 4)
    first = body(client.get(f"/coverage/units/{top.pk}/numbers/?week={WEEK}").text).split("<tr")[1]

    assert first.count("withheld") == 1
    assert f"unit={below[0].pk}" in first


def test_the_map_says_in_words_what_it_shows(client, reader, wards):
    staff_report(agency("UBND Đức Xuân", wards[1][0]), reader, 10, 40)
    text = client.get(f"/coverage/units/{wards[0].pk}/?week={WEEK}").text

    said_so = re.search(r'aria-describedby="map-words">\s*<desc id="map-words">([^<]*)</desc>', text)[1]
    assert "phường Đức Xuân 25" in said_so
    assert "phường Sông Cầu no data" in said_so


def test_the_map_keeps_back_what_the_table_keeps_back(client, reader, wards):
    top, below = wards
    for ward, running in zip(below, (3, 20, 31), strict=True):
        staff_report(agency(f"UBND {ward.name}", ward), reader, running, 60)
    for address in ("/coverage/", f"/coverage/units/{top.pk}/"):
        text = client.get(f"{address}?week={WEEK}").text
        drawing = text.split('<svg class="tiles"')[1].split("</svg>")[0]

        assert drawing.count('class="suppressed-cell"') == 2
        assert "5.0%" not in drawing
        assert "51.7%" in drawing


@pytest.mark.long
def test_only_the_ward_itself_sees_its_small_numbers(client, reader, wards):
    _top, below = wards
    staff_report(agency("UBND Đức Xuân", below[0]), reader, 3, 60)
    address = f"/coverage/units/{below[0].pk}/numbers/?week={WEEK}"

    assert "3 / 60" not in " ".join(client.get(address).text.split())
    client.force_login(user("binh", Role.OFFICER, within=below[0]))
    assert "3 / 60" in " ".join(client.get(address).text.split())
    client.force_login(user("nam", Role.OFFICER, within=below[1]))
    assert "3 / 60" not in " ".join(client.get(address).text.split())


def test_above_the_ward_nobody_sees_small_numbers_whatever_they_enter(client, wards):
    top, below = wards
    clerk = user("mai", Role.ADMIN)
    client.force_login(clerk)
    for ward, running in zip(below, (3, 20, 31), strict=True):
        staff_report(agency(f"UBND {ward.name}", ward), clerk, running, 60)

    assert "3 / 60" not in " ".join(client.get(f"/coverage/units/{top.pk}/numbers/?week={WEEK}").text.split())


def test_a_report_keeps_small_numbers_back_whoever_asks(client, wards):
    _top, below = wards
    officer = user("binh", Role.OFFICER, within=below[0])
    client.force_login(officer)
    staff_report(agency("UBND Đức Xuân", below[0]), officer, 3, 60)
    data = client.get(f"/coverage/units/{below[0].pk}/report/docx/", {**LETTER, "week": str(WEEK)}).content
    cells = [cell.text for table in docx.Document(io.BytesIO(data)).tables for row in table.rows for cell in row.cells]

    assert "ẩn" in cells
    assert "3" not in cells


@pytest.fixture
def reported(reader, wards):
    top, below = wards
    for ward, running in zip(below, (13, 20, 31), strict=True):
        staff_report(agency(f"UBND {ward.name}", ward), reader, running, 60)
    return top


def test_the_docx_is_in_administrative_layout_and_vietnamese(client, reported):
    answer = client.get(f"/coverage/units/{reported.pk}/report/docx/", {**LETTER, "week": str(WEEK)})
    word = docx.Document(io.BytesIO(answer.content))
    cells = [cell.text for table in word.tables for row in table.rows for cell in row.cells]
    text = "\n".join([*(paragraph.text for paragraph in word.paragraphs), *cells])

    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in text
    assert "Kết quả triển khai cài đặt ứng dụng Bluezone tuần 10–16/8/2020" in text
    assert "(tự báo)" in text
    assert "Mẫu số: cán bộ có điện thoại thông minh. Nguồn: báo cáo cán bộ" in text
    assert "Chưa có số liệu xác thực tại cổng" in text
    assert "running" not in text
    rows = [row.cells[0].text for table in word.tables for row in table.rows]
    assert (rows.count("Toàn thành phố Bắc Kạn"), rows.count("phường Đức Xuân")) == (1, 1), rows


def test_the_workbook_holds_numbers_and_no_formula(client, reported):
    data = client.get(f"/coverage/units/{reported.pk}/report/xlsx/", {**LETTER, "week": str(WEEK)}).content
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        assert not any(b"<f>" in package.read(name) for name in package.namelist())
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active

    assert (sheet["A1"].value, sheet["A1"].data_type, sheet["A1"].quotePrefix) == (LETTER["issuer"], "s", True)
    assert [64, 180, 35.6] in [[cell.value for cell in row][1:4] for row in sheet.iter_rows()]


def test_the_page_for_print_lets_its_own_style_through_and_no_other(client, reported):
    answer = client.get(f"/coverage/units/{reported.pk}/report/print/", {**LETTER, "week": str(WEEK)})
    policy = answer.headers["Content-Security-Policy"]

    assert "<script>" not in answer.text
    assert "unsafe" not in policy
    assert "sha256-" in policy
    assert "style=" not in answer.text


@pytest.mark.long
def test_the_pdf_is_the_report_with_its_own_font_and_right_vietnamese(client, reported):
    answer = client.get(f"/coverage/units/{reported.pk}/report/pdf/", {**LETTER, "week": str(WEEK)})
    pdf = pypdf.PdfReader(io.BytesIO(answer.content))
    text = " ".join("".join(page.extract_text() for page in pdf.pages).split())

    assert answer.headers["Content-Type"] == "application/pdf"
    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in text
    assert "Kết quả triển khai cài đặt ứng dụng Bluezone tuần" in text
    assert unicodedata.is_normalized("NFC", text)


def test_a_letterhead_without_an_issuer_is_asked_for_again(client, reported):
    assert client.get(f"/coverage/units/{reported.pk}/report/docx/?week={WEEK}").status_code == 422
    assert client.get(f"/coverage/units/{reported.pk}/report/exe/", LETTER).status_code == 404


def test_empty_pages_teach(client, reader, wards):
    assert "Enter the units and agencies" in client.get(f"/coverage/?week={WEEK}").text
    agency("UBND Đức Xuân", wards[1][0])
    assert "The first numbers come from the staff report" in client.get(f"/coverage/?week={WEEK}").text
