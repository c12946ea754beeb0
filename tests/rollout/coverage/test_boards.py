# SPDX-License-Identifier: Apache-2.0
"""Areas to go to first, league tables and trends: every number with its rows, and none that is kept back elsewhere."""

import datetime
import io
import re

import docx
import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from tests.builders.coverage import WEEK, agency, city, registered_only, staff_report, unit
from tests.builders.office import user

from bluezone.directory.models import Denominator
from bluezone.identity.models import Role
from bluezone.rollout.coverage import priorities
from bluezone.rollout.coverage.api import DoorCounts, Figure, HelpCounts, Indicator, Proof, RunningShare
from bluezone.rollout.coverage.overview import rank_league, read_overview
from bluezone.rollout.coverage.suppression import unit_cell
from bluezone.rollout.staffing.queries import StaffRunning

pytestmark = pytest.mark.django_db
DAY = datetime.date(2020, 8, 1)


class Gates(RunningShare):
    """Gate-days by the path of a unit."""

    def __init__(self, **shares):
        self.shares = {path.replace("_", "/"): share for path, share in shares.items()}

    def figures(self, week):
        return [
            Figure(path, None, share * 10, 1000, "gates", week.last_day)
            for path, share in self.shares.items()
            for _day in range(3)
        ]

    def rows_address(self, unit_id, week):
        return f"/gates/?unit={unit_id}"


class Helped(Indicator):
    """Phones proven at drives: {week: {path: count}}."""

    key, proof, name, base_name = "helped", Proof.PROVEN, "helped at drives", "requests"
    of_phones = adds_up = True

    def __init__(self, weeks):
        self.weeks = weeks

    def figures(self, week):
        return [Figure(path, None, count, 5000, "drives", DAY) for path, count in self.weeks.get(week, {}).items()]

    def rows_address(self, unit_id, week):
        return f"/drives/#unit-{unit_id}"


@pytest.fixture
def reader(client):
    client.cookies.load({"bluezone-language": "en"})
    made = user("hoa", Role.SUPERVISOR)
    client.force_login(made)
    return made


@pytest.fixture
def wards():
    return city("phường Đức Xuân", "phường Sông Cầu", "xã Dương Quang")


@pytest.fixture
def field_work(monkeypatch, wards):
    """What canvass and drives say, by position of the ward; their own tests hold them to it."""
    top, below = wards
    doors, done = {}, {top.pk: [HelpCounts(free_teams=2)]}

    def know(number, households=0, visited=0, **help_values):
        doors[below[number].pk] = [DoorCounts(households, visited, 0, None)]
        done[below[number].pk] = [HelpCounts(**help_values)]

    monkeypatch.setattr(priorities, "doors_by_unit", lambda now: doors)
    monkeypatch.setattr(priorities, "help_by_unit", lambda since, until: done)
    return know


def gates_of(wards, *shares):
    _top, below = wards
    gates = Gates()
    gates.shares = {ward.path: share for ward, share in zip(below, shares, strict=True) if share is not None}
    return gates


def body(text):
    return " ".join(text.split("<main")[1].split("</main>")[0].split())


def reasons(text):
    return [" ".join(found.split()) for found in re.findall(r"</b></p>\s*<p>(.*?)</p>", text, re.DOTALL)]


@pytest.mark.long
def test_each_unit_stands_in_its_place_with_its_reason_in_a_sentence(client, reader, wards, field_work):
    top, below = wards
    field_work(0, 300, 86, done=32, helper_hours=10.0, free_teams=2)
    field_work(1, 100, 90, done=4, helper_hours=1.0)
    with registered_only(gates_of(wards, 32, 60, None)):
        text = client.get(f"/coverage/units/{top.pk}/priority/?week={WEEK}").text
    found = reasons(text)
    assumed = (
        "6 minutes per door, someone at home at 60%, 2.0 smartphones per household"
        " (assumed, no one has been visited yet)"
    )

    assert found[0] == (
        f"214 households not visited; running 32.0% (32.0–32.0%) at the gates; {assumed}; 3.2 phones helped per hour"
        "; 2 free teams; among the least covered, so always in the first places."
    )
    assert found[1].startswith(f"Households not entered; share running not known; {assumed}; no free team")
    assert found[2] == (
        f"10 households not visited; running 60.0% (60.0–60.0%) at the gates; {assumed}; no free team in the area."
    )
    assert "<b>About 1.6 newly running phones per team-hour, between 0.1 and" in text
    assert "2 free teams of thành phố Bắc Kạn can go to any of these" in text
    assert f'href="/gates/?unit={below[0].pk}"' in text
    assert "no data on people’s movements" in text


