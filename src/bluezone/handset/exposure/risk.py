# SPDX-License-Identifier: Apache-2.0
"""The risk of a phone's owner: matches new files with the encounter log and the stays, and assesses the result.

The files that a phone fetches do not depend on its data. Source: docs/protocol.md sections 3, 5 (venue package) and 6;
docs/venues.md, "Files" and "Matching and level"; docs/attacks.md rows 18 and 20.
"""

from contextlib import closing
from dataclasses import replace

from bluezone.handset.city.config import CityConfig
from bluezone.handset.city.histories import Downloads
from bluezone.handset.city.neighbours import Neighbours
from bluezone.handset.clocks import PhoneTime
from bluezone.handset.encounters.encounters import Encounters
from bluezone.handset.exposure.exposures import EncounterIndex, Exposures, build_file_windows
from bluezone.handset.exposure.venue_overlaps import VenueFollower
from bluezone.handset.exposure.warnings import Warning, build_venue_warnings, build_warnings
from bluezone.handset.store import Store
from bluezone.handset.venues.stays import Stays
from bluezone.protocol.risk.assessment import Assessment, Level, parse_profile
from bluezone.protocol.venues.overlaps import VenueDay
from bluezone.refusal import Refused


class Risk:
    """Matches new files with the phone's encounters and stays, stores the result, and assesses it as of today."""

    def __init__(
        self, store: Store, city: CityConfig, downloads: Downloads, venues: VenueFollower, encounters: Encounters,
        stays: Stays, time: PhoneTime, neighbours: Neighbours,
    ) -> None:  # fmt: skip
        self._city = city
        self._neighbours = neighbours
        self._store = store
        self._downloads = downloads
        self._venues = venues
        self._encounters = encounters
        self._stays = stays
        self._time = time
        self.exposures = Exposures(store)

    def match_new_files(self) -> None:
        """Fetch, verify and match the city's new files; after a refusal, earlier matches remain.

        Raises ServerUnreachable, FileUntrusted, InvalidSignedFile, ConfigRefused, IndexRefused and the like.
        """
        self._match_new_exports()
        # Fetched even without stays: the requests of a phone must reveal nothing about the owner.
        self._venues.match_new_packages(self._store.get("installed_at", self._time.now()))

    def _match_new_exports(self) -> None:
        index, config, entries = self._downloads.follow()
        profile = parse_profile(config.profile)
        self._encounters.accept_signed_time(
            max(config.generated_at, index.generated_at), self._downloads.index_answered_at
        )
        earlier = self._downloads.entries_before_epoch(index)
        heard = EncounterIndex(self._encounters.log) if entries or earlier else None
        own_keys = self._encounters.keys.stored_keys()
        receiver = self._encounters.receiver
        own_identifiers = self._encounters.keys.identifiers()
        for entry in (*earlier, *entries):
            export = self._downloads.fetch(entry, config)
            assert heard is not None
            windows = build_file_windows(
                heard, export.columns, entry.number, own_keys, receiver, config.zone, profile, own_identifiers
            )
            with self._store.transaction():
                # A file of a new epoch may repeat an earlier one.
                self.exposures.add_windows(windows, again=index.epoch > 0)
                if entry not in earlier:
                    self._downloads.note_matched(entry)
        self._downloads.note_rescanned()
        self._downloads.note_complete(index)
        self._encounters.renew_stamp()

    def match_neighbour_files(self) -> None:
        """Fetch and match the neighbours' files; a refusal is only stored with its neighbour."""
        config = self._city.current
        assert config is not None
        profile = parse_profile(config.profile)
        heard = None
        own_keys = self._encounters.keys.stored_keys()
        receiver = self._encounters.receiver
        own_identifiers = self._encounters.keys.identifiers()
        with closing(self._neighbours.new_files()) as followed:
            for neighbour, files in followed:
                problem = None
                try:
                    for file, note in files:
                        with self._store.transaction():
                            if isinstance(file, bytes):
                                self._venues.match(file, neighbour.id)
                            else:
                                heard = heard or EncounterIndex(self._encounters.log)
                                windows = build_file_windows(
                                    heard, file.columns, 0, own_keys, receiver, config.zone, profile, own_identifiers,
                                    file.end_timestamp,
                                )  # fmt: skip
                                # Neighbours may pass keys on to each other.
                                self.exposures.add_windows(windows, again=True, neighbour_id=neighbour.id)
                            note()
                except Refused as refused:
                    problem = refused.code
                self._neighbours.note_check(neighbour.id, problem)

    def assessment(self) -> Assessment:
        """Return levels and days as of today, from the encounters matched so far."""
        config = self._city.current
        if config is None:
            return Assessment("none", ())
        return self.exposures.assess(parse_profile(config.profile), self._time.today())

    def venue_days(self) -> list[VenueDay]:
        """Return the exposure at venues by day as of today, from the stays matched so far."""
        config = self._city.current
        if config is None:
            return []
        return self._venues.assess(parse_profile(config.profile), self._time.today())

    def level(self) -> Level:
        """Return the highest level of all days, near a case or at a venue."""
        levels = {self.assessment().level, *(day.level for day in self.venue_days())}
        if "high" in levels:
            return "high"
        return "low" if "low" in levels else "none"

    def warnings(self) -> list[Warning]:
        """Return the owner's warnings, latest day first; on the same day, encounters before venues."""
        config = self._city.current
        if config is None:
            return []
        labels = {stay.id: stay.label for stay in self._stays.all()}
        profile = parse_profile(config.profile)
        near = [
            replace(warning, neighbours=self.exposures.neighbours(warning.day, profile))
            for warning in build_warnings(self.assessment(), config)
        ]
        venues = [
            replace(warning, neighbours=self._venues.neighbours(warning.day))
            for warning in build_venue_warnings(self.venue_days(), labels, config)
        ]
        return sorted(near + venues, key=lambda warning: warning.day, reverse=True)
