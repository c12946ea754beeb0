# SPDX-License-Identifier: Apache-2.0
"""Schedules of bulletins: air by a rule, or an emergency at once; stop a schedule, leave out days, put it first."""

import datetime
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from bluezone.audit import hash_chain
from bluezone.identity.models import User
from bluezone.refusal import Refused
from bluezone.rollout.bulletins.air.planner import (
    announce_plan_change,
    approved_scripts,
    plan_airings,
    quiet_spans,
    script_seconds,
)
from bluezone.rollout.bulletins.air.recurrence import Rule
from bluezone.rollout.bulletins.models import Bulletin, Importance, Outlet, Schedule
from bluezone.rollout.bulletins.texts.scripts import BulletinWithdrawn

# The span over which two schedules are compared: long enough to find an overlap of weekly rules with days left out.
_COMPARED = datetime.timedelta(days=60)


class ScriptNotApproved(Refused):
    """A language that is to be aired has no approved text."""

    code = "script_not_approved"


class ScheduleInQuietHours(Refused):
    """A time is in the quiet hours of an outlet, in which only emergencies are aired."""

    code = "schedule_in_quiet_hours"

    def __init__(self, message: str, outlet: Outlet, time: datetime.time) -> None:
        super().__init__(message)
        self.outlet = outlet
        self.time = time


class ScheduleOverlaps(Refused):
    """The same bulletin is aired at the same outlet at that time already."""

    code = "schedule_overlaps"

    def __init__(self, message: str, outlet: Outlet, at: datetime.datetime) -> None:
        super().__init__(message)
        self.outlet = outlet
        self.at = at


class ScheduleNeverDue(Refused):
    """The rule has no airing in the future; or the day to leave out has none."""

    code = "schedule_never_due"


class NotAnEmergency(Refused):
    """Only an emergency bulletin is aired at once, over everything else."""

    code = "not_an_emergency"


def schedule_airings(
    bulletin: Bulletin,
    outlets: Sequence[Outlet],
    languages: Sequence[str],
    rule: Rule,
    user: User,
    now: datetime.datetime,
) -> Schedule:
    """Schedule the airings of a bulletin by a rule. A refusal stores nothing.

    Raises BulletinWithdrawn, ScriptNotApproved, ScheduleInQuietHours, ScheduleOverlaps, ScheduleNeverDue.
    """
    zone = ZoneInfo(timezone.get_default_timezone_name())
    length = _total_seconds(bulletin, languages)
    if next(rule.moments(now, now + datetime.timedelta(days=3660), zone), None) is None:
        raise ScheduleNeverDue("no day of the rule is still to come")
    if bulletin.importance != Importance.EMERGENCY:
        _refuse_quiet(outlets, rule, length, zone)
    with transaction.atomic():
        _refuse_overlap(bulletin, outlets, rule, length, now, zone)
        schedule = Schedule.objects.create(
            bulletin=bulletin, languages=list(languages), first=rule.first, last=rule.last,
            times=[f"{time:%H:%M}" for time in sorted(set(rule.times))], weekdays=sorted(rule.weekdays),
            exceptions=sorted(str(day) for day in rule.exceptions), made_by=user, made_at=now,
        )  # fmt: skip
        schedule.outlets.set(outlets)
        hash_chain.record(user.username, "airing_scheduled", f"bulletin {bulletin.pk}", now=now, schedule=schedule.pk)
        plan_airings(now, [outlet.pk for outlet in outlets])
    return schedule


def check_emergency(bulletin: Bulletin, languages: Sequence[str]) -> None:
    """Check that a bulletin may be aired at once. Raises NotAnEmergency, BulletinWithdrawn, ScriptNotApproved."""
    if bulletin.importance != Importance.EMERGENCY:
        raise NotAnEmergency("the bulletin is not of the class for emergencies")
    _total_seconds(bulletin, languages)


def air_at_once(
    bulletin: Bulletin, outlets: Sequence[Outlet], languages: Sequence[str], user: User, now: datetime.datetime
) -> Schedule:
    """Air an emergency bulletin now, whatever is playing and whatever the hour.

    Raises NotAnEmergency, BulletinWithdrawn, ScriptNotApproved.
    """
    check_emergency(bulletin, languages)
    today = timezone.localdate(now)
    with transaction.atomic():
        schedule = Schedule.objects.create(
            bulletin=bulletin, languages=list(languages), first=today, last=today, at_once=now.replace(microsecond=0),
            made_by=user, made_at=now,
        )  # fmt: skip
        schedule.outlets.set(outlets)
        hash_chain.record(user.username, "emergency_aired", f"bulletin {bulletin.pk}", now=now, schedule=schedule.pk)
        plan_airings(now, [outlet.pk for outlet in outlets])
    return schedule


def stop_schedule(schedule: Schedule, user: User, now: datetime.datetime) -> None:
    """Stop a schedule: what is playing is cut off, no more is aired, and past airings stay in the log."""
    with transaction.atomic():
        if Schedule.objects.filter(pk=schedule.pk, stopped_at=None).update(stopped_at=now):
            _replan(schedule, user, now, stopped=True)
            # If only its last airing is left and playing, the plan does not change, but machines have to cut it off.
            announce_plan_change()


