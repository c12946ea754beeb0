# SPDX-License-Identifier: Apache-2.0
"""The phone's own keys, an independent one for each UTC day, and the payloads that it broadcasts from them.

Source: docs/protocol.md sections 1 and 4 ("Today's key").
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bluezone.handset.store import Store
from bluezone.protocol.identifiers import Metadata, crypt_metadata, rolling_proximity_identifier
from bluezone.protocol.intervals import day_at, interval_at
from bluezone.protocol.keys import INTERVALS_PER_KEY, TemporaryExposureKey, new_key

# The kinds of key: the first byte of a row, before the 16 bytes of the key.
OWN = b"\x00"  # may be uploaded
UPLOADED = b"\x01"  # was uploaded and is no longer used
REPLACEMENT = b"\x02"  # is used for the remainder of a day after an upload, and is never uploaded


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    kind: bytes
    key: TemporaryExposureKey


class DailyKeys:
    """Makes and stores the keys. Days are UTC days since 1970-01-01."""

    def __init__(self, store: Store, random_bytes: Callable[[int], bytes]) -> None:
        self._store = store
        self._random_bytes = random_bytes
        self._current: TemporaryExposureKey | None = None

    def key_of_day(self, day: int) -> TemporaryExposureKey:
        """Return the key to use on `day`; the first call generates and stores it."""
        if self._current is not None and self._current.day == day:
            return self._current
        with self._store.transaction():
            usable = [row.key for row in self._rows() if row.key.day == day and row.kind != UPLOADED]
            if usable:
                self._current = usable[-1]
            else:
                self._current = self._make(day, OWN)
        return self._current

    def payload(self, unix_seconds: float, metadata: Metadata) -> bytes:
        """Return identifier and encrypted metadata for the interval of `unix_seconds`, 20 bytes."""
        key = self.key_of_day(day_at(unix_seconds)).key
        identifier = rolling_proximity_identifier(key, interval_at(unix_seconds))
        return identifier + crypt_metadata(key, identifier, metadata.to_bytes())

    def reportable_keys(self, today: int) -> dict[int, TemporaryExposureKey]:
        """Return the keys that a report may contain, by day: those of kind OWN, up to today."""
        return {row.key.day: row.key for row in self._rows() if row.kind == OWN and row.key.day <= today}

    def stored_keys(self) -> set[bytes]:
        """Return every stored key, so that no key of this phone ever warns its owner."""
        return {row.key.key for row in self._rows()}

    def identifiers(self) -> "OwnIdentifiers":
        """Return the identifiers that this phone may have broadcast on the days with stored keys."""
        return OwnIdentifiers(row.key for row in self._rows())

    def mark_uploaded(self, keys: set[bytes], today: int) -> None:
        """Mark keys as uploaded; if today's key is one of them, replace it by a key that is never uploaded."""
        with self._store.transaction():
            for row in self._rows():
                if row.key.key in keys:
                    self._store.replace("daily_keys", row.number, row.key.day, UPLOADED + row.key.key)
                    if row.key.day == today:
                        self._current = self._make(today, REPLACEMENT)

    def remove_future(self, today: int) -> None:
        """Remove keys of days after `today`, which the phone generated while its clock was wrong."""
        with self._store.transaction():
            for row in self._rows():
                if row.key.day > today:
                    self._store.remove("daily_keys", row.number)
        self._current = None

    def _make(self, day: int, kind: bytes) -> TemporaryExposureKey:
        key = new_key(day, self._random_bytes)
        self._store.add("daily_keys", day, kind + key.key)
        return key

    def _rows(self) -> list[_Row]:
        return [
            _Row(number, contents[:1], TemporaryExposureKey(contents[1:], day * INTERVALS_PER_KEY))
            for number, day, contents in self._store.rows("daily_keys")
        ]


class OwnIdentifiers:
    """The identifiers that a phone broadcast, derived again from its keys."""

    # In intervals. A phone broadcasts an identifier for up to 20 minutes, and a neighbour includes it in its frames
    # until its next burst, up to a minute later. One interval is added at each end, because clocks differ.
    EARLIEST = -3
    LATEST = 1

    def __init__(self, keys: Iterable[TemporaryExposureKey]) -> None:
        self._keys: dict[int, list[bytes]] = {}
        for key in keys:
            self._keys.setdefault(key.day, []).append(key.key)
        self._of_interval: dict[int, list[bytes]] = {}

    def identifiers_near(self, unix_seconds: float) -> list[bytes]:
        """Return this phone's identifiers to which a frame heard at a moment may refer; [] without keys of that day."""
        now = interval_at(unix_seconds)
        identifiers: list[bytes] = []
        for interval in range(now + self.EARLIEST, now + self.LATEST + 1):
            identifiers += self._identifiers(interval)
        return identifiers

    def _identifiers(self, interval: int) -> list[bytes]:
        if interval not in self._of_interval:
            keys = self._keys.get(interval // INTERVALS_PER_KEY, [])
            self._of_interval[interval] = [rolling_proximity_identifier(key, interval) for key in keys]
        return self._of_interval[interval]
