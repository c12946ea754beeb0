# SPDX-License-Identifier: Apache-2.0
"""What is open stays at home however many newer letters there are, and a list that is cut short says by how much."""

import datetime
import re

import pytest
from django.utils import timezone
from tests.builders.directives import DAY, send_letter

from bluezone.duties.duty import MOST_MATTERS
from bluezone.rollout.directives.inbox import dispatch_acts
from bluezone.rollout.directives.models import (
    Delivery,
    Directive,
    DirectiveState,
    Dispatch,
    DispatchState,
    ExchangedFile,
    Report,
    TaskParty,
)

HOUR = datetime.timedelta(hours=1)


@pytest.fixture(autouse=True)
def _in_english(client):
    from django.utils.translation import override

    client.cookies.load({"bluezone-language": "en"})
    with override("en"):
        yield


@pytest.fixture
def sent(draft, clerk, signer, now):
    """The letter, sent an hour ago; agencies have it to act on and to report on each week."""
    send_letter(draft, clerk, signer, now - HOUR)
    return Directive.objects.get(pk=draft.pk)


def copies(letter, count, at, **changed):
    """As many more letters as asked for, sent or written later than this one."""
    made = []
    for number in range(count):
        copy = Directive.objects.get(pk=letter.pk)
        copy.pk, copy.number = None, f"9{number:03}"
        copy.issued_at = at if copy.issued_at else None
        copy.made_at = at
        for name, value in changed.items():
            setattr(copy, name, value)
        made.append(copy)
    return Directive.objects.bulk_create(made)


def arrived(letters, agency, at, **changed):
    """Each of these letters at the agency, for action."""
    return Dispatch.objects.bulk_create(
        Dispatch(directive=one, agency=agency, purpose="action", arrived_at=at, changed_at=at, **changed)
        for one in letters
    )


def lines(client, who):
    """What stands at the person's home with every line shown, as plain words."""
    client.force_login(who)
    page = client.get("/?all=1").text
    words = re.sub(r"<[^>]+>", " ", page[page.index("<main") :])
    return " ".join(words.split())


def in_progress(letter, ward, ward_clerk, now):
    dispatch = letter.dispatches.get(agency=ward)
    dispatch_acts.move(dispatch, DispatchState.RECEIVED, ward_clerk, now)
    dispatch_acts.move(dispatch, DispatchState.IN_PROGRESS, ward_clerk, now)
    return dispatch


def ask_for_time(letter, ward, ward_clerk, now):
    party = TaskParty.objects.filter(task__directive=letter, agency=ward).select_related("task").first()
    until = party.deadline.day + 5 * DAY
    dispatch_acts.ask(party.task, ward, "extension", "Mưa lũ", ward_clerk, now, until)


def send_back(letter, ward, ward_clerk, now):
    dispatch = letter.dispatches.get(agency=ward)
    dispatch_acts.move(dispatch, DispatchState.SENT_BACK, ward_clerk, now, note="Gửi nhầm")


def report_done(letter, ward, ward_clerk, now):
    dispatch = in_progress(letter, ward, ward_clerk, now)
    dispatch_acts.move(dispatch, DispatchState.REPORTED, ward_clerk, now, note="Đã làm xong.")


def report(letter, ward, ward_clerk, now):
    party = TaskParty.objects.filter(task__directive=letter, agency=ward).first()
    Report.objects.create(
        task=party.task, agency=ward, period=timezone.localdate(now), on_time=True, submitted_by=ward_clerk,
        submitted_at=now,
    )  # fmt: skip


def be_late(letter, ward, ward_clerk, now):
    letter.tasks.update(due=timezone.localdate(now) - 2 * DAY)


def leave_it_unread(letter, ward, ward_clerk, now):
    letter.dispatches.filter(agency=ward).update(arrived_at=now - 3 * DAY, changed_at=now - 3 * DAY)


def refuse_it(letter, ward, ward_clerk, now):
    dispatch = letter.dispatches.get(agency=ward)
    file = ExchangedFile.objects.create(direction="out", kind="edoc", directive=letter, sha256="0" * 64, at=now)
    Delivery.objects.create(
        file=file, dispatch=dispatch, partner=ward, matter="document", state=Delivery.State.REFUSED, made_at=now,
        next_at=now,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("happens", "act"),
    [
        (ask_for_time, "Answer the requests"),
        (send_back, "Read the reasons"),
        (report_done, "Accept it, or say what is missing"),
        (report, "Check the reports"),
        (be_late, "Call them"),
        (leave_it_unread, "Call them"),
        (refuse_it, "Read why"),
    ],
)
def test_what_comes_back_of_a_letter_stays_at_home_when_a_hundred_were_sent_since(
    client, sent, clerk, ward, ward_clerk, now, happens, act
):
    happens(sent, ward, ward_clerk, now)
    assert act in lines(client, clerk)
    copies(sent, 100, now)

    assert act in lines(client, clerk)


def test_a_report_is_owed_however_many_other_tasks_were_reported_on(client, sent, ward, ward_clerk, now):
    in_progress(sent, ward, ward_clerk, now)
    task = sent.tasks.get(label="2")
    sent.tasks.exclude(pk=task.pk).update(report_every="")
    client.force_login(ward_clerk)
    assert "/tasks/" in client.get("/?all=1").text
    today = timezone.localdate(now)
    for one in copies(sent, 210, now):
        arrived([one], ward, now, state=DispatchState.IN_PROGRESS, received_at=now, incoming_number=one.pk,
                incoming_year=today.year)  # fmt: skip
        task.pk, task.directive, task._state.adding = None, one, True
        task.due = today + DAY
        task.save()
        TaskParty.objects.create(task=task, agency=ward, report_from=today)
        Report.objects.create(
            task=task, agency=ward, period=today, on_time=True, submitted_by=ward_clerk, submitted_at=now
        )

    assert "/tasks/" in client.get("/?all=1").text


def test_a_list_that_is_cut_short_says_how_many_more_there_are_and_counts_them(client, sent, ward, ward_clerk, now):
    client.force_login(ward_clerk)
    before = client.get("/").context
    arrived(copies(sent, 130, now), ward, now)
    page = client.get("/?all=1")
    words = lines(client, ward_clerk)

    assert page.context["count"] == before["count"] + 130
    assert "and 31 more: Receive" in words
    assert page.text.count(">Receive<") <= MOST_MATTERS + 1
    assert 'href="/inbox/?state=open"' in page.text
    short = client.get("/").text
    more = page.context["count"] - 20
    assert f"and {more} more" in re.sub(r"<[^>]+>", "", short), "of the hundred and one lines twenty are shown at first"


@pytest.mark.parametrize(
    ("state", "act"),
    [(DirectiveState.SUBMITTED, "Read and confirm"), (DirectiveState.APPROVED, "Send")],
)
def test_letters_on_their_way_to_the_signature_say_how_many_more_there_are(
    client, sent, clerk, signer, committee, now, state, act
):
    copies(sent, 103, now, state=state, approved_by=signer, approved_at=now)
    who = signer if state == DirectiveState.SUBMITTED else clerk

    assert f"and 3 more: {act}" in lines(client, who)


def test_what_was_given_to_a_person_says_how_many_more_there_are(client, sent, ward, ward_clerk, officer, now):
    made = arrived(copies(sent, 104, now), ward, now)
    for one in made:
        dispatch_acts.move(one, DispatchState.RECEIVED, ward_clerk, now)
        dispatch_acts.assign(one, officer, None, None, ward_clerk, now)

    assert "and 4 more: Work on it" in lines(client, officer)
