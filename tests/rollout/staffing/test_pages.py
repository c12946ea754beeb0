# SPDX-License-Identifier: Apache-2.0
"""The pages of the staff report, through the browser's eyes."""

import io
import re

import openpyxl
import pytest
from django.utils import timezone
from tests.builders.coverage import WEEK, agency, city, large_city, staff_report
from tests.builders.largeoffice import server_clock
from tests.builders.office import user
from tests.builders.pace import BUDGET_SECONDS, queries, quickest

from bluezone.identity.models import Role
from bluezone.rollout.report_week import Week
from bluezone.rollout.staffing.models import StaffReport

pytestmark = pytest.mark.django_db
NUMBERS = {"staff": 40, "with_smartphone": 30, "running": 12, "web_edition": 5, "reminded": 9}


def this_week():
    return Week.of(timezone.localdate())


@pytest.fixture
def clerk(client):
    client.cookies.load({"bluezone-language": "en"})
    made = user("mai", Role.ADMIN)
    client.force_login(made)
    return made


@pytest.fixture
def offices():
    top, (ward,) = city("phường Đức Xuân")
    return [agency("Phòng Nội vụ", top), agency("Phòng Tư pháp", top, phone="0209 3870 111"), agency("Trạm Y tế", ward)]


def test_five_numbers_are_stored_and_the_table_shows_both_denominators(client, clerk, offices):
    answer = client.post(f"/staff/agencies/{offices[0].pk}/?week={this_week()}", NUMBERS, follow=True)

    assert answer.redirect_chain[0][0] == f"/staff/?week={this_week()}"
    assert "40.0%" in answer.text
    assert "30.0%" in answer.text
    assert "1/3" in answer.text


def test_contradicting_numbers_come_back_with_the_sentence_and_what_was_typed(client, clerk, offices):
    answer = client.post(f"/staff/agencies/{offices[0].pk}/?week={this_week()}", {**NUMBERS, "running": 31})

    assert answer.status_code == 422
    assert "More people running it than with a smartphone" in answer.text
    assert 'value="31"' in answer.text
    assert not StaffReport.everything.exists()


@pytest.mark.long
@pytest.mark.parametrize("already", [True, False], ids=["a report to correct", "the first report"])
def test_of_two_who_report_one_agency_each_is_shown_what_the_other_stored(client, clerk, offices, already):
    address = f"/staff/agencies/{offices[0].pk}/?week={this_week()}"
    if already:
        client.post(address, {**NUMBERS, "running": 11})
    before = shown(client.get(address))
    assert client.post(address, {**NUMBERS, "shown": before}).status_code == 302
    second = client.post(address, {**NUMBERS, "running": 20, "shown": before})

    assert second.status_code == 409
    assert [(one.label, one.stored) for one in second.context["form"].clashes] == [("Bluezone running", "12")]
    assert 'value="20"' in second.text
    assert StaffReport.objects.get(is_current=True).running == 12, "nothing of the second is stored yet"

    again = {**NUMBERS, "running": 20, "shown": shown(second)}
    assert client.post(address, {**again, "take-running": "on"}).status_code == 302
    assert StaffReport.objects.get(is_current=True).running == 12
    assert client.post(address, again).status_code == 302
    assert StaffReport.objects.get(is_current=True).running == 20


def shown(page):
    return re.search(r'name="shown" value="([^"]+)"', page.text)[1]


def test_the_form_begins_with_what_seldom_changes(client, clerk, offices):
    staff_report(offices[0], clerk, 3, 20, week=this_week().previous, staff=44)
    text = client.get(f"/staff/agencies/{offices[0].pk}/?week={this_week()}").text

    assert 'value="44"' in text
    assert 'value="20"' in text
    assert 'name="running" value' not in text


@pytest.mark.long
def test_a_locked_week_keeps_its_numbers_says_what_to_do_and_can_be_opened(client, clerk, offices):
    staff_report(offices[0], clerk, 3, 20)
    address = f"/staff/agencies/{offices[0].pk}/"

    answer = client.post(f"{address}?week={WEEK}", NUMBERS)
    assert answer.status_code == 409
    assert "was locked on Tuesday 18 August 2020" in answer.text
    assert client.post(f"{address}reopen/?week={WEEK}", {"reason": ""}).status_code == 422
    assert client.post(f"{address}reopen/?week={WEEK}", {"reason": "No network"}).status_code == 302
    assert client.post(f"{address}?week={WEEK}", NUMBERS).status_code == 302
    assert "version 2" in client.get(f"/staff/?week={WEEK}").text


def test_who_has_not_reported_is_listed_with_the_number_to_call(client, clerk, offices):
    staff_report(offices[0], clerk, 3, 20)
    text = client.get(f"/staff/?week={WEEK}&show=missing").text

    assert "Phòng Tư pháp" in text
    assert 'href="tel:02093870111"' in text
    assert "Phòng Nội vụ" not in text.split("<tbody>")[1]


def test_the_search_finds_without_marks_and_in_nfd(client, clerk, offices):
    for words in ("tu phap", "Tư pháp"):
        body = client.get("/staff/", {"week": str(WEEK), "q": words}).text.split("<tbody>")[1]
        assert "Phòng Tư pháp" in body
        assert "Phòng Nội vụ" not in body


