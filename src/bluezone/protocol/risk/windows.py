# SPDX-License-Identifier: Apache-2.0
"""Builds exposure windows from the matched sightings of one key. Only the windows of an encounter are stored."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from itertools import chain

from bluezone.protocol.keys import ReportType
from bluezone.protocol.risk.profile import Profile

# An instance represents at most this time, even if the radio was off for longer before it.
LONGEST_INSTANCE_SECONDS = 300
WINDOW_SECONDS = 30 * 60

# Google: sightings within 1.5 times the longest scan (4 s, 13 s more during Bluetooth audio) are one instance.
_GOOGLE_JOIN_SECONDS = 25.5
_GOOGLE_UNKNOWN_SECONDS = 120
_GOOGLE_MOST_MINUTES = 5


@dataclass(frozen=True)
class ScanInstance:
    """One scan burst in which a case's phone was heard.

    typical_attenuation_db: mean of the burst, rounded; minimum_attenuation_db: its smallest. Both 0..255 dB.
    seconds_since_last_scan: the time that the instance represents, 0 or more.
    reciprocal_attenuation_db: attenuation of this phone as the case's phone heard it; None if unknown.
    others:           number of other identifiers heard in the burst.
    others_spread_db: standard deviation of their levels; None for fewer than two.
    """

    typical_attenuation_db: int
    minimum_attenuation_db: int
    seconds_since_last_scan: float
    reciprocal_attenuation_db: int | None = None
    others: int = 0
    others_spread_db: int | None = None


@dataclass(frozen=True)
class ExposureWindow:
    """A period near one case.

    day:            local date of its start; the time of day is not stored.
    report_type:    as published, 0..5.
    infectiousness: 1 standard, 2 high.
    confidence:     calibration confidence that the case's phone sent, 0..3, the smallest over all sightings.
    own_confidence: calibration confidence of this phone's radio, 0..3.
    """

    day: date
    report_type: int
    infectiousness: int
    confidence: int
    own_confidence: int
    scan_instances: tuple[ScanInstance, ...]


@dataclass(frozen=True)
class MatchedSighting:
    """One hearing of a case's identifier, after its metadata was decrypted.

    unix_seconds:   trusted time.
    burst:          number of the scan burst of this phone that heard it, 0 for imports.
    seconds_since_previous_burst: from the start of the previous burst to the start of this one by the boot clock; one
                    scan period for the first burst; None if an import does not contain it.
    attenuation_db: 0..255, or None if the metadata gives none; such a sighting is not used.
    confidence:     calibration confidence in the metadata, 0..3.
    reciprocal_attenuation_db, others, others_spread_db: of the burst, as in ScanInstance.
    """

    unix_seconds: float
    burst: int
    seconds_since_previous_burst: float | None
    attenuation_db: int | None
    confidence: int
    reciprocal_attenuation_db: int | None = None
    others: int = 0
    others_spread_db: int | None = None


Instance = list[MatchedSighting]
"""The sightings of one scan instance."""


@dataclass(frozen=True)
class _Case:
    """The values that all windows of one key share."""

    report_type: int | None
    infectiousness: int
    zone: tzinfo
    own_confidence: int


def build_windows(
    sightings: Iterable[MatchedSighting], *, report_type: int | None, days_since_onset: int | None, zone: tzinfo,
    profile: Profile, own_confidence: int,
) -> tuple[ExposureWindow, ...]:  # fmt: skip
    """Build the windows of one key from a phone's own scan bursts.

    sightings:      of one key, in any order.
    report_type, days_since_onset: of the published key, None if absent from the file.
    zone:           time zone that gives the day of a window's start.
    own_confidence: calibration confidence of this phone's radio, 0..3.
    One burst is one instance. A window ends when the key was not heard for 30 minutes. A revoked key has no windows.

    Source: docs/protocol.md section 3.
    """
    usable = _usable(sightings, report_type)
    windows: list[list[Instance]] = []
    previous: MatchedSighting | None = None
    for sighting in usable:
        if previous is None or sighting.unix_seconds - previous.unix_seconds >= WINDOW_SECONDS:
            windows.append([[sighting]])
        elif sighting.burst == previous.burst:
            windows[-1][-1].append(sighting)
        else:
            windows[-1].append([sighting])
        previous = sighting
    case = _Case(report_type, profile.infectiousness(days_since_onset), zone, own_confidence)
    return tuple(_window(instances, _own_seconds, case) for instances in windows)


def build_google_windows(
    sightings: Iterable[MatchedSighting], *, report_type: int | None, days_since_onset: int | None, zone: tzinfo,
    profile: Profile, own_confidence: int,
) -> tuple[ExposureWindow, ...]:  # fmt: skip
    """Build the windows of one key from imported sightings, by the rule of Google's implementation.

    Parameters as for `build_windows`; burst numbers are ignored. Sightings within 25.5 s are one instance, which counts
    whole minutes since the previous scan, or 120 s if that is unknown. A window lasts less than 30 minutes from its
    first sighting.

    Source: docs/exposure-notification.md section 6, Exposure windows.
    """
    windows: list[list[Instance]] = []
    previous_seconds = -math.inf
    for sighting in _usable(sightings, report_type):
        if not windows or sighting.unix_seconds - windows[-1][0][0].unix_seconds >= WINDOW_SECONDS:
            windows.append([[sighting]])
        elif sighting.unix_seconds - previous_seconds <= _GOOGLE_JOIN_SECONDS:
            windows[-1][-1].append(sighting)
        else:
            windows[-1].append([sighting])
        previous_seconds = sighting.unix_seconds
    case = _Case(report_type, profile.infectiousness(days_since_onset), zone, own_confidence)
    return tuple(_window(instances, _google_seconds, case) for instances in windows)


def _usable(sightings: Iterable[MatchedSighting], report_type: int | None) -> list[MatchedSighting]:
    if report_type == ReportType.REVOKED:
        return []
    usable = [sighting for sighting in sightings if sighting.attenuation_db is not None]
    return sorted(usable, key=lambda sighting: (sighting.unix_seconds, sighting.burst))


def _own_seconds(instance: Instance) -> float:
    seconds = instance[0].seconds_since_previous_burst
    return 0 if seconds is None else min(max(seconds, 0), LONGEST_INSTANCE_SECONDS)


def _google_seconds(instance: Instance) -> float:
    first = instance[0]
    if first.seconds_since_previous_burst is None:
        return _GOOGLE_UNKNOWN_SECONDS
    previous = first.unix_seconds - first.seconds_since_previous_burst
    minutes = first.unix_seconds // 60 - previous // 60
    return 60 * min(max(minutes, 0), _GOOGLE_MOST_MINUTES)


def _window(instances: Sequence[Instance], seconds: Callable[[Instance], float], case: _Case) -> ExposureWindow:
    return ExposureWindow(
        day=_local_day(instances[0][0].unix_seconds, case.zone),
        report_type=int(case.report_type or ReportType.UNKNOWN),
        infectiousness=case.infectiousness,
        confidence=min(sighting.confidence for sighting in chain.from_iterable(instances)),
        own_confidence=case.own_confidence,
        scan_instances=tuple(_scan_instance(instance, seconds(instance)) for instance in instances),
    )


def _local_day(unix_seconds: float, zone: tzinfo) -> date:
    return datetime.fromtimestamp(unix_seconds, zone).date()


def _scan_instance(instance: Instance, seconds: float) -> ScanInstance:
    attenuations = [sighting.attenuation_db for sighting in instance if sighting.attenuation_db is not None]
    # Round halves up, as in Exposure Notification; round() would round them to the even neighbour.
    typical = math.floor(sum(attenuations) / len(attenuations) + 0.5)
    first = instance[0]
    return ScanInstance(
        typical, min(attenuations), seconds, first.reciprocal_attenuation_db, first.others, first.others_spread_db
    )
