# SPDX-License-Identifier: Apache-2.0
"""What a check costs a phone that sits among neighbours for 14 days: the index of its log, beside all of it made anew.

Each day has 16 hours in pages of ten minutes; every neighbour stays for the whole page under one identifier and is
heard in 20 bursts of 8 frames. A check comes every four hours, with one new file of 17,500 keys, none of which was
heard. Sizes are numbers of neighbours; those of the result are at 40, or the last of the sizes given.
"""

import os
import random
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bluezone.handset.clocks import Stamp
from bluezone.handset.encounters.log import EncounterLog
from bluezone.handset.encounters.pages import HeardBurst, HeardIdentifier, Page
from bluezone.handset.exposure.exposures import EncounterIndex
from bluezone.handset.store import Store
from bluezone.protocol.exports.columns import KeyColumns
from bluezone.protocol.intervals import SECONDS_PER_DAY, day_at
from bluezone.protocol.keys import DiagnosisKey
from bluezone.radio.interface import Burst, Sighting

SIZES = (2, 10, 40, 200)
TOLD_SIZE = 40
DAYS, PAGES_A_DAY, BURSTS, FRAMES = 14, 96, 20, 8
PAGE_SECONDS, BURST_SECONDS = 600.0, 30.0
WAKING_SECONDS = 6 * 3600
PAGES_A_CHECK = 24
CHECKS = 3
KEYS = 17_500
END = 1_795_608_000.0
STAMP = Stamp("bench", 1, END - DAYS * SECONDS_PER_DAY, False, True, 0, 0)


def run(progress: Callable[[str], None], *sizes: int) -> dict[str, Any]:
    """Measure each size. sizes: numbers of neighbours, SIZES if none are given."""
    rows = {}
    for people in sizes or SIZES:
        progress(f"{people} neighbours")
        rows[people] = _measure(people)
    told = rows.get(TOLD_SIZE) or rows[people]
    return {
        "name": "phone",
        "value": told["index_at_a_check_ms"],
        "unit": f"ms of CPU for the index at a check, {told['neighbours']} neighbours",
        "baseline": f"{told['rebuild_ms']} ms, the whole log read anew",
        "ratio": told["ratio"],
        "rows": list(rows.values()),
    }


def _measure(people: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder) / "phone")
        try:
            _fourteen_days(store, people)
            return _checks(store, people)
        finally:
            store.close()


def _fourteen_days(store: Store, people: int) -> None:
    """Store the pages of 14 days, as the log does when it closes them."""
    rng = random.Random(people)
    with store.transaction():
        for number in range(DAYS * PAGES_A_DAY):
            day, ten = divmod(number, PAGES_A_DAY)
            start = day * SECONDS_PER_DAY + WAKING_SECONDS + ten * PAGE_SECONDS
            page = Page(STAMP, _day(start))
            for _ in range(people):
                heard = HeardIdentifier(os.urandom(16), os.urandom(4))
                for burst in range(BURSTS):
                    at = start + burst * BURST_SECONDS
                    levels = [-70 - level % 20 for level in rng.randbytes(FRAMES)]
                    heard.bursts.append(HeardBurst(int(at // BURST_SECONDS), at, BURST_SECONDS, levels))
                page.heard[heard.frame] = heard
            store.add("pages", page.day, page.to_bytes())


def _checks(store: Store, people: int) -> dict[str, Any]:
    """Time the first check of a process and those after it, the best of three each, in CPU seconds."""
    rebuilds, checks, matches = [], [], []
    for _ in range(CHECKS):
        log = EncounterLog(store)
        rebuilds.append(_timed(EncounterIndex, log)[0])
    keys = _keys()
    for number in range(CHECKS):
        _four_hours(log, people, DAYS * SECONDS_PER_DAY + number * PAGES_A_CHECK * PAGE_SECONDS)
        seconds, index = _timed(EncounterIndex, log)
        checks.append(seconds)
        seconds, found = _timed(index.match, keys)
        matches.append(seconds)
        if found:
            raise AssertionError("random keys were heard")
    if len(log.columns()) != DAYS * PAGES_A_DAY + CHECKS * PAGES_A_CHECK:
        raise AssertionError("the log has not the pages that it was given")
    return {
        "neighbours": people,
        "identifiers": people * DAYS * PAGES_A_DAY,
        "sealed_mb": round(store.page_bytes() / 1e6, 1),
        "rebuild_ms": round(1000 * min(rebuilds), 1),
        "index_at_a_check_ms": round(1000 * min(checks), 2),
        "ratio": round(min(checks) / min(rebuilds), 4),
        "match_ms": round(1000 * min(matches), 1),
        "kept_mb": round(_kept_bytes(store) / 1e6, 1),
    }


def _four_hours(log: EncounterLog, people: int, start: float) -> None:
    """Hear the same number of neighbours, in the way a radio tells of them, until the next check."""
    for page in range(PAGES_A_CHECK):
        frames = [os.urandom(20) for _ in range(people)]
        for burst in range(BURSTS):
            at = start + page * PAGE_SECONDS + burst * BURST_SECONDS
            number = int(at // BURST_SECONDS)
            log.burst_started(Burst(number, at, BURST_SECONDS))
            for frame in frames:
                log.add_sighting(Sighting(frame[:16], frame[16:], -70, number, at), STAMP, _day(at))
        log.flush()


def _kept_bytes(store: Store) -> int:
    """What the log keeps in memory between two checks."""
    log = EncounterLog(store)
    tracemalloc.start()
    try:
        log.columns()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def _day(seconds: float) -> int:
    assert STAMP.offset_seconds is not None
    return day_at(STAMP.offset_seconds + seconds)


def _keys() -> KeyColumns:
    draw = np.random.default_rng(1)
    days = (day_at(END) - draw.integers(0, DAYS, KEYS)).tolist()
    return KeyColumns.from_keys(DiagnosisKey(draw.bytes(16), day * 144, 144, 1, 0, 0) for day in days)


def _timed(work: Callable[[Any], Any], of: Any) -> tuple[float, Any]:
    before = time.process_time()
    made = work(of)
    return time.process_time() - before, made
