# SPDX-License-Identifier: Apache-2.0
"""Work finds somebody else when its person is away: a returned letter every clerk, a left assignment the agency."""

import re

import pytest
from django.utils import timezone
from tests.builders.directives import DAY, person, send_letter

from bluezone.rollout.directives.inbox import dispatch_acts
from bluezone.rollout.directives.issuance import approval
from bluezone.rollout.directives.models import Directive, DispatchState

AGAIN = "Assign it to someone else"


@pytest.fixture(autouse=True)
def _in_english(client):
    from django.utils.translation import override

    client.cookies.load({"bluezone-language": "en"})
    with override("en"):
        yield


def words(client, who, address="/?all=1"):
    client.force_login(who)
    page = client.get(address).text
    return " ".join(re.sub(r"<[^>]+>", " ", page[page.index("<main") :]).split())


def test_a_returned_letter_waits_for_every_clerk_of_its_office_until_it_is_submitted_again(
    client, draft, clerk, signer, committee, ward_clerk, now
):
    second = person("second-clerk", "clerk", committee, name="Nông Văn Hai")
    approval.submit(draft, clerk, now)
    approval.give_back(draft, "Sai số.", signer, now)

    for who in (clerk, second):
        assert "Correct it" in words(client, who)
    assert "Correct it" not in words(client, signer)
    assert "Correct it" not in words(client, ward_clerk)

    approval.note_stored(draft, second, now + DAY / 24)
    assert "Correct it" in words(client, clerk), "somebody has begun to correct it, and it is not submitted yet"
    approval.submit(draft, second, now + DAY / 12)
    for who in (clerk, second):
        assert "Correct it" not in words(client, who)


def test_a_draft_waits_for_its_writer_alone(client, draft, clerk, committee):
    second = person("second-clerk", "clerk", committee, name="Nông Văn Hai")

    assert "Continue writing" in words(client, clerk)
    assert "Continue writing" not in words(client, second)


@pytest.fixture
def dispatch(draft, clerk, signer, ward, ward_clerk, officer, now):
    send_letter(draft, clerk, signer, now)
    given = Directive.objects.get(pk=draft.pk).dispatches.get(agency=ward)
    dispatch_acts.move(given, DispatchState.RECEIVED, ward_clerk, now)
    dispatch_acts.assign(given, officer, None, None, ward_clerk, now)
    return given


def end_the_role(officer, now):
    officer.grants.update(valid_to=timezone.localdate(now))


def close_the_account(officer, now):
    officer.is_active = False
    officer.save()


@pytest.mark.parametrize("leaves", [end_the_role, close_the_account])
@pytest.mark.parametrize("begun", [False, True])
def test_an_assignment_waits_for_the_agency_again_when_its_person_cannot_act_any_more(
    client, dispatch, ward, ward_clerk, officer, now, leaves, begun
):
    other = person("other", "officer", ward, name="Bàn Thị Mới")
    if begun:
        dispatch_acts.move(dispatch, DispatchState.IN_PROGRESS, officer, now)
    assert AGAIN not in words(client, ward_clerk)
    leaves(officer, now)

    assert AGAIN in words(client, ward_clerk)
    page = words(client, ward_clerk, f"/inbox/{dispatch.pk}/")
    assert "Triệu Văn Páo · can no longer act here" in page
    sent = {"to": "assigned", "account": other.pk, "task": "", "due": "", "assigned_to": ""}
    assert client.post(f"/inbox/{dispatch.pk}/act/", sent).status_code == 302

    assert AGAIN not in words(client, ward_clerk)
    assert "Work on it" in words(client, other)
    page = words(client, ward_clerk, f"/inbox/{dispatch.pk}/")
    assert "Assigned to Bàn Thị Mới." in page
    assert "assigned · Lý Thị Sen · Triệu Văn Páo" in page, "the log remembers who had it"


def test_of_two_tasks_the_one_whose_person_left_waits_for_the_agency(client, dispatch, ward, ward_clerk, officer, now):
    other = person("other", "officer", ward, name="Bàn Thị Mới")
    task = dispatch.directive.tasks.filter(parties__agency=ward).first()
    dispatch.assignments.update(task=task)
    second = dispatch.directive.tasks.filter(parties__agency=ward).exclude(pk=task.pk).first() or task
    dispatch_acts.assign(dispatch, other, second, None, ward_clerk, now)
    end_the_role(officer, now)

    assert AGAIN in words(client, ward_clerk)
    assert "Work on it" in words(client, other)
