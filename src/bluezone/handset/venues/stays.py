# SPDX-License-Identifier: Apache-2.0
"""Stays at venues: checking in and out, which needs no network.

Only this phone stores a stay: for each hour a key that looks random, and the venue's name if the owner wants it.

Source: docs/protocol.md section 6, "Check-in offline"; docs/venues.md, "A stay"; docs/attacks.md rows 20, 23, 24, 42.
"""

import json
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from bluezone.handset.city.config import CityConfig
from bluezone.handset.city.histories import revoked_codes
from bluezone.handset.city.neighbours import Neighbours
from bluezone.handset.clocks import PhoneTime
from bluezone.handset.store import Store
from bluezone.protocol.intervals import day_at
from bluezone.protocol.signed.config import Config
from bluezone.protocol.upload.payload import Slot
from bluezone.protocol.venues.codes import (
    Event,
    Venue,
    VenueForeign,
    check_validity,
    read_code_link,
    venue_fingerprint,
    verify_venue_signature,
)
from bluezone.protocol.venues.items import slot_key, venue_key
from bluezone.protocol.venues.stays import SHORTEST_STAY_MINUTES, hours_of_stay, infectious_time, slots_of_stay
from bluezone.refusal import Refused

TABLE = "visits"
# JavaScript represents whole numbers of this size exactly.
_ID_BITS = 48


class VenueConfigMissing(Refused):
    """The phone has not fetched the city's config yet, so it cannot check a code's signature."""

    code = "venue_config_missing"


class StayMissing(Refused):
    """There is no such stay on this phone: it was removed, or is older than 14 days."""

    code = "visit_missing"


@dataclass(frozen=True, slots=True)
class Poster:
    """The content of a poster's code, for the owner to read before checking in.

    type:        kind of place, with the numbers of the Corona-Warn-App.
    fingerprint: six characters to compare with those on the poster.
    valid_from, valid_to: Unix seconds, 0 for no limit.
    temporary:   whether the code is for a limited time.
    event:       whether it is an event's code, which the city has not signed.
    """

    name: str
    address: str
    type: int
    stay_minutes: int
    fingerprint: str
    valid_from: int
    valid_to: int
    temporary: bool
    event: bool


@dataclass(frozen=True, slots=True)
class Stay:
    """One stay. Moments are trusted Unix seconds.

    id:             number of the stay.
    label:          the venue's name, None if the owner did not want it stored.
    fingerprint:    of the poster.
    in_at, out_at:  begin and end; out_at is None while the stay lasts.
    planned_out_at: when the stay ends automatically.
    can_send:       whether a report may contain it: ten minutes or longer, and not reported yet. For a stay that still
                    lasts, it is set only by `Stays.reportable_stays`.
    event:          whether it was at an event; the host of an event can recognise a report of this stay.
    """

    id: int
    label: str | None
    fingerprint: str
    in_at: float
    out_at: float | None
    planned_out_at: float
    can_send: bool
    event: bool


@dataclass(frozen=True, slots=True)
class _Stay:
    """A stay as it is stored. row: its row in the store. reported: whether it was uploaded. keys: K_h by hour."""

    row: int
    id: int
    label: str | None
    fingerprint: str
    in_at: float
    out_at: float | None
    planned_out_at: float
    reported: bool
    keys: dict[int, bytes]
    event: bool = False

    def as_of(self, now: float) -> "_Stay":
        """Return the stay at a moment: checked out if its planned end has passed."""
        if self.out_at is None and now >= self.planned_out_at:
            return self.checked_out(self.planned_out_at)
        return self

    def to_stay(self) -> Stay:
        long_enough = self.out_at is not None and infectious_time(int(self.in_at), int(self.out_at)) is not None
        return Stay(
            self.id, self.label, self.fingerprint, self.in_at, self.out_at, self.planned_out_at,
            can_send=long_enough and not self.reported, event=self.event,
        )  # fmt: skip

    def checked_out(self, out_at: float) -> "_Stay":
        """Return the stay after check-out, without the keys of hours after it."""
        out_at = min(max(out_at, self.in_at), self.planned_out_at)
        hours = hours_of_stay(self.in_at, out_at)
        return replace(self, out_at=out_at, keys={hour: key for hour, key in self.keys.items() if hour in hours})

    def to_bytes(self) -> bytes:
        fields: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__ if name not in ("row", "keys")}
        return json.dumps(fields | {"keys": {hour: key.hex() for hour, key in self.keys.items()}}).encode()

    @classmethod
    def from_bytes(cls, row: int, contents: bytes) -> "_Stay":
        fields = json.loads(contents)
        keys = {int(hour): bytes.fromhex(key) for hour, key in fields.pop("keys").items()}
        return cls(row=row, keys=keys, **fields)


