# SPDX-License-Identifier: Apache-2.0
"""How many people are inside, over midnight: at the office, at its page, and at the tablets."""

import datetime

import pytest
from django.utils import timezone
from tests.builders.office import data_folder, furnished_folder, quick_passwords
from tests.rollout.gates.test_counters import Tablet, post
from tests.rollout.gates.test_pages import counted, lead, place

from bluezone.identity.models import AuditEntry
from bluezone.rollout.gates.models import Gate, PaperSlip
from bluezone.rollout.gates.queries import people_inside

__all__ = ["data_folder", "furnished_folder", "lead", "place", "quick_passwords"]
pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


@pytest.fixture
def gate(open_gate):
    """A gate that has been open for three weeks."""
    made, _token = open_gate
    made.inside_since = timezone.localdate() - 21 * DAY
    made.save()
    return made


def days_ago(number):
    return timezone.localdate() - number * DAY


def inside(gate):
    return people_inside(Gate.objects.get(pk=gate.pk), timezone.localdate()).now


def test_who_came_in_before_midnight_is_inside_after_it(gate):
    counted(gate, days_ago(1), told=5)
    assert inside(gate) == 5
    counted(gate, out=1)
    assert inside(gate) == 4


def test_a_night_shift_that_leaves_in_the_morning_makes_no_day_negative(gate):
    counted(gate, days_ago(2), told=30, out=10)
    counted(gate, days_ago(1), told=10, out=20)
    counted(gate, told=25, out=20)

    assert inside(gate) == 15


def test_a_day_that_ends_below_zero_is_followed_by_one_that_begins_with_nobody(gate):
    counted(gate, days_ago(1), told=2, out=20)
    counted(gate, told=7)

    assert inside(gate) == 7


def test_where_no_exit_is_counted_each_day_begins_with_nobody_and_the_page_says_so(gate):
    for day in range(1, 15):
        counted(gate, days_ago(day), told=100)
    counted(gate, told=40)
    found = people_inside(gate, timezone.localdate())

    assert (found.now, found.counts_exits) == (40, False)


def test_a_quiet_weekend_keeps_who_is_inside(gate):
    counted(gate, days_ago(3), told=9, out=6)
    counted(gate, days_ago(1), told=1)

    assert inside(gate) == 4


def test_slips_on_paper_count_over_midnight_too(gate):
    PaperSlip.objects.create(gate=gate, day=days_ago(1), no_smartphone=5, went_out=2)

    assert inside(gate) == 3


def test_somebody_who_looked_corrects_the_number_and_what_was_counted_stays(client, place, lead):
    ours = place[2]
    counted(ours, told=9, out=2)
    page = client.get(f"/gates/{ours.pk}/").text
    assert "Is the number wrong?" in page
    answer = client.post(f"/gates/{ours.pk}/inside/", {"number": "0"})
    assert answer.status_code == 302
    assert inside(ours) == 0
    assert "tablets show it at their next contact" in client.get(answer.url).text

    assert people_inside(Gate.objects.get(pk=ours.pk), timezone.localdate() + DAY).now == 0
    assert sorted(ours.days.values_list("verdict", "count")) == [("out", 2), ("told", 9)]
    entry = AuditEntry.objects.get(action="gate_inside_corrected")
    assert (entry.details["before"], entry.details["after"]) == (7, 0)
    assert client.post(f"/gates/{place[3].pk}/inside/", {"number": "0"}).status_code == 403


def test_a_number_that_is_none_corrects_nothing(client, place, lead):
    counted(place[2], told=9)
    for number in ("", "-1", "x", "10001"):
        assert client.post(f"/gates/{place[2].pk}/inside/", {"number": number}).status_code == 302

    assert inside(place[2]) == 9


def test_a_tablet_keeps_who_is_inside_over_a_midnight_with_and_without_a_network(public, open_gate, tmp_path):
    made, token = open_gate
    Gate.objects.filter(pk=made.pk).update(inside_since=days_ago(1))
    counted(made, days_ago(1), told=5, out=1)
    tablet = Tablet(public, token, tmp_path / "one")
    tablet.exchange()
    assert tablet.inside == 4
    tablet.count(3)
    tablet.count(1, "out", "out")
    assert tablet.inside == 6
    for night in range(3):
        tablet.now += 86_400
        assert tablet.inside == 6, night
    tablet.count(1, "out", "out")
    assert tablet.inside == 5


def test_a_tablet_of_before_shows_who_is_inside_by_what_it_was_always_told(public, open_gate):
    """It adds `paper`, and its own and the others' passages of today."""
    made, token = open_gate
    Gate.objects.filter(pk=made.pk).update(inside_since=days_ago(1))
    counted(made, days_ago(1), told=5, out=1)
    others = post(public, token).json()["gate"]["others"]

    assert (others["paper"], others["inside"], others["tablets"]) == (4, 4, {})
