# SPDX-License-Identifier: Apache-2.0
"""Attack row 33, a gate's log that could be compared with published keys: after 1,000 passes no 16 bytes that were on
the air or in a pass are in the gate's book, the office's store, or a log."""

import logging
import os
import sqlite3

import pytest
from django.db import connection
from django.utils import timezone
from tests.builders.gates import gate as office_gate
from tests.devices.conftest import public
from tests.edge.gate.test_check import START, gate_key, pass_a, pass_b

from bluezone.edge.gate.book import GateBook
from bluezone.edge.gate.check import GateCheck
from bluezone.edge.gate.city import GateCity
from bluezone.edge.gate.desk import GateDesk
from bluezone.protocol.gate.passes import compute_response, read_pass
from bluezone.rollout.gates.models import GateCounter

__all__ = ["public"]
A_SIGNED_ONE_OF = 40  # passes, because a blind-signed token takes its time


def forms(value):
    """How 16 bytes could stand in a file: raw, and as hex in both cases."""
    return (value, value.hex().encode(), value.hex().upper().encode())


@pytest.mark.long
@pytest.mark.django_db
@pytest.mark.parametrize("passes", [120, pytest.param(1_000, marks=pytest.mark.slow)])
def test_after_many_passes_nothing_that_was_on_the_air_or_in_a_pass_is_written_anywhere(
    public, tmp_path, caplog, passes
):
    caplog.set_level(logging.DEBUG)
    made, token = office_gate(now=timezone.now())
    seconds = [START + 3_600.0]
    clock = lambda: seconds[0]  # noqa: E731
    book = GateBook(tmp_path / "gate.sqlite3", timezone.now().timestamp)
    check = GateCheck(bytes.fromhex(made.number), lambda: (gate_key(),), clock, clock)
    desk = GateDesk(book, GateCity(book, timezone.now().timestamp), check, lambda: None)
    secret, spelt = set(), set()
    for number in range(passes):
        challenges, session = check.challenges(), os.urandom(16)
        if number % A_SIGNED_ONE_OF:
            answer = compute_response(session, challenges.air.value)
            check.heard(answer, -55)
            text = pass_a(session)
            secret |= {session, answer}
        else:
            text = pass_b(challenges.screen.value, session=session)
            shown = read_pass(text)
            secret |= {session, shown.opk[:16], shown.token[:16], shown.token[64:80]}
        # Nor the pass as it was scanned, whose Base45 is none of the forms above: its first 16 letters after the kind.
        spelt.add(text[5:21].encode())
        spelt.add(text[-16:].encode())
        assert desk.judge(text)["verdict"] in {"running", "valid_code"}
        seconds[0] += 1.0
    book._connection.execute("UPDATE waiting SET at = at - 60")  # the ten seconds of the last ones are over
    rows = [[c.bucket, c.passage.direction, c.passage.verdict, c.count] for c in book.unsent()]
    for _ in range(2):
        answer = public.post(
            "/v1/gates/counters", {"counters": rows}, content_type="application/json",
            HTTP_AUTHORIZATION=f"Bearer {token}",
        )  # fmt: skip
        assert answer.status_code == 200

    assert sum(GateCounter.objects.values_list("count", flat=True)) == passes
    written = b"".join(path.read_bytes() for path in tmp_path.glob("gate.sqlite3*"))
    written += caplog.text.encode() + everything_in_the_office()
    assert b"running" in written
    assert [value.hex() for value in secret for form in forms(value) if form in written] == []
    assert [text for text in spelt if text in written] == []


def everything_in_the_office():
    """Every row of every table, and on SQLite the pages of the store themselves."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            found.append(repr(cursor.fetchall()).encode())
    if connection.vendor == "sqlite" and isinstance(connection.connection, sqlite3.Connection):
        found.append(connection.connection.serialize())
    return b"".join(found)
