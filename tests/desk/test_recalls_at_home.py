# SPDX-License-Identifier: Apache-2.0
"""A letter that is recalled or replaced stays at home with who had it, until they confirm that they know."""

import datetime
import re

import pytest
from tests.builders.directives import send_letter

from bluezone.rollout.directives.inbox import dispatch_acts
from bluezone.rollout.directives.issuance import approval, recipient_changes
from bluezone.rollout.directives.models import Directive, DispatchState, EventKind

KNOW = "Confirm that we have seen this"
HOUR = datetime.timedelta(hours=1)


@pytest.fixture(autouse=True)
def _in_english(client):
    from django.utils.translation import override

    client.cookies.load({"bluezone-language": "en"})
    with override("en"):
        yield


@pytest.fixture
def sent(draft, clerk, signer, now):
    send_letter(draft, clerk, signer, now - HOUR)
    return Directive.objects.get(pk=draft.pk)


def words(client, who, address):
    client.force_login(who)
    page = client.get(address).text
    return " ".join(re.sub(r"<[^>]+>", " ", page[page.index("<main") :]).split())


def recall(sent, clerk, signer, ward, now):
    approval.revoke(sent, "Ban hành nhầm", clerk, now)


def recall_from_the_ward(sent, clerk, signer, ward, now):
    recipient_changes.recall_from(sent.dispatches.get(agency=ward), "Gửi nhầm nơi", clerk, now)


def _issue_a_letter_that_ends_it(sent, clerk, signer, now, ending):
    later = Directive.objects.get(pk=sent.pk)
    later.pk, later.number, later.state, later.replaces, later.ending = None, "459", "draft", sent, ending
    later.issued_at = later.approved_at = later.approved_by = later.approved_version = None
    later.seal = ""
    later.save()
    task = sent.tasks.get(label="2")
    task.pk, task.directive, task._state.adding = None, later, True
    task.save()
    send_letter(later, clerk, signer, now)


def replace(sent, clerk, signer, ward, now):
    _issue_a_letter_that_ends_it(sent, clerk, signer, now, "replaced")


def revoke_by_a_letter(sent, clerk, signer, ward, now):
    _issue_a_letter_that_ends_it(sent, clerk, signer, now, "revoked")


@pytest.mark.parametrize(
    ("ends", "what"),
    [
        (recall, "recalled by the issuer"),
        (recall_from_the_ward, "recalled from this agency"),
        (replace, "replaced by another document"),
        (revoke_by_a_letter, "recalled by the issuer"),
    ],
)
def test_a_letter_that_ended_waits_at_the_agency_that_had_it_until_it_confirms_that_it_knows(
    client, sent, clerk, signer, ward, ward_clerk, officer, now, ends, what
):
    dispatch = sent.dispatches.get(agency=ward)
    dispatch_acts.move(dispatch, DispatchState.RECEIVED, ward_clerk, now)
    dispatch_acts.assign(dispatch, officer, None, None, ward_clerk, now)
    ends(sent, clerk, signer, ward, now)

    home = words(client, ward_clerk, "/?all=1")
    assert f"458/UBND-VP · {sent.subject[:40]}" in home
    assert what in home
    assert KNOW in home
    assert "Work on it" not in home
    assert KNOW in home[: home.index("For m")], "it is the most urgent"
    (mine,) = [one for one in piles(client, officer)["mine"] if KNOW in one]
    assert what in mine, "the person who worked on it has it among what is theirs"

    assert KNOW in words(client, ward_clerk, f"/inbox/{dispatch.pk}/")
    assert client.post(f"/inbox/{dispatch.pk}/act/", {"to": "received"}).status_code == 409, "an old page confirms none"
    assert client.post(f"/inbox/{dispatch.pk}/act/", {"to": "recalled"}).status_code == 302
    for who in (ward_clerk, officer):
        assert KNOW not in words(client, who, "/?all=1")
    page = words(client, ward_clerk, f"/inbox/{dispatch.pk}/")
    assert KNOW not in page
    assert "received · Lý Thị Sen" in page
    assert "Undo" not in page, "nothing was done that could be taken back"
    dispatch.refresh_from_db()
    assert dispatch.state == ("recalled" if ends is recall_from_the_ward else "assigned")
    assert client.post(f"/inbox/{dispatch.pk}/act/", {"to": "recalled"}).status_code == 409, "once is enough"


def piles(client, who):
    client.force_login(who)
    page = client.get("/?all=1")
    return {
        pile["pile"]: [f"{row.matter.what} {row.matter.act}" for row in pile["rows"]] for pile in page.context["piles"]
    }


@pytest.mark.parametrize("ends", [recall, replace, revoke_by_a_letter])
def test_who_had_a_letter_that_ended_counts_as_not_knowing_until_they_confirm(
    client, sent, clerk, signer, ward, ward_clerk, now, ends
):
    dispatch = sent.dispatches.get(agency=ward)
    ends(sent, clerk, signer, ward, now)
    every = sent.dispatches.count()

    assert f"{every} agencies have not confirmed the recall" in words(client, clerk, "/?all=1")
    page = words(client, clerk, f"/directives/{sent.pk}/")
    assert f"{every} agencies have not confirmed the recall" in page
    assert page.count("not confirmed yet") == every
    late = words(client, clerk, f"/directives/{sent.pk}/late/")
    assert late.count("not confirmed yet") == every
    client.force_login(ward_clerk)
    client.post(f"/inbox/{dispatch.pk}/act/", {"to": "recalled"})

    assert f"{every - 1} agencies have not confirmed the recall" in words(client, clerk, "/?all=1")
    assert words(client, clerk, f"/directives/{sent.pk}/").count("not confirmed yet") == every - 1
    assert ward.name not in words(client, clerk, f"/directives/{sent.pk}/late/")


def test_who_is_reached_on_paper_knows_when_the_recall_is_handed_over(client, sent, clerk, signer, ward, now):
    recall(sent, clerk, signer, ward, now)
    every = sent.dispatches.count()
    dispatch = sent.dispatches.get(agency=ward)
    client.force_login(clerk)
    page = client.get(f"/directives/{sent.pk}/").text
    assert f'action="/inbox/{dispatch.pk}/hand-over/"' in page
    client.post(f"/inbox/{dispatch.pk}/hand-over/", {"note": "Anh Páo nhận tại bộ phận một cửa"})

    assert f"{every - 1} agencies have not confirmed the recall" in words(client, clerk, "/?all=1")
    dispatch.refresh_from_db()
    assert dispatch.state == DispatchState.ARRIVED, "the letter was never received, and no more is asked about it"
    assert dispatch.events.first().what == EventKind.HANDED_OVER


def test_a_recall_of_another_office_waits_at_home_and_is_answered(client, sent, clerk, signer, ward, ward_clerk, now):
    Directive.objects.filter(pk=sent.pk).update(from_file=True)
    sent.refresh_from_db()
    dispatch = sent.dispatches.get(agency=ward)
    sent.revoke_reason = "Ban hành nhầm"
    approval.end_directive(sent, EventKind.REVOKED, "Ban hành nhầm", None, now)

    assert "recalled by the issuer" in words(client, ward_clerk, "/?all=1")
    assert client.post(f"/inbox/{dispatch.pk}/act/", {"to": "recalled"}).status_code == 409, "it is answered instead"
    client.post(f"/inbox/{dispatch.pk}/answer-recall/", {"agree": "1"})
    assert "recalled by the issuer" not in words(client, ward_clerk, "/?all=1")