@pytest.mark.long
def test_pasted_rows_are_shown_first_and_stored_only_when_none_is_refused(client, clerk, offices):
    good, bad = "Phòng Nội vụ\t40\t30\t12\t5\t9", "Phòng Ngoại vụ\t1\t1\t1\t0\t0"
    address = f"/staff/paste/?week={this_week()}"

    assert client.post(address, {"rows": good}).status_code == 200
    answer = client.post(address, {"rows": f"{good}\n{bad}", "store": "1"})
    assert answer.status_code == 422
    assert "No agency of this week has this name or code." in answer.text
    assert not StaffReport.everything.exists()
    assert client.post(address, {"rows": good, "store": "1"}).status_code == 302
    assert StaffReport.objects.get().running == 12


def test_the_file_can_be_filled_in_and_pasted_back_and_runs_nothing(client, clerk, offices):
    evil = agency("=cmd|'/c calc'!A1", offices[0].unit)
    staff_report(evil, clerk, 7, 9)
    sheet = openpyxl.load_workbook(io.BytesIO(client.get(f"/staff/file/?week={WEEK}").content)).active
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    cells = {row[0].value: row[0] for row in sheet.iter_rows()}

    assert (cells[evil.name].data_type, cells[evil.name].quotePrefix) == ("s", True)
    head = next(number for number, row in enumerate(rows) if row[0] == "Cơ quan")
    pasted = "\n".join("\t".join("" if value is None else str(value) for value in row) for row in rows[head:])
    answer = client.post(f"/staff/paste/?week={WEEK}", {"rows": pasted})
    assert "3 rows cannot be used, 1 can" in answer.text, "only the one that had reported has numbers"


def test_an_officer_reports_for_the_own_agency_and_no_other(client, offices):
    client.force_login(user("binh", Role.OFFICER, within=offices[0]))

    assert client.post(f"/staff/agencies/{offices[0].pk}/?week={this_week()}", NUMBERS).status_code == 302
    assert client.post(f"/staff/agencies/{offices[1].pk}/?week={this_week()}", NUMBERS).status_code == 403
    answer = client.post(f"/staff/paste/?week={this_week()}", {"rows": "Phòng Tư pháp\t4\t3\t1\t0\t0", "store": "1"})
    assert answer.status_code == 422
    assert [report.agency_id for report in StaffReport.everything.all()] == [offices[0].pk]


def filed(client):
    """The numbers of the file of the week."""
    sheet = openpyxl.load_workbook(io.BytesIO(client.get(f"/staff/file/?week={WEEK}").content)).active
    return {cell.value for row in sheet.iter_rows() for cell in row if isinstance(cell.value, int)}


def test_numbers_under_five_are_kept_back_from_whoever_does_not_enter_them(client, clerk, offices):
    staff_report(offices[0], clerk, 3, 40)
    staff_report(offices[1], clerk, 12, 50)
    assert "withheld" not in client.get(f"/staff/?week={WEEK}").text
    assert {3, 12} <= filed(client)
    client.force_login(user("lan", Role.LEADER))
    assert {3, 12}.isdisjoint(filed(client)), "a file keeps back what the page does"
    text = client.get(f"/staff/?week={WEEK}").text
    body = text.split("<tbody>")[1].split("</tbody>")[0]

    assert ">3<" not in body
    assert ">12<" not in body, "the total minus this one would be the other"
    assert "15 / 90" in " ".join(text.split())


def test_what_was_typed_is_shown_and_never_run(client, clerk, offices):
    answer = client.post(f"/staff/paste/?week={this_week()}", {"rows": "<script>alert(1)</script>\t1\t1\t1\t0\t0"})

    assert "<script>alert" not in answer.text


def test_training_is_in_no_figure_of_the_pages(client, clerk, offices):
    staff_report(offices[0], clerk, 30, 30, training=True)

    assert "0/3" in client.get(f"/staff/?week={WEEK}").text
    sheet = openpyxl.load_workbook(io.BytesIO(client.get(f"/staff/file/?week={WEEK}").content)).active
    assert 30 not in [cell.value for row in sheet.iter_rows() for cell in row]


@pytest.mark.long
@pytest.mark.parametrize(("agencies", "weeks"), [(150, 4), pytest.param(1000, 52, marks=pytest.mark.slow)])
def test_a_thousand_agencies_and_a_year_take_a_constant_number_of_queries_and_little_time(
    client, clerk, agencies, weeks
):
    large_city(clerk, agencies=agencies, weeks=weeks)
    assert StaffReport.objects.count() == agencies * weeks
    client.get(f"/staff/?week={WEEK}")
    for show in ("all", "missing", "reported"):
        assert queries(client, f"/staff/?week={WEEK}&show={show}") <= 14
        seconds = quickest(lambda show=show: client.get(f"/staff/?week={WEEK}&show={show}"), server_clock(), 7)
        assert seconds < BUDGET_SECONDS, show


def test_weeks_without_agencies_say_what_to_do(client, clerk):
    assert "Enter or import them" in client.get(f"/staff/?week={WEEK}").text
