# SPDX-License-Identifier: Apache-2.0
"""Finds which published keys made the identifiers that a phone has heard.

The native matcher (`_kernel.c`, optional) does all of it in one call without Python's lock; without it Python does the
same, some thirty times slower: identifiers are derived key by key, and those of a key are looked up at once by their
first four bytes; only the one key in a thousand that passes is looked at closely.

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
from bluezone.protocol.kernel import Index, Kernel, native
from bluezone.protocol.keys import INTERVALS_PER_KEY, DiagnosisKey, InvalidKey, TemporaryExposureKey

# How many intervals after that of its identifier a sighting may be: an imported one lies within two hours; a phone
# keeps an identifier up to 20 minutes, so one is heard two intervals late, and none early but for a clock that is off.
IMPORTED = range(-12, 13)
ON_HANDSET = range(-1, 3)


class Match(NamedTuple):
    """A key and a sighting of an identifier that it made.

    key_row:      which key, as a row of what was searched.
    interval:     the interval number whose identifier was heard.
    sighting_row: which sighting, as a row of the index.
    """

    key_row: int
    interval: int
    sighting_row: int


class SightingIndex:
    """Identifiers a phone has heard, ready for looking up keys."""

    def __init__(
        self,
        identifiers: bytes,
        unix_seconds: Iterable[float] | None = None,
        late: range = IMPORTED,
        processor: str | None = None,
        width: int = IDENTIFIER_LENGTH,
    ) -> None:
        """identifiers: `width` bytes to a sighting, which begin with its 16 of identifier; repeats allowed.

        unix_seconds: when each was heard, or None: then an identifier matches whenever it was heard; quickest as an
                      array of whole ones, type "q".
        late:         how many intervals after its identifier's own a sighting may be, within 4096, step 1.
        processor:    see `kernel.chosen`.
        width:        16 or a larger multiple of 4. Raises InvalidKey for other sizes, ProcessorMissing.
        """
        self._count, odd = divmod(len(identifiers), width)
        if odd or width < IDENTIFIER_LENGTH or width % 4:
            raise InvalidKey(f"identifiers are {len(identifiers)} bytes, expected a multiple of {width}")
        seconds = None if unix_seconds is None else _whole(unix_seconds)
        if seconds is not None and len(seconds) != self._count:
            raise InvalidKey(f"{self._count} identifiers have {len(seconds)} times")
        chosen = native(processor)
        self._looking: _NativeLooking | _PlainLooking
        if chosen is None:
            self._looking = _PlainLooking(identifiers, width, seconds, late)
        else:
            self._looking = _NativeLooking(*chosen, identifiers, width, seconds, late)

    def __len__(self) -> int:
        return self._count

    @property
    def kernel(self) -> str:
        """Which implementation looks keys up: "native" or "python"."""
        return "python" if isinstance(self._looking, _PlainLooking) else "native"

    def find(self, keys: KeyColumns | Sequence[TemporaryExposureKey | DiagnosisKey]) -> list[Match]:
        """Return every pair of key and sighting whose identifiers are equal and whose times agree.

        They are ordered by key row, then interval, then sighting row. A key makes only the identifiers of its rolling
        period, at most 144; one whose start or period is out of range (other servers' files may hold such) makes none.
        """
        if not isinstance(keys, KeyColumns):
            keys = KeyColumns.of(DiagnosisKey(key.key, key.start, key.period) for key in keys)
        return list(self._looking.find(keys))


class _NativeLooking:
    """The index in the memory of `_kernel.c`."""

    def __init__(
        self, kernel: Kernel, processor: int, identifiers: bytes, width: int, seconds: "array[int] | None", late: range
    ) -> None:
        self._kernel, self._processor = kernel, processor
        self._index: Index = kernel.index(identifiers, width, None if seconds is None else seconds.tobytes(), late)

    def find(self, keys: KeyColumns) -> Iterator[Match]:
        found = self._kernel.search(
            self._index, keys.keys, keys.starts.tobytes(), keys.periods.tobytes(), self._processor
        )
        return map(Match, found[0::3], found[1::3], found[2::3])


class _PlainLooking:
    """The index in Python, for machines without the native matcher."""

    def __init__(self, identifiers: bytes, width: int, seconds: "array[int] | None", late: range) -> None:
        self._late = late
        self._sighted = None if seconds is None else [second // SECONDS_PER_INTERVAL for second in seconds]
        self._rows: dict[bytes, list[int]] = defaultdict(list)
        for row, at in enumerate(range(0, len(identifiers), width)):
            self._rows[identifiers[at : at + IDENTIFIER_LENGTH]].append(row)
        self._first_words = frozenset(_first_words(identifiers, width))
        # Intervals in which something was heard, so that keys of other days need not be derived.
        self._intervals = None if self._sighted is None else sorted(set(self._sighted))

    def find(self, keys: KeyColumns) -> Iterator[Match]:
        for row, (start, period) in enumerate(zip(keys.starts, keys.periods, strict=True)):
            count = _count(start, period)
            if not count or not self._is_possible(start, count):
                continue
            identifiers = identifier_bytes(keys.key(row), start, count)
            if not self._first_words.isdisjoint(_first_words(identifiers)):
                yield from self._compare(row, start, identifiers)

    def _is_possible(self, start: int, count: int) -> bool:
        """Whether anything was heard when identifiers of `count` intervals from `start` on may be heard."""
        if self._intervals is None:
            return True
        place = bisect_left(self._intervals, start + self._late[0])
        return place < len(self._intervals) and self._intervals[place] < start + count + self._late[-1]

    def _compare(self, key_row: int, start: int, identifiers: bytes) -> Iterator[Match]:
        for at in range(0, len(identifiers), IDENTIFIER_LENGTH):
            interval = start + at // IDENTIFIER_LENGTH
            for row in self._rows.get(identifiers[at : at + IDENTIFIER_LENGTH], ()):
                if self._sighted is None or self._sighted[row] - interval in self._late:
                    yield Match(key_row, interval, row)


def on_handset(interval: int, unix_seconds: float) -> bool:
    """Tell whether a sighting lies in intervals j-1 .. j+2 of its identifier: the rule for a phone's own sightings."""
    return int(unix_seconds // SECONDS_PER_INTERVAL) - interval in ON_HANDSET


def _whole(unix_seconds: Iterable[float]) -> "array[int]":
    """Seconds rounded down."""
    if isinstance(unix_seconds, array) and unix_seconds.typecode == "q":
        return unix_seconds
    return array("q", map(math.floor, unix_seconds))


def _first_words(identifiers: bytes, width: int = IDENTIFIER_LENGTH) -> list[int]:
    return memoryview(identifiers).cast("I")[:: width // 4].tolist()


def _count(start: int, period: int) -> int:
    count = min(max(period, 0), INTERVALS_PER_KEY)
    return count if 0 <= start < 2**32 - count else 0
