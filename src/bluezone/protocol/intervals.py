# SPDX-License-Identifier: Apache-2.0
"""Time as the protocol counts it: intervals of ten minutes, hours and UTC days since 1970-01-01.

Source: docs/protocol.md, first paragraph (ENIN = unix // 600); Exposure Notification Cryptography Specification v1.2.
"""

SECONDS_PER_INTERVAL = 600
SECONDS_PER_HOUR = 3600
SECONDS_PER_DAY = 86_400
INTERVALS_PER_DAY = 144


def interval_at(unix_seconds: float) -> int:
    """Return the interval number (ENIN) that holds `unix_seconds`."""
    return int(unix_seconds // SECONDS_PER_INTERVAL)


def hour_at(unix_seconds: float) -> int:
    """Return the hour since 1970-01-01T00:00Z that holds `unix_seconds`."""
    return int(unix_seconds // SECONDS_PER_HOUR)


def day_at(unix_seconds: float) -> int:
    """Return the UTC day since 1970-01-01 that holds `unix_seconds`."""
    return int(unix_seconds // SECONDS_PER_DAY)


def first_interval(day: int) -> int:
    """Return the first interval number of UTC day `day`."""
    return day * INTERVALS_PER_DAY


def day_of(interval: int) -> int:
    """Return the UTC day that holds interval number `interval`."""
    return interval // INTERVALS_PER_DAY
