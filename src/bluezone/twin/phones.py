# SPDX-License-Identifier: Apache-2.0
"""The phones of the twin that share what is the same for all of them: the crowd.

The crowd fetches, verifies and expands each file once. What a phone of it heard is worked out when a file holds a key
that it was near, for the meetings at that time, by the encounter log, the matcher and the scoring of every phone.
"""

import math
import random
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import Any, cast

from bluezone.handset.client import Client
from bluezone.handset.clocks import Stamp
from bluezone.handset.encounters.encounters import Receiver
from bluezone.handset.encounters.log import PAGE_SECONDS, EncounterLog
from bluezone.handset.exposure.exposures import DAY_ZERO, EncounterIndex, build_file_windows
from bluezone.handset.report.calls import Calls
from bluezone.handset.store import Store
from bluezone.protocol.blindrsa import PublicKey, blind, finalize
from bluezone.protocol.exports.columns import KeyColumns
from bluezone.protocol.identifiers import IDENTIFIER_LENGTH, Metadata, crypt_metadata, identifier_bytes
from bluezone.protocol.intervals import SECONDS_PER_INTERVAL, day_at, interval_at
from bluezone.protocol.keys import INTERVALS_PER_KEY
from bluezone.protocol.matching import ON_HANDSET, SightingIndex
from bluezone.protocol.risk.assessment import Assessment, ExposureWindow, Profile, assess_exposure, parse_profile
from bluezone.protocol.signed.config import Config
from bluezone.protocol.upload import (
    MAX_KEY_AGE_DAYS,
    Status,
    UploadKey,
    UploadRequest,
    Verify1Request,
    Verify2Request,
    commitment,
    infectious_level,
)
from bluezone.protocol.upload.codes import Credential
from bluezone.radio.calibration import confidence, effective_power_dbm, receiver_correction_db
from bluezone.radio.interface import Burst, Sighting
from bluezone.twin.air import DUTY, Packet, heard
from bluezone.twin.meetings import START, Meeting, Meetings

# A phone that only a public table knows, as in the meetings that the warning curve was measured with. Its power less
# its correction is that of the virtual air's rig, so levels need no moving.
MODEL = "samsung SM-A405FN"
METADATA = Metadata(effective_power_dbm(MODEL), confidence(MODEL)).to_bytes()
RECEIVER = Receiver(receiver_correction_db(MODEL), confidence(MODEL))
_RUN = 0


class Keys:
    """The daily keys of all phones. Those of the crowd follow from the seed; whole phones make their own.

    given: those that whole phones made, by person and UTC day.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.given: dict[tuple[int, int], bytes] = {}
        self._identifiers: dict[tuple[int, int], tuple[bytes, bytes]] = {}
        self._frames: dict[tuple[int, int], tuple[bytes, bytes]] = {}

    def key(self, person: int, day: int) -> bytes:
        """The key of a UTC day, 16 bytes."""
        given = self.given.get((person, day))
        if given is not None:
            return given
        return blake2b(f"{self._seed} key {person} {day}".encode(), digest_size=16).digest()

    def of_day(self, person: int, day: int) -> tuple[bytes, bytes]:
        """The key of a UTC day, and its identifiers one after another."""
        known = self._identifiers.get((person, day))
        if known is None:
            key = self.key(person, day)
            known = key, identifier_bytes(key, day * INTERVALS_PER_KEY, INTERVALS_PER_KEY)
            self._identifiers[person, day] = known
        return known

    def frame(self, person: int, at: float) -> tuple[bytes, bytes]:
        """Identifier and encrypted metadata that a phone sends at a moment."""
        interval = interval_at(at)
        known = self._frames.get((person, interval))
        if known is None:
            day = day_at(at)
            key, identifiers = self.of_day(person, day)
            place = IDENTIFIER_LENGTH * (interval - day * INTERVALS_PER_KEY)
            identifier = identifiers[place : place + IDENTIFIER_LENGTH]
            known = self._frames[person, interval] = identifier, crypt_metadata(key, identifier, METADATA)
        return known

    def forget(self, before_day: int) -> None:
        """Identifiers of days for which they are not asked again soon."""
        self._frames.clear()
        self._identifiers = {name: held for name, held in self._identifiers.items() if name[1] >= before_day}


class _Rows:
    """A store of pages in memory, as the encounter log asks it."""

    def __init__(self) -> None:
        self._rows: dict[int, tuple[int, bytes]] = {}

    def add(self, _table: str, day: int, plain: bytes) -> int:
        self._rows[len(self._rows)] = day, plain
        return len(self._rows) - 1

    def replace(self, _table: str, row: int, day: int, plain: bytes) -> None:
        self._rows[row] = day, plain

    def rows(self, _table: str) -> Iterator[tuple[int, int, bytes]]:
        return ((row, day, plain) for row, (day, plain) in self._rows.items())

    def numbers(self, _table: str) -> list[int]:
        return list(self._rows)

    def row(self, _table: str, number: int) -> bytes | None:
        return self._rows[number][1]

    def page_bytes(self) -> int:
        return sum(len(plain) for _, plain in self._rows.values())


def packets_of(receiver: int, meetings: Iterable[Meeting], seed: int) -> list[Packet]:
    """All that a phone hears of some meetings, in order of time."""
    return sorted(packet for meeting in meetings for packet in heard(receiver, meeting, seed))


def around(some: Iterable[Meeting], meetings: Iterable[Meeting]) -> list[Meeting]:
    """Of a phone's meetings of a day those that decide which page of its log some of them fall into.

    A page is open for PAGE_SECONDS, so only a pause as long makes what was heard before it indifferent.
    """
    found: list[Meeting] = []
    cluster: list[Meeting] = []
    wanted, until = {one.number for one in some}, -math.inf
    for meeting in [*sorted(meetings, key=lambda one: one.begins), None]:
        if meeting is None or meeting.begins - until > PAGE_SECONDS + DUTY.period_seconds:
            found += cluster if wanted & {one.number for one in cluster} else []
            cluster, until = [], -math.inf
        if meeting is not None:
            cluster.append(meeting)
            until = max(until, meeting.ends)
    return found


@dataclass
class Day:
    """What the crowd heard on one UTC day of phones that will report: identifiers, each with receiver and meeting."""

    index: SightingIndex
    receivers: "array[int]"
    heard: list[Meeting]
    rows: "array[int]"
    all: Meetings


@dataclass(frozen=True)
class File:
    """An export file. ended: of a neighbour's the end of the time it is of, Unix seconds; None in the own city."""

    number: int
    columns: KeyColumns
    ended: int | None = None


