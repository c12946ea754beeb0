# SPDX-License-Identifier: Apache-2.0
"""What a leader reads first: one sentence, what changed, a map of the city's own outlines, and nothing kept back."""

import re

import pytest
from tests.builders import outlines
from tests.builders.coverage import WEEK, agency, city, registered_only, staff_report
from tests.builders.office import user

from bluezone.identity.models import Role
from bluezone.rollout.coverage.api import Figure, RunningShare
from bluezone.rollout.staffing.queries import StaffRunning

pytestmark = pytest.mark.django_db
WARDS = ("phường Đức Xuân", "phường Sông Cầu", "xã Dương Quang")


class Gates(RunningShare):
    """Gate-days of a week: by the path of a unit, proven passages of a thousand on each of some days."""

    def __init__(self, this_week, before=None):
        self.weeks = {WEEK: this_week, WEEK.previous: before or {}}

    def figures(self, week):
        return [
            Figure(path, None, proven, 1000, "gates", week.last_day)
            for path, days in self.weeks.get(week, {}).items()
            for proven in days
        ]

    def rows_address(self, unit_id, week):
        return f"/gates/?unit={unit_id}"


@pytest.fixture
def wards():
    return city(*WARDS)


@pytest.fixture
def leader(client):
    client.cookies.load({"bluezone-language": "en"})
    made = user("hoa", Role.LEADER)
    client.force_login(made)
    return made


def page(client, unit, *indicators, kind=""):
    with registered_only(*(indicators or (StaffRunning(),))):
        return " ".join(client.get(f"/coverage/units/{unit.pk}/{kind}?week={WEEK}").text.split("<main")[1].split())


def sentence(text):
    return re.search(r'<p class="said">([^<]*)</p>', text)[1]


def test_one_sentence_says_how_many_run_it_how_that_changed_and_where_it_is_lowest(client, leader, wards):
    top, below = wards
    paths = [ward.path for ward in below]
    gates = Gates({paths[0]: [300] * 3, paths[1]: [500] * 3}, {paths[0]: [100] * 3, paths[1]: [100] * 3})

    said = sentence(page(client, top, gates))

    assert said.startswith("At the gates 40.0% (33.3–46.7%) of the passages in with a smartphone had Bluezone running")
    assert "30.0 points more than the week before" in said
    assert said.endswith("lowest in phường Đức Xuân, 30.0%.")


def test_a_change_within_chance_is_called_none(client, leader, wards):
    top, below = wards
    ward = below[0].path
    text = page(client, top, Gates({ward: [200, 400, 300]}, {ward: [290, 290, 290]}))

    assert "about the same as the week before" in sentence(text)
    assert "No unit changed by more than could be chance." in text


def test_units_that_rose_fell_began_or_stopped_are_named(client, leader, wards):
    top, below = wards
    first, second, third = (ward.path for ward in below)
    text = page(
        client, top, Gates({first: [300, 310], second: [100, 110]}, {first: [200, 210], third: [400, 400]})
    ).split("Since last week")[1]

    assert re.search(r"Up: <a [^>]*>phường Đức Xuân</a> <b class=\"num\">\+10\.0 points", text)
    assert "Counted for the first time since last week: phường Sông Cầu." in text
    assert "Counted last week, not in this one: xã Dương Quang." in text


def test_the_units_stand_in_the_table_with_the_lowest_share_first(client, leader, wards):
    top, below = wards
    for ward, running in zip(below, (30, 10, 20), strict=True):
        staff_report(agency(f"UBND {ward.name}", ward), leader, running, 40)
    rows = page(client, top).split("<tbody>")[1].split("</tbody>")[0]

    assert re.findall(r"(\d+\.\d)%", rows) == ["25.0", "50.0", "75.0"]


def test_a_full_count_has_no_interval_and_a_sample_has_one(client, leader, wards):
    top, below = wards
    staff_report(agency("UBND Đức Xuân", below[0]), leader, 10, 40)
    gates = Gates({below[0].path: [300, 500, 200]})

    whole = page(client, top, gates, StaffRunning(), kind="numbers/").split('class="total"')[1]
    proven, _fresh, _attested, told = re.findall(r"<td.*?</td>", whole)

    assert re.search(r"\(\d+\.\d–\d+\.\d%\)", proven)
    assert "25.0%" in told
    assert "–" not in re.sub(r"<[^>]*>", "", told)


def test_a_leader_of_the_city_reads_every_number_of_it_and_others_do_not(client, leader, wards):
    top, below = wards
    for ward, running in zip(below, (3, 20, 31), strict=True):
        staff_report(agency(f"UBND {ward.name}", ward), leader, running, 60)

    assert "3 / 60" in re.sub(r"<[^>]*>", "", page(client, top, kind="numbers/"))
    assert "withheld" not in page(client, top)
    client.force_login(user("binh", Role.SUPERVISOR))
    assert "withheld" in page(client, top)
    assert "3 / 60" not in re.sub(r"<[^>]*>", "", page(client, top, kind="numbers/"))


def test_a_leader_of_one_ward_reads_the_small_numbers_of_that_ward_alone(client, leader, wards):
    top, below = wards
    for ward, running in zip(below, (3, 20, 31), strict=True):
        staff_report(agency(f"UBND {ward.name}", ward), leader, running, 60)
    client.force_login(user("binh", Role.LEADER, within=below[0]))

    assert "withheld" not in page(client, below[0], kind="numbers/")
    assert "withheld" in page(client, top)


def test_the_map_is_drawn_of_the_outlines_that_the_city_has_put_there(client, leader, wards, data_folder):
    top, below = wards
    outlines.put(data_folder, outlines.grid(WARDS[:2]))
    for ward, running in zip(below, (10, 20, 30), strict=True):
        staff_report(agency(f"UBND {ward.name}", ward), leader, running, 40)
    text = page(client, top)

    assert text.count('<path class="shape"') == 2
    assert "Outlines: UBND thành phố, 2020." in text
    assert "Without an outline: xã Dương Quang." in text
    assert "not to scale" not in text


def test_without_a_file_of_outlines_units_are_squares(client, leader, wards):
    top, below = wards
    staff_report(agency("UBND Đức Xuân", below[0]), leader, 10, 40)

    assert page(client, top).count('<rect class="shape"') == 3


def test_a_file_of_outlines_that_cannot_be_read_is_said_and_the_squares_stay(client, leader, wards, data_folder):
    top, below = wards
    outlines.put(data_folder, '{"type": "Feature"}')
    staff_report(agency("UBND Đức Xuân", below[0]), leader, 10, 40)
    text = page(client, top)

    assert "The city’s file of outlines cannot be read: maps/units.geojson is not a GeoJSON FeatureCollection" in text
    assert text.count('<rect class="shape"') == 3