@pytest.mark.long
def test_the_same_sentences_in_vietnamese(client, reader, wards, field_work):
    top, _below = wards
    client.cookies.load({"bluezone-language": "vi"})
    field_work(0, 300, 86, done=32, helper_hours=10.0, free_teams=2)
    with registered_only(gates_of(wards, 32, 60, None)):
        text = client.get(f"/coverage/units/{top.pk}/priority/?week={WEEK}").text

    assert "Địa bàn nên ưu tiên" in text
    assert "214 hộ chưa đến; đang chạy 32,0% (32,0–32,0%) tại cổng; 6 phút mỗi hộ" in text
    assert "giúp được 3,2 máy mỗi giờ; 2 đội rảnh" in text


def test_fewer_than_five_households_are_neither_shown_nor_told_by_the_order(client, reader, wards, field_work):
    top, _below = wards
    places = []
    for first, second in ((1, 4), (4, 1)):
        field_work(0, 100, 100 - first)
        field_work(1, 100, 100 - second)
        with registered_only(gates_of(wards, 50, 50, 50)):
            text = client.get(f"/coverage/units/{top.pk}/priority/?week={WEEK}").text
        places.append(re.findall(r'coverage/units/(\d+)/\?week=[^"]*">(?:phường|xã)', text))
        assert "households not visited: withheld" in text.lower()
        assert not re.search(r"\b[1-4] households? not visited", text)
    assert places[0] == places[1]


def test_a_share_kept_back_is_not_told_by_the_order_either(client, reader, wards, field_work):
    top, below = wards
    for number in range(3):
        field_work(number, 100, 50)
    gates = gates_of(wards, 50, 50, 50)
    figures = [Figure(below[0].path, None, 3, 60, "g", DAY), Figure(below[1].path, None, 40, 60, "g", DAY)]
    gates.figures = lambda week: figures
    with registered_only(gates):
        text = client.get(f"/coverage/units/{top.pk}/priority/?week={WEEK}").text

    assert "".join(reasons(text)).count("50 households not visited; share running not known; 6 minutes per door") == 3


@pytest.fixture
def figures_of_wards(wards):
    _top, below = wards
    for number, ward in enumerate(below[:2]):
        for kind, value in (("population", 1000 * (number + 1)), ("smartphones", 400)):
            Denominator.objects.create(unit=ward, kind=kind, value=value, source="Chi cục Thống kê", as_of=DAY)


def test_the_league_has_both_denominators_with_source_and_day(client, reader, wards, figures_of_wards):
    top, below = wards
    counts = {WEEK: {below[0].path: 40, below[1].path: 60, below[2].path: 70}}
    with registered_only(Helped(counts)):
        text = body(client.get(f"/coverage/units/{top.pk}/league/?week={WEEK}").text)
        turned = body(client.get(f"/coverage/units/{top.pk}/league/?week={WEEK}&by=population").text)
    rows, turned_rows = (each.split("<tbody>")[1].split("<tr>")[1:] for each in (text, turned))

    assert ["Sông Cầu" in rows[0], "15.0%" in rows[0], "3.0%" in rows[0]] == [True] * 3
    assert "/ 400 · Chi cục Thống kê, 1 Aug 2020" in rows[0]
    assert "Đức Xuân" in turned_rows[0], "4 of a hundred people against 3"
    assert "not entered yet" in rows[2]
    assert f'href="/drives/#unit-{below[1].pk}"' in rows[0]


def test_more_phones_than_the_denominator_are_not_made_a_share(client, reader, wards, figures_of_wards):
    top, below = wards
    with registered_only(Helped({WEEK: {below[0].path: 4000}})):
        text = body(client.get(f"/coverage/units/{top.pk}/league/?week={WEEK}").text)

    assert "more phones than that" in text
    assert "1000.0%" not in text


def test_where_nothing_was_counted_is_no_zero(client, reader, wards, figures_of_wards):
    top, below = wards
    with registered_only(Helped({WEEK: {below[0].path: 40}})):
        text = body(client.get(f"/coverage/units/{top.pk}/league/?week={WEEK}").text)

    assert text.count(">no data</a>") == 2
    assert "0.0%" not in text.replace("10.0%", "")


def test_a_count_beside_a_base_that_is_hidden_is_hidden_too_since_it_bounds_that_base(wards):
    _top, below = wards
    figures = [
        Figure(ward.path, None, count, base, "g", DAY)
        for ward, count, base in zip(below[:2], (0, 5), (1, 5), strict=True)
    ]
    counts, bases = Helped({}).suppressed_cells(figures)

    assert bases <= counts
    assert unit_cell(below[1].pk) in counts, "5 of 6 there would leave 1 at most here"


def test_passages_at_gates_are_in_no_league(client, reader, wards):
    top, _below = wards
    with registered_only(gates_of(wards, 50, 50, 50)):
        text = client.get(f"/coverage/units/{top.pk}/league/?week={WEEK}").text

    assert "passages at gates are no number of phones" in text


