# SPDX-License-Identifier: Apache-2.0
"""Two senders at one outbox: a lease is one sender's until it is over, and nothing goes out twice."""

import datetime

import pytest
from tests.messaging.sms.test_sender import NUMBER, go_on_until, queue, settled

from bluezone.messaging.sms import claims
from bluezone.messaging.sms.models import Message, State
from bluezone.messaging.sms.providers.smpp import SmppProvider
from bluezone.messaging.sms.sender import Sender

pytestmark = pytest.mark.django_db
SECOND = datetime.timedelta(seconds=1)


def test_what_one_sender_has_claimed_another_does_not_get(centre, now):
    queue(now=now)
    first, second = claims.claim_due(now, 10), claims.claim_due(now, 10)

    assert (len(first.parts), len(second.parts)) == (1, 0)


def test_two_senders_by_turns_send_every_message_once(centre, now):
    senders = [Sender(SmppProvider(centre.smsc())) for _ in range(2)]
    for number in range(30):
        queue("x" * 200, number=f"+849123456{number:02}", now=now)
    moment = now
    while not settled():
        for sender in senders:
            sender.send_due(moment, 0.02)
    for sender in senders:
        sender.close()

    assert len(centre.taken) == 60
    assert len({(one["to"], one["udh"][4]) for one in centre.taken}) == 60


def test_a_sender_that_died_after_marking_leaves_nothing_that_is_sent_blindly(centre, now):
    queue(now=now)
    claims.claim_due(now, 10)  # marked, and the process dies: nobody knows whether a byte went out
    sender = Sender(SmppProvider(centre.smsc(references=True)))
    for seconds in range(0, 19, 3):
        sender.send_due(now + seconds * SECOND, 0.0)
    assert centre.taken == [], "not before the dead sender's lease is over"
    go_on_until(sender, settled, now + 21 * SECOND, step=SECOND)

    assert Message.objects.get().state == State.DELIVERED
    assert [one["to"] for one in centre.taken] == [NUMBER[1:]], "the operator never had it, so it goes out, once"
    assert [line["found"] for line in centre.lines() if "asked" in line] == [False]


def test_without_references_a_dead_senders_message_is_unknown_and_not_sent(centre, now):
    queue(now=now)
    claims.claim_due(now, 10)
    sender = Sender(SmppProvider(centre.smsc()))
    go_on_until(sender, lambda: Message.objects.get().state == State.UNKNOWN, now, step=30 * SECOND)

    assert centre.taken == []
