# SPDX-License-Identifier: Apache-2.0
"""Risk and warnings: matches new files of the city with what this phone has stored, and warns the owner.

Every phone fetches the same files at the same times, whatever it has stored. A warning contains the day, about how
long, how certain it is, and what to do; nothing else. Source: docs/protocol.md sections 3, 5 (venue package) and 6;
docs/venues.md, "Files" and "Matching and level"; docs/attacks.md rows 18 and 20.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from itertools import islice
from typing import Literal

from bluezone.handset.city.config import CityConfig
from bluezone.handset.city.histories import Downloads, VenuePackages
from bluezone.handset.city.neighbours import Neighbours
from bluezone.handset.client import Client
from bluezone.handset.clocks import PhoneTime
from bluezone.handset.encounters.encounters import Encounters
from bluezone.handset.exposure.exposures import Exposures, HeardIndex, build_file_windows
from bluezone.handset.store import Store
from bluezone.handset.venues.visits import Visits
from bluezone.protocol.declaration import DeclaredLevel
from bluezone.protocol.risk.assessment import Assessment, DayExposure, Level, parse_profile
from bluezone.protocol.risk.profile import Profile
from bluezone.protocol.signed.config import TEXT_NAMES, Config
from bluezone.protocol.venues.items import index_items, open_records, split_package
from bluezone.protocol.venues.overlaps import (
    VenueDay,
    VenueOverlap,
    assess_venues,
    compute_overlap,
)
from bluezone.refusal import Refused

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip

TABLE = "venue_overlaps"
# More matches in one package with one phone's stays are an attempt of a neighbour to fill its store.
MOST_OVERLAPS = 500
DAY_ZERO = date(1970, 1, 1)


def day_and_month(day: date, language: str) -> str:
    """25/11, or 25 November."""
    return f"{day.day}/{day.month}" if language == "vi" else f"{day.day} {_MONTHS[day.month - 1]}"


def full_date(day: date, language: str) -> str:
    """25/11/2026, or 25 November 2026."""
    separator = "/" if language == "vi" else " "
    return f"{day_and_month(day, language)}{separator}{day.year}"


@dataclass(frozen=True, slots=True)
class Warning:
    """One day with a risk.

    band:  minutes, coarse. texts: by language ("vi", "en") and name, placeholders filled in.
    kind:  "near" by Bluetooth, or "venue". label: names of the venues, if the owner wanted them stored.
    near:  minutes likely near, from and to, in fives; None if no distance could be assessed.
    watch_days: how long the signed rules ask the owner to watch their health.
    neighbours: ids of other cities with lists that contain cases of that day; empty if only the phone's city has any.
    """

    day: date
    level: str
    band: str
    certainty: str
    texts: Mapping[str, Mapping[str, str]]
    kind: Literal["near", "venue"] = "near"
    label: str | None = None
    near: tuple[int, int] | None = None
    watch_days: int = 14
    neighbours: tuple[str, ...] = ()

    @property
    def watch_until(self) -> date:
        """The last day on which the owner should watch their health."""
        return self.day + timedelta(days=self.watch_days)

    @property
    def id(self) -> str:
        """Identifies this warning: each day has at most one of each kind."""
        return f"{self.kind}-{self.day.isoformat()}"

    @property
    def declared_level(self) -> DeclaredLevel:
        """The level for a declaration: "unclear" if the phone cannot tell how near the owner was."""
        if self.kind == "near" and self.certainty == "unclear":
            return "unclear"
        return "high" if self.level == "high" else "low"


def build_warnings(assessment: Assessment, config: Config) -> list[Warning]:
    """The warnings of an assessment, latest day first."""
    risky = [day for day in assessment.days if day.level != "none"]
    return [_warning(day, config) for day in sorted(risky, key=lambda day: day.day, reverse=True)]


def build_venue_warnings(days: Iterable[VenueDay], labels: Mapping[int, str | None], config: Config) -> list[Warning]:
    """The warnings of venues, in the order of the days. labels: names of stays by their number."""
    return [_venue_warning(day, labels, config) for day in days if day.level != "none"]


def _warning(exposure: DayExposure, config: Config) -> Warning:
    texts = _texts(exposure.day, config, _kinds("near", exposure))
    return Warning(
        exposure.day, exposure.level, exposure.band, exposure.certainty, texts, near=_in_fives(exposure.near),
        watch_days=config.care.watch_days,
    )  # fmt: skip


def _venue_warning(day: VenueDay, labels: Mapping[int, str | None], config: Config) -> Warning:
    texts = _texts(day.day, config, _kinds("venue", day))
    names = dict.fromkeys(label for visit in day.visits if (label := labels.get(visit)))
    return Warning(
        day.day, day.level, day.band, day.certainty, texts, "venue", ", ".join(names) or None,
        watch_days=config.care.watch_days,
    )  # fmt: skip


def _in_fives(near: tuple[float, float] | None) -> tuple[int, int] | None:
    """A range in fives: the start rounded down; the end rounded up if over by more than a minute, at least 5."""
    if near is None:
        return None
    low, high = near
    return 5 * int(low // 5), max(5 * math.ceil((high - 1) / 5), 5)


def _kinds(kind: str, exposure: DayExposure | VenueDay) -> tuple[str, ...]:
    """The kinds of text for a day, best first: a low level asks the owner to watch and to mask, never to isolate.

    A config of an earlier release has no texts for "low"; those for "unclear" ask for the same.
    """
    if kind == "near" and exposure.certainty == "unclear":
        return ("unclear",)
    kinds = ("venue",) if kind == "venue" else ()
    return kinds if exposure.level == "high" else (*kinds, "low", "unclear")


def _texts(day: date, config: Config, kinds: Sequence[str]) -> dict[str, dict[str, str]]:
    """The texts of a day: for each name the first of the kinds that the config has, else the plain text."""
    return {
        language: {name: _filled(_choose_text(texts, name, kinds), language, day, config) for name in TEXT_NAMES}
        for language, texts in config.texts.items()
    }


def _choose_text(texts: Mapping[str, str], name: str, kinds: Sequence[str]) -> str:
    return next((texts[f"{kind}_{name}"] for kind in kinds if f"{kind}_{name}" in texts), texts[name])


def _filled(text: str, language: str, day: date, config: Config) -> str:
    until = full_date(day + timedelta(days=config.care.watch_days), language)
    for name, value in (("hotline", config.hotline), ("day", full_date(day, language)), ("until", until)):
        text = text.replace("{" + name + "}", value)
    return text


class VenueFollower(VenuePackages):
    """Follows the city's venue packages, matches them and those of neighbours, and stores the overlaps with stays."""

    _store: Store

    def __init__(self, store: Store, client: Client, city: CityConfig, visits: Visits, time: PhoneTime) -> None:
        super().__init__(store, client, city)
        self._visits = visits
        self._time = time

    def match_new_packages(self, installed_at: float) -> None:
        """Fetch and match what is new. installed_at: Unix seconds. Raises as IndexFollower, and InvalidPackage."""
        for package, note in self.fetch_new(self._time.now() - installed_at):
            with self._store.transaction():
                self.match(package)
                note()

    def match(self, package: bytes, neighbour_id: str | None = None) -> None:
        """Store the overlaps of a package with this phone's stays.

        neighbour_id: of the neighbour that the package came from, None for the phone's own city. Raises InvalidPackage.
        """
        items = index_items(split_package(package))
        now = self._time.now()
        with self._store.transaction():
            self._visits.end_planned(now)
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
        """The neighbours with packages that overlap with stays of a local day: their ids, sorted."""
        ids = set()
        for venue_overlap, neighbour_id in self._stored():
            if neighbour_id and venue_overlap.day == day:
                ids.add(neighbour_id)
        return tuple(sorted(ids))

    def _overlaps(self, items: dict[bytes, list[bytes]], now: float) -> Iterable[VenueOverlap]:
        zone = str(self._time.zone())
        for visit, start, end, keys in self._visits.matchable(now):
            for record in open_records(keys, items):
                venue_overlap = compute_overlap(record, start, end, visit, zone)
                if venue_overlap is not None:
                    yield venue_overlap

    def _stored(self) -> list[tuple[VenueOverlap, str | None]]:
        return [_decode_overlap(contents) for _, _, contents in self._store.rows(TABLE)]


