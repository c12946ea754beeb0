# SPDX-License-Identifier: Apache-2.0
"""Matches published keys with the encounter log and stores the resulting exposure windows.

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
from bluezone.handset.encounters.pages import FRAME_LENGTH, HeardBurst, HeardIdentifier, Page
from bluezone.handset.store import Store
from bluezone.protocol.exports.columns import ABSENT, KeyColumns
from bluezone.protocol.identifiers import Metadata, attenuation_db, crypt_metadata
from bluezone.protocol.intervals import SECONDS_PER_INTERVAL
from bluezone.protocol.keys import INTERVALS_PER_KEY
from bluezone.protocol.matching import ON_HANDSET, SightingIndex, is_within_tolerance
from bluezone.protocol.reciprocity import BINDING_LENGTH, TYPE, open_reciprocity_frame, reciprocity_key
from bluezone.protocol.risk.assessment import Assessment, ExposureWindow, Profile, ScanInstance, assess_exposure
from bluezone.protocol.risk.windows import MatchedSighting, build_windows

DAY_ZERO = date(1970, 1, 1)

_BurstName = tuple[int, int]
"""Run of the program, and number of the burst in that run."""


class EncounterIndex:
    """An index of the encounter log for matching keys. It has identifiers only; a page is opened if one matches.

    The log keeps its columns in memory, so that a second index reads only new pages.
    """

    def __init__(self, log: EncounterLog) -> None:
        self._log = log
        # Sightings of pages without a time never count (_scored_sightings).
        timed = [(row, columns) for row, columns in log.columns() if columns.first_seconds]
        self._page_rows = [row for row, _ in timed]
        self._page_ends = list(accumulate(len(columns) for _, columns in timed))
        self._frames = b"".join([columns.frames for _, columns in timed])
        times = array("q", b"".join([columns.first_seconds for _, columns in timed]))
        longest = max((columns.longest_seconds for _, columns in timed), default=0.0)
        # The index has only the time of the first burst of an entry, but later bursts may be in later intervals. After
        # a match, each burst is checked separately.
        longest_intervals = min(math.ceil(longest / SECONDS_PER_INTERVAL), INTERVALS_PER_KEY)
        late = range(ON_HANDSET.start - longest_intervals, ON_HANDSET.stop)
        self._index = SightingIndex(self._frames, times, late, width=FRAME_LENGTH)

    def match(self, keys: KeyColumns) -> dict[int, list[tuple[int, Page, HeardIdentifier]]]:
        """Return interval, page and entry of every match, by row of `keys`."""
        matches: dict[int, list[tuple[int, Page, HeardIdentifier]]] = defaultdict(list)
        opened: dict[int, Page | None] = {}
        for key_row, interval, place in self._index.match(keys):
            row = self._page_rows[bisect.bisect_right(self._page_ends, place)]
            frame = self._frames[place * FRAME_LENGTH : (place + 1) * FRAME_LENGTH]
            if row not in opened:
                opened[row] = self._log.page(row)
            page = opened[row]
            if page is not None and frame in page.heard:
                matches[key_row].append((interval, page, page.heard[frame]))
        return matches


class Surroundings:
    """Counts the other identifiers that were heard in the same burst as a case. Reads each page once."""

    def __init__(self) -> None:
        self._bursts: dict[int, dict[int, dict[bytes, float]]] = {}

    def measure(self, page: Page, burst: int, identifier: bytes) -> tuple[int, int | None]:
        """Return how many other identifiers a page has in a burst, and the standard deviation of their mean levels.

        The deviation is in whole dB; it is None for fewer than two identifiers.
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


def build_file_windows(
    index: EncounterIndex, keys: KeyColumns, number: int, own_keys: set[bytes], receiver: Receiver, zone: str,
    profile: Profile, own_identifiers: OwnIdentifiers | None = None, period_end: int | None = None,
) -> list[ExposureWindow]:  # fmt: skip
    """Return the exposure windows that result from an export file and the log.

    A sighting counts only if the clock was trusted, its time fits the interval of the identifier
    (`is_within_tolerance`), and the file was not public yet at that time.

    number:     of the file; a sighting counts if the phone had only files with lower numbers.
    own_keys:   keys of this phone, which never warn it.
    own_identifiers: identifiers of this phone, to open the reciprocity frames of the sightings; None to open none.
    period_end: of a neighbour's file, Unix seconds; used instead of `number`, which stamps lack for neighbours. A
                sighting counts if all signed files on the phone were made before this time.
    """
    windows: list[ExposureWindow] = []
    surroundings = Surroundings()
    for key_row, matches in index.match(keys).items():
        key = keys.key(key_row)
        if key in own_keys:
            continue
        counted = [match for match in matches if not _was_published(match[1].stamp, number, period_end)]
        sightings = _scored_sightings(key, counted, receiver, surroundings, own_identifiers)
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


