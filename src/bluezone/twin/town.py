# SPDX-License-Identifier: Apache-2.0
"""One city of a rehearsal: its key server, the phone that fetches files for its crowd, and the crowd."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bluezone.handset.phone import Handset
from bluezone.protocol.exports.columns import KeyColumns
from bluezone.protocol.risk.assessment import parse_profile
from bluezone.protocol.signed.config import Config
from bluezone.twin.cityserver import CityServer
from bluezone.twin.phones import Crowd, File, Found
from bluezone.twin.wholephones import Clock, PhoneClock

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


@dataclass(frozen=True)
class Fetched:
    """What one look for files brought: the files that are new. number: of the newest that is taken in."""

    files: list[tuple[int, KeyColumns, int]]
    number: int
    config: Config


@dataclass
class Town:
    """A city and its phones.

    following: those of its phones that follow the neighbour, and `joining` those that will at the next look.
    published: every key in its files. file_bytes: of all its files together.
    first_told: when which phone said "high" for the first time, Unix seconds.
    """

    crowd: Crowd
    server: CityServer
    follower: Handset
    persons: frozenset[int]
    following: set[int] = field(default_factory=set)
    joining: set[int] = field(default_factory=set)
    published: set[bytes] = field(default_factory=set)
    files: int = 0
    file_bytes: int = 0
    first_told: dict[int, float] = field(default_factory=dict)
    _of_neighbour: list[tuple[File, Found]] = field(default_factory=list)

    def fetch(self) -> Fetched:
        """Look for files as a phone of this city does, once for all of its crowd. Raises as Downloads."""
        downloads = self.follower.downloads
        index, config, entries = downloads.follow()
        self.follower.encounters.accept_signed_time(max(config.generated_at, index.generated_at))
        files = []
        for entry in entries:
            export = downloads.fetch(entry, config)
            self.files += 1
            self.file_bytes += entry.size
            self.published.update(bytes(export.columns.key(row)) for row in range(len(export.columns)))
            files.append((entry.number, export.columns, export.end_timestamp))
            downloads.note_matched(entry)
        downloads.note_complete(index)
        return Fetched(files, downloads.position.number, config)

    def take_in(self, own: Fetched, neighbours: Iterable[Fetched], now: float) -> None:
        """Match what was fetched with what the crowd heard, and note who says "high" for the first time."""
        changed: set[int] = set()
        for number, columns, _end in own.files:
            file = File(number, columns)
            changed |= self.crowd.take_in(file, self.crowd.look_up(file), self.persons, own.config)
        for file, found in self._of_neighbour:
            changed |= self.crowd.take_in(file, found, self.joining, own.config)
        self.following |= self.joining
        self.joining = set()
        for fetched in neighbours:
            for number, columns, end in fetched.files:
                file = File(number, columns, end)
                found = self.crowd.look_up(file)
                changed |= self.crowd.take_in(file, found, self.following, own.config)
                # For those that follow later.
                self._of_neighbour.append((file, found))
        self.crowd.note_checked(now, own.number)
        self._note_told(changed, own.config, now)

    def _note_told(self, changed: set[int], config: Config, now: float) -> None:
        """Who says "high" for the first time. changed: whose windows are not as before; no day alone raises a level."""
        today, profile = datetime.fromtimestamp(now, UTC).astimezone(ZONE).date(), parse_profile(config.profile)
        for person in changed - self.first_told.keys():
            if self.crowd.assess(person, profile, today).level == "high":
                self.first_told[person] = now


def open_follower(folder: Path, server: CityServer, clock: Clock, seed: int) -> Handset:
    """The phone that fetches files for a crowd."""
    rng = random.Random(f"{seed} {folder.name}")  # noqa: S311 - repeatable
    return Handset.open(folder, server.address, PhoneClock(clock), rng, "virtual", trust=server.trust)
