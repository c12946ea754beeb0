# SPDX-License-Identifier: Apache-2.0
"""A phone that only follows its city: config, indexes and files, with the checks of every phone.

It has no radio, reports nothing, sends nothing, and appears in no figure. `serve` and `bluezone drill` run one.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bluezone.handset.city.config import CityConfig
from bluezone.handset.city.histories import MAX_PACKAGE_BYTES, Downloads, IndexFollower
from bluezone.handset.client import Client
from bluezone.handset.clocks import Clock
from bluezone.handset.store import NamedValues
from bluezone.protocol.exports.files import Export
from bluezone.protocol.signed.index import EXPORTS, VENUES


class MemoryValues:
    """The values of a phone in memory: a full disk cannot stop it. stored: those of an earlier run."""

    def __init__(self, stored: Mapping[str, Any] | None = None) -> None:
        self._texts = {name: json.dumps(value) for name, value in (stored or {}).items()}

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One atomic change; may be nested."""
        before = dict(self._texts)
        try:
            yield
        except BaseException:
            self._texts = before
            raise

    def get(self, name: str, default: Any = None) -> Any:
        """The JSON value stored under `name`, or `default`."""
        return json.loads(self._texts[name]) if name in self._texts else default

    def put(self, name: str, value: Any) -> None:
        """Store a JSON value under `name`; None removes it."""
        if value is None:
            self._texts.pop(name, None)
        else:
            self._texts[name] = json.dumps(value)

    def all(self) -> dict[str, Any]:
        """All values, for the next run."""
        return {name: json.loads(text) for name, text in self._texts.items()}


class CanaryPhone:
    """A phone that follows one city.

    values: what it has stored. trust: the city's key, 32 bytes. clock: the phone's own.
    first_files: how many of the newest files of each kind it fetches when it is new, None for all.
    newest: the newest export file that it has received in this run, None before the first.
    """

    def __init__(self, values: NamedValues, trust: bytes, clock: Clock, first_files: int | None = None) -> None:
        self._values = values
        self._trust = trust
        self._clock = clock
        self._first_files = first_files
        self.newest: Export | None = None

    def follow(self, client: Client) -> dict[str, int]:
        """Fetch new files; returns the number of the newest file by kind. Raises Refused as a phone does."""
        city = CityConfig(self._values, client, self._clock.wall_seconds, self._clock)
        city.pin(self._trust)
        config = city.update()
        exports = Downloads(self._values, client, city)
        index, entries = exports.fetch_index(self._first_files)
        for entry in entries:
            self.newest = exports.fetch(entry, city.current or config)
            exports.note_matched(entry)
        exports.note_complete(index)
        venues = IndexFollower(self._values, client, city, VENUES)
        index, entries = venues.fetch_index(self._first_files)
        for entry in entries:
            venues.fetch_bytes(entry, MAX_PACKAGE_BYTES)
            venues.note_matched(entry)
        venues.note_complete(index)
        return {EXPORTS: exports.position.number, VENUES: venues.position.number}

    @property
    def started_over(self) -> bool:
        """Whether it could not continue its lists and had to start over."""
        return str(self._values.get("notice") or "").endswith("_missed")
