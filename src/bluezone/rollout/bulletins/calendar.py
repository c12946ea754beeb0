# SPDX-License-Identifier: Apache-2.0
"""The plan of airings as iCalendar (RFC 5545): one event for each schedule and time of day, in the city's own time."""

import datetime
from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

from bluezone.rollout.bulletins.models import Schedule
from bluezone.rollout.bulletins.rule import Rule, write_rrule

_FOLD_OCTETS = 73


def calendar(
    schedules: Iterable[tuple[Schedule, float]], name: str, host: str, zone: ZoneInfo, now: datetime.datetime
) -> bytes:
    """The calendar of schedules, each with the seconds it takes. host: for the UIDs; name: of the calendar."""
    found = list(schedules)
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Bluezone//air plan//VI", "CALSCALE:GREGORIAN",
             "METHOD:PUBLISH", f"X-WR-CALNAME:{escaped(name)}", f"X-WR-TIMEZONE:{zone.key}"]  # fmt: skip
    lines += _zone_lines(zone, now)
    for schedule, seconds in found:
        lines += _events(schedule, seconds, host, zone, now)
    lines.append("END:VCALENDAR")
    return "".join(_folded(line) + "\r\n" for line in lines).encode()


def escaped(text: str) -> str:
    """A TEXT value: backslash, semicolon, comma and line break escaped."""
    return text.replace("\\", "\\\\").replace(";", r"\;").replace(",", r"\,").replace("\r\n", "\n").replace("\n", r"\n")


def _events(schedule: Schedule, seconds: float, host: str, zone: ZoneInfo, now: datetime.datetime) -> Iterator[str]:
    where = ", ".join(outlet.name for outlet in schedule.outlets.all())
    for number, time in enumerate(sorted(schedule.rule.times)):
        begins = _first_day(schedule.rule)
        if begins is None:
            continue
        yield from ("BEGIN:VEVENT", f"UID:bulletin-{schedule.pk}-{number}@{host}")
        yield f"DTSTAMP:{now.astimezone(datetime.UTC):%Y%m%dT%H%M%SZ}"
        yield f"DTSTART;TZID={zone.key}:{begins:%Y%m%d}T{time:%H%M%S}"
        yield f"DURATION:PT{max(1, round(seconds))}S"
        yield f"RRULE:{write_rrule(schedule.rule, time, zone)}"
        left_out = sorted(day for day in schedule.rule.exceptions if day >= begins)
        if left_out:
            yield f"EXDATE;TZID={zone.key}:" + ",".join(f"{day:%Y%m%d}T{time:%H%M%S}" for day in left_out)
        yield f"SUMMARY:{escaped(schedule.bulletin.title)}"
        yield f"LOCATION:{escaped(where)}"
        yield f"CATEGORIES:{escaped(schedule.bulletin.get_importance_display())}"
        yield "END:VEVENT"


def _first_day(rule: Rule) -> datetime.date | None:
    """The first day that fits the weekdays: DTSTART is always an instance, also when that day is left out."""
    for ahead in range(7):
        day = rule.first + datetime.timedelta(days=ahead)
        if rule.last is not None and day > rule.last:
            return None
        if not rule.weekdays or day.weekday() in rule.weekdays:
            return day
    return None


def _zone_lines(zone: ZoneInfo, now: datetime.datetime) -> list[str]:
    """The offset in force: a reader that knows the zone by its name takes its own rules, DST among them."""
    offset = now.astimezone(zone).strftime("%z")
    return ["BEGIN:VTIMEZONE", f"TZID:{zone.key}", "BEGIN:STANDARD", "DTSTART:19700101T000000",
            f"TZOFFSETFROM:{offset}", f"TZOFFSETTO:{offset}", "END:STANDARD", "END:VTIMEZONE"]  # fmt: skip


def _folded(line: str) -> str:
    """No line over 75 octets, and no character cut."""
    parts, part, size = [], "", 0
    for letter in line:
        octets = len(letter.encode())
        if size + octets > _FOLD_OCTETS:
            parts.append(part)
            part, size = "", 0
        part += letter
        size += octets
    return "\r\n ".join([*parts, part])
