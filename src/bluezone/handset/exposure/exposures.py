# SPDX-License-Identifier: Apache-2.0
"""Whether the owner was near a case: published keys are matched with the encounter log, in memory, on this phone.

Source: docs/protocol.md section 3; docs/attacks.md rows 1, 8 and 39.
"""

import bisect
import json
import math
from array import array
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from itertools import accumulate
from zoneinfo import ZoneInfo

from bluezone.handset.clocks import Stamp
from bluezone.handset.encounters.dailykeys import OwnIdentifiers
from bluezone.handset.encounters.encounters import Receiver
from bluezone.handset.encounters.log import EncounterLog
from bluezone.handset.encounters.pages import FRAME_LENGTH, Heard, HeardBurst, Page
from bluezone.handset.store import Store
from bluezone.protocol.exports.columns import ABSENT, KeyColumns
from bluezone.protocol.identifiers import Metadata, attenuation_db, crypt_metadata
from bluezone.protocol.intervals import SECONDS_PER_INTERVAL
from bluezone.protocol.keys import INTERVALS_PER_KEY
from bluezone.protocol.matching import ON_HANDSET, SightingIndex, on_handset
from bluezone.protocol.reciprocity import BINDING_LENGTH, TYPE, open_frame, reciprocity_key
from bluezone.protocol.risk.assessment import Assessment, ExposureWindow, Profile, ScanInstance, assess
from bluezone.protocol.risk.windows import MatchedSighting, build_windows

DAY_ZERO = date(1970, 1, 1)


class HeardIndex:
    """Everything in the log, ready for looking up keys. It holds only identifiers; pages are opened on a match.

    The log keeps in memory what is taken from it here, so making one again reads only pages that are new.
    """

    def __init__(self, log: EncounterLog) -> None:
        self._log = log
        # Without a time it cannot count, whichever key it comes from (_scored_sightings).
        timed = [(row, columns) for row, columns in log.columns() if columns.first_seconds]
        self._page_rows = [row for row, _ in timed]
        self._page_ends = list(accumulate(len(columns) for _, columns in timed))
        self._frames = b"".join([columns.frames for _, columns in timed])
        times = array("q", b"".join([columns.first_seconds for _, columns in timed]))
        longest = max((columns.longest_seconds for _, columns in timed), default=0.0)
        # One time for all bursts of a record, its first; a later one may count for a later interval. Each burst is
        # looked at by itself when its key has been found.
        wider = min(math.ceil(longest / SECONDS_PER_INTERVAL), INTERVALS_PER_KEY)
        late = range(ON_HANDSET.start - wider, ON_HANDSET.stop)
        self._index = SightingIndex(self._frames, times, late, width=FRAME_LENGTH)

    def find(self, keys: KeyColumns) -> dict[int, list[tuple[int, Page, Heard]]]:
        """For each row of `keys` that was heard: the interval, page and record of every equality."""
        found: dict[int, list[tuple[int, Page, Heard]]] = defaultdict(list)
        opened: dict[int, Page | None] = {}
        for key_row, interval, place in self._index.find(keys):
            row = self._page_rows[bisect.bisect_right(self._page_ends, place)]
            frame = self._frames[place * FRAME_LENGTH : (place + 1) * FRAME_LENGTH]
            if row not in opened:
                opened[row] = self._log.page(row)
            page = opened[row]
            if page is not None and frame in page.heard:
                found[key_row].append((interval, page, page.heard[frame]))
        return found


class Surroundings:
    """Who else was heard in a burst, beside a case. It opens each page once."""

    def __init__(self) -> None:
        self._bursts: dict[int, dict[int, dict[bytes, float]]] = {}

    def of(self, page: Page, burst: int, identifier: bytes) -> tuple[int, int | None]:
        """How many other identifiers a page has in a burst, and the standard deviation of their mean levels in dB.

        It is rounded, and None where there are fewer than two.
        """
        if id(page) not in self._bursts:
            self._bursts[id(page)] = self._levels(page)
        levels = [level for other, level in self._bursts[id(page)][burst].items() if other != identifier]
        if len(levels) < 2:
            return len(levels), None
        mean = math.fsum(levels) / len(levels)
        variance = math.fsum((level - mean) ** 2 for level in levels) / len(levels)
        return len(levels), math.floor(math.sqrt(variance) + 0.5)

    @staticmethod
    def _levels(page: Page) -> dict[int, dict[bytes, float]]:
        bursts: dict[int, dict[bytes, float]] = defaultdict(dict)
        for heard in page.heard.values():
            for burst in heard.bursts:
                bursts[burst.number][heard.identifier] = burst.mean_rssi_dbm
        return bursts


def windows_of_file(
    index: HeardIndex, keys: KeyColumns, number: int, own: set[bytes], receiver: Receiver, zone: str, profile: Profile,
    sent: OwnIdentifiers | None = None, ended: int | None = None,
) -> list[ExposureWindow]:  # fmt: skip
    """The exposure windows that export file `number` makes of the log.

    own: keys of this phone, which never warn it. A sighting counts only if its clock was trusted, it lies in
    intervals j-1 .. j+2 of its identifier, and the file is newer than any the phone had when it heard it.
    sent: what this phone broadcast; with it, the reciprocity frames beside those sightings are opened.
    ended: of a file of a neighbour: the end of the time it is of, Unix seconds. A phone notes no numbers of neighbours
    beside what it hears; a sighting counts only if no signed file that it had seen then was made after that end.
    """
    windows: list[ExposureWindow] = []
    surroundings = Surroundings()
    for key_row, places in index.find(keys).items():
        key = keys.key(key_row)
        if key in own:
            continue
        fresh = [place for place in places if not _was_out(place[1].stamp, number, ended)]
        sightings = _scored_sightings(key, fresh, receiver, surroundings, sent)
        report_type = keys.report_types[key_row]
        onset = keys.days_since_onset[key_row]
        windows += build_windows(
            sightings,
            report_type=None if report_type == ABSENT else report_type,
            days_since_onset=None if onset == ABSENT else onset,
            zone=ZoneInfo(zone),
            profile=profile,
            own_confidence=receiver.confidence,
        )
    return windows


