# SPDX-License-Identifier: Apache-2.0
"""Other cities and other makers' servers whose files this phone follows beside those of its own city.

A neighbour is known by what the own city signs. Each has a history of its own on the phone, so that nothing it does
reaches that of the own city. Source: docs/protocol.md section 5, "Neighbours"; docs/privacy.md.
"""

import hashlib
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from bluezone.handset.city.config import CityConfig
from bluezone.handset.city.histories import Downloads, FileUntrusted, VenuePackages, withdrawn_codes
from bluezone.handset.client import MAX_EXPORT_BYTES, Client, ServerUnreachable
from bluezone.handset.clocks import PhoneTime
from bluezone.handset.store import Part, Store
from bluezone.protocol.exports.files import Export, read_export, verify_export
from bluezone.protocol.intervals import SECONDS_PER_DAY
from bluezone.protocol.primitives import read_p256_pem
from bluezone.protocol.signed.config import Config, Neighbour
from bluezone.refusal import Refused

# Whoever was met on the last day there may report for so long.
AFTER_LEAVING_SECONDS = 14 * SECONDS_PER_DAY
# What a neighbour's files may cost a phone at one check: several times what a usual city has in two weeks. The rest is
# taken in by later checks.
MOST_SECONDS, MOST_BYTES = 300.0, 16 * 1024 * 1024
MOST_LIST_BYTES = 256 * 1024
MOST_LISTED = 2000
MOST_NAME_LENGTH = 200
KEPT = "neighbours"

File = tuple[Export | bytes, Callable[[], None]]
"""A file or venue package to take in, and what notes that it was; call that in the transaction that keeps the rest."""


class NeighbourUnknown(Refused):
    """The own city's config names no such neighbour."""

    code = "neighbour_unknown"


@dataclass(frozen=True, slots=True)
class Followed:
    """How this phone stands to a neighbour.

    wanted: by its owner, or by the city for everybody; until: Unix seconds until which it is followed, None: no end.
    checked_at: when its files were looked for last with success, None for never; problem: code of a refusal since then.
    """

    neighbour: Neighbour
    wanted: bool
    until: float | None
    checked_at: float | None
    problem: str | None


