# SPDX-License-Identifier: Apache-2.0
"""The codes that the owner makes for events.

Source: docs/venues.md, "Events"; docs/attacks.md row 63.
"""

import os
import unicodedata
from dataclasses import dataclass

from bluezone.handset.city.config import CityConfig
from bluezone.handset.clocks import PhoneTime
from bluezone.handset.store import Store
from bluezone.handset.venues.stays import VenueConfigMissing
from bluezone.networks import origin_of
from bluezone.protocol.intervals import SECONDS_PER_DAY
from bluezone.protocol.venues.codes import (
    SEED_LENGTH,
    Event,
    InvalidVenue,
    read_code_link,
    venue_fingerprint,
    venue_link,
    venue_sha256,
)
from bluezone.refusal import Refused

EVENTS = "events"
MOST_EVENTS = 20
# How long a code is retained after the event, because a health worker may ask the host for it.
EVENT_RETAINED_SECONDS = 14 * SECONDS_PER_DAY
FURTHEST_SECONDS = 60 * SECONDS_PER_DAY
_LATE_SECONDS = 3600


class EventInvalid(Refused):
    """The name, beginning or duration of the event is not allowed; no code was made."""

    code = "event_invalid"


class EventsFull(Refused):
    """The phone has the largest allowed number of events; no code was made."""

    code = "events_full"


@dataclass(frozen=True, slots=True)
class OwnEvent:
    """An event with a code that was made on this phone.

    id:          identifies the event for `remove`.
    fingerprint: six characters that poster and phone show.
    begin, end:  Unix seconds.
    link:        the text of the QR code.
    """

    id: str
    name: str
    fingerprint: str
    begin: int
    end: int
    link: str


class Events:
    """The codes that the owner made for their events; only this phone lists them.

    tls: whether links begin with https.
    """

    def __init__(self, store: Store, city: CityConfig, time: PhoneTime, *, tls: bool) -> None:
        self._tls = tls
        self._store = store
        self._city = city
        self._time = time

    def make_event(self, name: str, begin: int, minutes: int) -> OwnEvent:
        """Make a code. begin: Unix seconds, at most an hour ago or 60 days ahead. minutes: 15..1440.

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
            links = [own.link for own in self.all()]
            if len(links) >= MOST_EVENTS:
                raise EventsFull(f"this phone keeps {MOST_EVENTS} events; remove one first")
            self._store.put(EVENTS, [*links, link])
        return _own_event(link)

    def all(self) -> list[OwnEvent]:
        """Return the events until two weeks after their end, earliest first; changes nothing in the store."""
        oldest = self._time.now() - EVENT_RETAINED_SECONDS
        events = (_own_event(link) for link in self._store.get(EVENTS, []))
        return sorted((event for event in events if event.end >= oldest), key=lambda event: event.begin)

    def remove(self, event_id: str) -> None:
        """Remove an event; do nothing if there is none with this id. The owner's stays at the event remain."""
        with self._store.transaction():
            self._store.put(EVENTS, [event.link for event in self.all() if event.id != event_id])

    def purge(self) -> None:
        """Remove the events that ended more than two weeks ago."""
        links = [event.link for event in self.all()]
        if len(links) != len(self._store.get(EVENTS, [])):
            self._store.put(EVENTS, links)


def _own_event(link: str) -> OwnEvent:
    event = read_code_link(link)
    number = venue_sha256(event).hex()[:16]
    return OwnEvent(number, event.name, venue_fingerprint(event), 60 * event.valid_from, 60 * event.valid_to, link)
