# SPDX-License-Identifier: Apache-2.0
"""Stays at venues and events: read a code, check in and out, make the code of an event, and what a stay leaves behind.

A stay is kept on this phone alone: a key for each hour that looks random, and the venue's name only if the owner
wants it. Nothing here needs the network.
Source: docs/protocol.md section 6, "Check-in offline"; docs/venues.md, "A stay" and "Events"; docs/attacks.md rows
20, 23, 24, 42 and 63.

The pass that a phone shows at a gate: new each time, shown only when its owner taps, for at most a minute.

Source: docs/protocol.md section 7; docs/attacks.md rows 30 and 34. Nothing of it is stored.
"""

import json
import os
import secrets
import threading
import unicodedata
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from bluezone.handset.city.config import CityConfig
from bluezone.handset.city.histories import withdrawn_codes
from bluezone.handset.city.neighbours import Neighbours
from bluezone.handset.clocks import Clock, PhoneTime, boot_id_of
from bluezone.handset.encounters.radiostate import RadioState
from bluezone.handset.store import Store
from bluezone.networks import origin_of
from bluezone.protocol.gate.passes import SESSION_LENGTH, STEP_SECONDS, PassA, pass_text
from bluezone.protocol.intervals import day_at
from bluezone.protocol.signed.config import Config
from bluezone.protocol.upload.payload import Slot
from bluezone.protocol.venues.codes import (
    SEED_LENGTH,
    Event,
    InvalidVenue,
    Venue,
    VenueForeign,
    check_signature,
    check_usable,
    read_link,
    venue_fingerprint,
    venue_link,
    venue_sha256,
)
from bluezone.protocol.venues.items import slot_key, venue_key
from bluezone.protocol.venues.stays import SHORTEST_STAY_MINUTES, derive_time, hours_of_stay, slots_of_stay
from bluezone.refusal import Refused

TABLE = "visits"
# Whole numbers that JavaScript can hold exactly.
_ID_BITS = 48


class VenueConfigMissing(Refused):
    """The phone has not fetched the city's config yet, so it knows no key that could have signed a code."""

    code = "venue_config_missing"


class VisitMissing(Refused):
    """There is no such stay on this phone: it was removed, or is older than 14 days."""

    code = "visit_missing"