Found = dict[int, dict[int, set[int]]]
"""Rows of meetings by person and UTC day."""


class Crowd:
    """Phones that share what is the same for all of them. persons: those that belong to it.

    reporting: those who will report. What is heard of others is not indexed, since no file can ever have their keys.
    """

    def __init__(self, persons: Sequence[int], reporting: Iterable[int], keys: Keys, seed: int) -> None:
        self._members, self._reporting, self._keys, self._seed = frozenset(persons), frozenset(reporting), keys, seed
        self._days: dict[int, Day] = {}
        # When the crowd took in files, and the newest number then: what was heard later says so (Stamp).
        self._taken: list[tuple[float, int]] = []
        # When whose clocks were moved: what such a phone hears before the next file counts for nothing.
        self._moved: list[tuple[float, frozenset[int]]] = []
        self._windows: dict[int, list[ExposureWindow]] = defaultdict(list)
        self.uploaded: dict[int, set[bytes]] = defaultdict(set)

    def live(self, day: int, meetings: Meetings) -> None:
        """Pass a day. day: UTC."""
        identifiers, times = bytearray(), array("q")
        receivers, rows = array("L"), array("L")
        known = meetings.of_all(self._reporting)
        for row, meeting in enumerate(known):
            for receiver, sender in ((meeting.one, meeting.other), (meeting.other, meeting.one)):
                if receiver not in self._members or sender not in self._reporting:
                    continue
                _, sent = self._keys.of_day(sender, day)
                first = interval_at(meeting.begins)
                for interval in range(first, interval_at(meeting.ends) + 1):
                    place = IDENTIFIER_LENGTH * (interval - day * INTERVALS_PER_KEY)
                    identifiers += sent[place : place + IDENTIFIER_LENGTH]
                    times.append(max(int(meeting.begins), interval * SECONDS_PER_INTERVAL))
                    receivers.append(receiver)
                    rows.append(row)
        index = SightingIndex(bytes(identifiers), times, ON_HANDSET)
        self._days[day] = Day(index, receivers, known, rows, meetings)

    def forget(self, before_day: int) -> None:
        """Days that are too old to count, and windows of them, as every phone does. before_day: UTC day."""
        self._days = {day: held for day, held in self._days.items() if day >= before_day}
        for person, windows in self._windows.items():
            self._windows[person] = [window for window in windows if (window.day - DAY_ZERO).days >= before_day]

    def look_up(self, file: File) -> Found:
        """Which meetings of which phones, on which UTC day, one file may be about."""
        by_day = {start // INTERVALS_PER_KEY for start in file.columns.starts}
        found: Found = defaultdict(lambda: defaultdict(set))
        for day in self._days.keys() & by_day:
            held = self._days[day]
            for _key_row, _interval, place in held.index.match(file.columns):
                found[held.receivers[place]][day].add(held.rows[place])
        return found

    def take_in(self, file: File, found: Found, persons: Iterable[int], config: Config) -> set[int]:
        """Match one file with what some phones heard, of those found in it. Returns whose phones have new windows."""
        told, profile = found.keys() & set(persons), parse_profile(config.profile)
        for person in told:
            for day in self._days.keys() & found[person].keys():
                held = self._days[day]
                self._match(person, [held.heard[row] for row in found[person][day]], held, file, config.zone, profile)
        return told

    def _match(self, person: int, matched: list[Meeting], held: Day, file: File, zone: str, profile: Profile) -> None:
        """Work out what a phone heard around some meetings, and match it as every phone does."""
        there = around(matched, held.all.of(person))
        log = EncounterLog(cast(Store, _Rows()))
        log.power_dbm = effective_power_dbm(MODEL)
        self._hear(log, person, packets_of(person, there, self._seed))
        found = build_file_windows(
            EncounterIndex(log),
            file.columns,
            file.number,
            self.uploaded[person],
            RECEIVER,
            zone,
            profile,
            None,
            file.ended,
        )
        self._windows[person] += found

    def _hear(self, log: EncounterLog, person: int, packets: list[Packet]) -> None:
        burst = None
        checks, moved = [at for at, _ in self._taken], [at for at, whose in self._moved if person in whose]
        for packet in packets:
            if packet.burst != burst:
                burst = packet.burst
                log.burst_started(Burst(burst, packet.began, DUTY.period_seconds))
            place = bisect_left(checks, packet.at)
            checked, newest = self._taken[place - 1] if place else (0.0, 0)
            trusted = not any(checked <= at <= packet.at for at in moved)
            # Of another stamp is another page, so there is one from each check on.
            stamp = Stamp("twin", _RUN, 0.0, False, trusted, int(checked), newest)
            identifier, metadata = self._keys.frame(packet.sender, packet.at)
            log.add_sighting(
                Sighting(identifier, metadata, packet.rssi_dbm, burst, packet.at), stamp, day_at(packet.at)
            )

    def note_moved(self, now: float, persons: Iterable[int]) -> None:
        """The clocks of some phones were moved by more than a phone lets pass."""
        self._moved.append((now, frozenset(persons)))

    def note_checked(self, now: float, newest: int) -> None:
        """The crowd has taken in all files up to `newest`."""
        self._taken.append((now, newest))

    def windows(self, person: int) -> list[ExposureWindow]:
        """The exposure windows of a phone."""
        return self._windows.get(person, [])

    def assess(self, person: int, profile: Profile, today: date) -> Assessment:
        """What a phone says as of `today`."""
        return assess_exposure(self.windows(person), profile, today)


def report(person: int, code: str, keys: Keys, crowd: Crowd, client: Client, config: Config, now: float) -> bool:
    """Report for a phone of the crowd: the three calls of a report, with its keys. Whether the server took it.

    Raises as Calls.
    """
    drawn = random.Random(f"{person} {now}")  # noqa: S311 - repeatable
    calls, credential = Calls(client, drawn.randbytes), Credential.from_text(code)
    first = calls.check_code(Verify1Request(credential=credential))
    if first.status is not Status.OK:
        return False
    today = day_at(now)
    chosen = tuple(
        UploadKey(keys.key(person, day), day * INTERVALS_PER_KEY, INTERVALS_PER_KEY, level)
        for day in range(max(today - MAX_KEY_AGE_DAYS, day_at(START + 7 * 3600)), today + 1)
        if (level := infectious_level(day, first.onset_day)) is not None
    )
    week_key = next(key for key in config.week_keys if key.kid == first.kid)
    public = PublicKey(week_key.n, week_key.e)
    rand, salt = drawn.randbytes(32), drawn.randbytes(32)
    message = rand + commitment(salt, chosen, ())
    blinded = blind(public, message)
    second = calls.redeem_code(Verify2Request(credential=credential, kid=first.kid, blinded=blinded.message))
    if second.status is not Status.OK:
        return False
    signature = finalize(public, message, second.blind_signature, blinded.inverse)
    answer = calls.upload(UploadRequest(kid=first.kid, rand=rand, signature=signature, salt=salt, keys=chosen))
    crowd.uploaded[person] |= {key.key for key in chosen}
    return answer.status is Status.OK


def as_told(windows: Iterable[ExposureWindow]) -> list[Any]:
    """Windows in an order of their own, to be compared."""
    return sorted(windows, key=repr)