class Stays:
    """The stays of this phone, of the last 14 days."""

    def __init__(self, store: Store, city: CityConfig, time: PhoneTime, neighbours: Neighbours) -> None:
        self._store = store
        self._city = city
        self._time = time
        self._neighbours = neighbours

    def read_poster(self, text: str) -> Poster:
        """Read the text of a QR code and check it; store nothing and open no address.

        Raises InvalidVenue, VenueForeign, VenueRevoked, VenueNotYet, VenueExpired, VenueConfigMissing.
        """
        venue = self._venue(text)
        span = (venue.valid_from * 60, venue.valid_to * 60)
        if isinstance(venue, Event):
            minutes_left = int(venue.valid_to - self._time.now() // 60)
            return Poster(venue.name, "", 0, minutes_left, venue_fingerprint(venue), *span, temporary=True, event=True)
        return Poster(
            venue.name, venue.address, venue.type, venue.stay_minutes, venue_fingerprint(venue), *span,
            venue.temporary, event=False,
        )  # fmt: skip

    def check_in(self, text: str, *, remember: bool) -> Stay:
        """Begin a stay at the place of a QR code; it ends after the venue's usual time, or with the event.

        remember: store the venue's name for the diary. Raises as `read_poster`.
        """
        return self.begin_stay(self._venue(text), self._time.now(), remember=remember)

    def begin_stay(self, venue: Venue | Event, now: float, *, remember: bool) -> Stay:
        """Begin a stay at `now`, Unix seconds. remember: store the venue's name.

        Returns the current stay if the owner scans the same poster again.
        """
        fingerprint = venue_fingerprint(venue)
        with self._store.transaction():
            self.end_planned_stays(now)
            for stay in self._stays():
                if stay.out_at is None and stay.fingerprint == fingerprint:
                    return stay.to_stay()
            is_event = isinstance(venue, Event)
            planned_out_at = _planned_end(venue, now)
            key = venue_key(venue.to_bytes())
            keys = {hour: slot_key(key, hour) for hour in hours_of_stay(now, planned_out_at)}
            label = venue.name if remember else None
            # Not the number of the row: SQLite reuses it after a removal, and old overlaps would belong to this stay.
            id = secrets.randbits(_ID_BITS)
            stay = _Stay(0, id, label, fingerprint, now, None, planned_out_at, False, keys, is_event)
            self._store.add(TABLE, day_at(now), stay.to_bytes())
            return stay.to_stay()

    def check_out(self, stay_id: int) -> Stay:
        """End a stay now, unless it has already ended. Raises StayMissing."""
        now = self._time.now()
        with self._store.transaction():
            self.end_planned_stays(now)
            stay = self._stay(stay_id)
            if stay.out_at is None:
                stay = self._save(stay.checked_out(now))
            return stay.to_stay()

    def end_planned_stays(self, now: float) -> None:
        """Check out of the stays with a planned end that has passed. now: Unix seconds."""
        with self._store.transaction():
            for stay in self._stays():
                if stay.as_of(now) is not stay:
                    self._save(stay.as_of(now))

    def all(self, now: float | None = None) -> list[Stay]:
        """Return every stay as of `now`, Unix seconds (None for this moment), oldest first.

        Changes nothing in the store, so that it works while another process runs the phone.
        """
        now = self._time.now() if now is None else now
        return [stay.as_of(now).to_stay() for stay in self._stays()]

    def reportable_stays(self, now: float) -> list[Stay]:
        """Return every stay as a report at `now` would send it: a stay that still lasts ends at `now`."""
        stays = (stay.as_of(now) for stay in self._stays())
        return [_open_stay(stay, now) if stay.out_at is None else stay.to_stay() for stay in stays]

    def remove(self, stay_id: int) -> None:
        """Remove a stay, so that it neither warns nor can be reported. Raises StayMissing."""
        self._store.remove(TABLE, self._stay(stay_id).row)

    def slots_of(self, stay_id: int, now: float) -> tuple[Slot, ...]:
        """Return the slots that a report at `now`, Unix seconds, would send of a stay. Raises StayMissing."""
        return tuple(_slots(self._stay(stay_id).as_of(now), now))

    def mark_reported(self, stay_ids: Iterable[int]) -> None:
        """Mark stays as reported: they are not sent again and do not warn the owner."""
        with self._store.transaction():
            reported_ids = set(stay_ids)
            for stay in self._stays():
                if stay.id in reported_ids:
                    self._save(replace(stay, reported=True))

    def matchable_stays(self, now: float) -> list[tuple[int, float, float, dict[int, bytes]]]:
        """Return (number, begin, end, K_h by hour) of the stays to match; a stay that still lasts ends at `now`."""
        stays = (stay.as_of(now) for stay in self._stays())
        return [
            (stay.id, stay.in_at, now if stay.out_at is None else stay.out_at, stay.keys)
            for stay in stays
            if not stay.reported
        ]

    def _venue(self, text: str) -> Venue | Event:
        venue = read_code_link(text)
        revoked = revoked_codes(self._store) if isinstance(venue, Event) else self._revoked_by_signer(venue)
        check_validity(venue, revoked, self._time.now())
        return venue

    def _revoked_by_signer(self, venue: Venue) -> frozenset[str]:
        """Return the codes revoked by the city that signed a code: the phone's own, or a neighbour."""
        config = self._city.current
        if config is None:
            raise VenueConfigMissing("this phone has not fetched the city's settings yet; go online once and try again")
        try:
            verify_venue_signature(venue, _venue_keys(config))
        except VenueForeign:
            for other, revoked in self._neighbours.cities():
                with suppress(VenueForeign):
                    verify_venue_signature(venue, _venue_keys(other))
                    return revoked
            raise
        return revoked_codes(self._store)

    def _save(self, stay: _Stay) -> _Stay:
        self._store.replace(TABLE, stay.row, day_at(stay.in_at), stay.to_bytes())
        return stay

    def _stay(self, visit_id: int) -> _Stay:
        for stay in self._stays():
            if stay.id == visit_id:
                return stay
        raise StayMissing("this visit is no longer on this phone")

    def _stays(self) -> list[_Stay]:
        return [_Stay.from_bytes(row, contents) for row, _, contents in self._store.rows(TABLE)]


def _planned_end(venue: Venue | Event, now: float) -> float:
    """Return when a stay that begins at `now` ends automatically, Unix seconds."""
    if isinstance(venue, Event):
        return 60.0 * venue.valid_to
    return now + 60 * venue.stay_minutes


def _slots(stay: _Stay, now: float) -> list[Slot]:
    """Return the slots that a report at `now` would send. A stay that still lasts counts as at least ten minutes."""
    out_at = max(now, stay.in_at + 60 * SHORTEST_STAY_MINUTES) if stay.out_at is None else stay.out_at
    return slots_of_stay(stay.in_at, out_at, stay.keys, now)


def _open_stay(stay: _Stay, now: float) -> Stay:
    """Return a stay that still lasts as a report at `now` would send it."""
    return replace(stay.checked_out(now).to_stay(), can_send=bool(_slots(stay, now)) and not stay.reported)


def _venue_keys(config: Config) -> dict[int, bytes]:
    return {int(kid): bytes.fromhex(raw) for kid, raw in config.venue_keys.items()}
