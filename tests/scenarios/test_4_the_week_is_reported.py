# SPDX-License-Identifier: Apache-2.0
"""Scenario 4: "Weekly report: 7 of 8 wards on time -> REPORTING_RATE 100 %, ON_TIME 87.5 % after the late one; locked
period refuses edit; returned report shows the reason." Through the pages, on a clock that the test moves.
"""

import datetime

import pytest
from django.utils import timezone
from tests.builders.directives import DAY, NOW, door_to_door, issue_letter, person


@pytest.fixture
def clock(monkeypatch):
    """Moves the time that the pages see; starts when the letter is issued."""

    class Clock:
        now = NOW

    monkeypatch.setattr(timezone, "now", lambda: Clock.now)
    monkeypatch.setattr(
        timezone, "localdate", lambda value=None, tz=None: timezone.localtime(value or Clock.now).date()
    )
    return Clock


@pytest.fixture
def task(committee, clerk, signer, clock):
    return door_to_door(issue_letter(committee, clerk, signer))


def send(client, party, period, people=25):
    """The officer of a ward sends the number of the week."""
    officer = person(f"officer-{party.pk}-{people}", "officer", party.agency)
    client.force_login(officer)
    return client.post(f"/tasks/{party.pk}/report/?period={period}", {"people": people})


def rates(client, clerk, task, period):
    client.force_login(clerk)
    shown = client.get(f"/directives/{task.directive_id}/progress/?task={task.pk}&period={period}")
    return shown.context["rates"], shown.text


@pytest.mark.long
def test_seven_of_eight_wards_on_time_then_the_late_one(client, clerk, clock, task):
    period = task.report_from
    *prompt, slow = task.parties.select_related("agency").order_by("pk")
    clock.now = NOW + 6 * DAY
    for party in prompt:
        assert send(client, party, period).status_code == 302
    assert rates(client, clerk, task, period)[0].share == 87.5

    clock.now = NOW + 9 * DAY
    assert send(client, slow, period).status_code == 302
    shown, page = rates(client, clerk, task, period)
    assert (shown.share, shown.share_on_time) == (100.0, 87.5)
    assert "87,5%" in page


@pytest.mark.long
def test_a_locked_period_refuses_an_edit_and_keeps_what_it_has(client, clerk, clock, task):
    party = task.parties.order_by("pk").first()
    send(client, party, task.report_from, people=25)
    clock.now = NOW + 30 * DAY
    refused = send(client, party, task.report_from, people=99)
    kept = task.reports.get()

    assert refused.status_code == 409
    assert "khóa" in refused.text
    assert kept.values == {"people": 25}


@pytest.mark.long
def test_a_returned_report_shows_the_reason_and_comes_again(client, clerk, clock, task):
    party = task.parties.order_by("pk").first()
    send(client, party, task.report_from, people=25)
    client.force_login(clerk)
    client.post(f"/reports/{task.reports.get().pk}/check/", {"reason": "Thiếu số hộ vắng nhà"})
    assert rates(client, clerk, task, task.report_from)[0].actual == 0
    client.force_login(person("again", "officer", party.agency))
    assert "Thiếu số hộ vắng nhà" in client.get(f"/tasks/{party.pk}/report/?period={task.report_from}").text

    assert send(client, party, task.report_from, people=26).status_code == 302
    assert rates(client, clerk, task, task.report_from)[0].actual == 1
    assert isinstance(task.report_from, datetime.date)


@pytest.mark.long
def test_a_report_accepted_by_a_slip_is_taken_back_within_ten_seconds(client, clerk, clock, task):
    party = task.parties.order_by("pk").first()
    send(client, party, task.report_from)
    made = task.reports.get()
    client.force_login(clerk)
    page = client.post(f"/reports/{made.pk}/check/", {"accept": "1"}, follow=True).text
    assert "Hoàn tác (10 giây)" in page
    client.post("/undo/", {"next": "/"})
    made.refresh_from_db()
    assert (made.state, made.checked_by) == ("submitted", None)

    client.post(f"/reports/{made.pk}/check/", {"accept": "1"})
    clock.now = NOW + datetime.timedelta(seconds=16)
    client.post("/undo/", {"next": "/"})
    made.refresh_from_db()
    assert made.state == "accepted"