def _decode_overlap(contents: bytes) -> tuple[VenueOverlap, str | None]:
    document = json.loads(contents)
    neighbour_id: str | None = document.pop("of", None)
    return VenueOverlap(date.fromisoformat(document.pop("day")), **document), neighbour_id


class Risk:
    """Matches new files with what this phone has stored, stores the result, and assesses it as of today."""

    def __init__(
        self, store: Store, city: CityConfig, downloads: Downloads, venues: VenueFollower, encounters: Encounters,
        visits: Visits, time: PhoneTime, neighbours: Neighbours,
    ) -> None:  # fmt: skip
        self._city = city
        self._neighbours = neighbours
        self._store = store
        self._downloads = downloads
        self._venues = venues
        self._encounters = encounters
        self._visits = visits
        self._time = time
        self.exposures = Exposures(store)

    def match_new_files(self) -> None:
        """Fetch what is new, verify it and match it here; a refusal keeps the matches made before it.

        Raises ServerUnreachable, FileUntrusted, InvalidSignedFile, ConfigRefused, IndexRefused and the like.
        """
        self._take_in_exports()
        # Fetched even if there are no stays: what a phone fetches must reveal nothing about the owner.
        self._venues.match_new_packages(self._store.get("installed_at", self._time.now()))

    def _take_in_exports(self) -> None:
        index, config, entries = self._downloads.follow()
        profile = parse_profile(config.profile)
        self._encounters.accept_signed_time(max(config.generated_at, index.generated_at))
        earlier = self._downloads.entries_before_epoch(index)
        heard = HeardIndex(self._encounters.log) if entries or earlier else None
        own_keys = self._encounters.keys.stored()
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
                self.exposures.add(windows, again=index.epoch > 0)
                if entry not in earlier:
                    self._downloads.note_matched(entry)
        self._downloads.note_rescanned()
        self._downloads.note_complete(index)
        self._encounters.renew_stamp()

    def match_neighbour_files(self) -> None:
        """Fetch and match the neighbours' files; a refusal is stored with its neighbour and affects nothing else."""
        config = self._city.current
        assert config is not None
        profile = parse_profile(config.profile)
        heard = None
        own_keys = self._encounters.keys.stored()
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
                                heard = heard or HeardIndex(self._encounters.log)
                                windows = build_file_windows(
                                    heard, file.columns, 0, own_keys, receiver, config.zone, profile, own_identifiers,
                                    file.end_timestamp,
                                )  # fmt: skip
                                # Neighbours may pass keys on to each other.
                                self.exposures.add(windows, again=True, neighbour_id=neighbour.id)
                            note()
                except Refused as refused:
                    problem = refused.code
                self._neighbours.note_check(neighbour.id, problem)

    def assessment(self) -> Assessment:
        """Levels and days as of today, from the encounters matched so far."""
        config = self._city.current
        if config is None:
            return Assessment("none", ())
        return self.exposures.assess(parse_profile(config.profile), self._time.today())

    def venue_days(self) -> list[VenueDay]:
        """The risk of venues as of today, by day, from the stays matched so far."""
        config = self._city.current
        if config is None:
            return []
        return self._venues.assess(parse_profile(config.profile), self._time.today())

    def level(self) -> Level:
        """The level of the worst day, near a case or at a venue."""
        levels = {self.assessment().level, *(day.level for day in self.venue_days())}
        if "high" in levels:
            return "high"
        return "low" if "low" in levels else "none"

    def warnings(self) -> list[Warning]:
        """The owner's warnings, latest day first; on the same day, encounters before venues."""
        config = self._city.current
        if config is None:
            return []
        labels = {visit.id: visit.label for visit in self._visits.all()}
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
