# SPDX-License-Identifier: Apache-2.0
"""Scenario 3: "Lead does nothing: reminder at 24 h by e-mail (aiosmtpd) and escalation at 48 h (fake clock); one
digest, not N mails."
"""

import pytest
from tests.builders.directives import DAY, LETTER, NOW, issue_letter, person, send_letter
from tests.builders.mailserver import MailServer, use

from bluezone.messaging.email.delivery import send_due_mail
from bluezone.rollout.directives.inbox import digests, dispatch_acts
from bluezone.rollout.directives.issuance import intake
from bluezone.rollout.directives.models import DispatchState

SECOND = DAY / 86400


@pytest.fixture
def post(settings):
    """A real SMTP server in this process."""
    with MailServer() as server:
        use(settings, f"smtp://127.0.0.1:{server.port}")
        yield server


def morning(post, when):
    """What the worker's tick does at this moment; who got a mail by it, and the newest text for each."""
    before = len(post.mails)
    digests.queue_daily(when)
    send_due_mail(when)
    return {to: message.get_body(("plain",)).get_content() for to, message in post.mails[before:]}


def second_letter(issuer, clerk, signer):
    """Another letter of the same day, so that one agency has two that wait."""
    text = LETTER.replace("458/UBND-VP", "459/UBND-VP")
    directive = intake.take_in(text.encode(), "", issuer, clerk, NOW, keep=False)
    directive.tasks.filter(lead_names="").update(lead_names="UBND các xã, phường")
    directive.tasks.update(due=NOW.date() + 30 * DAY)
    send_letter(directive, clerk, signer)
    return directive


def test_a_lead_that_does_nothing_is_reminded_after_a_day_and_the_city_told_after_two(
    post, committee, clerk, signer, ward
):
    lead = person("lead", "lead", ward, email="lead@song-cau.example.org")
    letters = [issue_letter(committee, clerk, signer), second_letter(committee, clerk, signer)]
    for letter in letters:
        for other in letter.dispatches.exclude(agency=ward):
            dispatch_acts.move(other, DispatchState.RECEIVED, signer, NOW)
    mails_before = len(post.mails)

    assert morning(post, NOW + DAY - 60 * SECOND) == {}, "not before 24 hours"
    reminded = morning(post, NOW + DAY)
    assert list(reminded) == [lead.email], "one digest for two letters"
    for code in ("458/UBND-VP", "459/UBND-VP"):
        assert f"Chưa tiếp nhận văn bản {code}." in reminded[lead.email]
    assert morning(post, NOW + DAY + 3600 * SECOND) == {}, "and not again the same day"

    told = morning(post, NOW + 2 * DAY)
    assert set(told) == {lead.email, f"{committee.key}@example.org"}
    assert told[f"{committee.key}@example.org"].count(ward.name) == 2
    assert len(post.mails) - mails_before == 3
    assert {"reminded", "escalated"} <= set(
        letters[0].dispatches.get(agency=ward).events.values_list("what", flat=True)
    )
