# SPDX-License-Identifier: Apache-2.0
"""Find which published keys made the identifiers a phone has heard.

Identifiers are derived key by key and looked up many thousands at a time: first in a table of one byte per hash
prefix, which almost none passes, then exactly.

Source: protocol.md section 3, "Match"; specs/exposure-notification.md sections 0 and 4.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bluezone.protocol.exportkeys import KeyColumns
from bluezone.protocol.identifiers import IDENTIFIER_LENGTH, identifier_bytes
from bluezone.protocol.intervals import SECONDS_PER_INTERVAL
from bluezone.protocol.keys import INTERVALS_PER_KEY, KEY_LENGTH, DiagnosisKey, InvalidKey, TemporaryExposureKey

KERNEL = "numpy"
# 256 keys are 576 KiB of identifiers: large enough that numpy's calls cost nothing, small enough for the cache.
KEYS_PER_CHUNK = 256
# The prefix table holds about 128 places a sighting, so one identifier in 128 is looked at twice; at most 16 MiB.
PLACES_PER_SIGHTING_BITS = 7
SMALLEST_TABLE_BITS, LARGEST_TABLE_BITS = 12, 24
COMPATIBLE_INTERVALS = 12

Rows = NDArray[np.int64]
# A key, its first interval and how many identifiers it makes.
_Period = tuple[bytes, int, int]
_NO_ROWS: Rows = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Matches:
    """Row i of each array is one match; ordered by key row, then interval.

    key_rows:      which key, as a row of what was searched.
    intervals:     the interval number whose identifier was heard.
    sighting_rows: which sighting, as a row of the index.
    """

    key_rows: Rows
    intervals: Rows
    sighting_rows: Rows

    def __len__(self) -> int:
        return len(self.key_rows)


class SightingIndex:
    """Identifiers a phone has heard, ready for looking up keys."""

    def __init__(self, identifiers: NDArray[np.uint8]) -> None:
        """identifiers: shape (n, 16), dtype uint8, one row per sighting, repeats allowed. Raises InvalidKey."""
        if identifiers.ndim != 2 or identifiers.shape[1] != IDENTIFIER_LENGTH or identifiers.dtype != np.uint8:
            raise InvalidKey(
                f"identifiers have shape {identifiers.shape} of {identifiers.dtype}, expected (n, 16) uint8"
            )
        halves = np.ascontiguousarray(identifiers).view(np.uint64)
        self._order = np.argsort(halves[:, 0], kind="stable")
        self._first_halves, self._second_halves = halves[self._order].T.copy()
        bits = len(halves).bit_length() + PLACES_PER_SIGHTING_BITS
        bits = min(max(bits, SMALLEST_TABLE_BITS), LARGEST_TABLE_BITS)
        self._mask = np.uint64(2**bits - 1)
        self._heard_prefix = np.zeros(2**bits, dtype=np.bool_)
        self._heard_prefix[self._prefixes(self._first_halves)] = True

    def __len__(self) -> int:
        return len(self._order)

    def find(self, keys: KeyColumns | Sequence[TemporaryExposureKey | DiagnosisKey]) -> Matches:
        """Return every pair of key and sighting whose identifiers are equal, whatever the time of the sighting.

        A key makes only the identifiers of its rolling period, at most 144; one whose start or period is out of
        range (other servers' files may hold such) makes none. Memory does not grow with the number of keys.
        """
        parts = [self._find_chunk(first, chunk) for first, chunk in _chunks(keys)] if len(self) else []
        columns = zip(*parts, strict=True) if parts else ([_NO_ROWS] for _ in range(3))
        return Matches(*(np.concatenate(list(column)) for column in columns))

    def _find_chunk(self, first_row: int, keys: list[_Period]) -> tuple[Rows, Rows, Rows]:
        identifiers = b"".join([identifier_bytes(*key) for key in keys if key[2]])
        halves = np.frombuffer(identifiers, dtype=np.uint64).reshape(-1, 2)
        candidates = np.flatnonzero(self._heard_prefix[self._prefixes(halves[:, 0])])
        if not len(candidates):
            return _NO_ROWS, _NO_ROWS, _NO_ROWS
        chosen, places = self._compare(halves[candidates])
        rows = candidates[chosen]
        before = np.concatenate(([0], np.cumsum([count for _, _, count in keys])))
        key_rows = np.searchsorted(before, rows, side="right") - 1
        starts = np.array([start for _, start, _ in keys], dtype=np.int64)
        return first_row + key_rows, starts[key_rows] + rows - before[key_rows], self._order[places]

    def _compare(self, halves: NDArray[np.uint64]) -> tuple[Rows, Rows]:
        """Return (row of `halves`, place in the sorted sightings) for every exact equality."""
        left = np.searchsorted(self._first_halves, halves[:, 0], side="left")
        counts = np.searchsorted(self._first_halves, halves[:, 0], side="right") - left
        rows = np.repeat(np.arange(len(halves)), counts)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        places = left[rows] + within
        equal = self._second_halves[places] == halves[rows, 1]
        return rows[equal], places[equal]

    def _prefixes(self, first_halves: NDArray[np.uint64]) -> Rows:
        return (first_halves & self._mask).view(np.int64)


def within_two_hours(intervals: ArrayLike, unix_seconds: ArrayLike) -> NDArray[np.bool_]:
    """Tell which sightings lie in intervals j-12 .. j+12 of their identifier: the rule for imported sightings."""
    late = _intervals_late(intervals, unix_seconds)
    return (late >= -COMPATIBLE_INTERVALS) & (late <= COMPATIBLE_INTERVALS)


def on_handset(intervals: ArrayLike, unix_seconds: ArrayLike) -> NDArray[np.bool_]:
    """Tell which sightings lie in intervals j-1 .. j+2 of their identifier: the rule for a phone's own sightings.

    A phone keeps an identifier up to 20 minutes, so it may be heard two intervals late; it cannot be heard early
    but for a clock that is off.
    """
    late = _intervals_late(intervals, unix_seconds)
    return (late >= -1) & (late <= 2)


def _intervals_late(intervals: ArrayLike, unix_seconds: ArrayLike) -> Rows:
    sighted: Rows = np.floor_divide(np.asarray(unix_seconds), SECONDS_PER_INTERVAL).astype(np.int64)
    expected: Rows = np.asarray(intervals, dtype=np.int64)
    return sighted - expected


def _chunks(
    keys: KeyColumns | Sequence[TemporaryExposureKey | DiagnosisKey],
) -> Iterator[tuple[int, list[_Period]]]:
    """Yield (row of the first key, [(key, start, count of identifiers)]) for a few hundred keys at a time."""
    for first in range(0, len(keys), KEYS_PER_CHUNK):
        rows = slice(first, first + KEYS_PER_CHUNK)
        if isinstance(keys, KeyColumns):
            joined = keys.keys[rows].tobytes()
            key_bytes = [joined[at : at + KEY_LENGTH] for at in range(0, len(joined), KEY_LENGTH)]
            periods = zip(key_bytes, keys.starts[rows].tolist(), keys.periods[rows].tolist(), strict=True)
            yield first, [(key, start, _count(start, period)) for key, start, period in periods]
        else:
            yield first, [(key.key, key.start, _count(key.start, key.period)) for key in keys[rows]]


def _count(start: int, period: int) -> int:
    count = min(max(period, 0), INTERVALS_PER_KEY)
    return count if 0 <= start < 2**32 - count else 0
