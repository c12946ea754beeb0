# SPDX-License-Identifier: Apache-2.0
"""Matches venue packages with the owner's stays, and stores and assesses the overlaps.

Source: docs/protocol.md sections 5 (venue package) and 6; docs/venues.md, "Files" and "Matching and level".
"""

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from itertools import islice

from bluezone.handset.city.config import CityConfig
from bluezone.handset.city.histories import VenuePackages
from bluezone.handset.client import Client
from bluezone.handset.clocks import PhoneTime
from bluezone.handset.exposure.exposures import DAY_ZERO
from bluezone.handset.store import Store
from bluezone.handset.venues.stays import Stays
from bluezone.protocol.risk.profile import Profile
from bluezone.protocol.venues.items import index_items, open_records, split_package
from bluezone.protocol.venues.overlaps import VenueDay, VenueOverlap, assess_venues, compute_overlap

TABLE = "venue_overlaps"
# The most overlaps stored from one package of a neighbour; more would be an attempt to fill the phone's store.
MOST_OVERLAPS = 500


class VenueFollower(VenuePackages):
    """Follows the city's venue packages, matches them and those of neighbours, and stores the overlaps with stays."""

    _store: Store

    def __init__(self, store: Store, client: Client, city: CityConfig, stays: Stays, time: PhoneTime) -> None:
        super().__init__(store, client, city)
        self._stays = stays
        self._time = time

    def match_new_packages(self, installed_at: float) -> None:
        """Fetch and match new packages. installed_at: Unix seconds. Raises as IndexFollower, and InvalidPackage."""
        for package, note in self.fetch_new(self._time.now() - installed_at):
            with self._store.transaction():
                self.match(package)
                note()

    def match(self, package: bytes, neighbour_id: str | None = None) -> None:
        """Store the overlaps of a package with this phone's stays.

        neighbour_id: of the neighbour with the package, None for the phone's own city. Raises InvalidPackage.
        """
        items = index_items(split_package(package))
        now = self._time.now()
        with self._store.transaction():
            self._stays.end_planned_stays(now)
            # A package of a new epoch may repeat an earlier one, and a neighbour may repeat other cities.
            may_repeat = bool(neighbour_id) or self.position.epoch > 0
            known = {venue_overlap for venue_overlap, _ in self._stored()} if may_repeat else frozenset[VenueOverlap]()
            for venue_overlap in islice(self._overlaps(items, now), MOST_OVERLAPS if neighbour_id else None):
                if venue_overlap in known:
                    continue
                document = asdict(venue_overlap) | {"day": venue_overlap.day.isoformat()}
                if neighbour_id:
                    document["of"] = neighbour_id
                self._store.add(TABLE, (venue_overlap.day - DAY_ZERO).days, json.dumps(document).encode())

    def assess(self, profile: Profile, today: date) -> list[VenueDay]:
        """Assess the stored overlaps as of `today`, the local date."""
        return assess_venues([venue_overlap for venue_overlap, _ in self._stored()], profile, today)

    def neighbours(self, day: date) -> tuple[str, ...]:
        """Return the sorted ids of the neighbours with packages that overlap with stays of a local day."""
        ids = set()
        for venue_overlap, neighbour_id in self._stored():
            if neighbour_id and venue_overlap.day == day:
                ids.add(neighbour_id)
        return tuple(sorted(ids))

    def _overlaps(self, items: dict[bytes, list[bytes]], now: float) -> Iterable[VenueOverlap]:
        zone = str(self._time.zone())
        for stay, start, end, keys in self._stays.matchable_stays(now):
            for record in open_records(keys, items):
                venue_overlap = compute_overlap(record, start, end, stay, zone)
                if venue_overlap is not None:
                    yield venue_overlap

    def _stored(self) -> list[tuple[VenueOverlap, str | None]]:
        return [_decode_overlap(contents) for _, _, contents in self._store.rows(TABLE)]


def _decode_overlap(contents: bytes) -> tuple[VenueOverlap, str | None]:
    document = json.loads(contents)
    neighbour_id: str | None = document.pop("of", None)
    return VenueOverlap(date.fromisoformat(document.pop("day")), **document), neighbour_id
