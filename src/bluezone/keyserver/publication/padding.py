# SPDX-License-Identifier: Apache-2.0
"""Nobody can tell the keys of a report from others: padding with random keys in every cell of every file, and mingling
of rows in the database.
"""

import hashlib
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bluezone.keyserver.storage.store import Store, Transaction, key_prefix
from bluezone.protocol.exports.writer import ExportKeys
from bluezone.protocol.intervals import INTERVALS_PER_DAY
from bluezone.protocol.keys import KEY_LENGTH
from bluezone.protocol.upload import CLINICAL_CLASS, CONFIRMED_CLASS, HIGH, STANDARD, days_since_onset

PUBLISHED_DAYS = 14
SEED_LENGTH = 32

# Number of successes of the negative binomial distribution; with mean 50 its standard deviation is 36.
_SUCCESSES = 2
_DRAW_BYTES = 8


def padding_keys(seed: bytes, newest_day: int, mean: int) -> ExportKeys:
    """Draw the padding of one file: the same seed gives the same keys, on every machine and with every version.

    seed:       32 random bytes.
    newest_day: newest UTC day of the 14 whose keys the file may hold.
    mean:       of the keys in each of the 56 cells (day x level x class); 0 gives none.
    """
    cells = [
        (day, level, klass)
        for day in range(newest_day - PUBLISHED_DAYS + 1, newest_day + 1)
        for level in (STANDARD, HIGH)
        for klass in (CONFIRMED_CLASS, CLINICAL_CLASS)
    ]
    # Not numpy's generator, whose distributions may change with a release: a file that a crash left unfinished
    # must come out the same after an upgrade.
    draws = np.frombuffer(hashlib.shake_256(seed + b"counts").digest(_DRAW_BYTES * len(cells)), dtype=">u8")
    counts = np.searchsorted(cumulative(mean), draws / 2.0**64, side="right") if mean else np.zeros(len(cells), int)
    total = int(counts.sum())
    keys = np.frombuffer(hashlib.shake_256(seed + b"keys").digest(KEY_LENGTH * total), dtype=np.uint8)
    days, levels, classes = (np.repeat(np.array(column), counts) for column in zip(*cells, strict=True))
    return export_columns(keys.reshape(total, KEY_LENGTH), days * INTERVALS_PER_DAY, levels, classes)


def export_columns(
    keys: NDArray[np.uint8], starts: NDArray[Any], levels: NDArray[Any], classes: NDArray[Any]
) -> ExportKeys:
    """Make the columns of an export of what the store says: report type from the class, onset days from the level.

    Real keys and padding both go through here, so that nothing but chance distinguishes them.
    """
    # The classes have the numbers of their report types (export.proto).
    onset = np.where(levels == HIGH, days_since_onset(HIGH), days_since_onset(STANDARD))
    return ExportKeys(keys, starts.astype(np.int64), classes.astype(np.uint8), onset.astype(np.int8))


@cache
def cumulative(mean: int) -> NDArray[np.float64]:
    """P(count <= k) for k = 0, 1, ... up to where the rest is below 2**-60."""
    failure = mean / (_SUCCESSES + mean)
    probability = (1 - failure) ** _SUCCESSES
    cumulative = [probability]
    k = 0
    while probability > 2.0**-70 or k < mean:
        probability *= (k + _SUCCESSES) / (k + 1) * failure
        cumulative.append(cumulative[-1] + probability)
        k += 1
    return np.array(cumulative, dtype=np.float64).clip(max=1.0)


_DUTY = "mingle"


def mingle_once_an_hour(store: Store, hour: int) -> bool:
    """Mingle the keys of the hours before `hour` (Unix seconds // 3600); False if that was done already."""
    done = store.read("SELECT done FROM duty WHERE name = ?", (_DUTY,))
    if done and done[0][0] >= hour:
        return False
    mingle(store, hour)
    store.write(
        lambda transaction: transaction.execute(
            "INSERT INTO duty VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET done = excluded.done", (_DUTY, hour)
        )
    )
    return True


def mingle(store: Store, before_hour: int) -> None:
    """Write the waiting keys received before an hour again, in the order of their bytes, in one transaction.

    Every key waits for a file at first, so this reaches all of them before their hour is forgotten.
    """
    if store.dialect == "sqlite":
        return

    def action(transaction: Transaction) -> None:
        waiting = transaction.execute(
            "DELETE FROM waiting_key WHERE received_hour < ? RETURNING start, key, level, class, received_hour",
            (before_hour,),
        )
        if not waiting:
            return
        known = sorted((key_prefix(row[1]), row[0]) for row in waiting)
        transaction.execute_each("DELETE FROM known_key WHERE prefix = ?", [(prefix,) for prefix, _ in known])
        transaction.execute_each("INSERT INTO known_key VALUES (?, ?)", known)
        transaction.execute_each("INSERT INTO waiting_key VALUES (?, ?, ?, ?, ?)", sorted(waiting))

    store.write(action)
    mingle_subscriptions(store)


def mingle_subscriptions(store: Store) -> None:
    """Write all push subscriptions again in the order of their addresses, which does not tell who came when."""

    def action(transaction: Transaction) -> None:
        rows = transaction.execute("DELETE FROM push_subscription RETURNING endpoint, p256dh, auth, period, proven")
        transaction.execute_each("INSERT INTO push_subscription VALUES (?, ?, ?, ?, ?)", sorted(rows))

    store.write(action)
