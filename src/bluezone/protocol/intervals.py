# SPDX-License-Identifier: Apache-2.0
"""Units of time in the protocol: intervals of ten minutes, hours and UTC days since 1970-01-01, and ISO weeks in UTC,
for which week keys and their certificates are valid.

Source: docs/protocol.md, first paragraph (ENIN = unix // 600); Exposure Notification Cryptography Specification v1.2.
"""

from datetime import UTC, datetime

SECONDS_PER_INTERVAL = 600
SECONDS_PER_HOUR = 3600
SECONDS_PER_DAY = 86_400
INTERVALS_PER_DAY = 144

SECONDS_PER_WEEK = 7 * SECONDS_PER_DAY
# 1970-01-01 was a Thursday; ISO weeks begin on Mondays.
_FIRST_MONDAY = 4 * SECONDS_PER_DAY


def interval_at(unix_seconds: float) -> int:
    """Return the interval number (ENIN) of `unix_seconds`."""
    return int(unix_seconds // SECONDS_PER_INTERVAL)


def hour_at(unix_seconds: float) -> int:
    """Return the hour of `unix_seconds`, counted from 1970-01-01T00:00Z."""
    return int(unix_seconds // SECONDS_PER_HOUR)


def day_at(unix_seconds: float) -> int:
    """Return the UTC day of `unix_seconds`, counted from 1970-01-01."""
    return int(unix_seconds // SECONDS_PER_DAY)


def first_interval(day: int) -> int:
    """Return the first interval number of UTC day `day`."""
    return day * INTERVALS_PER_DAY


def day_of(interval: int) -> int:
    """Return the UTC day of interval number `interval`."""
    return interval // INTERVALS_PER_DAY


def week_start(unix_seconds: float) -> int:
    """Return the Unix seconds at which the ISO week of `unix_seconds` begins: Monday, 00:00 UTC."""
    return int(unix_seconds - (unix_seconds - _FIRST_MONDAY) % SECONDS_PER_WEEK)


def week_name(unix_seconds: float) -> str:
    """Return the ISO week of `unix_seconds` in UTC, such as "2026-W48"."""
    year, week, _ = datetime.fromtimestamp(unix_seconds, UTC).date().isocalendar()
    return f"{year}-W{week:02d}"
