# SPDX-License-Identifier: Apache-2.0
"""When a bulletin is repeated: days and times of the local clock, until a last local day that is still in; pure.

The subset of RFC 5545 that stations use: FREQ=DAILY or WEEKLY with BYDAY, BYHOUR and BYMINUTE, days left out (EXDATE),
and an end. The end is a local date: an UNTIL in UTC would let the morning of the next day through (measured with
dateutil: UNTIL=20200930T235959Z still gives 05:30 on 1 October in Việt Nam).
"""

import datetime
import re
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
    """A rule that names no time of day, or is outside the subset; nothing was stored."""

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

    def last_moment(self, zone: ZoneInfo) -> datetime.datetime | None:
        """The very last due moment in UTC, None of an open rule or one that never falls due."""
        if self.last is None:
            return None
        day = self.last
        while day >= self.first:
            if self.falls_on(day):
                return datetime.datetime.combine(day, max(self.times), zone).astimezone(datetime.UTC)
            day -= DAY
        return None


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


def read_rrule(text: str, first: datetime.date, exceptions: frozenset[datetime.date] = frozenset()) -> Rule:
    """The rule of an RRULE in local time, `FREQ=DAILY;BYHOUR=5,17;BYMINUTE=30;UNTIL=20200930`.

    UNTIL is a local date, or a local date and time of which the date counts. Raises ScheduleUnreadable for anything
    outside the subset, ScheduleEndsBeforeStart.
    """
    parts = dict(re.findall(r"(?:^|;)([A-Z]+)=([^;]*)", text.strip().upper().removeprefix("RRULE:")))
    left = set(parts) - {"FREQ", "BYDAY", "BYHOUR", "BYMINUTE", "UNTIL", "INTERVAL", "BYSECOND", "WKST"}
    if left or parts.get("FREQ") not in {"DAILY", "WEEKLY"} or parts.get("INTERVAL", "1") != "1":
        raise ScheduleUnreadable("a rule here is daily or weekly, at times of day, until a day")
    try:
        hours = [int(hour) for hour in parts["BYHOUR"].split(",")]
        minutes = [int(minute) for minute in parts.get("BYMINUTE", "0").split(",")]
        times = tuple(datetime.time(hour, minute) for hour in hours for minute in minutes)
        weekdays = frozenset(BYDAY.index(day) for day in parts.get("BYDAY", "").split(",") if day)
        last = datetime.date.fromisoformat(parts["UNTIL"][:8]) if "UNTIL" in parts else None
    except (KeyError, ValueError):
        raise ScheduleUnreadable("the rule names no hour, or a day or time that there is not") from None
    if parts["FREQ"] == "WEEKLY" and not weekdays:
        weekdays = frozenset({first.weekday()})
    if parts.get("UNTIL", "").endswith("Z"):
        raise ScheduleUnreadable("the end is a local day here, not a moment in UTC")
    return Rule(first, last, times, weekdays, exceptions)
