# SPDX-License-Identifier: Apache-2.0
"""Finds which published keys made the identifiers that a phone has heard.

The native matcher (`_kernel.c`, optional) does all of it in one call without Python's lock; without it numpy does the
same: identifiers are derived key by key and looked up many thousands at a time, first in a table of one byte per hash
prefix, which hardly any pass, then exactly.

Source: docs/protocol.md section 3, "Match"; docs/exposure-notification.md section 4.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bluezone.protocol.exports.columns import KeyColumns
from bluezone.protocol.identifiers import IDENTIFIER_LENGTH, identifier_bytes
from bluezone.protocol.intervals import SECONDS_PER_INTERVAL
from bluezone.protocol.kernel import native
from bluezone.protocol.keys import INTERVALS_PER_KEY, KEY_LENGTH, DiagnosisKey, InvalidKey, TemporaryExposureKey

# 256 keys are 576 KiB of identifiers: large enough that numpy's calls cost nothing, small enough for the cache.
KEYS_PER_CHUNK = 256
# The prefix table holds about 128 places a sighting, so one identifier in 128 is looked at twice; at most 16 MiB.
PLACES_PER_SIGHTING_BITS = 7
SMALLEST_TABLE_BITS, LARGEST_TABLE_BITS = 12, 24
# How many intervals after that of its identifier a sighting may be: an imported one lies within two hours; a phone
# keeps an identifier up to 20 minutes, so one is heard two intervals late, and none early but for a clock that is off.
IMPORTED = range(-12, 13)
ON_HANDSET = range(-1, 3)

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

    def __init__(
        self,
        identifiers: NDArray[np.uint8],
        unix_seconds: ArrayLike | None = None,
        late: range = IMPORTED,
        processor: str | None = None,
    ) -> None:
        """identifiers: shape (n, 16), dtype uint8, one row per sighting, repeats allowed.

        unix_seconds: when each was heard, or None: then an identifier matches whenever it was heard.
        late:         how many intervals after its identifier's own a sighting may be, within 4096, step 1.
        processor:    see `kernel.chosen`. Raises InvalidKey for other shapes, ProcessorMissing.
        """
        if identifiers.ndim != 2 or identifiers.shape[1] != IDENTIFIER_LENGTH or identifiers.dtype != np.uint8:
            raise InvalidKey(
                f"identifiers have shape {identifiers.shape} of {identifiers.dtype}, expected (n, 16) uint8"
            )
        sighted = None if unix_seconds is None else _intervals_of(unix_seconds)
        if sighted is not None and sighted.shape != (len(identifiers),):
            raise InvalidKey(f"{len(identifiers)} identifiers have {sighted.shape} times")
        self._count = len(identifiers)
        chosen = native(processor)
        self._looking: _NativeLooking | _NumpyLooking
        if chosen is None:
            self._looking = _NumpyLooking(identifiers, sighted, late)
        else:
            self._looking = _NativeLooking(*chosen, identifiers, sighted, late)

    def __len__(self) -> int:
        return self._count

    @property
    def kernel(self) -> str:
        """Which implementation looks keys up: "native" or "numpy"."""
        return "numpy" if isinstance(self._looking, _NumpyLooking) else "native"

    def find(self, keys: KeyColumns | Sequence[TemporaryExposureKey | DiagnosisKey]) -> Matches:
        """Return every pair of key and sighting whose identifiers are equal and whose times agree.

        A key makes only the identifiers of its rolling period, at most 144; one whose start or period is out of
        range (other servers' files may hold such) makes none. Memory does not grow with the number of keys.
        """
        return self._looking.find(keys)


class _NativeLooking:
    """The index in the memory of `_kernel.c`."""

    def __init__(
        self, module: Any, processor: int, identifiers: NDArray[np.uint8], sighted: Rows | None, late: range
    ) -> None:
        self._module, self._processor = module, processor
        # Copied: the index is made in several passes without Python's lock, and another thread may write to these.
        times = None if sighted is None else sighted.tobytes()
        self._index = module.index(identifiers.tobytes(), times, late[0], late[-1])

    def find(self, keys: KeyColumns | Sequence[TemporaryExposureKey | DiagnosisKey]) -> Matches:
        if isinstance(keys, KeyColumns):
            columns = tuple(map(np.ascontiguousarray, (keys.keys, keys.starts, keys.periods)))
        else:
            columns = (
                np.frombuffer(b"".join([key.key for key in keys]), dtype=np.uint8),
                np.array([key.start for key in keys], dtype=np.int64),
                np.array([key.period for key in keys], dtype=np.int64),
            )
        found = self._module.search(self._index, *columns, self._processor)
        return Matches(*np.frombuffer(found, dtype=np.int64).reshape(-1, 3).T)


class _NumpyLooking:
    """The index as numpy arrays, for machines without the native matcher."""

    def __init__(self, identifiers: NDArray[np.uint8], sighted: Rows | None, late: range) -> None:
        self._sighted, self._late = sighted, late
        halves = np.ascontiguousarray(identifiers).view(np.uint64)
        self._order = np.argsort(halves[:, 0], kind="stable")
        self._first_halves, self._second_halves = halves[self._order].T.copy()
        bits = len(halves).bit_length() + PLACES_PER_SIGHTING_BITS
        bits = min(max(bits, SMALLEST_TABLE_BITS), LARGEST_TABLE_BITS)
        self._mask = np.uint64(2**bits - 1)
        self._heard_prefix = np.zeros(2**bits, dtype=np.bool_)
        self._heard_prefix[self._prefixes(self._first_halves)] = True

    def find(self, keys: KeyColumns | Sequence[TemporaryExposureKey | DiagnosisKey]) -> Matches:
        parts = [self._find_chunk(first, chunk) for first, chunk in _chunks(keys)] if len(self._order) else []
        columns = zip(*parts, strict=True) if parts else ([_NO_ROWS] for _ in range(3))
        found = Matches(*(np.concatenate(list(column)) for column in columns))
        if self._sighted is None:
            return found
        in_time = _within(self._late, found.intervals, self._sighted[found.sighting_rows])
        return Matches(found.key_rows[in_time], found.intervals[in_time], found.sighting_rows[in_time])

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


def on_handset(intervals: ArrayLike, unix_seconds: ArrayLike) -> NDArray[np.bool_]:
    """Tell which sightings lie in intervals j-1 .. j+2 of their identifier: the rule for a phone's own sightings."""
    return _within(ON_HANDSET, intervals, _intervals_of(unix_seconds))


def _within(late: range, intervals: ArrayLike, sighted: Rows) -> NDArray[np.bool_]:
    lateness = sighted - np.asarray(intervals, dtype=np.int64)
    return (lateness >= late[0]) & (lateness <= late[-1])


def _intervals_of(unix_seconds: ArrayLike) -> Rows:
    intervals: Rows = np.floor_divide(np.asarray(unix_seconds), SECONDS_PER_INTERVAL).astype(np.int64)
    return intervals


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
