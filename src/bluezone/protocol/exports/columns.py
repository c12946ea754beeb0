# SPDX-License-Identifier: Apache-2.0
"""The keys of an export file as numpy columns, the form that the matcher needs.

The native reader takes files as all known servers write them. Without it, and for anything unusual, all key messages
are read in step, one field of each at a time: whatever the order of the fields and whatever stands between them.

Source: docs/exposure-notification.md section 2 (message TemporaryExposureKey).
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bluezone.protocol.exports.wire import (
    DELIMITED,
    FIXED32,
    FIXED64,
    LONGEST_VARINT,
    VARINT,
    InvalidExport,
    read_varint,
)
from bluezone.protocol.keys import INTERVALS_PER_KEY, KEY_LENGTH, DiagnosisKey

# Outside int32, so no file can hold it.
ABSENT = 2**31
# Real keys have at most 8 fields. Without a bound a hostile file could make the readers step a million times.
MOST_FIELDS_PER_KEY = 64
# Tag, length and the 16 bytes of a key.
SHORTEST_KEY_MESSAGE = 2 + KEY_LENGTH
# Messages read in step; their positions and values stay in the cache.
STEP_SIZE = 32_768

KEY_TAG, REVISED_KEY_TAG = 7 << 3 | DELIMITED, 8 << 3 | DELIMITED

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class KeyColumns:
    """Diagnosis keys, row i of each column for key i, as the file has them.

    keys:    shape (n, 16), dtype uint8.
    starts, periods: shape (n,), dtype int64, not checked; an absent period is 144.
    report_types, days_since_onset, transmission_risk_levels: shape (n,), dtype int64, ABSENT where not given.
    """

    keys: NDArray[np.uint8]
    starts: Integers
    periods: Integers
    report_types: Integers
    days_since_onset: Integers
    transmission_risk_levels: Integers

    def __len__(self) -> int:
        return len(self.keys)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the keys of several files, at least one, one file after the other."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))

    def diagnosis_keys(self) -> tuple[DiagnosisKey, ...]:
        """Return one object per key."""
        rows = self.keys.tobytes()
        keys = [rows[i : i + KEY_LENGTH] for i in range(0, len(rows), KEY_LENGTH)]
        optional = [
            [None if value == ABSENT else value for value in column.tolist()]
            for column in (self.report_types, self.days_since_onset, self.transmission_risk_levels)
        ]
        return tuple(map(DiagnosisKey, keys, self.starts.tolist(), self.periods.tolist(), *optional))


class UnusualKeys(Exception):
    """Key messages that the native reader leaves to `NumpyKeys`."""


class NativeKeys:
    """Keys of a file read by `_kernel.c`, as every known server writes them."""

    def __init__(self, module: Any, data: bytes) -> None:
        self._module, self._data = module, data
        self._parts: tuple[list[KeyColumns], list[KeyColumns]] = ([], [])

    def read(self, position: int) -> int:
        """Read the key messages that follow one another from `position` on; return the position after them.

        Raises UnusualKeys.
        """
        answer = self._module.read_keys(self._data, position, ABSENT)
        if answer is None:
            raise UnusualKeys
        end: int = answer[0]
        for parts, (keys, numbers) in zip(self._parts, answer[1:], strict=True):
            columns = np.frombuffer(numbers, dtype=np.int64).reshape(5, -1)
            parts.append(KeyColumns(np.frombuffer(keys, dtype=np.uint8).reshape(-1, KEY_LENGTH), *columns))
        return end

    def columns(self) -> tuple[KeyColumns, KeyColumns]:
        """Return the keys and the revised keys."""
        keys, revised = self._parts
        return KeyColumns.joined(keys), KeyColumns.joined(revised)


class NumpyKeys:
    """Keys of a file read in step with numpy, whatever order and fields they have."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._keys, self._revised_keys = KeyPlaces(), KeyPlaces()
        self._places_by_tag = {KEY_TAG: self._keys, REVISED_KEY_TAG: self._revised_keys}

    def read(self, position: int) -> int:
        """Note the key messages from `position` on; return the position after them. Raises InvalidExport."""
        return read_key_places(self._data, position, self._places_by_tag)

    def columns(self) -> tuple[KeyColumns, KeyColumns]:
        """Return the keys and the revised keys. Raises InvalidExport."""
        return read_key_columns(self._data, self._keys), read_key_columns(self._data, self._revised_keys)


class KeyPlaces:
    """Where the key messages of a file lie: starts[i] and ends[i] for message i."""

    def __init__(self) -> None:
        self.starts, self.ends = array("q"), array("q")


def read_key_places(data: bytes, position: int, places_by_tag: Mapping[int, KeyPlaces]) -> int:
    """Note the key messages that follow one another from `position` on; return the position after them.

    places_by_tag: where to note messages, by the one-byte tag of their field.
    Raises InvalidExport when a message is cut off or too short to hold a key.
    """
    end = len(data)
    while position < end and (places := places_by_tag.get(data[position])) is not None:
        length, start = read_varint(data, position + 1, end)
        position = start + length
        if length < SHORTEST_KEY_MESSAGE or position > end:
            raise InvalidExport(f"key message of {length} bytes at byte {start} of {end}")
        places.starts.append(start)
        places.ends.append(position)
    return position


