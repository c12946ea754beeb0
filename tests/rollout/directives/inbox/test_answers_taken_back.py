# SPDX-License-Identifier: Apache-2.0
"""Ten seconds to take back the answer to a request, for more time or for a locked period, through the pages."""

import datetime

import pytest
from django.utils import timezone
from tests.builders.directives import DAY, door_to_door, person
from tests.builders.office import local_today

from bluezone.directory.models import Agency
from bluezone.identity.models import AuditEntry
from bluezone.rollout.directives.inbox import dispatch_acts
from bluezone.rollout.directives.models import PeriodRequest
from bluezone.rollout.directives.reports import agency_reports


@pytest.fixture
def ward(committee):
    return Agency.objects.get(key="ubnd-phuong-song-cau")


@pytest.fixture
def officer(ward):
    return person("officer", "officer", ward, name="Lý Văn Cán")


@pytest.fixture
def task(directive):
    return door_to_door(directive)


@pytest.fixture
def answering(client, clerk):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(clerk)
    return client


def now():
    return timezone.now()


def ask_for_time(task, ward, officer, days=60):
    return dispatch_acts.ask(
        task, ward, "extension", "Mưa lũ", officer, now(), local_today() + datetime.timedelta(days=days)
    )


def take_back(client):
    return client.post("/undo/", {"next": "/directives/"}, follow=True).text


@pytest.mark.long
def test_more_time_that_was_granted_is_taken_back_with_its_day_and_waits_again(answering, task, ward, officer):
    own = local_today() + datetime.timedelta(days=9)
    task.parties.filter(agency=ward).update(due=own)
    asked = ask_for_time(task, ward, officer)
    page = answering.post(f"/requests/{asked.pk}/answer/", {"granted": "1", "answer": "Đồng ý"}, follow=True).text
    assert task.parties.get(agency=ward).due == asked.until
    assert "Undo (10 seconds)" in page

    assert "Undone" in take_back(answering)
    asked.refresh_from_db()
    assert (asked.state, asked.answer, asked.answered_by, asked.answered_at) == ("open", "", None, None)
    assert task.parties.get(agency=ward).due == own
    assert answering.post(f"/requests/{asked.pk}/answer/", {"granted": "0"}).status_code == 302
    assert task.requests.get().state == "declined"


@pytest.mark.long
def test_an_answer_after_which_the_day_was_set_anew_or_more_was_asked_stays(answering, task, ward, officer):
    asked = ask_for_time(task, ward, officer)
    answering.post(f"/requests/{asked.pk}/answer/", {"granted": "1"})
    task.parties.filter(agency=ward).update(due=local_today() + datetime.timedelta(days=3))
    assert "The ten seconds are over" in take_back(answering)

    again = ask_for_time(task, ward, officer)
    answering.post(f"/requests/{again.pk}/answer/", {"granted": "0"})
    ask_for_time(task, ward, officer, days=90)
    assert "The ten seconds are over" in take_back(answering)
    assert task.requests.get(pk=again.pk).state == "declined"


@pytest.fixture
def asked(task, ward, officer):
    """The first period is locked since a week, and the ward asks for it."""
    period = agency_reports.task_periods(task, local_today())[0]
    late = now() + 30 * DAY
    return agency_reports.ask(task, ward, period, "Sót tổ 5", officer, late)


@pytest.mark.long
def test_a_period_opened_again_is_locked_again_and_the_request_waits(answering, asked, ward):
    answering.post(f"/requests/periods/{asked.pk}/answer/", {"granted": "1"})
    assert PeriodRequest.objects.get().until is not None
    assert "Undone" in take_back(answering)

    held = PeriodRequest.objects.get()
    assert (held.state, held.until, held.answered_at) == ("open", None, None)
    acts = AuditEntry.objects.filter(action="period_reopened", subject=ward.key)
    assert [entry.details.get("taken_back", False) for entry in acts.order_by("pk")] == [False, True]


@pytest.mark.long
def test_a_period_for_which_the_agency_has_reported_since_stays_open(answering, asked, task, ward, officer):
    answering.post(f"/requests/periods/{asked.pk}/answer/", {"granted": "1"})
    agency_reports.submit(task, ward, asked.period, {"people": 9}, "", officer, now())

    assert "The ten seconds are over" in take_back(answering)
    assert PeriodRequest.objects.get().state == "granted"
