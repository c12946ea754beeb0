# SPDX-License-Identifier: Apache-2.0
"""Files for stations and papers: a ZIP of approved texts and sound, files for a memory stick, and the plan of airings
as iCalendar (RFC 5545) or on paper.
"""

import datetime
import io
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from zoneinfo import ZoneInfo

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import override

from bluezone.paper.pdf import PdfUnavailable, write_pdf
from bluezone.paper.phrases import facts
from bluezone.rollout.bulletins.air.planner import approved_scripts
from bluezone.rollout.bulletins.air.recurrence import Rule, write_rrule
from bluezone.rollout.bulletins.models import Airing, Bulletin, Schedule, Script, Sound

_FOLD_OCTETS = 73
# The time of every entry of a ZIP; it is fixed, so that the same content gives the same bytes.
_STAMP = (2020, 1, 1, 0, 0, 0)


def write_calendar(
    schedules: Iterable[tuple[Schedule, float]], name: str, host: str, zone: ZoneInfo, now: datetime.datetime
) -> bytes:
    """An iCalendar file in UTF-8 of schedules, each with its length in seconds.

    name: of the calendar. host: the domain in the UIDs of the events. zone: of the times.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Bluezone//air plan//VI", "CALSCALE:GREGORIAN",
             "METHOD:PUBLISH", f"X-WR-CALNAME:{escape_text(name)}", f"X-WR-TIMEZONE:{zone.key}"]  # fmt: skip
    lines += _zone_lines(zone, now)
    for schedule, seconds in schedules:
        lines += _events(schedule, seconds, host, zone, now)
    lines.append("END:VCALENDAR")
    return "".join(_folded(line) + "\r\n" for line in lines).encode()


def escape_text(text: str) -> str:
    """The text as an iCalendar TEXT value: backslash, semicolon, comma and line break escaped."""
    return text.replace("\\", "\\\\").replace(";", r"\;").replace(",", r"\,").replace("\r\n", "\n").replace("\n", r"\n")


def _events(schedule: Schedule, seconds: float, host: str, zone: ZoneInfo, now: datetime.datetime) -> Iterator[str]:
    where = ", ".join(outlet.name for outlet in schedule.outlets.all())
    for number, time in enumerate(sorted(schedule.rule.times)):
        first_day = _first_day(schedule.rule)
        if first_day is None:
            continue
        yield from ("BEGIN:VEVENT", f"UID:bulletin-{schedule.pk}-{number}@{host}")
        yield f"DTSTAMP:{now.astimezone(datetime.UTC):%Y%m%dT%H%M%SZ}"
        yield f"DTSTART;TZID={zone.key}:{first_day:%Y%m%d}T{time:%H%M%S}"
        yield f"DURATION:PT{max(1, round(seconds))}S"
        yield f"RRULE:{write_rrule(schedule.rule, time, zone)}"
        left_out = sorted(day for day in schedule.rule.exceptions if day >= first_day)
        if left_out:
            yield f"EXDATE;TZID={zone.key}:" + ",".join(f"{day:%Y%m%d}T{time:%H%M%S}" for day in left_out)
        yield f"SUMMARY:{escape_text(schedule.bulletin.title)}"
        yield f"LOCATION:{escape_text(where)}"
        yield f"CATEGORIES:{escape_text(schedule.bulletin.get_importance_display())}"
        yield "END:VEVENT"


def _first_day(rule: Rule) -> datetime.date | None:
    """The first day on one of the rule's weekdays, even if it is left out; None if the rule ends before it.

    DTSTART always counts as an occurrence, so that it must be such a day; EXDATE then removes it if it is left out.
    """
    for offset in range(7):
        day = rule.first + datetime.timedelta(days=offset)
        if rule.last is not None and day > rule.last:
            return None
        if not rule.weekdays or day.weekday() in rule.weekdays:
            return day
    return None


def _zone_lines(zone: ZoneInfo, now: datetime.datetime) -> list[str]:
    """The zone with its current offset; a calendar that knows the zone's name uses its own rules, including DST."""
    offset = now.astimezone(zone).strftime("%z")
    return ["BEGIN:VTIMEZONE", f"TZID:{zone.key}", "BEGIN:STANDARD", "DTSTART:19700101T000000",
            f"TZOFFSETFROM:{offset}", f"TZOFFSETTO:{offset}", "END:STANDARD", "END:VTIMEZONE"]  # fmt: skip


