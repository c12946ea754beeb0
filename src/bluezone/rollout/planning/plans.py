# SPDX-License-Identifier: Apache-2.0
"""Asking for a plan, working it off piece by piece beside everything else the worker does, stopping and forgetting it.

Inputs are what coverage shows to everybody above the ward: residents and the share running, nothing kept back.
"""

import datetime
import logging
import threading

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from bluezone.audit.hash_chain import record
from bluezone.directory.models import AdminUnit
from bluezone.identity.models import User
from bluezone.logs import event
from bluezone.planning.assumptions import read_assumptions
from bluezone.planning.people import Ward
from bluezone.planning.plan import Inputs, PlanInvalid, Planner
from bluezone.refusal import Refused
from bluezone.rollout.coverage.api import RUNNING, Week, city_unit, latest_week, newest_of, overview
from bluezone.rollout.planning.models import CityPlan, PlanState

log = logging.getLogger(__name__)

KEPT = datetime.timedelta(days=90)
# Open plans of the whole office: one runs after another, and a leader waits minutes for each.
MOST_OPEN = 5


class PlanUnfounded(Refused):
    """The office shows no number of residents, or no share running, that a plan could start from."""

    code = "plan_unfounded"


class PlansWaiting(Refused):
    """As many plans wait as may; one of them must be done or stopped first."""

    code = "plans_waiting"


def _open() -> QuerySet[CityPlan]:
    return CityPlan.objects.filter(state__in=[PlanState.WAITING, PlanState.RUNNING])


def wards_of_city(running: float | None = None, today: datetime.date | None = None) -> tuple[Ward, ...]:
    """The city's wards with residents and the share of them on whose phone the app runs, as coverage shows them.

    Coverage knows the share of passages with a smartphone; residents have smartphones as the directory says, else as
    the assumptions do. A ward whose share is kept back or not counted has the city's.
    running: share for wards of which the office shows none, None to refuse where the city has none either.
    Raises PlanUnfounded.
    """
    day = today or timezone.localdate()
    week = latest_week(day)
    city = city_unit(week.first_day)
    if city is None:
        raise PlanUnfounded("the office knows no city: enter units and agencies first")
    shown = overview(city, week, exact=False, keys=frozenset({RUNNING}))
    shares = {row.unit.pk: cell.share for row in shown.rows if row.unit for cell in row.all_cells}
    whole = shown.cell(RUNNING)
    otherwise = whole.share if whole is not None else None
    units = [row.unit for row in shown.rows if row.unit is not None] or [city]
    return tuple(_wards(units, week, shares, otherwise, running))


def _wards(
    units: list[AdminUnit],
    week: Week,
    shares: dict[int, float | None],
    otherwise: float | None,
    running: float | None,
) -> list[Ward]:
    figures = newest_of(units, week.last_day)
    known = read_assumptions()
    usual = float((known.array("smartphone", 9) * known.array("ages", 9)).sum())
    wards = []
    for unit in units:
        population = figures.get((unit.pk, "population"))
        if population is None or not population.value:
            continue
        smartphones = figures.get((unit.pk, "smartphones"))
        owners = min(smartphones.value / population.value, 1.0) if smartphones else usual
        share = shares.get(unit.pk)
        share = otherwise if share is None else share
        if share is not None:
            wards.append(Ward(unit.name, population.value, share * owners))
        elif running is not None:
            wards.append(Ward(unit.name, population.value, running))
        else:
            raise PlanUnfounded("coverage shows no share running yet, neither of wards nor of the city")
    if not wards:
        raise PlanUnfounded("the directory has no number of residents of any ward")
    return wards


def ask(user: User, inputs: Inputs) -> CityPlan:
    """Queue a plan. Raises PlansWaiting, CityTooSmall, PlanInvalid."""
    with transaction.atomic():
        if _open().count() >= MOST_OPEN:
            raise PlansWaiting(f"{MOST_OPEN} plans wait or are under way: wait for one, or stop it")
        plan = CityPlan.objects.create(asked_by=user, inputs=inputs.as_json(), pieces=inputs.seeds)
        record(user.username, "plan_asked", str(plan.pk), disease=inputs.disease, days=inputs.days)
    return plan


def stop(user: User, plan: CityPlan) -> None:
    """Stop a plan that waits or is under way; one that is neither stays as it is."""
    with transaction.atomic():
        if _open().filter(pk=plan.pk).update(state=PlanState.STOPPED, found=[]):
            record(user.username, "plan_stopped", str(plan.pk))


def purge(now: datetime.datetime) -> None:
    """Delete plans that were asked for 90 days ago."""
    CityPlan.objects.filter(asked_at__lt=now - KEPT).delete()


def next_plan() -> CityPlan | None:
    """The plan that was asked for first of those that are not done."""
    return _open().order_by("asked_at", "pk").first()


class Shift:
    """Works plans off in a thread of its own, so that nothing else of the worker waits for it.

    thread: the one that works or has worked last, None before the first plan.
    """

    def __init__(self) -> None:
        self.thread: threading.Thread | None = None

    def begin(self) -> None:
        """Start where plans wait and nobody works on them here."""
        if (self.thread is None or not self.thread.is_alive()) and next_plan() is not None:
            self.thread = threading.Thread(target=self._work, name="plans", daemon=True)
            self.thread.start()

    def _work(self) -> None:
        try:
            while (plan := next_plan()) is not None:
                work_on(plan)
        except Exception:
            # The next tick begins again; a plan goes on where it stood.
            log.exception("plans: the work ended", extra=event("plans_ended"))
        finally:
            connection.close()


_shift = Shift()


def work_off(_now: datetime.datetime) -> None:
    """See at each tick that plans are worked on."""
    _shift.begin()


def work_on(plan: CityPlan) -> None:
    """Run a plan to its end, seed by seed, each kept as soon as it is done; ends where somebody stopped it."""
    try:
        inputs = Inputs.of_json(plan.inputs)
        planner = Planner(inputs)
        for seed in range(plan.done + 1, inputs.seeds + 1):
            trial = planner.trial(seed)
            found = []
            for option in planner.options:
                if not _open().filter(pk=plan.pk).exists():
                    return
                found.append([seed, option.name, planner.totals(trial, option.name)])
            _keep(plan, seed, found, last=seed == inputs.seeds)
    except (Refused, MemoryError) as refused:
        code = refused.code if isinstance(refused, Refused) else "memory_short"
        log.warning("plan %s failed: %s", plan.pk, code, extra=event("plan_failed", code=code))
        _open().filter(pk=plan.pk).update(state=PlanState.FAILED, refusal=code)


def _keep(plan: CityPlan, seed: int, found: list[list[object]], *, last: bool) -> None:
    plan.found = [*plan.found, *found]
    state = PlanState.DONE if last else PlanState.RUNNING
    _open().filter(pk=plan.pk).update(found=plan.found, done=seed, state=state)


def inputs_of(disease: str, infected: int, days: int, seeds: int) -> Inputs:
    """Inputs of the city as it is shown today. Raises PlanUnfounded, PlanInvalid."""
    wards = wards_of_city()
    if infected > sum(ward.residents for ward in wards):
        raise PlanInvalid("more are infected than live in the city")
    return Inputs(wards, infected, imports=0.1, disease=disease, days=days, seeds=seeds)
