# SPDX-License-Identifier: Apache-2.0
"""Whether a case was near: new files of the city against what this phone keeps, and what its owner is warned of.

Every phone fetches the same files at the same times, whatever it keeps. Source: docs/protocol.md sections 3, 5 (venue
package) and 6; docs/venues.md, "Files" and "Matching and level"; docs/attacks.md rows 18 and 20.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date

from bluezone.handset.city.config import CityConfig
from bluezone.handset.city.histories import Downloads, IndexFollower
from bluezone.handset.client import Client
from bluezone.handset.clocks import PhoneTime
from bluezone.handset.encounters.encounters import Encounters
from bluezone.handset.exposure.exposures import Exposures, HeardIndex, windows_of_file
from bluezone.handset.exposure.warnings import Warning, venue_warnings_of, warnings_of
from bluezone.handset.store import Store
from bluezone.handset.venues.visits import Visits
from bluezone.protocol.intervals import SECONDS_PER_HOUR
from bluezone.protocol.risk.assessment import Assessment, Level, parse_profile
from bluezone.protocol.risk.profile import Profile
from bluezone.protocol.signed.index import VENUES, IndexEntry
from bluezone.protocol.venues.items import items_of_package
from bluezone.protocol.venues.overlaps import VenueDay, VenueOverlap, assess_venues, index_items, overlap, records_of

MAX_PACKAGE_BYTES = 8 * 1024 * 1024
TABLE = "venue_overlaps"
DAY_ZERO = date(1970, 1, 1)


class VenueFollower(IndexFollower):
    """Follows the index of venue packages, matches what is new, and keeps what was found."""

    def __init__(self, store: Store, client: Client, city: CityConfig, visits: Visits, time: PhoneTime) -> None:
        super().__init__(store, client, city, VENUES)
        self._visits = visits
        self._time = time

    def take_in(self, installed_at: float) -> None:
        """Take in what is new. installed_at: Unix seconds. Raises as IndexFollower, and InvalidPackage."""
        # A phone has no stays from before it was installed: of older packages it needs none.
        first_files = int(max(self._time.now() - installed_at, 0) // SECONDS_PER_HOUR) + 2
        index, entries = self.follow_index(first_files)
        for entry in self.earlier(index):
            self._match(entry)
        self.note_rescanned()
        for entry in entries:
            with self._store.transaction():
                self._match(entry)
                self.note_taken_in(entry)
        with self._store.transaction():
            self._visits.note_revoked(index.revoked)
            self.note_complete(index)

    def _match(self, entry: IndexEntry) -> None:
        items = index_items(items_of_package(self.fetch_bytes(entry, MAX_PACKAGE_BYTES)))
        with self._store.transaction():
            self._visits.settle(self._time.now())
            self._add(self._overlaps(items, self._time.now()))

    def assess(self, profile: Profile, today: date) -> list[VenueDay]:
        """Score what was found as of `today`, the local date."""
        return assess_venues(self._all(), profile, today)

    def _overlaps(self, items: dict[bytes, list[bytes]], now: float) -> Iterable[VenueOverlap]:
        zone = str(self._time.zone())
        for visit, start, end, keys in self._visits.to_match(now):
            for record in records_of(keys, items):
                found = overlap(record, start, end, visit, zone)
                if found is not None:
                    yield found

    def _add(self, overlaps: Iterable[VenueOverlap]) -> None:
        # In a new epoch a package may say again what an earlier one said.
        again = self.position.epoch > 0
        kept = {contents for _, _, contents in self._store.rows(TABLE)} if again else frozenset[bytes]()
        for found in overlaps:
            told = json.dumps(asdict(found) | {"day": found.day.isoformat()}).encode()
            if told not in kept:
                self._store.add(TABLE, (found.day - DAY_ZERO).days, told)

    def _all(self) -> list[VenueOverlap]:
        rows = (json.loads(contents) for _, _, contents in self._store.rows(TABLE))
        return [VenueOverlap(date.fromisoformat(fields.pop("day")), **fields) for fields in rows]


class Risk:
    """Matches new files with what this phone keeps, stores the result, and assesses it as of today."""

    def __init__(
        self, store: Store, city: CityConfig, downloads: Downloads, venues: VenueFollower, encounters: Encounters,
        visits: Visits, time: PhoneTime,
    ) -> None:  # fmt: skip
        self._city = city
        self._store = store
        self._downloads = downloads
        self._venues = venues
        self._encounters = encounters
        self._visits = visits
        self._time = time
        self._exposures = Exposures(store)

    def take_in_new_files(self) -> None:
        """Download what is new, verify it and match it here; a refusal keeps what was taken in before it.

        Raises ServerUnreachable, FileUntrusted, InvalidSignedFile, ConfigRefused, IndexRefused and the like.
        """
        self._take_in_exports()
        # After the exports, whether or not there are visits: what a phone fetches says nothing of its owner.
        self._venues.take_in(self._store.get("installed_at", self._time.now()))

    def _take_in_exports(self) -> None:
        index, config, entries = self._downloads.follow()
        profile = parse_profile(config.profile)
        self._encounters.take_time(max(config.generated_at, index.generated_at))
        earlier = self._downloads.earlier(index)
        heard = HeardIndex(self._encounters.log) if entries or earlier else None
        own, receiver = self._encounters.keys.own(), self._encounters.receiver
        sent = self._encounters.keys.identifiers()
        for entry in (*earlier, *entries):
            export = self._downloads.fetch(entry, config)
            assert heard is not None
            windows = windows_of_file(heard, export.columns, entry.number, own, receiver, config.zone, profile, sent)
            with self._store.transaction():
                # In a new epoch a file may say again what an earlier one said.
                self._exposures.add(windows, again=index.epoch > 0)
                if entry not in earlier:
                    self._downloads.note_taken_in(entry)
        self._downloads.note_rescanned()
        self._downloads.note_complete(index)
        self._encounters.renew_stamp()

    def assessment(self) -> Assessment:
        """Levels and days as of today, from the encounters that were matched so far."""
        config = self._city.current
        if config is None:
            return Assessment("none", ())
        return self._exposures.assess(parse_profile(config.profile), self._time.today())

    def venue_days(self) -> list[VenueDay]:
        """What the venues amount to as of today, day by day, from the stays that were matched so far."""
        config = self._city.current
        return [] if config is None else self._venues.assess(parse_profile(config.profile), self._time.today())

    def level(self) -> Level:
        """The level of the worst day, near a case or at a venue."""
        levels = {self.assessment().level, *(day.level for day in self.venue_days())}
        return "high" if "high" in levels else "low" if "low" in levels else "none"

    def warnings(self) -> list[Warning]:
        """What the owner is warned of, latest day first; of one day, contacts before venues."""
        config = self._city.current
        if config is None:
            return []
        labels = {visit.id: visit.label for visit in self._visits.all()}
        warnings = warnings_of(self.assessment(), config) + venue_warnings_of(self.venue_days(), labels, config)
        return sorted(warnings, key=lambda warning: warning.day, reverse=True)