def _was_out(stamp: Stamp, number: int, ended: int | None) -> bool:
    """Whether a file may have been out when something was heard: then anybody could have sent what was heard."""
    return stamp.newest_export >= number if ended is None else stamp.floor_seconds >= ended


_BurstName = tuple[int, int]
"""Run of the program, and number of the burst in it."""


def _scored_sightings(
    key: bytes, places: Iterable[tuple[int, Page, Heard]], receiver: Receiver,
    surroundings: Surroundings, sent: OwnIdentifiers | None,
) -> list[MatchedSighting]:  # fmt: skip
    """Every frame of a matched key that may count, in order of time, its bursts numbered from 1.

    What reciprocity frames say of a burst is the mean of those heard in it, the same for each of its sightings.
    """
    kept: list[tuple[float, _BurstName, float, int, int, tuple[int, int | None]]] = []
    other_way: dict[_BurstName, list[int]] = defaultdict(list)
    for interval, page, heard in places:
        stamp = page.stamp
        if not stamp.trusted:
            continue
        metadata = crypt_metadata(key, heard.identifier, heard.metadata)
        confidence = Metadata.from_bytes(metadata).confidence
        for burst in heard.bursts:
            at = stamp.unix_seconds(burst.boot_seconds)
            if at is None or not on_handset(interval, at):
                continue
            name = (stamp.run, burst.number)
            others = surroundings.of(page, burst.number, heard.identifier)
            if sent is not None:
                other_way[name] += _told(key, page, heard.identifier, burst, sent.around(at))
            for rssi_dbm in burst.rssi_dbm:
                attenuation = attenuation_db(metadata, rssi_dbm + receiver.correction_db)
                if attenuation is not None:
                    kept.append((at, name, burst.seconds_since_previous, attenuation, confidence, others))
    kept.sort(key=lambda sighting: sighting[0])
    numbers: dict[_BurstName, int] = {}
    return [
        MatchedSighting(
            at,
            numbers.setdefault(name, len(numbers) + 1),
            since,
            attenuation,
            confidence,
            _rounded_mean(other_way.get(name, [])),
            *others,
        )
        for at, name, since, attenuation, confidence, others in kept
    ]


def _told(key: bytes, page: Page, identifier: bytes, burst: HeardBurst, own: list[bytes]) -> Iterable[int]:
    """The attenuations, dB, at which the sender of a matched identifier says that it heard this phone."""
    if page.power_dbm is None or not own:
        return
    for kept in burst.reciprocity:
        frame = bytes([TYPE]) + identifier[:BINDING_LENGTH] + kept
        level_dbm = open_frame(reciprocity_key(key), identifier, frame, own)
        if level_dbm is not None:
            yield max(page.power_dbm - level_dbm, 0)


def _rounded_mean(values: list[int]) -> int | None:
    return math.floor(sum(values) / len(values) + 0.5) if values else None


class Exposures:
    """The exposure windows found so far; they are kept after the file they came from is gone."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, windows: Iterable[ExposureWindow], *, again: bool = False, of: str | None = None) -> None:
        """Keep windows, by the local day of their start.

        again: their file may say what an earlier one said, so those that are kept already are left out.
        of: id of the neighbour whose file they came from, None for the own city.
        """
        with self._store.transaction():
            kept = {window for window, _ in self._kept()} if again else frozenset[ExposureWindow]()
            for window in windows:
                told = asdict(window) | {"day": window.day.isoformat()} | ({"of": of} if of else {})
                if window not in kept:
                    self._store.add("windows", (window.day - DAY_ZERO).days, json.dumps(told).encode())

    def all(self) -> list[ExposureWindow]:
        """Every window kept."""
        return [window for window, _ in self._kept()]

    def neighbours(self, day: date, profile: Profile) -> tuple[str, ...]:
        """Ids of the neighbours whose files name cases that count on a local day, sorted."""
        return tuple(sorted({
            of for window, of in self._kept()
            if of and window.day == day and profile.factor(window.report_type, window.infectiousness) > 0
        }))  # fmt: skip

    def _kept(self) -> list[tuple[ExposureWindow, str | None]]:
        return [_window(contents) for _, _, contents in self._store.rows("windows")]

    def assess(self, profile: Profile, today: date) -> Assessment:
        """Score them as of `today`, the local date."""
        return assess(self.all(), profile, today)


def _window(contents: bytes) -> tuple[ExposureWindow, str | None]:
    told = json.loads(contents)
    of: str | None = told.pop("of", None)
    instances = tuple(ScanInstance(**instance) for instance in told.pop("scan_instances"))
    return ExposureWindow(day=date.fromisoformat(told.pop("day")), scan_instances=instances, **told), of