def read_key_columns(data: bytes, places: KeyPlaces) -> KeyColumns:
    """Read the key messages of `data` that lie at `places` into columns.

    Raises InvalidExport when one is malformed, holds over 64 fields, or has no key of 16 bytes.
    """
    # Gathers may look a few bytes past a message before its bounds are checked.
    buffer = np.frombuffer(data + bytes(2 * KEY_LENGTH), dtype=np.uint8)
    starts, ends = np.array(places.starts, dtype=np.int64), np.array(places.ends, dtype=np.int64)
    parts = [
        _Reading(buffer, starts[row : row + STEP_SIZE], ends[row : row + STEP_SIZE]).columns()
        for row in range(0, max(len(starts), 1), STEP_SIZE)
    ]
    return KeyColumns(*(np.concatenate(column) for column in zip(*parts, strict=True)))


class _Reading:
    """Key messages being read in step: `rows` are those not yet at their end, `positions` where they stand."""

    def __init__(self, buffer: NDArray[np.uint8], starts: Integers, ends: Integers) -> None:
        self._buffer = buffer
        self._positions = starts.copy()
        self._ends = ends
        count = len(starts)
        self._key_positions = np.full(count, -1, dtype=np.int64)
        self._starts = np.zeros(count, dtype=np.int64)
        self._periods = np.full(count, INTERVALS_PER_KEY, dtype=np.int64)
        self._report_types, self._onsets, self._levels = (np.full(count, ABSENT, dtype=np.int64) for _ in range(3))

    def columns(self) -> tuple[NDArray[Any], ...]:
        for _ in range(MOST_FIELDS_PER_KEY):
            rows = np.flatnonzero(self._positions < self._ends)
            if not len(rows):
                break
            self._read_field(rows)
        else:
            if (self._positions < self._ends).any():
                raise InvalidExport(f"a key has over {MOST_FIELDS_PER_KEY} fields")
        if (self._key_positions < 0).any():
            raise InvalidExport("a key message holds no key")
        keys = self._buffer[self._key_positions[:, None] + np.arange(KEY_LENGTH)]
        return keys, self._starts, self._periods, self._report_types, self._onsets, self._levels

    def _read_field(self, rows: Integers) -> None:
        tags = self._varints(rows)
        wires, numbers = tags & 7, tags >> 3
        if (numbers < 1).any() or not np.isin(wires, (VARINT, FIXED64, DELIMITED, FIXED32)).all():
            raise InvalidExport("a key message holds a field that cannot be")
        values = np.zeros(len(rows), dtype=np.int64)
        counted = (wires == VARINT) | (wires == DELIMITED)
        values[counted] = self._varints(rows[counted])
        self._keep(rows, numbers << 3 | wires, values)
        width = np.where(wires == DELIMITED, values, np.where(wires == FIXED64, 8, np.where(wires == FIXED32, 4, 0)))
        positions = self._positions[rows]
        if ((width < 0) | (width > self._ends[rows] - positions)).any():
            raise InvalidExport("a key message ends inside a field")
        self._positions[rows] = positions + width

    def _keep(self, rows: Integers, tags: Integers, values: Integers) -> None:
        key = tags == (1 << 3 | DELIMITED)
        if (values[key] != KEY_LENGTH).any():
            raise InvalidExport(f"a key is not {KEY_LENGTH} bytes")
        self._key_positions[rows[key]] = self._positions[rows[key]]
        numbers = (values & 0xFFFF_FFFF).astype(np.uint32).view(np.int32).astype(np.int64)
        columns = {2: self._levels, 3: self._starts, 4: self._periods, 5: self._report_types}
        for number, column in columns.items():
            chosen = tags == (number << 3 | VARINT)
            column[rows[chosen]] = numbers[chosen]
        chosen = tags == (6 << 3 | VARINT)
        zigzag = values[chosen] & 0xFFFF_FFFF
        self._onsets[rows[chosen]] = (zigzag >> 1) ^ -(zigzag & 1)

    def _varints(self, rows: Integers) -> Integers:
        """Read one varint at each row's position and step over it."""
        values = np.zeros(len(rows), dtype=np.int64)
        unread = np.arange(len(rows))
        for index in range(LONGEST_VARINT):
            places = self._positions[rows[unread]]
            if (places >= self._ends[rows[unread]]).any():
                raise InvalidExport("a key message ends inside a number")
            read = self._buffer[places].astype(np.int64)
            # The tenth byte holds bit 63 only; what lies above is dropped as everywhere in protobuf.
            values[unread] |= (read & 0x7F) << (7 * index)
            self._positions[rows[unread]] = places + 1
            unread = unread[read >= 0x80]
            if not len(unread):
                return values
        raise InvalidExport(f"a number in a key message is longer than {LONGEST_VARINT} bytes")
