# SPDX-License-Identifier: Apache-2.0
"""A thousand agencies of a year: every page of coverage takes a constant number of queries and little time."""

import os
import time
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from tests.builders.coverage import WEEK, large_city, many_gate_days
from tests.builders.office import user
from tests.builders.pace import BUDGET_SECONDS, paced
from tests.builders.postgresql import hold_on_postgresql_too

from bluezone.accounts.models import Role

# A database of its own works in another process.
ON_POSTGRESQL = bool(os.environ.get("BLUEZONE_OFFICE_URL"))
PAGES = (
    "/coverage/?",
    "/coverage/units/{top}/?",
    "/coverage/units/{top}/priority/?",
    "/coverage/units/{top}/league/?of=staff&",
    "/coverage/units/{top}/league/?of=help-proven&",
    "/coverage/units/{top}/trend/?of=staff&",
    "/coverage/units/{top}/trend/?of=running&",
)


def undisturbed():
    """The part of a processor that this process gets now, 0..1; the rest is what else the machine does."""
    wall, own = time.perf_counter(), time.process_time()
    sum(range(1_000_000))
    return (time.process_time() - own) / (time.perf_counter() - wall)


def seconds_of(client, address):
    """The server's own time for a page: of this process, and on PostgreSQL of the database's process too."""
    if not ON_POSTGRESQL:
        begun = time.process_time()
        client.get(address)
        return paced(time.process_time() - begun)
    before, begun = undisturbed(), time.perf_counter()
    client.get(address)
    wall = time.perf_counter() - begun
    return wall * (before + undisturbed()) / 2


def measured(client, address, times):
    """How many queries a page takes, and the least time of some tries."""
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
        queries = len(asked)
    return queries, min(seconds_of(client, address) for _ in range(times))


def hold(client, agencies, times, weeks=3):
    """Every page, for a city of so many agencies: queries and seconds."""
    top = large_city(user("hoa", Role.LEADER), agencies=agencies, weeks=weeks)
    many_gate_days(agencies // 10, weeks=weeks)
    client.force_login(user("mai", Role.LEADER))
    return {page: measured(client, f"{page.format(top=top.pk)}week={WEEK}", times) for page in PAGES}


@pytest.mark.django_db
def test_a_thousand_agencies_take_little_time_and_no_more_queries_than_forty(client):
    with transaction.atomic():
        few = {page: figures[0] for page, figures in hold(client, 40, 1).items()}
        transaction.set_rollback(True)
    found = hold(client, 1000, 9 if ON_POSTGRESQL else 5)

    assert {page: figures[0] for page, figures in found.items()} == few
    assert {page: figures for page, figures in found.items() if figures[1] >= BUDGET_SECONDS} == {}, found


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.django_db
def test_the_same_with_a_year_of_weeks(client):
    found = hold(client, 1000, 5, weeks=52)
    print(found)  # noqa: T201 - the figures, for whoever runs it

    assert {page: figures for page, figures in found.items() if figures[1] >= BUDGET_SECONDS} == {}, found


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.timeout(900)
def test_the_same_on_postgresql():
    if ON_POSTGRESQL:
        pytest.skip("is the run on PostgreSQL")
    hold_on_postgresql_too([Path(__file__)])