def _was_published(stamp: Stamp, number: int, period_end: int | None) -> bool:
    """Whether a file may have been public at a sighting: then anyone could have broadcast identifiers of its keys."""
    if period_end is None:
        return stamp.newest_export >= number
    return stamp.floor_seconds >= period_end


def _scored_sightings(
    key: bytes, matches: Iterable[tuple[int, Page, HeardIdentifier]], receiver: Receiver,
    surroundings: Surroundings, own_identifiers: OwnIdentifiers | None,
) -> list[MatchedSighting]:  # fmt: skip
    """Return every frame of a matched key that counts, in order of time, with its bursts numbered from 1.

    Each sighting of a burst has the mean of the reciprocity frames of the burst.
    """
    scored: list[tuple[float, _BurstName, float, int, int, tuple[int, int | None]]] = []
    reciprocal: dict[_BurstName, list[int]] = defaultdict(list)
    for interval, page, heard in matches:
        stamp = page.stamp
        if not stamp.trusted:
            continue
        metadata = crypt_metadata(key, heard.identifier, heard.metadata)
        confidence = Metadata.from_bytes(metadata).confidence
        for burst in heard.bursts:
            at = stamp.unix_seconds(burst.boot_seconds)
            if at is None or not is_within_tolerance(interval, at):
                continue
            name = (stamp.run, burst.number)
            others = surroundings.measure(page, burst.number, heard.identifier)
            if own_identifiers is not None:
                reciprocal[name] += _opened(key, page, heard.identifier, burst, own_identifiers.identifiers_near(at))
            for rssi_dbm in burst.rssi_dbm:
                attenuation = attenuation_db(metadata, rssi_dbm + receiver.correction_db)
                if attenuation is not None:
                    scored.append((at, name, burst.seconds_since_previous, attenuation, confidence, others))
    scored.sort(key=lambda sighting: sighting[0])
    numbers: dict[_BurstName, int] = {}
    return [
        MatchedSighting(
            at,
            numbers.setdefault(name, len(numbers) + 1),
            seconds_since_previous,
            attenuation,
            confidence,
            _rounded_mean(reciprocal.get(name, [])),
            *others,
        )
        for at, name, seconds_since_previous, attenuation, confidence, others in scored
    ]


def _opened(
    key: bytes, page: Page, identifier: bytes, burst: HeardBurst, own_identifiers: list[bytes]
) -> Iterable[int]:
    """Yield the attenuations in dB at which the sender of an identifier heard this phone, from its own frames."""
    if page.power_dbm is None or not own_identifiers:
        return
    for payload in burst.reciprocity:
        frame = bytes([TYPE]) + identifier[:BINDING_LENGTH] + payload
        level_dbm = open_reciprocity_frame(reciprocity_key(key), identifier, frame, own_identifiers)
        if level_dbm is not None:
            yield max(page.power_dbm - level_dbm, 0)


def _rounded_mean(values: list[int]) -> int | None:
    if not values:
        return None
    return math.floor(sum(values) / len(values) + 0.5)


class Exposures:
    """The stored exposure windows of all matches so far."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add_windows(
        self, windows: Iterable[ExposureWindow], *, again: bool = False, neighbour_id: str | None = None
    ) -> None:
        """Store windows, by the local day of their start.

        again:        whether the file may repeat keys of an earlier file; then stored windows are not stored again.
        neighbour_id: of the neighbour with the file, None for the phone's own city.
        """
        with self._store.transaction():
            known = {window for window, _ in self._stored()} if again else frozenset[ExposureWindow]()
            for window in windows:
                document = asdict(window) | {"day": window.day.isoformat()}
                if neighbour_id:
                    document["of"] = neighbour_id
                if window not in known:
                    self._store.add("windows", (window.day - DAY_ZERO).days, json.dumps(document).encode())

    def all(self) -> list[ExposureWindow]:
        """Return every stored window."""
        return [window for window, _ in self._stored()]

    def neighbours(self, day: date, profile: Profile) -> tuple[str, ...]:
        """Return the sorted ids of the neighbours with windows on a local day that count in the profile."""
        return tuple(sorted({
            neighbour_id for window, neighbour_id in self._stored()
            if neighbour_id and window.day == day and profile.factor(window.report_type, window.infectiousness) > 0
        }))  # fmt: skip

    def _stored(self) -> list[tuple[ExposureWindow, str | None]]:
        return [_decode_window(contents) for _, _, contents in self._store.rows("windows")]

    def assess(self, profile: Profile, today: date) -> Assessment:
        """Assess the windows as of `today`, the local date."""
        return assess_exposure(self.all(), profile, today)


def _decode_window(contents: bytes) -> tuple[ExposureWindow, str | None]:
    document = json.loads(contents)
    neighbour_id: str | None = document.pop("of", None)
    instances = tuple(ScanInstance(**instance) for instance in document.pop("scan_instances"))
    day = date.fromisoformat(document.pop("day"))
    return ExposureWindow(day=day, scan_instances=instances, **document), neighbour_id
