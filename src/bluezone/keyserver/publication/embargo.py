# SPDX-License-Identifier: Apache-2.0
"""When a key is published: after its UTC day and the embargo (`embargo_seconds`) are over, and after the hold, if any.

Before that, phones would still accept replays of the key's identifiers. A hold (`hold_hours`) makes keys wait for the
next of a city's fixed hours, so that a file has the keys of more reports. Source: docs/rules/key-validation.md,
"At publication".
"""

from dataclasses import dataclass

from bluezone.city_settings import City
from bluezone.protocol.intervals import SECONDS_PER_DAY, day_at
from bluezone.protocol.upload import MAX_KEY_AGE_DAYS

# A key is published after its day is over: its age in a file is 1 to MAX_KEY_AGE_DAYS days.
PUBLISHED_DAYS = MAX_KEY_AGE_DAYS


@dataclass(frozen=True)
class ReachTimes:
    """When a report reaches phones that are online, Unix seconds.

    published_at: when the report's keys of past days are published. phones_by: by when phones have fetched them.
    today_published_at, today_phones_by: the same for the key of the current day, which waits until the day is over.
    """

    published_at: int
    phones_by: int
    today_published_at: int
    today_phones_by: int


def reach_times(city: City, received_at: float) -> ReachTimes:
    """When keys received at `received_at` (Unix seconds) are published, and by when phones have them."""
    midnight = day_at(received_at) * SECONDS_PER_DAY
    # Between midnight and the end of the embargo, yesterday's key still waits.
    due = max(received_at, midnight + city.embargo_seconds)
    published = _next_publication(city, due)
    today = _next_publication(city, midnight + SECONDS_PER_DAY + city.embargo_seconds)
    # Phones poll once in every period, with a jitter of up to a quarter of it.
    longest_poll = city.poll_seconds * 5 // 4
    return ReachTimes(published, published + longest_poll, today, today + longest_poll)


def _next_publication(city: City, moment: float) -> int:
    """When the first file after `moment` that takes keys is published; both are Unix seconds."""
    period = city.publish_period_seconds
    if period == 0:
        return int(moment)
    end = int(-(-moment // period) * period)
    if not city.hold_seconds:
        return end
    return end + (_first_fixed_hour(city) - end) % city.hold_seconds


def _first_fixed_hour(city: City) -> int:
    """Seconds after midnight UTC at which a day's keys are published: with the first file after their embargo."""
    period = city.publish_period_seconds
    return -(-city.embargo_seconds // period) * period % SECONDS_PER_DAY


def takes_keys(city: City, start: int, end: int) -> bool:
    """Whether the file of the period from `start` to `end` (Unix seconds) takes the waiting keys.

    With a hold, only if the period contains a fixed hour: the end of a day's embargo, and every `hold_hours` after it.
    """
    if not city.hold_seconds:
        return True
    first = _first_fixed_hour(city)
    hold = city.hold_seconds
    return (end - first) // hold > (start - first) // hold


def oldest_published_day(newest: int, hold_seconds: int) -> int:
    """The oldest UTC day with keys in the file that contains those of day `newest`.

    Keys that were held back are up to a day older when they are published. There are no random keys for older days, so
    real keys of such a day could be recognised.
    """
    return newest - PUBLISHED_DAYS + 1 - (hold_seconds > 0)


def newest_published_day(now: float, embargo_seconds: int) -> int:
    """The newest UTC day with keys that may be published at `now`: it ended at least the embargo ago."""
    return day_at(now - embargo_seconds) - 1
