# SPDX-License-Identifier: Apache-2.0
"""Padding: random keys in every cell of every file, among which nobody can tell those of a report."""

import hashlib
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bluezone.protocol.exports.files import ExportKeys
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
