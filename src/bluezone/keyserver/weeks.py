# SPDX-License-Identifier: Apache-2.0
"""ISO weeks in UTC, which keys and the certificates they sign last for."""

from datetime import UTC, datetime

from bluezone.protocol.intervals import SECONDS_PER_DAY

SECONDS_PER_WEEK = 7 * SECONDS_PER_DAY
# 1970-01-01 was a Thursday; ISO weeks begin on Mondays.
_FIRST_MONDAY = 4 * SECONDS_PER_DAY


def week_start(unix_seconds: float) -> int:
    """Unix seconds of the Monday, 00:00 UTC, that begins the ISO week of `unix_seconds`."""
    return int(unix_seconds - (unix_seconds - _FIRST_MONDAY) % SECONDS_PER_WEEK)


def week_name(unix_seconds: float) -> str:
    """The ISO week of `unix_seconds` in UTC, such as "2026-W48"."""
    year, week, _ = datetime.fromtimestamp(unix_seconds, UTC).date().isocalendar()
    return f"{year}-W{week:02d}"
