# SPDX-License-Identifier: Apache-2.0
"""Finds the published keys behind the identifiers that a phone has heard.

The native matcher (`_kernel.c`, optional) matches all keys in one call, with the interpreter lock released. The search
in Python gives the same matches, but is some thirty times slower. It first looks up only four bytes of each identifier;
about one key in a thousand passes this test and is compared in full.

Source: docs/protocol.md section 3, "Match"; docs/exposure-notification.md section 4.
"""

import math
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from bluezone.protocol.exports.columns import KeyColumns
from bluezone.protocol.identifiers import IDENTIFIER_LENGTH, identifier_bytes
from bluezone.protocol.intervals import SECONDS_PER_INTERVAL
from bluezone.protocol.kernel import Kernel, NativeIndex, native_matcher
from bluezone.protocol.keys import INTERVALS_PER_KEY, DiagnosisKey, InvalidKey, TemporaryExposureKey

# How many intervals a sighting may be later than the interval of its identifier. For imported sightings, two hours both
# ways. A phone sends an identifier for up to 20 minutes, so up to two intervals late; early only if a clock is wrong.
IMPORTED = range(-12, 13)
ON_HANDSET = range(-1, 3)


class Match(NamedTuple):
    """A key and a sighting of one of its identifiers.

    key_row:      row of the key in the columns that were searched.
    interval:     interval number of the identifier.
    sighting_row: row of the sighting in the index.
    """

    key_row: int
    interval: int
    sighting_row: int


class SightingIndex:
    """The identifiers that a phone has heard, ready to be searched for keys."""

    def __init__(
        self,
        identifiers: bytes,
        unix_seconds: Iterable[float] | None = None,
        late: range = IMPORTED,
        processor: str | None = None,
        width: int = IDENTIFIER_LENGTH,
    ) -> None:
        """identifiers: `width` bytes for each sighting, which begin with the identifier of 16 bytes; repeats allowed.

        unix_seconds: time of each sighting, or None to match an identifier at any time. Fastest as an array of whole
                      seconds, type "q".
        late:         how many intervals a sighting may be later than the interval of its identifier, within 4096,
                      step 1.
        processor:    see `kernel.choose_processor`.
        width:        16 or a larger multiple of 4.
        Raises InvalidKey for another width, length or number of times, and ProcessorMissing.
        """
        self._count, remainder = divmod(len(identifiers), width)
        if remainder or width < IDENTIFIER_LENGTH or width % 4:
            raise InvalidKey(f"identifiers are {len(identifiers)} bytes, expected a multiple of {width}")
        seconds = None if unix_seconds is None else _whole(unix_seconds)
        if seconds is not None and len(seconds) != self._count:
            raise InvalidKey(f"{self._count} identifiers have {len(seconds)} times")
        kernel = native_matcher(processor)
        self._search: _NativeSearch | _PlainSearch
        if kernel is None:
            self._search = _PlainSearch(identifiers, width, seconds, late)
        else:
            self._search = _NativeSearch(*kernel, identifiers, width, seconds, late)

    def __len__(self) -> int:
        return self._count

    @property
    def implementation(self) -> str:
        """Which implementation searches: "native" or "python"."""
        return "python" if isinstance(self._search, _PlainSearch) else "native"

    def match(self, keys: KeyColumns | Sequence[TemporaryExposureKey | DiagnosisKey]) -> list[Match]:
        """Return every pair of key and sighting with equal identifiers and matching times.

        They are ordered by key row, then interval, then sighting row. A key has only the identifiers of its rolling
        period, at most 144, and none if its start or period is out of range, as may be in files of other servers.
        """
        if not isinstance(keys, KeyColumns):
            keys = KeyColumns.from_keys(DiagnosisKey(key.key, key.start, key.period) for key in keys)
        return list(self._search.match(keys))


class _NativeSearch:
    """The index in the memory of `_kernel.c`."""

    def __init__(
        self, kernel: Kernel, processor: int, identifiers: bytes, width: int, seconds: "array[int] | None", late: range
    ) -> None:
        self._kernel = kernel
        self._processor = processor
        self._index: NativeIndex = kernel.index(
            identifiers, width, None if seconds is None else seconds.tobytes(), late
        )

    def match(self, keys: KeyColumns) -> Iterator[Match]:
        numbers = self._kernel.search(
            self._index, keys.keys, keys.starts.tobytes(), keys.periods.tobytes(), self._processor
        )
        return map(Match, numbers[0::3], numbers[1::3], numbers[2::3])


class _PlainSearch:
    """The index in Python, for machines without the native matcher."""

    def __init__(self, identifiers: bytes, width: int, seconds: "array[int] | None", late: range) -> None:
        self._late = late
        self._sighting_intervals = None if seconds is None else [second // SECONDS_PER_INTERVAL for second in seconds]
        self._rows: dict[bytes, list[int]] = defaultdict(list)
        for row, at in enumerate(range(0, len(identifiers), width)):
            self._rows[identifiers[at : at + IDENTIFIER_LENGTH]].append(row)
        self._first_words = frozenset(_first_words(identifiers, width))
        # Intervals with a sighting, so that the identifiers of other days need not be derived.
        self._intervals = None if self._sighting_intervals is None else sorted(set(self._sighting_intervals))

    def match(self, keys: KeyColumns) -> Iterator[Match]:
        for row, (start, period) in enumerate(zip(keys.starts, keys.periods, strict=True)):
            count = _identifier_count(start, period)
            if not count or not self._is_possible(start, count):
                continue
            identifiers = identifier_bytes(keys.key(row), start, count)
            if not self._first_words.isdisjoint(_first_words(identifiers)):
                yield from self._compare(row, start, identifiers)

    def _is_possible(self, start: int, count: int) -> bool:
        """Whether the time of any sighting can match an identifier of these intervals."""
        if self._intervals is None:
            return True
        place = bisect_left(self._intervals, start + self._late[0])
        return place < len(self._intervals) and self._intervals[place] < start + count + self._late[-1]

    def _compare(self, key_row: int, start: int, identifiers: bytes) -> Iterator[Match]:
        for at in range(0, len(identifiers), IDENTIFIER_LENGTH):
            interval = start + at // IDENTIFIER_LENGTH
            for row in self._rows.get(identifiers[at : at + IDENTIFIER_LENGTH], ()):
                if self._sighting_intervals is None or self._sighting_intervals[row] - interval in self._late:
                    yield Match(key_row, interval, row)


def is_within_tolerance(interval: int, unix_seconds: float) -> bool:
    """Whether a phone's own sighting matches in time: one interval before to two after that of its identifier."""
    return int(unix_seconds // SECONDS_PER_INTERVAL) - interval in ON_HANDSET


def _whole(unix_seconds: Iterable[float]) -> "array[int]":
    """Return the seconds rounded down, as an array of type "q"."""
    if isinstance(unix_seconds, array) and unix_seconds.typecode == "q":
        return unix_seconds
    return array("q", map(math.floor, unix_seconds))


def _first_words(identifiers: bytes, width: int = IDENTIFIER_LENGTH) -> list[int]:
    return memoryview(identifiers).cast("I")[:: width // 4].tolist()


def _identifier_count(start: int, period: int) -> int:
    """Return how many identifiers a key has, 0..144; 0 if its start or period is out of range."""
    count = min(max(period, 0), INTERVALS_PER_KEY)
    return count if 0 <= start < 2**32 - count else 0
