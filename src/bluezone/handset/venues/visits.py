# SPDX-License-Identifier: Apache-2.0
"""Stays at venues, kept on the phone alone: one random-looking key for each hour, a name only if the owner wants it.

Source: protocol.md section 6, "Check-in offline"; docs/venues.md, "A stay"; specs/attacks.md row 23.
"""

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from bluezone.handset.store import Store
from bluezone.protocol.intervals import day_at
from bluezone.protocol.upload.payload import Slot
from bluezone.protocol.venues.codes import Venue, venue_fingerprint
from bluezone.protocol.venues.items import slot_key, venue_key
from bluezone.protocol.venues.stays import derive_time, hours_of_stay, slots_of_stay
from bluezone.refusal import Refused

TABLE = "visits"
# Whole numbers that JavaScript tells apart too.
_ID_BITS = 48


class VisitMissing(Refused):
    """There is no such stay on this phone: it was removed, or is older than 14 days."""

    code = "visit_missing"


@dataclass(frozen=True, slots=True)
class Visit:
    """One stay. Moments are trusted Unix seconds.

    id:       by which the owner's choice names it.
    label:    the venue's name, None if it was not to be remembered; fingerprint: that of the poster.
    out_at:   None while it lasts; planned_out_at: when it ends by itself.
    can_send: whether a report may contain it: over, ten minutes or longer, and not reported yet.
    """

    id: int
    label: str | None
    fingerprint: str
    in_at: float
    out_at: float | None
    planned_out_at: float
    can_send: bool


@dataclass(frozen=True, slots=True)
class _Stay:
    """A stay as it is kept: with its row, K_h by hour, and whether the owner has reported it."""

    row: int
    id: int
    label: str | None
    fingerprint: str
    in_at: float
    out_at: float | None
    planned_out_at: float
    reported: bool
    keys: dict[int, bytes]

    def as_of(self, now: float) -> "_Stay":
        """The stay as it is at a moment: over, if its time has come."""
        return self.ended(self.planned_out_at) if self.out_at is None and now >= self.planned_out_at else self

    def seen(self) -> Visit:
        long_enough = self.out_at is not None and derive_time(int(self.in_at), int(self.out_at)) is not None
        return Visit(
            self.id, self.label, self.fingerprint, self.in_at, self.out_at, self.planned_out_at,
            can_send=long_enough and not self.reported,
        )  # fmt: skip

    def ended(self, out_at: float) -> "_Stay":
        """Checked out: the keys of hours that no longer matter are gone."""
        out_at = min(max(out_at, self.in_at), self.planned_out_at)
        hours = hours_of_stay(self.in_at, out_at)
        return replace(self, out_at=out_at, keys={hour: key for hour, key in self.keys.items() if hour in hours})

    def to_bytes(self) -> bytes:
        kept: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__ if name not in ("row", "keys")}
        return json.dumps(kept | {"keys": {hour: key.hex() for hour, key in self.keys.items()}}).encode()

    @classmethod
    def from_bytes(cls, row: int, contents: bytes) -> "_Stay":
        kept = json.loads(contents)
        keys = {int(hour): bytes.fromhex(key) for hour, key in kept.pop("keys").items()}
        return cls(row=row, keys=keys, **kept)


class Visits:
    """The stays of this phone. `now` is trusted Unix seconds."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, venue: Venue, now: float, *, remember: bool) -> Visit:
        """Check in. What the code said is dropped, but for its name if the owner wants that in the diary.

        A poster that is scanned again during the stay changes nothing.
        """
        fingerprint = venue_fingerprint(venue)
        with self._store.transaction():
            self.settle(now)
            for stay in self._stays():
                if stay.out_at is None and stay.fingerprint == fingerprint:
                    return stay.seen()
            ends = now + 60 * venue.stay_minutes
            key = venue_key(venue.to_bytes())
            keys = {hour: slot_key(key, hour) for hour in hours_of_stay(now, ends)}
            label = venue.name if remember else None
            # Not the row's number: that of a removed stay is given again, and what was found would seem to be of it.
            stay = _Stay(0, secrets.randbits(_ID_BITS), label, fingerprint, now, None, ends, False, keys)
            self._store.add(TABLE, day_at(now), stay.to_bytes())
            return stay.seen()

    def end(self, visit_id: int, now: float) -> Visit:
        """Check out by hand; a stay that is over already stays as it is. Raises VisitMissing."""
        with self._store.transaction():
            self.settle(now)
            stay = self._stay(visit_id)
            return (self._keep(stay.ended(now)) if stay.out_at is None else stay).seen()

    def settle(self, now: float) -> None:
        """End the stays whose time has come, and drop the keys of hours that no longer matter."""
        with self._store.transaction():
            for stay in self._stays():
                if stay.as_of(now) is not stay:
                    self._keep(stay.as_of(now))

    def all(self, now: float) -> list[Visit]:
        """Every stay, oldest first. Writes nothing, so that a phone may be looked at while another process runs it."""
        return [stay.as_of(now).seen() for stay in self._stays()]

    def forget(self, visit_id: int) -> None:
        """Remove a stay. Raises VisitMissing."""
        self._store.remove(TABLE, self._stay(visit_id).row)

    def slots(self, visit_id: int, now: float) -> tuple[Slot, ...]:
        """What a report would send of a stay that is over. Raises VisitMissing."""
        stay = self._stay(visit_id).as_of(now)
        return () if stay.out_at is None else tuple(slots_of_stay(stay.in_at, stay.out_at, stay.keys, now))

    def reported(self, visit_ids: Iterable[int]) -> None:
        """Note that stays were sent: they are not sent again and do not warn their owner."""
        with self._store.transaction():
            wanted = set(visit_ids)
            for stay in self._stays():
                if stay.id in wanted:
                    self._keep(replace(stay, reported=True))

    def to_match(self, now: float) -> list[tuple[int, float, float, dict[int, bytes]]]:
        """(number, begin, end, K_h by hour) of the stays that cases are looked for in; one that lasts ends now."""
        return [
            (stay.id, stay.in_at, now if stay.out_at is None else stay.out_at, stay.keys)
            for stay in (stay.as_of(now) for stay in self._stays())
            if not stay.reported
        ]

    def _keep(self, stay: _Stay) -> _Stay:
        self._store.replace(TABLE, stay.row, day_at(stay.in_at), stay.to_bytes())
        return stay

    def _stay(self, visit_id: int) -> _Stay:
        for stay in self._stays():
            if stay.id == visit_id:
                return stay
        raise VisitMissing("this visit is no longer on this phone")

    def _stays(self) -> list[_Stay]:
        return [_Stay.from_bytes(row, contents) for row, _, contents in self._store.rows(TABLE)]
