# SPDX-License-Identifier: Apache-2.0
"""Whether a case was at a venue in the same hours: packages from the server against the stays on this phone.

Every phone fetches the same packages at the same times, whether it has stays or not. Source: protocol.md sections
5 (venue package) and 6; docs/venues.md, "Files" and "Matching and level"; specs/attacks.md rows 18 and 20.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import date

from bluezone.handset.city.config import CityConfig
from bluezone.handset.city.histories import Following
from bluezone.handset.client import Client
from bluezone.handset.store import Store
from bluezone.handset.venues.visits import Visits
from bluezone.protocol.intervals import SECONDS_PER_HOUR
from bluezone.protocol.risk.profile import Profile
from bluezone.protocol.signed.index import VENUES
from bluezone.protocol.venues.items import items_of_package
from bluezone.protocol.venues.overlaps import VenueDay, VenueOverlap, assess_venues, index_items, overlap, records_of

MAX_PACKAGE_BYTES = 8 * 1024 * 1024
REVOKED = "venues_revoked"
TABLE = "venue_overlaps"
DAY_ZERO = date(1970, 1, 1)


class VenueChecks(Following):
    """Follows the venues index, matches what is new, and keeps what was found."""

    def __init__(self, store: Store, client: Client, city: CityConfig, visits: Visits) -> None:
        super().__init__(store, client, city, VENUES)
        self._visits = visits

    def check(self, zone: str, now: Callable[[], float], installed_at: float) -> None:
        """Take in what is new. now: gives trusted Unix seconds. Raises as Following, and InvalidPackage."""
        # A phone has no stays from before it was installed: of older packages it needs none.
        first_files = int(max(now() - installed_at, 0) // SECONDS_PER_HOUR) + 2
        index, entries = self.follow_index(first_files)
        for entry in entries:
            items = index_items(items_of_package(self.fetch_bytes(entry, MAX_PACKAGE_BYTES)))
            with self._store.transaction():
                self._visits.settle(now())
                self._add(self._overlaps(items, zone, now()))
                self.taken_in(entry)
        with self._store.transaction():
            self._store.put(REVOKED, list(index.revoked))
            self.followed(index)

    @property
    def revoked(self) -> frozenset[str]:
        """SHA256(V) in hex of the codes that the city has withdrawn, as far as this phone knows."""
        return frozenset(self._store.get(REVOKED, []))

    def assess(self, profile: Profile, today: date) -> list[VenueDay]:
        """Score what was found as of `today`, the local date."""
        return assess_venues(self._all(), profile, today)

    def _overlaps(self, items: dict[bytes, list[bytes]], zone: str, now: float) -> Iterable[VenueOverlap]:
        for visit, start, end, keys in self._visits.to_match(now):
            for record in records_of(keys, items):
                found = overlap(record, start, end, visit, zone)
                if found is not None:
                    yield found

    def _add(self, overlaps: Iterable[VenueOverlap]) -> None:
        for found in overlaps:
            told = asdict(found) | {"day": found.day.isoformat()}
            self._store.add(TABLE, (found.day - DAY_ZERO).days, json.dumps(told).encode())

    def _all(self) -> list[VenueOverlap]:
        rows = (json.loads(contents) for _, _, contents in self._store.rows(TABLE))
        return [VenueOverlap(date.fromisoformat(told.pop("day")), **told) for told in rows]
