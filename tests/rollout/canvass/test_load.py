# SPDX-License-Identifier: Apache-2.0
"""100,000 households and 400 phones that sync 120 visits each on PostgreSQL, 20,000 and 40 on SQLite: no visit lost,
none doubled, p95 of a call under 2 s. A real `serve`; every call is made twice, as after a lost answer.

The phones of a city do not begin in one instant: they call by chance within ARRIVE_SECONDS, as the app's own timers let
them.
"""

import datetime
import json
import os
import random
import secrets
import statistics
import sys
import threading
import time
import urllib.request

import pytest
from tests.builders.canvassing import canvassing
from tests.builders.keyserver import postgresql_database, postgresql_server
from tests.builders.serving import serving

from bluezone.rollout.canvass.households.facts import new_key

pytestmark = pytest.mark.slow
VISITS, LIMIT_SECONDS, TRIES = 120, 2.0, 8


def calls_of(phone):
    """The one call of a phone with all its visits, twice."""
    now = int(time.time()) - VISITS
    entries = [
        {
            "id": str(new_key(datetime.datetime.fromtimestamp(now + n, datetime.UTC))),
            "number": n + 1, "form": 1, "turf": phone["turf"], "door": door, "at": now + n,
            "visit": {"outcome": "leaflet", "leaflets": 1, "lot": "L7", "phones": 2, "told": 1},
            "changes": {"smartphones": {"value": 2, "clock": f"{(now + n) * 1000:013d}.0000.{phone['device']}a",
                                        "bases": [""]}},
        }
        for n, door in enumerate(phone["doors"])
    ]  # fmt: skip
    return json.dumps({"run": secrets.token_hex(4), "last_number": VISITS, "form": 1, "entries": entries}).encode()


def sync_all(origin, phones, arrive_seconds):
    """Every phone calls once by chance within a time, and once more at once; seconds of each call, and the verdicts."""
    spent, states, failed = [], [], []

    def one(phone):
        body = calls_of(phone)
        time.sleep(random.uniform(0, arrive_seconds))
        for _replay in range(2):
            for _try in range(TRIES):
                request = urllib.request.Request(f"{origin}/v1/canvass/sync", body, {
                    "Content-Type": "application/json", "Authorization": f"Bearer {phone['token']}"})  # fmt: skip
                begun = time.monotonic()
                try:
                    with urllib.request.urlopen(request, timeout=120) as answer:
                        told = json.load(answer)
                except OSError as error:
                    failed.append(str(error))
                    time.sleep(1)
                    continue
                spent.append(time.monotonic() - begun)
                states.extend(verdict["state"] for verdict in told["verdicts"])
                break

    threads = [threading.Thread(target=one, args=(phone,)) for phone in phones]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return spent, states, failed


def held(data, environment, households, phones, arrive_seconds):
    with serving(data, environment=environment) as server:
        os.environ.update(environment)
        try:
            told = canvassing(data, load={"households": households, "phones": phones, "visits": VISITS})
        finally:
            for name in environment:
                del os.environ[name]
        spent, states, failed = sync_all(server.public, told["phones"], arrive_seconds)
        os.environ.update(environment)
        try:
            counts = canvassing(data, count=True)
        finally:
            for name in environment:
                del os.environ[name]
    spent.sort()
    p95 = spent[int(len(spent) * 0.95) - 1]
    figures = f"{len(spent)} calls in {arrive_seconds} s: median {statistics.median(spent):.3f} s, p95 {p95:.3f} s, " \
              f"slowest {spent[-1]:.3f} s, failed and repeated {len(failed)}; {counts}"  # fmt: skip
    sys.stdout.write(f"{figures}\n")
    wanted = phones * VISITS
    assert counts == {"visits": wanted, "entries": wanted, "asides": 0, "reached": wanted}, figures
    assert states.count("stored") == wanted, figures
    assert states.count("known") == wanted, figures
    assert p95 < LIMIT_SECONDS, figures


def test_forty_phones_on_sqlite(tmp_path):
    held(tmp_path / "served", {}, 20_000, 40, 20)


@pytest.mark.postgres
def test_four_hundred_phones_on_postgresql(tmp_path):
    server = postgresql_server()
    with postgresql_database(server) as address:
        held(tmp_path / "served", {"BLUEZONE_OFFICE_URL": address}, 100_000, 400, 120)
