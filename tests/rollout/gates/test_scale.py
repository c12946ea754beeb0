# SPDX-License-Identifier: Apache-2.0
"""Pages ask the same number of questions however many gates there are; 1,000 gates that counted for 30 days (slow):
every page under 150 ms of the server's work. Runs on the store that BLUEZONE_OFFICE_URL names, else on SQLite.
"""

import datetime
import secrets

import pytest
from django.db import connection
from django.utils import timezone
from tests.builders.coverage import large_city
from tests.builders.largeoffice import REQUESTS, measured
from tests.builders.office import data_folder, furnished_folder, quick_passwords, user
from tests.builders.pace import BUDGET_SECONDS

from bluezone.directory.models import Agency
from bluezone.identity.models import Role
from bluezone.rollout.gates.models import PROOF_OF, Gate, GateDay, Verdict
from bluezone.rollout.report_week import Week

pytestmark = pytest.mark.long

__all__ = ["data_folder", "furnished_folder", "quick_passwords"]
COUNTS = {"running": 41, "valid_code": 9, "screen_seen": 12, "told": 7, "no_smartphone": 6, "out": 70}


def last_week():
    return Week.of(timezone.localdate()).previous


def fill(agencies, first, number_of_days):
    """A gate for each agency with sums of days up to the week before this; every tenth gate has a small number."""
    gates = Gate.objects.bulk_create(
        Gate(agency=one, name="Cổng chính", number=secrets.token_hex(4)) for one in agencies
    )
    days = [last_week().last_day - datetime.timedelta(days=number) for number in range(number_of_days)]
    GateDay.objects.bulk_create(
        GateDay(
            gate=gate,
            day=day,
            direction="out" if verdict == "out" else "in",
            verdict=verdict,
            proof=PROOF_OF[Verdict(verdict)],
            count=1 if verdict == "valid_code" and (number + first) % 10 == 0 and day.day % 7 == 0 else count,
        )
        for number, gate in enumerate(gates)
        for day in days
        for verdict, count in COUNTS.items()
    )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as the database does by itself after a while, but not within one transaction


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("number_of_agencies", "number_of_days", "requests"),
    [(130, 7, 1), pytest.param(1_000, 30, REQUESTS, marks=pytest.mark.slow)],
)
def test_pages_stay_quick_and_ask_the_same_number_of_questions(client, number_of_agencies, number_of_days, requests):
    admin = user("admin", Role.ADMIN)
    large_city(admin, agencies=number_of_agencies, weeks=0)
    agencies = list(Agency.objects.order_by("pk"))
    # More than one page of gates already, so that the rest may only make the same pages slower.
    fill(agencies[:60], 0, number_of_days)
    readers = {"administrator": admin, "reader of another agency": user("leader", Role.LEADER)}
    before = {}
    gate = Gate.objects.first()
    addresses = {
        "list": f"/gates/?week={last_week()}",
        "last page": f"/gates/?week={last_week()}&page=99",
        "late": "/gates/late/",
        "a gate": f"/gates/{gate.pk}/?week={last_week()}",
    }
    for who, reader in readers.items():
        client.force_login(reader)
        before[who] = measured(client, addresses, requests)
    fill(agencies[60:], 60, number_of_days)
    for who, reader in readers.items():
        client.force_login(reader)
        after = measured(client, addresses, requests)
        assert {name: asked for name, (asked, _) in after.items()} == {
            name: asked for name, (asked, _) in before[who].items()
        }
        assert {name: seconds for name, (_, seconds) in after.items() if seconds >= BUDGET_SECONDS} == {}, who
