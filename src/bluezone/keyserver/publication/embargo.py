# SPDX-License-Identifier: Apache-2.0
"""The embargo: no key is published before its UTC day is over and the city's `embargo_seconds` have passed.

The identifiers of a key that is published earlier could still be replayed. Source: docs/rules/key-validation.md, "At
publication".
"""

from dataclasses import dataclass

from bluezone.city import City
from bluezone.protocol.intervals import SECONDS_PER_DAY, day_at


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
    published = _next_publication(due, city.publish_period_seconds)
    today = _next_publication(midnight + SECONDS_PER_DAY + city.embargo_seconds, city.publish_period_seconds)
    # Phones ask once in every poll period, with a jitter of up to a quarter of it.
    longest_poll = city.poll_seconds * 5 // 4
    return ReachTimes(published, published + longest_poll, today, today + longest_poll)


def _next_publication(moment: float, period: int) -> int:
    if period == 0:
        return int(moment)
    return int(-(-moment // period) * period)


def newest_published_day(now: float, embargo_seconds: int) -> int:
    """The newest UTC day whose keys may be published at `now`: it ended at least the embargo ago."""
    return day_at(now - embargo_seconds) - 1