def test_a_week_kept_back_cannot_be_worked_out_from_the_sums_of_two_weeks(wards):
    _top, below = wards
    small = {below[0].path: 3, below[1].path: 50, below[2].path: 60}
    large = {ward.path: 40 for ward in below}
    counted = Helped({WEEK.previous: large, WEEK: small})
    before = {row.unit: row.count for row in rank_league(below, counted, WEEK.previous, "population").rows}
    after = {
        row.unit: (row.count, row.suppressed_weeks) for row in rank_league(below, counted, WEEK, "population").rows
    }

    assert before[below[0]] == 40
    assert after[below[0]] == (40, 1), "the three of this week are in no sum"
    assert after[below[2]] == (100, 0)


def test_the_trend_draws_what_each_week_shows_and_says_it_in_a_table(client, reader, wards):
    _top, below = wards
    offices = [agency(f"UBND {ward.name}", ward) for ward in below]
    for back, numbers in enumerate(((13, 20, 31), (3, 20, 31), (12, 15, 18))):
        week = WEEK
        for _ in range(back):
            week = week.previous
        for office, running in zip(offices, numbers, strict=True):
            staff_report(office, reader, running, 60, week=week)
    with registered_only(StaffRunning()):
        text = client.get(f"/coverage/units/{below[0].pk}/trend/?week={WEEK}&of=staff").text
    drawing = text.split('<svg class="trend')[1].split("</svg>")[0]
    rows = body(text).split("<tbody>")[1].split("<tr>")[1:]

    assert drawing.count('class="mark"') == 2
    assert "5.0%" not in drawing.replace("25.0%", "")
    assert "21.7%" in rows[0]
    assert "withheld / 60" in rows[1]
    assert "20.0%" in rows[2]
    assert "no data" in rows[3]
    assert len(rows) == 12


@pytest.mark.long
def test_pages_of_units_weeks_and_indicators_that_are_none_do_no_harm(client, reader, wards):
    top, _below = wards
    for page in ("priority", "league", "trend"):
        assert client.get(f"/coverage/units/999999/{page}/").status_code == 404
        answer = client.get(f"/coverage/units/{top.pk}/{page}/?week=x&of=%00%3Cscript%3E&by=x")
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text


LETTER = {"issuer": "UBND thành phố Bắc Kạn", "notation": "BC-UBND", "place": "Bắc Kạn", "basis": ""}


@pytest.mark.long
def test_the_report_sent_up_has_every_indicator_the_order_and_who_has_not_reported(client, reader, wards, field_work):
    top, below = wards
    offices = [agency(f"UBND {ward.name}", ward) for ward in below]
    for office, running in zip(offices[:2], (23, 20), strict=True):
        staff_report(office, reader, running, 60)
    field_work(0, 300, 86, free_teams=1)
    indicators = (gates_of(wards, 32, 60, None), Helped({WEEK: {ward.path: 40 for ward in below}}), StaffRunning())
    with registered_only(*indicators):
        answers = [
            client.get(f"/coverage/units/{top.pk}/report/{form}/", {**LETTER, "week": str(WEEK)}).content
            for form in ("docx", "xlsx")
        ]
    word = docx.Document(io.BytesIO(answers[0]))
    cells = [cell.text for table in word.tables for row in table.rows for cell in row.cells]
    text = "\n".join([*(paragraph.text for paragraph in word.paragraphs), *cells])
    book = openpyxl.load_workbook(io.BytesIO(answers[1]))
    sheets = " ".join(str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row)

    for found in (text, sheets):
        assert "UBND xã Dương Quang" in found, "by name"
        assert "214 hộ chưa đến" in found
        assert "đã xác thực" in found
        assert "tự báo" in found
    assert "2/3 đơn vị đã báo cáo" in text
    assert "Không dùng dữ liệu đi lại" in text
    assert timezone.now().year


def test_everything_of_field_work_is_read_from_the_parts_that_count_it(client, reader, wards):
    top, _below = wards

    assert client.get(f"/coverage/units/{top.pk}/priority/?week={WEEK}").status_code == 200


def test_help_given_deeper_down_counts_for_the_ward_and_the_tree_is_asked_of_it_only_then(wards, field_work):
    top, below = wards
    for number in range(3):
        field_work(number, households=40, visited=30)
    now = timezone.now()

    def asked():
        with CaptureQueriesContext(connection) as queries:
            found = priorities.rank_priorities(read_overview(top, WEEK, exact=False), now)
        return len(queries), {row.unit.pk: row.unvisited for row in found.rows}[below[0].pk]

    plain, before = asked()
    group = unit("Tổ 5", "group", below[0])
    priorities.doors_by_unit(now)[group.pk] = [DoorCounts(60, 10, 0, None)]
    deeper, after = asked()

    assert (before, after) == (10, 60)
    assert deeper == plain + 1
