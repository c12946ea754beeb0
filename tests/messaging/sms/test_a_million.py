# SPDX-License-Identifier: Apache-2.0
"""Scenario 21 of the rollout: an outbox with a million deliveries of its last 30 days works as an empty one does."""

import datetime

import pytest
from django.db import connection
from tests.builders.largeoffice import server_clock

from bluezone.messaging.sms.claims import claim_due, claim_parts_to_query, close_messages
from bluezone.messaging.sms.models import OPEN_STATES, Message, Part, PartState, Purpose, State
from bluezone.messaging.sms.outbox import queue_sms
from bluezone.messaging.sms.providers import read_sms_url

DAYS, A_DAY, WAITING = 30, 33_334, 200

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


def delivered(now, days, a_day):
    """So many messages of one segment each day, all delivered, written by the database itself."""
    identifier = "printf('%032x', n)" if connection.vendor == "sqlite" else "lpad(to_hex(n), 32, '0')::uuid"
    numbers = "WITH RECURSIVE counted(n) AS (SELECT %s UNION ALL SELECT n + 1 FROM counted WHERE n < %s)"
    with connection.cursor() as cursor:
        for day in range(days):
            first, moment = day * a_day, now - datetime.timedelta(days=day, hours=1)
            cursor.execute(
                f"INSERT INTO {Message._meta.db_table} (id, purpose, language, destination_hash, once_key, encoding,"
                " segments, state, urgency, queued_at, next_try_at, expires_at, submitted_at, closed_at, tries,"
                f" trouble, lease) {numbers} SELECT {identifier}, 'arrival', 'vi', '', '', 'gsm7', 1, 'delivered', 1,"
                " %s, %s, %s, %s, %s, 1, '', '' FROM counted",
                [first, first + a_day - 1, moment, moment, moment, moment, moment],
            )
            cursor.execute(
                f"INSERT INTO {Part._meta.db_table} (message_id, number, state, reference, provider_id, submitted_at,"
                f" asked) {numbers} SELECT {identifier}, 1, 'delivered', n %% 65536, n, %s, 0 FROM counted",
                [first, first + a_day - 1, moment],
            )
        if connection.vendor == "postgresql":
            # As its autovacuum would. Nobody makes statistics on SQLite, which then reads all that was delivered.
            cursor.execute("ANALYZE")


@pytest.mark.django_db
def test_a_round_of_the_sender_costs_no_more_than_with_an_empty_outbox(now, settings):
    settings.SMS = read_sms_url("file:sms-not-sent.log")
    clock = server_clock()

    def rounds():
        for number in range(WAITING):
            queue_sms(f"+8491{number:07}", "Mời quý khách cài Bluezone", "vi", Purpose.ARRIVAL, now=now)
        spent = []
        for _ in range(WAITING // 20):
            begun = clock()
            assert len(claim_due(now, 20).parts) == 20
            assert claim_parts_to_query(now, True, 20) == []
            spent.append(clock() - begun)
        # As if all were delivered, so that the next ones find as little under way.
        Part.objects.filter(state=PartState.SUBMITTING).update(state=PartState.DELIVERED)
        close_messages(list(Message.objects.filter(state__in=OPEN_STATES)), State.DELIVERED, now)
        return min(spent)

    empty = rounds()
    delivered(now, DAYS, A_DAY)
    assert Message.objects.count() > 1_000_000
    full = rounds()

    assert full < max(3 * empty, 0.05), (empty, full)
