# SPDX-License-Identifier: Apache-2.0
"""Alerts by the health authority, which warn the people who were at a venue or an event."""

from collections.abc import Callable
from dataclasses import dataclass

from bluezone.keyserver.storage.store import Store
from bluezone.keyserver.venues.items import store_items
from bluezone.keyserver.venues.registrar import Registrar
from bluezone.protocol.intervals import SECONDS_PER_DAY, SECONDS_PER_HOUR
from bluezone.protocol.upload import CONFIRMED_CLASS, Slot
from bluezone.protocol.venues.codes import Event, Venue, read_code_link, venue_fingerprint
from bluezone.protocol.venues.items import slot_key, venue_key
from bluezone.protocol.venues.stays import split_by_hour
from bluezone.refusal import Refused

LONGEST_SECONDS = SECONDS_PER_DAY
OLDEST_SECONDS = 14 * SECONDS_PER_DAY


class AlertRefused(Refused):
    """The time is invalid, not in the last 14 days, or longer than a day; nothing is published."""

    code = "venue_alert_refused"


@dataclass(frozen=True)
class VenueAlert:
    """An alert that is published with the next package. hours: the number of clock hours that it touches."""

    name: str
    address: str
    fingerprint: str
    hours: int


@dataclass(frozen=True)
class VenueAlerts:
    """The alerts of one city. store: of keys; clock: Unix seconds."""

    store: Store
    registrar: Registrar
    clock: Callable[[], float]

    def check_alert(self, text: str, start: int, end: int) -> VenueAlert:
        """The result of `publish_alert`, for the office to confirm; nothing is published.

        Arguments and refusals as there.
        """
        code = self._code(text)
        _check_hours(start, end, int(self.clock()))
        if isinstance(code, Event) and not 60 * code.valid_from <= start < end <= 60 * code.valid_to:
            raise AlertRefused("the time is not within the event; people could only check in then")
        address = code.address if isinstance(code, Venue) else ""
        return VenueAlert(code.name, address, venue_fingerprint(code), len(_slots(code, start, end)))

    def publish_alert(self, text: str, start: int, end: int) -> VenueAlert:
        """Warn the people who were at a venue or an event.

        text: content of the QR code of the poster or the event, even if the code was revoked or has expired, since
        people checked in with it. start, end: Unix seconds in whole minutes, in the past 14 days, at most a day apart.
        The times are used as entered; no time for lingering aerosol is added.
        Raises AlertRefused, InvalidVenue, VenueForeign, StoreRefused.
        """
        alert = self.check_alert(text, start, end)
        slots = _slots(self._code(text), start, end)
        self.store.write(lambda transaction: store_items(transaction, slots, CONFIRMED_CLASS))
        return alert

    def _code(self, text: str) -> Venue | Event:
        """The code of a venue, signed by this city, or of an event, shown to a health worker by its host."""
        code = read_code_link(text)
        return code if isinstance(code, Event) else self.registrar.read_own_code(text)


def _check_hours(start: int, end: int, now: int) -> None:
    if end - start < 60:
        raise AlertRefused("the end is not after the beginning; nothing was published")
    if end - start > LONGEST_SECONDS:
        raise AlertRefused(f"{(end - start) / SECONDS_PER_HOUR:.1f} hours were given, expected at most 24")
    if end > now:
        raise AlertRefused("the time has not ended yet; nothing was published")
    if start < now - OLDEST_SECONDS:
        raise AlertRefused("the time is over 14 days ago; phones have deleted their stays")


def _slots(venue: Venue | Event, start: int, end: int) -> list[Slot]:
    key = venue_key(venue.to_bytes())
    return [Slot(hour, slot_key(key, hour), *minutes) for hour, *minutes in split_by_hour(start, end)]
