# SPDX-License-Identifier: Apache-2.0
"""When a key is published: not before its UTC day is over and the city's `embargo_seconds` have passed, and where the
city holds keys back, at the next of its fixed hours.

The identifiers of a key that is published earlier could still be replayed. A hold lets the keys of more reports stand
in one file; it never lets one out before its embargo is over. Source: docs/rules/key-validation.md, "At publication".
"""

from dataclasses import dataclass

from bluezone.city import City
from bluezone.protocol.intervals import SECONDS_PER_DAY, day_at

PUBLISHED_DAYS = 14


@dataclass(frozen=True)
class ReachTimes:
    """When a report reaches phones, Unix seconds; a phone that is switched off or offline fetches later.

    published_at: when its keys of past days stand in a file; phones_by: when phones have fetched it.
    today_published_at, today_phones_by: the same for the key of the very day, which waits until the day is over.
    """

    published_at: int
    phones_by: int
    today_published_at: int
    today_phones_by: int


def reach_times(city: City, received_at: float) -> ReachTimes:
    """Tell when keys received at `received_at` (Unix seconds) are published, and by when phones have them."""
    midnight = day_at(received_at) * SECONDS_PER_DAY
    # Between midnight and the end of the embargo, yesterday's key still waits.
    due = max(received_at, midnight + city.embargo_seconds)
    published = _next_publication(city, due)
    today = _next_publication(city, midnight + SECONDS_PER_DAY + city.embargo_seconds)
    # Phones ask once in every poll period, with a jitter of up to a quarter of it.
    longest_poll = city.poll_seconds * 5 // 4
    return ReachTimes(published, published + longest_poll, today, today + longest_poll)


def _next_publication(city: City, moment: float) -> int:
    period = city.publish_period_seconds
    if period == 0:
        return int(moment)
    end = int(-(-moment // period) * period)
    if not city.hold_seconds:
        return end
    return end + (_first_fixed_hour(city) - end) % city.hold_seconds


def _first_fixed_hour(city: City) -> int:
    """Seconds after midnight UTC at which a day's keys come out: with the first file after their embargo."""
    period = city.publish_period_seconds
    return -(-city.embargo_seconds // period) * period % SECONDS_PER_DAY


def takes_keys(city: City, start: int, end: int) -> bool:
    """Whether the file of the period from `start` to `end` (Unix seconds) takes the keys that wait.

    With a hold, if one of the fixed hours lies in it: the end of a day's embargo, and every `hold_hours` from there.
    """
    if not city.hold_seconds:
        return True
    first, hold = _first_fixed_hour(city), city.hold_seconds
    return (end - first) // hold > (start - first) // hold


def oldest_published_day(newest: int, hold_seconds: int) -> int:
    """The oldest UTC day whose keys are published beside those of `newest`.

    What was held back is a day older when it comes out, and its random keys with it. Older keys fit no cell and would
    stand in the open.
    """
    return newest - PUBLISHED_DAYS + 1 - (hold_seconds > 0)


def newest_published_day(now: float, embargo_seconds: int) -> int:
    """The newest UTC day whose keys may be published at `now`: it ended at least the embargo ago."""
    return day_at(now - embargo_seconds) - 1