class Neighbours:
    """The neighbours of one city, and which of them this phone follows."""

    def __init__(self, store: Store, city: CityConfig, time: PhoneTime) -> None:
        self._store, self._city, self._time = store, city, time
        self._reading = threading.Lock()

    def all(self) -> list[Followed]:
        """Those that the own city names, in its order."""
        kept, now = self._kept(), self._time.now()
        return [_standing(one, kept.get(one.id, {}), now) for one in self._named()]

    def follow(self, id: str) -> None:
        """The owner was there, or goes there. Raises NeighbourUnknown."""
        self._choose(id, wanted=True, left=None)

    def leave(self, id: str) -> None:
        """The owner is back for good: its files are followed for two weeks more. Raises NeighbourUnknown."""
        self._choose(id, wanted=True, left=self._time.now())

    def forget(self, id: str) -> None:
        """The owner was never there: nothing is asked any more, and all that is kept of it is erased before this ends.

        Files that are being fetched go no further than the one that is on its way. Meetings that were found stay. One
        that everybody follows goes on. Raises NeighbourUnknown.
        """
        self._choose(id, wanted=False, left=None)
        with self._reading:
            self._tidy()

    def files(self) -> Generator[tuple[Neighbour, Iterator[File]]]:
        """Each neighbour that is followed, with its new files, oldest first; fetching them raises as Downloads.

        None while somebody else goes through them. What is kept of those that are not followed any more is forgotten
        before. Close it when it is not gone through to its end: what is kept is forgotten only after.
        """
        if not self._reading.acquire(blocking=False):
            return
        try:
            self._tidy()
            for one in self.all():
                if one.wanted:
                    part = _part(self._store, self._slot(one.neighbour.id))
                    yield one.neighbour, self._new(one.neighbour, part)
        finally:
            self._reading.release()

    def _tidy(self) -> None:
        wanted = {one.neighbour.id for one in self.all() if one.wanted}
        kept = self._kept()
        for id in kept.keys() - wanted:
            with self._store.transaction():
                _part(self._store, kept.pop(id)).clear()
                self._store.put(KEPT, kept or None)

    def note(self, id: str, problem: str | None) -> None:
        """Keep how looking for files went."""
        kept = self._kept()
        kept[id]["problem"] = problem
        if problem is None:
            kept[id]["checked_at"] = self._time.now()
        self._store.put(KEPT, kept)

    def _new(self, neighbour: Neighbour, part: Part) -> Iterator[File]:
        client = Client(neighbour.address, most_seconds=MOST_SECONDS, most_bytes=MOST_BYTES)
        now = self._time.now()
        age_seconds = now - self._store.get("installed_at", now)
        of = (
            _of_city(neighbour, part, client, self._city, age_seconds)
            if neighbour.key
            else _of_other(neighbour, part, client)
        )
        for file in of:
            if not any(one.wanted for one in self.all() if one.neighbour.id == neighbour.id):
                return
            yield file
            # What is taken out of a file takes time too.
            if client.is_spent:
                raise ServerUnreachable(f"{neighbour.address} took over {MOST_SECONDS:g} s; the rest comes later")

    def cities(self) -> Iterator[tuple[Config, frozenset[str]]]:
        """Config and withdrawn venue codes of each other city that is followed, as far as this phone has them."""
        kept = self._kept()
        for one in self.all():
            if one.neighbour.key and one.neighbour.id in kept:
                part = _part(self._store, kept[one.neighbour.id])
                config = _followed(part, Client(one.neighbour.address), self._city).current
                if config is not None:
                    yield config, withdrawn_codes(part)

    def _named(self) -> tuple[Neighbour, ...]:
        config = self._city.current
        return config.neighbours if config else ()

    def _kept(self) -> dict[str, dict[str, Any]]:
        kept: dict[str, dict[str, Any]] = self._store.get(KEPT, {})
        return kept

    def _choose(self, id: str, **chosen: Any) -> None:
        if all(one.id != id for one in self._named()):
            raise NeighbourUnknown(f"the city names no neighbour {id!r}")
        with self._store.transaction():
            self._slot(id)
            kept = self._kept()
            kept[id] |= chosen
            self._store.put(KEPT, kept)

    def _slot(self, id: str) -> dict[str, Any]:
        """What is kept of a neighbour, begun where there is nothing yet."""
        kept = self._kept()
        if id not in kept:
            taken = {one["slot"] for one in kept.values()}
            kept[id] = {"slot": next(slot for slot in range(len(taken) + 1) if slot not in taken)}
            self._store.put(KEPT, kept)
        return kept[id]


def _standing(neighbour: Neighbour, kept: dict[str, Any], now: float) -> Followed:
    left = kept.get("left")
    until = None if left is None or neighbour.everybody else left + AFTER_LEAVING_SECONDS
    wanted = neighbour.everybody or (kept.get("wanted", False) and (until is None or now < until))
    return Followed(neighbour, wanted, until, kept.get("checked_at"), kept.get("problem"))


def _part(store: Store, kept: dict[str, Any]) -> Part:
    # Names in the store are in clear, so they have a number and not the neighbour's.
    return Part(store, f"neighbour-{kept['slot']}:")


def _followed(part: Part, client: Client, own: CityConfig) -> CityConfig:
    return CityConfig(part, client, own.trusted_now, own.clock)


def _of_city(
    neighbour: Neighbour, part: Part, client: Client, own: CityConfig, age_seconds: float
) -> Iterator[File]:  # fmt: skip
    """New files of another city, followed by all the rules of one's own but those of the public log."""
    city = _followed(part, client, own)
    city.pin(bytes.fromhex(neighbour.key))
    downloads = Downloads(part, client, city)
    index, config, entries = downloads.follow()
    for entry in downloads.earlier(index):
        yield downloads.fetch(entry, config), lambda: None
    for entry in entries:
        yield downloads.fetch(entry, config), partial(downloads.note_taken_in, entry)
    downloads.note_rescanned()
    downloads.note_complete(index)
    yield from VenuePackages(part, client, city).new(age_seconds)


def _of_other(neighbour: Neighbour, part: Part, client: Client) -> Iterator[File]:
    """New files of another maker's server. Its list is not signed: what is kept back there, nobody notices."""
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
