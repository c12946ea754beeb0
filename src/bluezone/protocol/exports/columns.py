# SPDX-License-Identifier: Apache-2.0
"""The keys of an export file as columns of numbers, the form that the matcher needs.

`NativeKeys` reads files as all known servers write them. `PlainKeys` reads all other valid files, with fields in any
order and unknown fields, and every file on machines without the native library.

Source: docs/exposure-notification.md section 2 (message TemporaryExposureKey).
"""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Self

from bluezone.protocol.exports.wire import (
    DELIMITED,
    VARINT,
    InvalidExport,
    int32,
    read_field,
    read_varint,
)
from bluezone.protocol.kernel import Kernel, KeysRead
from bluezone.protocol.keys import INTERVALS_PER_KEY, KEY_LENGTH, DiagnosisKey

# Outside int32, so no file can contain it.
ABSENT = 2**31
# Real keys have at most 8 fields. Without a limit, one key of a hostile file could have millions.
MOST_FIELDS_PER_KEY = 64
# Tag, length and the 16 bytes of a key.
SHORTEST_KEY_MESSAGE = 2 + KEY_LENGTH

KEY_TAG = 7 << 3 | DELIMITED
REVISED_KEY_TAG = 8 << 3 | DELIMITED

_Row = tuple[bytes, int, int, int, int, int]
"""One key, in the order of the columns."""


@dataclass(frozen=True, slots=True)
class KeyColumns:
    """Diagnosis keys as in a file; row i of each column is key i.

    keys:    16 bytes each.
    starts, periods: int64, not checked; a start missing in the file is 0, a missing period 144.
    report_types, days_since_onset, transmission_risk_levels: int64, ABSENT if not in the file.
    """

    keys: bytes
    starts: "array[int]"
    periods: "array[int]"
    report_types: "array[int]"
    days_since_onset: "array[int]"
    transmission_risk_levels: "array[int]"

    def __len__(self) -> int:
        return len(self.starts)

    def key(self, row: int) -> bytes:
        """Return the 16 bytes of one key."""
        return self.keys[KEY_LENGTH * row : KEY_LENGTH * (row + 1)]

    @classmethod
    def from_keys(cls, keys: Iterable[DiagnosisKey]) -> Self:
        """Return the columns of key objects."""
        keys = list(keys)
        optional = [
            array("q", [ABSENT if value is None else value for value in column])
            for column in (
                [key.report_type for key in keys],
                [key.days_since_onset for key in keys],
                [key.transmission_risk_level for key in keys],
            )
        ]
        return cls(
            b"".join([key.key for key in keys]),
            array("q", [key.start for key in keys]),
            array("q", [key.period for key in keys]),
            *optional,
        )

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """Return the keys of one or more files, one file after the other."""
        keys, *columns = ([getattr(part, field.name) for part in parts] for field in fields(cls))
        return cls(b"".join(keys), *(array("q", b"".join(column)) for column in columns))

    def diagnosis_keys(self) -> tuple[DiagnosisKey, ...]:
        """Return one object per key."""
        optional = [
            [None if value == ABSENT else value for value in column]
            for column in (self.report_types, self.days_since_onset, self.transmission_risk_levels)
        ]
        keys = map(self.key, range(len(self)))
        return tuple(map(DiagnosisKey, keys, self.starts, self.periods, *optional))


class UnusualKeys(Exception):
    """Key messages that `NativeKeys` cannot read, but `PlainKeys` may."""


class NativeKeys:
    """The keys of a file as every known server writes it, read by `_kernel.c`."""

    def __init__(self, kernel: Kernel, data: bytes) -> None:
        self._kernel = kernel
        self._data = data
        self._keys: list[KeyColumns] = []
        self._revised_keys: list[KeyColumns] = []

    def read(self, position: int) -> int:
        """Read the consecutive key messages from `position` on; return the position after them.

        Raises UnusualKeys.
        """
        answer = self._kernel.read_keys(self._data, position, ABSENT)
        if answer is None:
            raise UnusualKeys
        end, keys, revised = answer
        self._keys.append(_native_columns(keys))
        self._revised_keys.append(_native_columns(revised))
        return end

    def columns(self) -> tuple[KeyColumns, KeyColumns]:
        """Return the keys and the revised keys."""
        return KeyColumns.concatenate(self._keys), KeyColumns.concatenate(self._revised_keys)


class PlainKeys:
    """The keys of any valid file, read in Python: fields may be in any order and unknown."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._rows_by_tag: dict[int, list[_Row]] = {KEY_TAG: [], REVISED_KEY_TAG: []}

    def read(self, position: int) -> int:
        """Read the consecutive key messages from `position` on; return the position after them.

        Raises InvalidExport if a message is malformed or truncated, has over 64 fields, or has no key of 16 bytes.
        """
        end = len(self._data)
        while position < end and (rows := self._rows_by_tag.get(self._data[position])) is not None:
            length, start = read_varint(self._data, position + 1, end)
            position = start + length
            if length < SHORTEST_KEY_MESSAGE or position > end:
                raise InvalidExport(f"key message of {length} bytes at byte {start} of {end}")
            rows.append(_read_key(self._data, start, position))
        return position

    def columns(self) -> tuple[KeyColumns, KeyColumns]:
        """Return the keys and the revised keys."""
        return _columns(self._rows_by_tag[KEY_TAG]), _columns(self._rows_by_tag[REVISED_KEY_TAG])


def _native_columns(answer: KeysRead) -> KeyColumns:
    """Return the columns of one answer of the library, in which they follow one another."""
    width = len(answer.numbers) // 5
    columns = (array("q", answer.numbers[place * width : (place + 1) * width]) for place in range(5))
    return KeyColumns(answer.keys, *columns)


def _columns(rows: list[_Row]) -> KeyColumns:
    keys = b"".join([row[0] for row in rows])
    numbers = zip(*[row[1:] for row in rows], strict=True) if rows else [()] * 5
    return KeyColumns(keys, *(array("q", column) for column in numbers))


def _read_key(data: bytes, position: int, end: int) -> _Row:
    """Read the key message data[position:end]; the last one of a repeated field is returned."""
    key: bytes | None = None
    numbers = {2: ABSENT, 3: 0, 4: INTERVALS_PER_KEY, 5: ABSENT, 6: ABSENT}
    for _ in range(MOST_FIELDS_PER_KEY):
        if position >= end:
            break
        number, wire, value, position = read_field(data, position, end)
        if number == 1 and wire == DELIMITED:
            key = data[value:position]
            if len(key) != KEY_LENGTH:
                raise InvalidExport(f"a key is {len(key)} bytes, expected {KEY_LENGTH}")
        elif number in numbers and wire == VARINT:
            zigzag = value & 0xFFFF_FFFF
            numbers[number] = (zigzag >> 1) ^ -(zigzag & 1) if number == 6 else int32(value)
    else:
        if position < end:
            raise InvalidExport(f"a key has over {MOST_FIELDS_PER_KEY} fields")
    if key is None:
        raise InvalidExport("a key message holds no key")
    return key, numbers[3], numbers[4], numbers[5], numbers[6], numbers[2]
