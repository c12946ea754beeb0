# SPDX-License-Identifier: Apache-2.0
"""What the outbox of text messages forgets, to the second."""

import datetime

import pytest

from bluezone.messaging.sms import retention
from bluezone.messaging.sms.models import EarlyReceipt, Message, Once, OptOut, State

pytestmark = pytest.mark.django_db
NOW = datetime.datetime(2026, 11, 24, 16, 0, tzinfo=datetime.UTC)
SECOND, DAY = datetime.timedelta(seconds=1), datetime.timedelta(days=1)


def message(**values):
    moments = {"queued_at": NOW, "next_try_at": NOW, "expires_at": NOW}
    return Message.objects.create(purpose="code", language="vi", encoding="gsm", segments=1, **{**moments, **values})


def closed():
    return message(state=State.DELIVERED, closed_at=NOW)


def early():
    return EarlyReceipt.objects.create(provider_id="7", fate="delivered", came_at=NOW)


def had_its_notice():
    return Once.objects.create(key="k", until=NOW + 14 * DAY)


def opted_out():
    return OptOut.objects.create(destination_hash="h", day=NOW.date())


@pytest.mark.parametrize(("make", "days"), [(closed, 35), (early, 1), (had_its_notice, 14), (opted_out, 730)])
def test_a_row_goes_when_its_time_is_over_and_not_before(make, days):
    kind = type(make())
    early_by = DAY if make is opted_out else SECOND
    retention.purge(NOW + days * DAY - early_by)
    assert kind.objects.exists()
    retention.purge(NOW + days * DAY)
    assert not kind.objects.exists()


def test_a_message_that_nobody_sends_loses_its_number_an_hour_after_its_time():
    waiting = message(state=State.WAITING, sealed=b"number and text", destination_hash="h")
    retention.purge(NOW + datetime.timedelta(hours=1) - SECOND)
    waiting.refresh_from_db()
    assert (waiting.state, bytes(waiting.sealed)) == (State.WAITING, b"number and text")
    retention.purge(NOW + datetime.timedelta(hours=1))
    waiting.refresh_from_db()

    assert (waiting.state, waiting.sealed, waiting.destination_hash) == (State.EXPIRED, None, "")