@dataclass(frozen=True, slots=True)
class Poster:
    """What a poster says, for the owner to read before checking in.

    type: the Corona-Warn-App's number of the kind of place. fingerprint: to compare with the poster's.
    valid_from, valid_to: Unix seconds, 0 open. temporary: for one event. event: the city signed nothing of it.
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
class Visit:
    """One stay. Moments are trusted Unix seconds.

    id:       by which the owner's choice names it.
    label:    the venue's name, None if it was not to be remembered; fingerprint: that of the poster.
    out_at:   None while it lasts; planned_out_at: when it ends by itself.
    can_send: whether a report may contain it: ten minutes or longer, or still lasting, and not reported yet.
    event:    whether it was an event's code, whose host can recognise a report of this stay.
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
    event: bool = False

    def as_of(self, now: float) -> "_Stay":
        """The stay as it is at a moment: over, if its time has come."""
        return self.ended(self.planned_out_at) if self.out_at is None and now >= self.planned_out_at else self

    def seen(self) -> Visit:
        long_enough = self.out_at is not None and derive_time(int(self.in_at), int(self.out_at)) is not None
        return Visit(
            self.id, self.label, self.fingerprint, self.in_at, self.out_at, self.planned_out_at,
            can_send=long_enough and not self.reported, event=self.event,
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
    """The stays of this phone, of the last 14 days."""

    def __init__(self, store: Store, city: CityConfig, time: PhoneTime, neighbours: Neighbours) -> None:
        self._store = store
        self._city = city
        self._time = time
        self._neighbours = neighbours

    def read_poster(self, text: str) -> Poster:
        """Read the text of a QR code and check it; nothing is kept, no address is opened.

        Raises InvalidVenue, VenueForeign, VenueRevoked, VenueNotYet, VenueExpired, VenueConfigMissing.
        """
        venue = self._venue(text)
        span = (venue.valid_from * 60, venue.valid_to * 60)
        if isinstance(venue, Event):
            left = int(venue.valid_to - self._time.now() // 60)
            return Poster(venue.name, "", 0, left, venue_fingerprint(venue), *span, temporary=True, event=True)
        return Poster(
            venue.name, venue.address, venue.type, venue.stay_minutes, venue_fingerprint(venue), *span,
            venue.temporary, event=False,
        )  # fmt: skip

    def check_in(self, text: str, *, remember: bool) -> Visit:
        """Begin a stay at the place of a QR code; it ends by itself after the venue's usual time, or with the event.

        remember: keep the venue's name in the diary. Raises as `read_poster`.
        """
        return self.begin(self._venue(text), self._time.now(), remember=remember)

    def begin(self, venue: Venue | Event, now: float, *, remember: bool) -> Visit:
        """Begin a stay at `now`, Unix seconds. Of the venue nothing is kept but its name, if the owner wants that.

        A poster that is scanned again during the stay changes nothing.
        """
        fingerprint = venue_fingerprint(venue)
        with self._store.transaction():
            self.settle(now)
            for stay in self._stays():
                if stay.out_at is None and stay.fingerprint == fingerprint:
                    return stay.seen()
            is_event = isinstance(venue, Event)
            ends = 60.0 * venue.valid_to if isinstance(venue, Event) else now + 60 * venue.stay_minutes
            key = venue_key(venue.to_bytes())
            keys = {hour: slot_key(key, hour) for hour in hours_of_stay(now, ends)}
            label = venue.name if remember else None
            # Not the row's number: SQLite reuses it after a removal, and old overlaps would seem to be of this stay.
            stay = _Stay(0, secrets.randbits(_ID_BITS), label, fingerprint, now, None, ends, False, keys, is_event)
            self._store.add(TABLE, day_at(now), stay.to_bytes())
            return stay.seen()

    def check_out(self, visit_id: int) -> Visit:
        """End a stay now; one that is over already stays as it is. Raises VisitMissing."""
        now = self._time.now()
        with self._store.transaction():
            self.settle(now)
            stay = self._stay(visit_id)
            return (self._keep(stay.ended(now)) if stay.out_at is None else stay).seen()

    def settle(self, now: float) -> None:
        """End the stays whose time has come, and drop the keys of hours that no longer matter. now: Unix seconds."""
        with self._store.transaction():
            for stay in self._stays():
                if stay.as_of(now) is not stay:
                    self._keep(stay.as_of(now))

    def all(self, now: float | None = None) -> list[Visit]:
        """Every stay as it is at `now`, Unix seconds (None for this moment), oldest first.

        Writes nothing, so that a phone may be looked at while another process runs it.
        """
        now = self._time.now() if now is None else now
        return [stay.as_of(now).seen() for stay in self._stays()]

    def reportable(self, now: float) -> list[Visit]:
        """Every stay as a report at `now` would send it: one that lasts until this moment, however short it is yet."""
        stays = (stay.as_of(now) for stay in self._stays())
        return [_lasting(stay, now) if stay.out_at is None else stay.seen() for stay in stays]

    def forget(self, visit_id: int) -> None:
        """Remove a stay: it can neither warn nor be reported any more. Raises VisitMissing."""
        self._store.remove(TABLE, self._stay(visit_id).row)

    def slots(self, visit_id: int, now: float) -> tuple[Slot, ...]:
        """What a report at `now`, Unix seconds, would send of a stay. Raises VisitMissing."""
        return tuple(_slots(self._stay(visit_id).as_of(now), now))

    def mark_reported(self, visit_ids: Iterable[int]) -> None:
        """Note that stays were sent: they are not sent again and do not warn their owner."""
        with self._store.transaction():
            wanted = set(visit_ids)
            for stay in self._stays():
                if stay.id in wanted:
                    self._keep(replace(stay, reported=True))

    def to_match(self, now: float) -> list[tuple[int, float, float, dict[int, bytes]]]:
        """(number, begin, end, K_h by hour) of the stays that cases are looked for in; one that lasts ends at `now`."""
        return [
            (stay.id, stay.in_at, now if stay.out_at is None else stay.out_at, stay.keys)
            for stay in (stay.as_of(now) for stay in self._stays())
            if not stay.reported
        ]

    def _venue(self, text: str) -> Venue | Event:
        venue = read_link(text)
        revoked = withdrawn_codes(self._store) if isinstance(venue, Event) else self._withdrawn_by_signer(venue)
        check_usable(venue, revoked, self._time.now())
        return venue

    def _withdrawn_by_signer(self, venue: Venue) -> frozenset[str]:
        """What the city has withdrawn that signed a code: the own one, or another that is followed."""
        config = self._city.current
        if config is None:
            raise VenueConfigMissing("this phone has not fetched the city's settings yet; go online once and try again")
        try:
            check_signature(venue, _venue_keys(config))
        except VenueForeign:
            for other, revoked in self._neighbours.cities():
                with suppress(VenueForeign):
                    check_signature(venue, _venue_keys(other))
                    return revoked
            raise
        return withdrawn_codes(self._store)

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


def _slots(stay: _Stay, now: float) -> list[Slot]:
    """What a report at `now` would send. A stay that lasts is not too short yet: it counts as ten minutes at least."""
    out_at = max(now, stay.in_at + 60 * SHORTEST_STAY_MINUTES) if stay.out_at is None else stay.out_at
    return slots_of_stay(stay.in_at, out_at, stay.keys, now)


def _lasting(stay: _Stay, now: float) -> Visit:
    """A stay that lasts, as a report at `now` would send it."""
    return replace(stay.ended(now).seen(), can_send=bool(_slots(stay, now)) and not stay.reported)


def _venue_keys(config: Config) -> dict[int, bytes]:
    return {int(kid): bytes.fromhex(raw) for kid, raw in config.venue_keys.items()}


EVENTS = "events"
MOST_EVENTS = 20
# Kept so long after its end: until then a health worker may ask the host for the code.
EVENT_KEPT_SECONDS = 14 * 86_400
FURTHEST_SECONDS = 60 * 86_400
_LATE_SECONDS = 3600


class EventInvalid(Refused):
    """There can be no such event: its name, its beginning or its length is out of bounds. Nothing was made."""

    code = "event_invalid"


class EventsFull(Refused):
    """The phone keeps as many events as it may; remove one first. Nothing was made."""

    code = "events_full"


@dataclass(frozen=True, slots=True)
class OwnEvent:
    """An event whose code was made on this phone.

    id: by which it is removed. begin, end: Unix seconds. link: the text of its QR code.
    """

    id: str
    name: str
    fingerprint: str
    begin: int
    end: int
    link: str


class Events:
    """Codes that the owner made for events of their own; they are kept here alone, and nobody else lists them.

    tls: whether the city's server is asked over TLS.
    """

    def __init__(self, store: Store, city: CityConfig, time: PhoneTime, *, tls: bool) -> None:
        self._tls = tls
        self._store = store
        self._city = city
        self._time = time

    def make(self, name: str, begin: int, minutes: int) -> OwnEvent:
        """Make a code. begin: Unix seconds, at most an hour ago and 60 days ahead. minutes: 15..1440.

        Raises EventInvalid, EventsFull, VenueConfigMissing (a link needs the city's host).
        """
        if self._city.current is None:
            raise VenueConfigMissing("this phone has not fetched the city's settings yet; go online once and try again")
        now = self._time.now()
        if not now - _LATE_SECONDS <= begin <= now + FURTHEST_SECONDS:
            raise EventInvalid("the event begins more than an hour ago or over 60 days ahead; nothing was made")
        try:
            event = Event(unicodedata.normalize("NFC", name.strip()), begin // 60, minutes, os.urandom(SEED_LENGTH))
        except InvalidVenue as refused:
            raise EventInvalid(f"{refused}; nothing was made") from None
        link = venue_link(event, origin_of(self._city.current.public_host, tls=self._tls))
        with self._store.transaction():
            kept = [one.link for one in self.all()]
            if len(kept) >= MOST_EVENTS:
                raise EventsFull(f"this phone keeps {MOST_EVENTS} events; remove one first")
            self._store.put(EVENTS, [*kept, link])
        return _own_event(link)

    def all(self) -> list[OwnEvent]:
        """Every event until two weeks after its end, the earliest first; writes nothing."""
        oldest = self._time.now() - EVENT_KEPT_SECONDS
        kept = (_own_event(link) for link in self._store.get(EVENTS, []))
        return sorted((event for event in kept if event.end >= oldest), key=lambda event: event.begin)

    def forget(self, event_id: str) -> None:
        """Remove one; a stay at it stays. One that is gone already is no error."""
        with self._store.transaction():
            self._store.put(EVENTS, [event.link for event in self.all() if event.id != event_id])

    def purge(self) -> None:
        """Remove what is over for two weeks."""
        kept = [event.link for event in self.all()]
        if len(kept) != len(self._store.get(EVENTS, [])):
            self._store.put(EVENTS, kept)


def _own_event(link: str) -> OwnEvent:
    event = read_link(link)
    number = venue_sha256(event).hex()[:16]
    return OwnEvent(number, event.name, venue_fingerprint(event), 60 * event.valid_from, 60 * event.valid_to, link)


SHOWN_SECONDS = 60.0
# One for the owner, and one more if the first was not read; a third would be for somebody else's use.
PASSES_A_MINUTE = 2


class PassTooSoon(Refused):
    """Two passes were made within a minute; `seconds` says when the next may be."""

    code = "pass_too_soon"

    def __init__(self, seconds: float) -> None:
        super().__init__(f"two passes were shown within a minute; the next can be made in {seconds:.0f} s")
        self.seconds = seconds


@dataclass(frozen=True)
class ShownPass:
    """text: what the QR code says. until: boot seconds at which it is taken away."""

    text: str
    until: float


class GatePasses:
    """Makes passes and says when one is on show; usable from any thread.

    on_session: called with the pass's 16 bytes when it is shown and with None when it is taken away; the agent lets
                the beacon answer gates meanwhile. answered: whether a gate's challenge was answered with it.
    """

    def __init__(
        self, clock: Clock, radio_state: Callable[[], RadioState], random_bytes: Callable[[int], bytes] = os.urandom
    ) -> None:
        self.on_session: Callable[[bytes | None], None] = lambda _session: None
        self.answered: Callable[[], bool] = lambda: False
        self._clock = clock
        self._radio_state = radio_state
        self._random = random_bytes
        self._lock = threading.Lock()
        self._made: list[float] = []
        self._session: bytes | None = None

    def show(self) -> ShownPass:
        """Make a pass that says how Bluetooth is, and show it. Raises PassTooSoon for the third within a minute."""
        with self._lock:
            now = self._clock.boot_seconds()
            self._made = [moment for moment in self._made if now - moment < SHOWN_SECONDS]
            if len(self._made) >= PASSES_A_MINUTE:
                raise PassTooSoon(self._made[0] + SHOWN_SECONDS - now)
            self._made.append(now)
            self._session = session = self._random(SESSION_LENGTH)
        self.on_session(session)
        state = self._radio_state().claimed(boot_id_of(self._clock), now)
        step = int(self._clock.wall_seconds()) // STEP_SECONDS
        return ShownPass(pass_text(PassA(state, step, session)), now + SHOWN_SECONDS)

    def hide(self, session: bytes | None = None) -> None:
        """Take away the pass on show, or this one if it still is."""
        with self._lock:
            if self._session is None or session not in (None, self._session):
                return
            self._session = None
        self.on_session(None)
