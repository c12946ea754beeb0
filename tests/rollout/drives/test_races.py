# SPDX-License-Identifier: Apache-2.0
"""Helpers who tap at the same moment; threads with connections of their own, so PostgreSQL alone can hold it."""

import threading
from types import SimpleNamespace

import pytest
from django.db import connection, connections
from django.test import override_settings
from django.utils import timezone
from tests.builders import drives as build

from bluezone.refusal import Refused
from bluezone.rollout.drives import help_queue, help_requests, lifecycle
from bluezone.rollout.drives.models import HelpOutcome, HelpProof, HelpRequest

pytestmark = pytest.mark.django_db
AT_ONCE = 8


@pytest.fixture(scope="module")
def field(django_db_setup, django_db_blocker, furnished_folder):
    """Teams, requests and a drive with three proofs, stored for good: the database is this process's own.

    Not `transactional_db`: its emptying between tests is what the audit refuses.
    """
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one connection write at a time; test_postgresql.py runs this")
    now = timezone.now()
    # One folder for all, or every digest would be under a key of its own.
    with django_db_blocker.unblock(), override_settings(DATA_FOLDER=furnished_folder):
        ward, _other = build.city()
        teams = [build.team(f"Đội {number}") for number in range(AT_ONCE)]
        device, _token = build.radio(teams[0].agency)
        drive = build.drive(teams[0], ward, now)
        lifecycle.open_drive("lan", drive, now, device)
        build.running_phones(drive, device, 3, now)
        stall = [help_requests.join_stall(drive) for _ in range(AT_ONCE)]
        same_phone = [build.help_request("0912 345 678") for _ in range(2)]
        for one, team in [*((each, teams[0]) for each in stall), *zip(same_phone, teams, strict=False)]:
            help_queue.claim_request("lan", one, team, now)
        wanted = build.help_request("0912 111 222")
    return SimpleNamespace(teams=teams, drive=drive, stall=stall, same_phone=same_phone, wanted=wanted)


def all_at_once(works):
    """What each of some functions came to, started together: its value, or the code of its refusal."""
    begin, results = threading.Barrier(len(works)), []

    def run(work):
        begin.wait()
        try:
            results.append(work())
        except Refused as refused:
            results.append(refused.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_of_eight_teams_that_want_one_request_at_once_one_has_it(field):
    def taken_by(team):
        return lambda: help_queue.claim_request(
            "lan", HelpRequest.objects.get(pk=field.wanted.pk), team, timezone.now()
        )

    results = all_at_once([taken_by(team) for team in field.teams])
    assert sorted(results, key=str) == [None] + ["help_taken"] * (AT_ONCE - 1)


def test_three_proofs_stand_for_three_of_eight_requests_closed_at_once(field):
    def closed(one):
        done = (one, [field.teams[0].pk], HelpProof.PROVEN, timezone.now())
        return lambda: help_queue.close_as_helped("lan", *done).proof_number

    results = all_at_once([closed(one) for one in field.stall])
    assert sorted(results, key=str) == [1, 2, 3] + ["help_proof_missing"] * (AT_ONCE - 3)
    assert HelpOutcome.objects.filter(drive=field.drive).count() == 3


def test_one_telephone_number_closed_by_two_teams_at_once_is_counted_once(field):
    def closed(one, team):
        return lambda: help_queue.close_as_helped("lan", one, [team.pk], HelpProof.ATTESTED, timezone.now()).result

    pairs = zip(field.same_phone, field.teams[:2], strict=True)
    assert sorted(all_at_once([closed(one, team) for one, team in pairs])) == ["other", "running"]
