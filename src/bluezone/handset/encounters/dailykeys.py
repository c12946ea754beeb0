# SPDX-License-Identifier: Apache-2.0
"""The phone's own keys: one a UTC day, independent of each other, and what is broadcast of them.

Source: docs/protocol.md sections 1 and 4 ("Today's key").
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bluezone.handset.store import Store
from bluezone.protocol.identifiers import Metadata, crypt_metadata, rolling_proximity_identifier
from bluezone.protocol.intervals import day_at, interval_at
from bluezone.protocol.keys import INTERVALS_PER_KEY, TemporaryExposureKey, new_key

# The byte before the 16 bytes of a key in its row.
OWN = b"\x00"  # may be uploaded
UPLOADED = b"\x01"  # was uploaded, is no longer used
REPLACEMENT = b"\x02"  # made after an upload for the rest of that day, never uploaded


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    kind: bytes
    key: TemporaryExposureKey


class DailyKeys:
    """Makes and keeps the keys. Days are UTC days since 1970-01-01."""

    def __init__(self, store: Store, random_bytes: Callable[[int], bytes]) -> None:
        self._store = store
        self._random_bytes = random_bytes
        self._current: TemporaryExposureKey | None = None

    def current(self, day: int) -> TemporaryExposureKey:
        """The key in use on `day`, made and stored the first time it is asked for."""
        if self._current is not None and self._current.day == day:
            return self._current
        with self._store.transaction():
            usable = [row.key for row in self._rows() if row.key.day == day and row.kind != UPLOADED]
            self._current = usable[-1] if usable else self._make(day, OWN)
        return self._current

    def payload(self, unix_seconds: float, metadata: Metadata) -> bytes:
        """Identifier and encrypted metadata for the interval of `unix_seconds`, 20 bytes."""
        key = self.current(day_at(unix_seconds)).key
        identifier = rolling_proximity_identifier(key, interval_at(unix_seconds))
        return identifier + crypt_metadata(key, identifier, metadata.to_bytes())

    def reportable(self, today: int) -> dict[int, TemporaryExposureKey]:
        """The keys that a report may contain, by day: own, not yet uploaded, of today or before."""
        return {row.key.day: row.key for row in self._rows() if row.kind == OWN and row.key.day <= today}

    def own(self) -> set[bytes]:
        """Every own key that is still stored, so that the phone never warns of itself."""
        return {row.key.key for row in self._rows()}

    def identifiers(self) -> "OwnIdentifiers":
        """What this phone may have broadcast, as far back as its keys are stored."""
        return OwnIdentifiers(row.key for row in self._rows())

    def uploaded(self, keys: set[bytes], today: int) -> None:
        """Mark keys as uploaded; if today's is among them, a key that is never uploaded takes its place at once."""
        with self._store.transaction():
            for row in self._rows():
                if row.key.key in keys:
                    self._store.replace("daily_keys", row.number, row.key.day, UPLOADED + row.key.key)
                    if row.key.day == today:
                        self._current = self._make(today, REPLACEMENT)

    def drop_future(self, today: int) -> None:
        """Remove keys of days that have not come: they were made under a wrong clock."""
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
    """The identifiers that a phone broadcast, derived anew from its keys."""

    # One is on the air for up to 20 minutes, and a neighbour tells of it until its next burst, up to a minute later.
    # One interval more, because clocks differ.
    EARLIEST, LATEST = -3, 1

    def __init__(self, keys: Iterable[TemporaryExposureKey]) -> None:
        self._keys: dict[int, list[bytes]] = {}
        for key in keys:
            self._keys.setdefault(key.day, []).append(key.key)
        self._of_interval: dict[int, list[bytes]] = {}

    def around(self, unix_seconds: float) -> list[bytes]:
        """Those that a neighbour may tell of in a frame heard at a moment; none if no key of that day is left."""
        interval = interval_at(unix_seconds)
        return [
            identifier
            for one in range(interval + self.EARLIEST, interval + self.LATEST + 1)
            for identifier in self._identifiers(one)
        ]

    def _identifiers(self, interval: int) -> list[bytes]:
        if interval not in self._of_interval:
            keys = self._keys.get(interval // INTERVALS_PER_KEY, [])
            self._of_interval[interval] = [rolling_proximity_identifier(key, interval) for key in keys]
        return self._of_interval[interval]
