# SPDX-License-Identifier: Apache-2.0
"""Make the airings of the coming days from the schedules, each with its time; safe to repeat, and quick.

What is past stays as it was planned, so that the log can be held against it. Run after every change and by the tick.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from bluezone.rollout.bulletins import clashing, plugging
from bluezone.rollout.bulletins.models import Airing, Outlet, Schedule, Script

HORIZON = datetime.timedelta(days=8)
# How long an emergency that was ordered is still worth beginning.
EMERGENCY_LIFE = datetime.timedelta(minutes=10)
# How far back something may still be playing.
_STILL_PLAYING = datetime.timedelta(hours=1)
# Read aloud at about this pace where there is no sound yet.
_SECONDS_A_WORD = 0.4
_AT_ONCE = 1000
_RANKS = {
    "emergency": clashing.Importance.EMERGENCY,
    "priority": clashing.Importance.PRIORITY,
    "normal": clashing.Importance.NORMAL,
}


def plan_ahead(now: datetime.datetime, outlets: Iterable[int] | None = None) -> int:
    """Plan every airing that falls due from now on until HORIZON; how many there are.

    outlets: primary keys of those that are planned anew, all by default.
    """
    zone = ZoneInfo(timezone.get_default_timezone_name())
    chosen = {outlet.pk: outlet for outlet in _open_outlets(outlets)}
    with transaction.atomic():
        wanted = {airing.key: airing for airing in _wanted(chosen, now, zone)}
        _give_times(wanted.values(), chosen, now, zone)
        if _store(wanted, chosen, now):
            plugging.tell_plan_changed()
    return len(wanted)


def airing_key(schedule: int, outlet: int, language: str, due: datetime.datetime) -> str:
    """The name of an airing that outlives every planning."""
    return f"{schedule}-{outlet}-{language}-{int(due.timestamp())}"


def quiet_spans(outlet: Outlet, first: datetime.date, last: datetime.date, zone: ZoneInfo) -> list[clashing.Span]:
    """Unix seconds between which only emergencies are aired, from the local day before `first` to `last`."""
    if outlet.quiet_from == outlet.quiet_to:
        return []
    spans = []
    day = first - datetime.timedelta(days=1)
    while day <= last:
        until = day if outlet.quiet_to > outlet.quiet_from else day + datetime.timedelta(days=1)
        begins = datetime.datetime.combine(day, outlet.quiet_from, zone)
        spans.append((begins.timestamp(), datetime.datetime.combine(until, outlet.quiet_to, zone).timestamp()))
        day += datetime.timedelta(days=1)
    return spans


def seconds_of(script: Script) -> float:
    """How long a text takes: its sound, or a reader's pace."""
    return script.sound.seconds if script.sound else max(1.0, _SECONDS_A_WORD * len(script.text.split()))


def approved_scripts(bulletins: Iterable[int]) -> dict[tuple[int, str], Script]:
    """The newest approved version of each bulletin and language."""
    found = Script.objects.filter(bulletin__in=list(bulletins), approved_at__isnull=False).order_by("number")
    found = found.select_related("machine", "recording").defer("machine__content", "recording__content")
    return {(script.bulletin_id, script.language): script for script in found}


def _open_outlets(outlets: Iterable[int] | None) -> Iterable[Outlet]:
    found = Outlet.objects.filter(closed_at__isnull=True)
    return found if outlets is None else found.filter(pk__in=list(outlets))


def _wanted(chosen: dict[int, Outlet], now: datetime.datetime, zone: ZoneInfo) -> Iterator[Airing]:
    found = Schedule.objects.filter(stopped_at__isnull=True, bulletin__withdrawn_at__isnull=True)
    found = found.filter(outlets__in=list(chosen)).distinct().select_related("bulletin").prefetch_related("outlets")
    schedules = list(found)
    scripts = approved_scripts({one.bulletin_id for one in schedules})
    for schedule in schedules:
        spoken = [
            scripts[schedule.bulletin_id, one] for one in schedule.languages if (schedule.bulletin_id, one) in scripts
        ]
        if schedule.at_once is not None:
            moments = [schedule.at_once] if now - schedule.at_once < EMERGENCY_LIFE else []
        else:
            moments = list(schedule.rule.moments(now, now + HORIZON, zone))
        outlets = [one.pk for one in schedule.outlets.all() if one.pk in chosen]
        for moment in moments:
            yield from _one_moment(schedule, spoken, outlets, moment)


