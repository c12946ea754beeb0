# SPDX-License-Identifier: Apache-2.0
"""Counts of requests, outcomes, tally sheets, drive hours and free teams by unit; one or two queries each."""

import datetime
from collections import Counter

from django.db.models import Count, Exists, OuterRef, Q, Sum
from django.utils import timezone

from bluezone.rollout.drives.models import (
    Drive,
    DriveState,
    DriveTally,
    HelpOutcome,
    HelpRequest,
    HelpResult,
    HelpState,
    Team,
)
from bluezone.rollout.drives.queue import free


def waiting(now: datetime.datetime) -> tuple[dict[int, int], dict[int, int]]:
    """Requests that nobody has, and those that a team has, by unit."""
    live = HelpRequest.objects.exclude(unit=None).order_by()
    open_now = live.filter(free(now)).values_list("unit").annotate(count=Count("pk"))
    held = live.filter(state=HelpState.CLAIMED, claimed_until__gt=now).values_list("unit").annotate(count=Count("pk"))
    return dict(open_now), dict(held)


def closed(since: datetime.date, until: datetime.date) -> tuple[Counter[int], Counter[int]]:
    """Helped, and could not be helped, by unit over days, first and last included."""
    done: Counter[int] = Counter()
    could_not: Counter[int] = Counter()
    outcomes = HelpOutcome.objects.filter(day__range=(since, until)).exclude(unit=None).order_by()
    for unit_id, result, count in outcomes.values_list("unit", "result").annotate(count=Count("pk")):
        (could_not if result == HelpResult.CANNOT else done)[unit_id] += count
    tallies = DriveTally.objects.filter(drive__begins__date__range=(since, until)).order_by()
    rows = tallies.values_list("drive__unit").annotate(
        done=Sum("running") + Sum("other_help"), could_not=Sum("could_not") + Sum("no_smartphone")
    )
    for unit_id, helped, not_helped in rows:
        done[unit_id] += helped
        could_not[unit_id] += not_helped
    return done, could_not


def helper_hours(since: datetime.date, until: datetime.date, now: datetime.datetime) -> dict[int, float]:
    """Hours of drives times people of their team, by unit; of a drive under way the hours until now."""
    first = timezone.make_aware(datetime.datetime.combine(since, datetime.time.min))
    after = timezone.make_aware(datetime.datetime.combine(until + datetime.timedelta(days=1), datetime.time.min))
    hours: dict[int, float] = {}
    drives = Drive.objects.filter(opened_at__isnull=False, opened_at__lt=after).filter(
        Q(closed_at__isnull=True) | Q(closed_at__gt=first)
    )
    for unit_id, opened, ended, planned, people in drives.values_list(
        "unit", "opened_at", "closed_at", "ends", "team__people"
    ):
        if opened is None:
            continue
        # A drive that somebody forgot to close did not go on all night.
        end = min(ended or now, max(planned, opened), after)
        seconds = max(0.0, (end - max(opened, first)).total_seconds())
        hours[unit_id] = hours.get(unit_id, 0.0) + people * seconds / 3600
    return hours


def free_teams() -> dict[int, int]:
    """Teams that could go now, by the unit that their union serves."""
    at_work = Drive.objects.filter(team=OuterRef("pk"), state=DriveState.LIVE)
    busy = HelpRequest.objects.filter(team=OuterRef("pk"), state=HelpState.CLAIMED)
    teams = Team.objects.filter(ended_at=None).exclude(Exists(at_work)).exclude(Exists(busy)).order_by()
    return dict(teams.values_list("agency__unit").annotate(count=Count("pk")))