def stop_schedule_at(schedule: Schedule, outlet: Outlet, user: User, now: datetime.datetime) -> None:
    """Stop a schedule at one outlet, as `stop_schedule` does; elsewhere it continues."""
    with transaction.atomic():
        locked = Schedule.objects.select_for_update().get(pk=schedule.pk)
        outlets = set(locked.outlets.values_list("pk", flat=True))
        if outlet.pk not in outlets:
            return
        if outlets == {outlet.pk}:
            stop_schedule(locked, user, now)
            return
        locked.outlets.remove(outlet)
        subject = f"bulletin {locked.bulletin_id}"
        hash_chain.record(user.username, "airing_changed", subject, now=now, schedule=locked.pk, stopped_at=outlet.pk)
        plan_airings(now, [outlet.pk])
        announce_plan_change()


def leave_out_day(schedule: Schedule, day: datetime.date, user: User, now: datetime.datetime) -> None:
    """Leave one local day out; safe to repeat. Raises ScheduleNeverDue if nothing is aired on that day."""
    with transaction.atomic():
        locked = Schedule.objects.select_for_update().get(pk=schedule.pk)
        if str(day) in locked.exceptions:
            return
        if locked.at_once is not None or not locked.rule.includes(day):
            raise ScheduleNeverDue(f"nothing is aired on {day}")
        locked.exceptions = sorted([*locked.exceptions, str(day)])
        locked.save(update_fields=["exceptions"])
        _replan(locked, user, now, left_out=str(day))


def put_schedule_first(schedule: Schedule, user: User, now: datetime.datetime) -> None:
    """Air a schedule before all others of its class that overlap with it, as the commune decides."""
    with transaction.atomic():
        lowest = Schedule.objects.order_by("rank").values_list("rank", flat=True).first() or 0
        Schedule.objects.filter(pk=schedule.pk).update(rank=lowest - 1)
        _replan(schedule, user, now, put_first=True)


def _replan(schedule: Schedule, user: User, now: datetime.datetime, **details: object) -> None:
    subject = f"bulletin {schedule.bulletin_id}"
    hash_chain.record(user.username, "airing_changed", subject, now=now, schedule=schedule.pk, **details)
    plan_airings(now, schedule.outlets.values_list("pk", flat=True))


def _total_seconds(bulletin: Bulletin, languages: Sequence[str]) -> float:
    """The seconds of the texts in all these languages together. Raises BulletinWithdrawn, ScriptNotApproved."""
    if bulletin.withdrawn_at is not None:
        raise BulletinWithdrawn("the bulletin was withdrawn")
    scripts = approved_scripts([bulletin.pk])
    missing = [language for language in languages if (bulletin.pk, language) not in scripts]
    if missing or not languages:
        raise ScriptNotApproved(f"no approved text in {', '.join(missing) or 'any language'}")
    return sum(script_seconds(scripts[bulletin.pk, language]) for language in languages)


def _refuse_quiet(outlets: Sequence[Outlet], rule: Rule, length: float, zone: ZoneInfo) -> None:
    for outlet in outlets:
        spans = quiet_spans(outlet, rule.first, rule.first + datetime.timedelta(days=1), zone)
        for time in rule.times:
            begins = datetime.datetime.combine(rule.first, time, zone).timestamp()
            if any(begins < end and start < begins + length for start, end in spans):
                raise ScheduleInQuietHours(f"{time:%H:%M} is in the quiet hours of {outlet.name}", outlet, time)


def _refuse_overlap(
    bulletin: Bulletin, outlets: Sequence[Outlet], rule: Rule, length: float, now: datetime.datetime, zone: ZoneInfo
) -> None:
    others = Schedule.objects.filter(bulletin=bulletin, stopped_at=None, at_once=None, outlets__in=list(outlets))
    for other in others.distinct().prefetch_related("outlets"):
        # Compare from the later of the two first days: years may be between them.
        later_start = max(rule.first, other.first)
        since = max(now, datetime.datetime.combine(later_start, datetime.time(), zone))
        mine = [moment.timestamp() for moment in rule.moments(since, since + _COMPARED, zone)]
        theirs = [moment.timestamp() for moment in other.rule.moments(since, since + _COMPARED, zone)]
        overlap = _first_overlap(mine, theirs, length)
        if overlap is not None:
            place = next(outlet for outlet in outlets if outlet in other.outlets.all())
            at = datetime.datetime.fromtimestamp(overlap, datetime.UTC)
            raise ScheduleOverlaps(f"the bulletin is aired at {place.name} at {at:%H:%M} UTC already", place, at)


def _first_overlap(mine: list[float], theirs: list[float], length: float) -> float | None:
    """The first of `mine` that is less than `length` seconds from one of `theirs`; both are sorted Unix seconds."""
    at = 0
    for moment in mine:
        while at < len(theirs) and theirs[at] + length <= moment:
            at += 1
        if at < len(theirs) and theirs[at] < moment + length:
            return moment
    return None
