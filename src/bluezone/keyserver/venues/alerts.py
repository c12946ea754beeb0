# SPDX-License-Identifier: Apache-2.0
"""An alert by the health authority: who was at a venue in certain hours is warned, without anybody's report.

The office scans the poster and says the hours; the key server makes the same items as of a report by a confirmed case.
Published function for the office, which asks who may and keeps the audit. Source: docs/protocol.md section 6.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bluezone.keyserver.storage.store import Store
from bluezone.keyserver.venues.items import keep_items
from bluezone.keyserver.venues.registrar import Registrar
from bluezone.protocol.intervals import SECONDS_PER_DAY, SECONDS_PER_HOUR
from bluezone.protocol.upload import CONFIRMED_CLASS, Slot
from bluezone.protocol.venues.codes import Venue, venue_fingerprint
from bluezone.protocol.venues.items import slot_key, venue_key
from bluezone.protocol.venues.stays import split_by_hour
from bluezone.refusal import Refused

LONGEST_SECONDS = SECONDS_PER_DAY
OLDEST_SECONDS = 14 * SECONDS_PER_DAY


class AlertRefused(Refused):
    """The hours are no time in the last 14 days, or longer than a day; nothing is published."""

    code = "venue_alert_refused"


@dataclass(frozen=True)
class VenueAlert:
    """What will be published with the next package. hours: how many hours of the venue it is about."""

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

    def check(self, text: str, start: int, end: int) -> VenueAlert:
        """Say what `publish` would, for the office to confirm; nothing is. Arguments and refusals as there."""
        venue = self.registrar.read_own(text)
        _check_hours(start, end, int(self.clock()))
        return VenueAlert(venue.name, venue.address, venue_fingerprint(venue), len(_slots(venue, start, end)))

    def publish(self, text: str, start: int, end: int) -> VenueAlert:
        """Warn those who were at a venue.

        text: of the poster's QR code; a revoked or expired code too, since people checked in with it.
        start, end: Unix seconds in whole minutes, ended, at most a day long, at most 14 days ago. What the office
        enters is taken as it is: no aerosol tail is added.
        Raises AlertRefused, InvalidVenue, VenueForeign, StoreRefused.
        """
        checked = self.check(text, start, end)
        slots = _slots(self.registrar.read_own(text), start, end)
        self.store.write(lambda transaction: keep_items(transaction, slots, CONFIRMED_CLASS))
        return checked


def _check_hours(start: int, end: int, now: int) -> None:
    if start >= end or end - start < 60:
        raise AlertRefused("the end is not after the beginning; nothing was published")
    if end - start > LONGEST_SECONDS:
        raise AlertRefused(f"{(end - start) / SECONDS_PER_HOUR:.1f} hours were given, expected at most 24")
    if end > now:
        raise AlertRefused("the time has not ended yet; nothing was published")
    if start < now - OLDEST_SECONDS:
        raise AlertRefused("the time is over 14 days ago, and phones no longer keep their visits")


def _slots(venue: Venue, start: int, end: int) -> list[Slot]:
    key = venue_key(venue.to_bytes())
    return [Slot(hour, slot_key(key, hour), *minutes) for hour, *minutes in split_by_hour(start, end)]
