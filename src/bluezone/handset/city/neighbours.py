# SPDX-License-Identifier: Apache-2.0
"""Neighbours: other cities, and servers of other makers, that this phone follows in addition to its own city.

The phone's own city names its neighbours in the signed config. Each has a separate history on the phone, so that it
cannot affect the history of the phone's city. Source: docs/protocol.md section 5, "Neighbours"; docs/privacy.md.
"""

import hashlib
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from bluezone.handset.city.config import CityConfig
from bluezone.handset.city.histories import Downloads, FileUntrusted, VenuePackages, revoked_codes
from bluezone.handset.client import MAX_EXPORT_BYTES, Client, ServerUnreachable
from bluezone.handset.clocks import PhoneTime
from bluezone.handset.store import Part, Store
from bluezone.protocol.exports.files import Export, read_export, verify_export
from bluezone.protocol.intervals import SECONDS_PER_DAY
from bluezone.protocol.primitives import read_p256_pem
from bluezone.protocol.signed.config import Config, Neighbour
from bluezone.refusal import Refused

# How long after leaving a city a person who was met there may still report.
AFTER_LEAVING_SECONDS = 14 * SECONDS_PER_DAY
# The limits for one neighbour in one check: several times the files of a usual city in two weeks. Later checks fetch
# the remaining files.
MOST_SECONDS = 300.0
MOST_BYTES = 16 * 1024 * 1024
MOST_LIST_BYTES = 256 * 1024
MOST_LISTED = 2000
MOST_NAME_LENGTH = 200
RECORDS = "neighbours"

File = tuple[Export | bytes, Callable[[], None]]
"""An export file or venue package, and a function to call in the transaction that stores its matches."""


class NeighbourUnknown(Refused):
    """The city's config names no such neighbour."""

    code = "neighbour_unknown"


@dataclass(frozen=True, slots=True)
class NeighbourStatus:
    """Whether and how this phone follows a neighbour.

    is_followed: whether the owner chose it, or the city chose it for every phone.
    until:       Unix seconds at which following ends, None for no end.
    checked_at:  time of the last successful check, None for never.
    problem:     code of the refusal of the last check, None if it was successful.
    """

    neighbour: Neighbour
    is_followed: bool
    until: float | None
    checked_at: float | None
    problem: str | None


class Neighbours:
    """The neighbours of one city, and which of them this phone follows."""

    def __init__(self, store: Store, city: CityConfig, time: PhoneTime) -> None:
        self._store = store
        self._city = city
        self._time = time
        self._reading = threading.Lock()

    def all(self) -> list[NeighbourStatus]:
        """Return the status of each neighbour in the city's config, in the order of the config."""
        records = self._records()
        now = self._time.now()
        return [_status(neighbour, records.get(neighbour.id, {}), now) for neighbour in self._configured()]

    def follow(self, id: str) -> None:
        """Follow a neighbour: the owner was there, or goes there. Raises NeighbourUnknown."""
        self._choose(id, {"wanted": True, "left": None})

    def leave(self, id: str) -> None:
        """Follow a neighbour for two more weeks only: the owner is back for good. Raises NeighbourUnknown."""
        self._choose(id, {"wanted": True, "left": self._time.now()})

    def forget(self, id: str) -> None:
        """Stop following a neighbour where the owner never was; erase everything stored about it before returning.

        A running check stops after the file that it is fetching. Exposures remain. A neighbour that the city chose for
        everybody is still followed. Raises NeighbourUnknown.
        """
        self._choose(id, {"wanted": False, "left": None})
        with self._reading:
            self._tidy()

    def new_files(self) -> Generator[tuple[Neighbour, Iterator[File]]]:
        """Yield each followed neighbour with its new files, oldest first; fetching them raises as Downloads.

        First erases the data of neighbours that are no longer followed. Yields nothing while another thread iterates.
        A caller that stops before the end must close the generator: it holds a lock for which `forget` waits.
        """
        if not self._reading.acquire(blocking=False):
            return
        try:
            self._tidy()
            for status in self.all():
                if status.is_followed:
                    part = _part(self._store, self._record_of(status.neighbour.id))
                    yield status.neighbour, self._new_files(status.neighbour, part)
        finally:
            self._reading.release()

    def _tidy(self) -> None:
        followed_ids = {status.neighbour.id for status in self.all() if status.is_followed}
        records = self._records()
        for id in records.keys() - followed_ids:
            with self._store.transaction():
                _part(self._store, records.pop(id)).clear()
                self._store.put(RECORDS, records or None)

    def note_check(self, id: str, problem: str | None) -> None:
        """Store how a check of a neighbour ended: the code of a refusal, or None."""
        records = self._records()
        records[id]["problem"] = problem
        if problem is None:
            records[id]["checked_at"] = self._time.now()
        self._store.put(RECORDS, records)

    def _new_files(self, neighbour: Neighbour, part: Part) -> Iterator[File]:
        client = Client(neighbour.address, most_seconds=MOST_SECONDS, most_bytes=MOST_BYTES)
        now = self._time.now()
        age_seconds = now - self._store.get("installed_at", now)
        if neighbour.key:
            files = _files_of_city(neighbour, part, client, self._city, age_seconds)
        else:
            files = _files_of_other_maker(neighbour, part, client)
        for file in files:
            if not any(status.is_followed for status in self.all() if status.neighbour.id == neighbour.id):
                return
            yield file
            # The time includes matching the file, which the caller does during the yield.
            if client.is_out_of_time:
                raise ServerUnreachable(f"{neighbour.address} took over {MOST_SECONDS:g} s; the rest comes later")

    def cities(self) -> Iterator[tuple[Config, frozenset[str]]]:
        """Yield config and revoked venue codes of each neighbouring city, if this phone has its config."""
        records = self._records()
        for status in self.all():
            if not status.neighbour.key or status.neighbour.id not in records:
                continue
            part = _part(self._store, records[status.neighbour.id])
            config = _city_config(part, Client(status.neighbour.address), self._city).current
            if config is not None:
                yield config, revoked_codes(part)

    def _configured(self) -> tuple[Neighbour, ...]:
        config = self._city.current
        return config.neighbours if config else ()

    def _records(self) -> dict[str, dict[str, Any]]:
        records: dict[str, dict[str, Any]] = self._store.get(RECORDS, {})
        return records

    def _choose(self, id: str, choice: dict[str, Any]) -> None:
        if all(neighbour.id != id for neighbour in self._configured()):
            raise NeighbourUnknown(f"the city names no neighbour {id!r}")
        with self._store.transaction():
            self._record_of(id)
            records = self._records()
            records[id] |= choice
            self._store.put(RECORDS, records)

    def _record_of(self, id: str) -> dict[str, Any]:
        """Return the record of a neighbour, which is created if there is none."""
        records = self._records()
        if id not in records:
            used_slots = {record["slot"] for record in records.values()}
            records[id] = {"slot": next(slot for slot in range(len(used_slots) + 1) if slot not in used_slots)}
            self._store.put(RECORDS, records)
        return records[id]


