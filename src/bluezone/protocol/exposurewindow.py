# SPDX-License-Identifier: Apache-2.0
"""What is left of an encounter with a case once its identifiers have matched: an exposure window."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class ScanInstance:
    """One scan burst in which a case's phone was heard.

    typical_attenuation_db: mean of the burst, rounded; minimum_attenuation_db: its smallest. Both 0..255 dB.
    seconds_since_last_scan: what the instance stands for, 0 or more.
    """

    typical_attenuation_db: int
    minimum_attenuation_db: int
    seconds_since_last_scan: float


@dataclass(frozen=True)
class ExposureWindow:
    """A stretch of time near one case.

    day:            local date of its start; no time of day is kept.
    report_type:    as published, 0..5.
    infectiousness: 1 standard, 2 high.
    confidence:     calibration confidence the case's phone sent, 0..3, the smallest over all sightings.
    own_confidence: calibration confidence of this phone's radio, 0..3.
    """

    day: date
    report_type: int
    infectiousness: int
    confidence: int
    own_confidence: int
    scan_instances: tuple[ScanInstance, ...]
