# SPDX-License-Identifier: Apache-2.0
"""Random keys that hide the keys of reports. The store and the files treat them like real ones.

A cell is a UTC day, a level and a class. Random keys are added to the waiting keys at the start of each hour, and once
more before a file takes them, for every cell that a report may have. So a person who compares hourly copies of the
store with each other, or with a file, never finds a set of only real keys.
"""

import hashlib
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bluezone.keyserver.random_counts import cumulative_chances
from bluezone.keyserver.storage.store import Row, Store, Transaction, key_prefix
from bluezone.protocol.exports.writer import ExportKeys
from bluezone.protocol.intervals import (
    SECONDS_PER_HOUR,
    day_at,
    first_interval,
    hour_at,
)
from bluezone.protocol.keys import KEY_LENGTH
from bluezone.protocol.upload import (
    CLINICAL_CLASS,
    CONFIRMED_CLASS,
    HIGH,
    MAX_KEY_AGE_DAYS,
    STANDARD,
    days_since_onset,
)

SEED_LENGTH = 32

_DRAW_BYTES = 8
# Names in the table `duty`: the last hour that has its random keys, and the last hour in which a file got more of them.
_PAD = "pad"
_PAD_FILE = "pad_file"
# A smaller share of a file's random keys at a time would leave too many cells empty.
_LEAST_SHARE = 1 / 3


class Padding:
    """Adds random keys to the waiting keys of one city.

    mean: mean number of random keys that a file has in each cell of a past day. period_seconds: time between two files,
    0 in a demo. random_bytes: draws the seeds, which are stored nowhere.
    """

    def __init__(self, mean: int, period_seconds: int, random_bytes: Callable[[int], bytes]) -> None:
        self._mean = mean
        self._random_bytes = random_bytes
        # Files that are made more often than every hour, as in a demo, are padded only when they are made.
        self._hourly = period_seconds >= SECONDS_PER_HOUR
        self._hours = max(period_seconds // SECONDS_PER_HOUR, 1)
        # One share an hour and one before the file.
        self._share = max(1 / (self._hours + 1), _LEAST_SHARE) if self._hourly else 1.0

    def add_keys_before_file(self, transaction: Transaction, now: float) -> None:
        """Before a file takes the waiting keys: add the random keys of every hour that lacks them, and some more.

        Call it in a separate transaction, before `mingle`: mingling makes these keys look like all others.
        """
        hour = hour_at(now)
        if not self._hourly:
            self._put(transaction, hour)
        elif _last_hour(transaction, _PAD_FILE) != hour:
            # For the previous hour: a file made at midnight UTC has the reports of the day before, and so begins with
            # the oldest day of these reports.
            self._put_hours(transaction, hour - 1)
            self._put(transaction, hour - 1)
            # Noted, because a file that cannot be started is tried again every few seconds.
            _note(transaction, _PAD_FILE, hour)

    def add_keys_of_hour(self, transaction: Transaction, now: float) -> None:
        """After a file, and in every hour without one: add random keys for the current hour. Safe to repeat."""
        if self._hourly:
            self._put_hours(transaction, hour_at(now))

    def is_due(self, store: Store, now: float) -> bool:
        """Whether the hour of `now` (Unix seconds) has no random keys yet."""
        if not self._hourly:
            return False
        done = store.read("SELECT done FROM duty WHERE name = ?", (_PAD,))
        return not done or done[0][0] < hour_at(now)

    def _put_hours(self, transaction: Transaction, last: int) -> None:
        # A new store, or one that was stopped for long, gets the random keys of at most one file period.
        done = max(_last_hour(transaction, _PAD), last - self._hours)
        for hour in range(done + 1, last + 1):
            self._put(transaction, hour)
        if done < last:
            _note(transaction, _PAD, last)

    def _put(self, transaction: Transaction, hour: int) -> None:
        rows = random_rows(self._random_bytes(SEED_LENGTH), day_at(hour * SECONDS_PER_HOUR), self._mean, self._share)
        known = sorted((key_prefix(key), start) for start, key, _, _ in rows)
        # Random keys are noted as known, like real ones. The chance that one was known before is negligible.
        transaction.execute_each("INSERT INTO known_key VALUES (?, ?) ON CONFLICT DO NOTHING", known)
        transaction.execute_each("INSERT INTO waiting_key VALUES (?, ?, ?, ?, ?)", [(*row, hour) for row in rows])


def _last_hour(transaction: Transaction, duty: str) -> int:
    """The last hour for which a duty was done, -1 for none."""
    done = transaction.execute("SELECT done FROM duty WHERE name = ?", (duty,))
    return int(done[0][0]) if done else -1


def _note(transaction: Transaction, duty: str, hour: int) -> None:
    transaction.execute(
        "INSERT INTO duty VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET done = excluded.done", (duty, hour)
    )


def random_rows(seed: bytes, today: int, mean: int, share: float) -> list[Row]:
    """Random keys as rows (start, key, level, class), sorted. The same seed gives the same keys.

    seed: 32 random bytes. today: UTC day of the reports that the keys hide. mean: mean number of keys in a cell of a
    whole file; 0 gives none. share: the share of a file's random keys that is drawn now; if several shares add up to 1,
    the sums of their counts have the distribution of a whole file.
    """
    days = range(today - MAX_KEY_AGE_DAYS, today + 1)
    cells = list(itertools.product(days, (STANDARD, HIGH), (CONFIRMED_CLASS, CLINICAL_CLASS)))
    # Not numpy's generator: its distributions may change with a release.
    draws = np.frombuffer(hashlib.shake_256(seed + b"counts").digest(_DRAW_BYTES * len(cells)), dtype=">u8")
    if not mean:
        return []
    counts = np.searchsorted(cumulative_chances(mean, share), draws / 2.0**64, side="right").tolist()
    keys = hashlib.shake_256(seed + b"keys").digest(KEY_LENGTH * sum(counts))
    rows = []
    position = 0
    for (day, level, klass), count in zip(cells, counts, strict=True):
        for _ in range(count):
            rows.append((first_interval(day), keys[position : position + KEY_LENGTH], level, klass))
            position += KEY_LENGTH
    return sorted(rows)


def export_columns(
    keys: NDArray[np.uint8], starts: NDArray[Any], levels: NDArray[Any], classes: NDArray[Any]
) -> ExportKeys:
    """The rows of an export file, from columns of the store.

    keys: shape (n, 16). starts: first interval numbers, shape (n,). levels, classes: as stored, shape (n,).
    """
    # A class has the same number as its report type (export.proto). The onset days follow from the level.
    onset = np.where(levels == HIGH, days_since_onset(HIGH), days_since_onset(STANDARD))
    return ExportKeys(keys, starts.astype(np.int64), classes.astype(np.uint8), onset.astype(np.int8))
