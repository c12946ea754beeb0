# SPDX-License-Identifier: Apache-2.0
"""A list of 10,000 doors imported while 500 loudspeakers, 50 gates, canvassers' uploads and text messages are written:
the longest that anybody waits for the store. Beside it, lists of a country's communes and agencies and a letter to
every commune: the most CPU for which one of their transactions holds the store.

A real `bluezone serve` on SQLite, whose worker stores the list; everybody calls over HTTP, desks queue messages beside
it. The figure is the longest wait of a probe that begins a write on the store again and again. Baseline: the same
before the import began. Budget 1 s on a quiet machine; the load is printed beside it.
"""

import importlib
import json
import os
import sqlite3
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

DOORS, GROUPS = 10_000, 24
SPEAKERS, GATES, PHONES = 500, 50, 20
# Of the whole country since 2025, and of a large province.
COMMUNES, AGENCIES = 3_321, 8_000
# Each loudspeaker reports, each gate syncs and each phone sends this often; in a city it is minutes.
EVERY_SECONDS = 30.0
QUIET_SECONDS = 15.0
MOST_SECONDS = 600.0


class _Probe(threading.Thread):
    """Begins a write on the store and gives it up, again and again; longest: seconds that one waited."""

    def __init__(self, data: Path) -> None:
        super().__init__()
        self._path, self._ended, self.longest, self.writes = data / "office.sqlite3", threading.Event(), 0.0, 0

    def run(self) -> None:
        store = sqlite3.connect(self._path, timeout=60, isolation_level=None)
        while not self._ended.wait(0.02):
            begun = time.monotonic()
            store.execute("BEGIN IMMEDIATE")
            store.execute("ROLLBACK")
            self.longest, self.writes = max(self.longest, time.monotonic() - begun), self.writes + 1
        store.close()

    def end(self) -> float:
        """Stop; the longest wait."""
        self._ended.set()
        self.join()
        return self.longest


class _City:
    """Everybody who calls, in a few threads; each device again after EVERY_SECONDS."""

    def __init__(self, says: dict[str, list[Callable[[int], int]]], threads: int = 8) -> None:
        self._ended = threading.Event()
        self.answers: dict[str, dict[str, int]] = {kind: {} for kind in says}
        self.slowest = 0.0
        each = [(kind, say) for kind, all_of_it in says.items() for say in all_of_it]
        self._threads = [threading.Thread(target=self._call, args=(each[n::threads],)) for n in range(threads)]

    def begin(self) -> None:
        """Let them call from now on."""
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Wait for the last call."""
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _call(self, mine: list[tuple[str, Callable[[int], int]]]) -> None:
        pause, n = EVERY_SECONDS / len(mine), 0
        while not self._ended.is_set():
            for kind, say in mine:
                begun = time.monotonic()
                try:
                    answer = str(say(n))
                except OSError as error:
                    answer = str(error)
                spent = time.monotonic() - begun
                self.slowest = max(self.slowest, spent)
                self.answers[kind][answer] = self.answers[kind].get(answer, 0) + 1
                if self._ended.wait(max(0.0, pause - spent)):
                    return
            n += 1


def run(progress: Callable[[str], object]) -> dict[str, Any]:
    """Start a server, plant a city, send the list in, and watch until it is stored."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.builders.serving import serving

    # Typed as little as what it plants.
    planted: Any = importlib.import_module("tests.builders.bulkwork")
    bulkwork, talkers = planted.bulkwork, planted.talkers

    with tempfile.TemporaryDirectory() as folder:
        lists = _lists(Path(folder) / "country", bulkwork)
        progress(f"lists of {COMMUNES:,} communes and {AGENCIES:,} agencies stored")
        data = Path(folder) / "data"
        with serving(data, environment={"BLUEZONE_SMS_URL": "file:sms-not-sent.log"}) as server:
            told = bulkwork(data, "plant", speakers=SPEAKERS, gates=GATES, phones=PHONES)
            progress(f"{SPEAKERS} loudspeakers, {GATES} gates and {PHONES} phones connected")
            city = _City(talkers(told, lambda path, body, token: _post(server.public + path, body, token)))
            city.begin()
            try:
                before = _Probe(data)
                before.start()
                time.sleep(QUIET_SECONDS)
                baseline = before.end()
                progress(f"longest wait before the import {baseline:.2f} s")
                during = _Probe(data)
                during.start()
                begun = time.monotonic()
                desk = bulkwork(data, "send", rows=DOORS, groups=GROUPS, messages=300)
                progress(f"sent in after {time.monotonic() - begun:.0f} s")
                _await_stored(data, begun)
                seconds, longest = time.monotonic() - begun, during.end()
            finally:
                city.end()
    refused = {
        kind: {answer: n for answer, n in each.items() if answer != "200"} for kind, each in city.answers.items()
    }
    return {
        "name": f"{DOORS:,} doors imported into a city at work",
        "value": round(longest, 2),
        "unit": "s, longest wait for the store (budget 1)",
        "baseline": round(baseline, 2),
        "ratio": round(longest / max(baseline, 1e-3), 2),
        "load_average": round(os.getloadavg()[0], 1),
        "writes_of_the_probe": during.writes,
        "answered": {kind: each.get("200", 0) for kind, each in city.answers.items()} | {"sms": desk["queued"]},
        "refused": {kind: each for kind, each in refused.items() if each},
        "slowest_call_seconds": round(city.slowest, 2),
        "slowest_message_seconds": round(desk["slowest"], 2),
        "import_seconds": round(seconds, 1),
        "most_cpu_seconds_of_a_transaction": lists,
    }


def _lists(data: Path, bulkwork: Callable[..., dict[str, Any]]) -> dict[str, float]:
    """What was done -> the most CPU seconds that one of its transactions took."""
    stores: Any = importlib.import_module("tests.builders.stores")
    stores.prepared_store(data)
    held = bulkwork(data, "directory", agencies=AGENCIES, communes=COMMUNES, timed=True)["held"]
    return {what: round(max(one["cpu_seconds"] for one in each), 2) for what, each in held.items()}


def _post(url: str, body: dict[str, Any], token: str) -> int:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    try:
        request = urllib.request.Request(url, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=120) as answer:
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def _await_stored(data: Path, begun: float) -> None:
    with sqlite3.connect(f"file:{data / 'office.sqlite3'}?mode=ro", uri=True, timeout=60) as store:
        while store.execute("SELECT state FROM canvass_doorsimport").fetchone() != ("done",):
            assert time.monotonic() - begun < MOST_SECONDS, "the worker has not stored the list"
            time.sleep(1)
        doors = store.execute("SELECT count(*) FROM canvass_household WHERE arriving_id IS NULL").fetchone()[0]
    assert doors == DOORS + PHONES * 20, doors