def _folded(line: str) -> str:
    """A line folded so that no part exceeds the 75 octets of RFC 5545, and never within a character."""
    parts = []
    part = ""
    size = 0
    for letter in line:
        octets = len(letter.encode())
        if size + octets > _FOLD_OCTETS:
            parts.append(part)
            part = ""
            size = 0
        part += letter
        size += octets
    return "\r\n ".join([*parts, part])


def air_plan_pdf(title: str, airings: Sequence[Airing], first: datetime.date, last: datetime.date) -> bytes:
    """The airings by day as PDF, with room to tick each. first, last: the days in the title. Raises PdfUnavailable."""
    groups = groupby(airings, key=lambda airing: timezone.localdate(airing.due_at))
    by_day = [(day, list(group)) for day, group in groups]
    with override("vi"):
        context = {"title": title, "days": by_day, "first": first, "last": last, "city": facts("vi")}
        return write_pdf(render_to_string("bulletins/print/plan.html", context))


def script_pdf(title: str, scripts: Sequence[Script]) -> bytes:
    """A bulletin's texts as PDF, one language after the other. Raises PdfUnavailable."""
    with override("vi"):
        context = {"title": title, "scripts": scripts, "city": facts("vi")}
        return write_pdf(render_to_string("bulletins/print/text.html", context))


def press_kit(bulletin: Bulletin) -> bytes:
    """A ZIP with the text in each language (UTF-8), its MP3 if there is one, and a PDF if this server can write it."""
    scripts = _approved(bulletin)
    files: list[tuple[str, bytes]] = []
    for script in scripts:
        files.append((f"ban-tin-{script.language}.txt", (script.text + "\n").encode()))
        if script.sound is not None:
            content = Sound.objects.values_list("content", flat=True).get(pk=script.sound.pk)
            files.append((f"ban-tin-{script.language}.mp3", bytes(content)))
    try:
        files.append(("ban-tin.pdf", script_pdf(bulletin.title, scripts)))
    except PdfUnavailable:
        files.append(("ban-tin-pdf-khong-in-duoc.txt", "Máy chủ này chưa cài WeasyPrint.\n".encode()))
    return _zipped(files)


def stick_files(airings: Sequence[Airing], plan: bytes | None) -> bytes:
    """A ZIP with the plan as PDF and the MP3 files, named so that any player keeps the order of the plan.

    A sound that is aired several times is included each time, so that the files can be played one after the other.
    plan: the PDF, None to leave it out.
    """
    sounds = dict(Sound.objects.filter(pk__in={airing.sound_id for airing in airings}).values_list("pk", "content"))
    files: list[tuple[str, bytes]] = [] if plan is None else [("000-lich-phat.pdf", plan)]
    for number, airing in enumerate(airings, 1):
        if airing.sound_id not in sounds:
            continue
        at = timezone.localtime(airing.starts_at or airing.due_at)
        name = f"{number:03}-{at:%m%d-%Hh%M}-{_file_name(airing.schedule.bulletin.title)}-{airing.language}.mp3"
        files.append((name, bytes(sounds[airing.sound_id])))
    return _zipped(files)


def _approved(bulletin: Bulletin) -> list[Script]:
    order = ["vi", "en", "tay", "nung", "dao", "hmong"]
    return sorted(approved_scripts([bulletin.pk]).values(), key=lambda script: order.index(script.language))


def _file_name(text: str) -> str:
    """A file name of at most 40 ASCII letters, digits and hyphens that any file system accepts; "ban-tin" if empty."""
    decomposed = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    letters = [letter for letter in decomposed if not unicodedata.combining(letter)]
    ascii_text = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in letters)
    return "-".join(part for part in ascii_text.split("-") if part)[:40] or "ban-tin"


def _zipped(files: Iterable[tuple[str, bytes]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files:
            # MP3 and PDF are compressed already.
            kind = zipfile.ZIP_DEFLATED if name.endswith(".txt") else zipfile.ZIP_STORED
            archive.writestr(zipfile.ZipInfo(name, _STAMP), content, kind)
    return out.getvalue()
