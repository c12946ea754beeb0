# SPDX-License-Identifier: Apache-2.0
"""The rule by which a bulletin is repeated: local days and times, up to and including a last local day. No database.

Calendars get the rule as in RFC 5545: FREQ=DAILY or WEEKLY with BYDAY, days left out (EXDATE), and an end. The end is a
local date: an UNTIL at the end of a UTC day would include the next morning (measured with dateutil:
UNTIL=20200930T235959Z still gives 05:30 on 1 October in Việt Nam).
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bluezone.refusal import Refused

DAY = datetime.timedelta(days=1)
BYDAY = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MOST_TIMES = 24


class ScheduleEndsBeforeStart(Refused):
    """The last day is before the first; nothing was stored."""

    code = "schedule_ends_before_start"


class ScheduleUnreadable(Refused):
    """The rule has no time of day, too many of them, or an unknown weekday; nothing was stored."""

    code = "schedule_unreadable"


@dataclass(frozen=True)
class Rule:
    """The days and times at which a bulletin is aired.

    first, last: local days, both included; without `last` it never ends. times: of the local clock, 1 to MOST_TIMES.
    weekdays: 0 is Monday; empty for every day. exceptions: local days that are left out.
    Raises ScheduleEndsBeforeStart, ScheduleUnreadable.
    """

    first: datetime.date
    last: datetime.date | None
    times: tuple[datetime.time, ...]
    weekdays: frozenset[int] = frozenset()
    exceptions: frozenset[datetime.date] = frozenset()

    def __post_init__(self) -> None:
        if self.last is not None and self.last < self.first:
            raise ScheduleEndsBeforeStart(f"the last day {self.last} is before the first {self.first}")
        if not 1 <= len(self.times) <= MOST_TIMES or not self.weekdays <= frozenset(range(7)):
            raise ScheduleUnreadable(f"got {len(self.times)} times a day, expected 1..{MOST_TIMES}")

    def includes(self, day: datetime.date) -> bool:
        """Whether the bulletin is aired on a local day."""
        if day < self.first or (self.last is not None and day > self.last):
            return False
        if self.weekdays and day.weekday() not in self.weekdays:
            return False
        return day not in self.exceptions

    def moments(
        self, since: datetime.datetime, until: datetime.datetime, zone: ZoneInfo
    ) -> Iterator[datetime.datetime]:
        """Each due moment in [since, until), in order and in UTC. since, until: aware. zone: of the city.

        A local time that the clock skips when it goes forward is aired an hour later. A local time that occurs twice is
        aired the first time.
        """
        day = max(self.first, since.astimezone(zone).date() - DAY)
        end = until.astimezone(zone).date()
        if self.last is not None:
            end = min(end, self.last)
        times = sorted(set(self.times))
        while day <= end:
            if self.includes(day):
                moments = {datetime.datetime.combine(day, time, zone).astimezone(datetime.UTC) for time in times}
                yield from (moment for moment in sorted(moments) if since <= moment < until)
            day += DAY


def write_rrule(rule: Rule, time: datetime.time, zone: ZoneInfo) -> str:
    """The RRULE value for one of the rule's times of day, for an event with DTSTART;TZID=….

    UNTIL, in UTC as RFC 5545 3.3.10 requires, is the rule's last local day at exactly this time, so that no calendar
    adds another airing.
    """
    parts = ["FREQ=WEEKLY" if rule.weekdays else "FREQ=DAILY"]
    if rule.weekdays:
        parts.append("BYDAY=" + ",".join(BYDAY[day] for day in sorted(rule.weekdays)))
    if rule.last is not None:
        until = datetime.datetime.combine(rule.last, time, zone).astimezone(datetime.UTC)
        parts.append(f"UNTIL={until:%Y%m%dT%H%M%SZ}")
    return ";".join(parts)
