# SPDX-License-Identifier: Apache-2.0
"""Read exposure windows that another program wrote, in the shape the Corona-Warn-App's test cases made common.

Source: contracts.md, `exposure score`; vectors/riskscore.json, `exposureWindows`.
"""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from bluezone.protocol.exposurewindow import ExposureWindow, ScanInstance
from bluezone.protocol.jsonmembers import LARGEST_INTEGER, JsonMembers
from bluezone.refusal import Refused

_LARGEST_AGE_DAYS = 3650


class InvalidWindows(Refused):
    """Not a list of exposure windows."""

    code = "windows_invalid"


def read_windows(data: bytes, today: date) -> tuple[ExposureWindow, ...]:
    """Read a JSON list of windows; `today` is the local date from which their ages count. Raises InvalidWindows."""
    try:
        read = json.loads(data)
    except (ValueError, RecursionError):
        raise InvalidWindows(f"file of {len(data)} bytes is not JSON") from None
    if not isinstance(read, list):
        raise InvalidWindows(f"file holds {type(read).__name__}, expected a list of windows")
    return windows_of(read, today)


def windows_of(entries: Sequence[Any], today: date) -> tuple[ExposureWindow, ...]:
    """Make windows of decoded JSON; raises InvalidWindows."""
    return tuple(
        _window(JsonMembers(entry, InvalidWindows, f"windows[{position}]"), today)
        for position, entry in enumerate(entries)
    )


def _window(entry: JsonMembers, today: date) -> ExposureWindow:
    age_days = entry.integer("ageInDays", 0, _LARGEST_AGE_DAYS)
    if age_days >= today.toordinal():
        raise InvalidWindows(f"a window is {age_days} days old, which is before the calendar's first day")
    # Only the confidence the case's phone sent is in the file; of our own radio it says nothing.
    return ExposureWindow(
        day=today - timedelta(days=age_days),
        report_type=entry.integer("reportType", 0, 5),
        infectiousness=entry.integer("infectiousness", 0, 2),
        confidence=entry.integer("calibrationConfidence", 0, 3),
        own_confidence=0,
        scan_instances=tuple(_scan_instance(instance) for instance in entry.each("scanInstances")),
    )


def _scan_instance(entry: JsonMembers) -> ScanInstance:
    return ScanInstance(
        typical_attenuation_db=entry.integer("typicalAttenuation", 0, 255),
        minimum_attenuation_db=entry.integer("minAttenuation", 0, 255),
        # A scan that ended before it began counts nothing, as in the Corona-Warn-App.
        seconds_since_last_scan=max(entry.integer("secondsSinceLastScan", -LARGEST_INTEGER), 0),
    )