def _status(neighbour: Neighbour, record: dict[str, Any], now: float) -> NeighbourStatus:
    left_at = record.get("left")
    until = None if left_at is None or neighbour.everybody else left_at + AFTER_LEAVING_SECONDS
    is_followed = neighbour.everybody or (record.get("wanted", False) and (until is None or now < until))
    return NeighbourStatus(neighbour, is_followed, until, record.get("checked_at"), record.get("problem"))


def _part(store: Store, record: dict[str, Any]) -> Part:
    # Names in the store are in clear text, so they have a number instead of the neighbour's id.
    return Part(store, f"neighbour-{record['slot']}:")


def _city_config(part: Part, client: Client, own: CityConfig) -> CityConfig:
    return CityConfig(part, client, own.trusted_now, own.clock)


def _files_of_city(
    neighbour: Neighbour, part: Part, client: Client, own: CityConfig, age_seconds: float
) -> Iterator[File]:  # fmt: skip
    """Yield new files of another city, followed like the phone's own city, but without checks of the public log."""
    city = _city_config(part, client, own)
    city.pin(bytes.fromhex(neighbour.key))
    downloads = Downloads(part, client, city)
    index, config, entries = downloads.follow()
    for entry in downloads.entries_before_epoch(index):
        yield downloads.fetch(entry, config), lambda: None
    for entry in entries:
        yield downloads.fetch(entry, config), partial(downloads.note_matched, entry)
    downloads.note_rescanned()
    downloads.note_complete(index)
    yield from VenuePackages(part, client, city).fetch_new(age_seconds)


def _files_of_other_maker(neighbour: Neighbour, part: Part, client: Client) -> Iterator[File]:
    """Yield new files of another maker's server. Its list is not signed, so a missing file cannot be noticed."""
    listed = client.get(neighbour.index, MOST_LIST_BYTES).decode("ascii", "replace").split()
    names = [name for name in dict.fromkeys(listed) if _is_path(name)][-MOST_LISTED:]
    digests = {name: hashlib.sha256(name.encode()).hexdigest()[:16] for name in names}
    seen = set(part.get("seen", [])) & set(digests.values())
    public = read_p256_pem(neighbour.export_key)

    def note(name: str) -> None:
        seen.add(digests[name])
        part.put("seen", sorted(seen))

    for name in names:
        if digests[name] in seen:
            continue
        export = read_export(client.get(f"/{name.lstrip('/')}", MAX_EXPORT_BYTES))
        if verify_export(export, public) != "verified":
            raise FileUntrusted(f"a file of {neighbour.address} is not signed by the key that the city names")
        if not export.end_timestamp:
            raise FileUntrusted(f"a file of {neighbour.address} does not say of which time it is")
        yield export, partial(note, name)


def _is_path(name: str) -> bool:
    parts = name.lstrip("/").split("/")
    return len(name) <= MOST_NAME_LENGTH and all(part and part.strip(".") and part.isprintable() for part in parts)
