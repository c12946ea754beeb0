# SPDX-License-Identifier: Apache-2.0
"""When a bulletin is repeated: days and times of the local clock, until a last local day that is still in; pure.

What stations use, and what calendars get as RFC 5545 has it: FREQ=DAILY or WEEKLY with BYDAY, days left out (EXDATE),
and an end. The end is a local date: an UNTIL at the end of a day in UTC would let the morning of the next day through
(measured with dateutil: UNTIL=20200930T235959Z still gives 05:30 on 1 October in Việt Nam).
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
    """The last day lies before the first; nothing was stored."""

    code = "schedule_ends_before_start"


class ScheduleUnreadable(Refused):
    """A rule that names no time of day, too many, or a weekday that there is not; nothing was stored."""

    code = "schedule_unreadable"


@dataclass(frozen=True)
class Rule:
    """first, last: local days, both in; last None: open. times: of the local clock. weekdays: 0 Monday, empty: daily.

    exceptions: local days that are left out. Raises ScheduleEndsBeforeStart, ScheduleUnreadable.
    """

    first: datetime.date
    last: datetime.date | None
    times: tuple[datetime.time, ...]
    weekdays: frozenset[int] = frozenset()
    exceptions: frozenset[datetime.date] = frozenset()

    def __post_init__(self) -> None:
        if self.last is not None and self.last < self.first:
            raise ScheduleEndsBeforeStart(f"the last day {self.last} lies before the first {self.first}")
        if not 1 <= len(self.times) <= MOST_TIMES or not self.weekdays <= frozenset(range(7)):
            raise ScheduleUnreadable(f"got {len(self.times)} times a day, expected 1..{MOST_TIMES}")

    def falls_on(self, day: datetime.date) -> bool:
        """Whether the bulletin is aired on a local day."""
        return (
            self.first <= day
            and (self.last is None or day <= self.last)
            and (not self.weekdays or day.weekday() in self.weekdays)
            and day not in self.exceptions
        )

    def moments(
        self, since: datetime.datetime, until: datetime.datetime, zone: ZoneInfo
    ) -> Iterator[datetime.datetime]:
        """Each due moment in [since, until) in order, in UTC. since, until: aware. zone: of the city.

        A time that the clock leaves out when it is put forward is aired an hour later, one that it shows twice, the
        first time.
        """
        day = max(self.first, since.astimezone(zone).date() - DAY)
        end = until.astimezone(zone).date()
        if self.last is not None:
            end = min(end, self.last)
        times = sorted(set(self.times))
        while day <= end:
            if self.falls_on(day):
                moments = {datetime.datetime.combine(day, time, zone).astimezone(datetime.UTC) for time in times}
                yield from (moment for moment in sorted(moments) if since <= moment < until)
            day += DAY


def write_rrule(rule: Rule, time: datetime.time, zone: ZoneInfo) -> str:
    """The RRULE of one time of day, for a DTSTART with TZID: RFC 5545 3.3.10 wants UNTIL in UTC then.

    UNTIL is the rule's last local day at that very time, so that no reader lets one more through.
    """
    parts = ["FREQ=WEEKLY" if rule.weekdays else "FREQ=DAILY"]
    if rule.weekdays:
        parts.append("BYDAY=" + ",".join(BYDAY[day] for day in sorted(rule.weekdays)))
    if rule.last is not None:
        until = datetime.datetime.combine(rule.last, time, zone).astimezone(datetime.UTC)
        parts.append(f"UNTIL={until:%Y%m%dT%H%M%SZ}")
    return ";".join(parts)