def _one_moment(
    schedule: Schedule, spoken: list[Script], outlets: list[int], moment: datetime.datetime
) -> Iterator[Airing]:
    """One airing for each language and outlet, the languages one after the other."""
    due = moment
    for script in spoken:
        seconds, sound = seconds_of(script), script.sound
        for outlet in outlets:
            yield Airing(
                key=airing_key(schedule.pk, outlet, script.language, due),
                schedule=schedule,
                outlet_id=outlet,
                script_id=script.pk,
                sound_id=sound.pk if sound else None,
                language=script.language,
                importance=schedule.bulletin.importance,
                due_at=due,
                starts_at=due,
                seconds=seconds,
            )
        due += datetime.timedelta(seconds=round(seconds + clashing.GAP_SECONDS + 0.5))


def _give_times(airings: Iterable[Airing], chosen: dict[int, Outlet], now: datetime.datetime, zone: ZoneInfo) -> None:
    by_outlet: dict[int, list[Airing]] = defaultdict(list)
    for airing in airings:
        by_outlet[airing.outlet_id].append(airing)
    first, last = now.astimezone(zone).date(), (now + HORIZON).astimezone(zone).date()
    playing = Airing.objects.filter(outlet__in=list(by_outlet), due_at__lt=now, starts_at__gt=now - _STILL_PLAYING)
    taken: dict[int, list[clashing.Span]] = defaultdict(list)
    for outlet, key, starts, seconds in playing.values_list("outlet_id", "key", "starts_at", "seconds"):
        if all(key != airing.key for airing in by_outlet[outlet]):
            taken[outlet].append((starts.timestamp(), starts.timestamp() + seconds + clashing.GAP_SECONDS))
    for pk, mine in by_outlet.items():
        slots = [_slot(airing) for airing in mine]
        places = clashing.arrange(slots, quiet_spans(chosen[pk], first, last, zone), taken[pk])
        for airing in mine:
            place = places[airing.key]
            airing.displaced = place.why.value
            airing.starts_at = (
                None if place.start is None else datetime.datetime.fromtimestamp(place.start, datetime.UTC)
            )


def _slot(airing: Airing) -> clashing.Slot:
    rank = _RANKS[airing.importance]
    return clashing.Slot(airing.key, airing.due_at.timestamp(), airing.seconds, rank, airing.schedule.rank)


def _store(wanted: dict[str, Airing], chosen: dict[int, Outlet], now: datetime.datetime) -> int:
    """Bring the rows of the future to what is wanted; how many changed."""
    future = Airing.objects.filter(outlet__in=list(chosen), due_at__gte=now - EMERGENCY_LIFE)
    fields = ("script_id", "sound_id", "starts_at", "seconds", "displaced", "importance")
    known = {
        row[0]: row[1:] for row in future.filter(attestation__isnull=True).values_list("key", "pk", "due_at", *fields)
    }
    gone = [row[0] for key, row in known.items() if key not in wanted and row[1] >= now]
    changed = []
    for key, airing in wanted.items():
        if key in known and tuple(getattr(airing, name) for name in fields) != known[key][2:]:
            airing.pk = known[key][0]
            changed.append(airing)
    attested = set(future.filter(attestation__isnull=False).values_list("key", flat=True))
    new = [airing for key, airing in wanted.items() if key not in known and key not in attested]
    for start in range(0, len(gone), _AT_ONCE):
        Airing.objects.filter(pk__in=gone[start : start + _AT_ONCE]).delete()
    Airing.objects.bulk_create(new, batch_size=_AT_ONCE)
    Airing.objects.bulk_update(changed, fields, batch_size=200)
    return len(gone) + len(changed) + len(new)
