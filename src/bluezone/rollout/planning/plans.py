# SPDX-License-Identifier: Apache-2.0
"""Queue a plan, run it seed by seed in a thread of the worker, stop it, and purge old plans.

The inputs are numbers that coverage shows to everyone: residents and the share of running phones, after suppression.
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
from bluezone.logs import event_fields
from bluezone.planning.assumptions import read_assumptions
from bluezone.planning.people import Ward
from bluezone.planning.plan import Inputs, PlanInvalid, Planner
from bluezone.refusal import Refused
from bluezone.rollout.coverage.api import RUNNING, city_unit, latest_week, newest_denominators, read_overview
from bluezone.rollout.planning.models import CityPlan, PlanState
from bluezone.rollout.report_week import Week

log = logging.getLogger(__name__)

# Open plans of the whole office: they run one after another, and each takes minutes.
MOST_OPEN = 5


class PlanUnfounded(Refused):
    """The office shows no number of residents, or no share of running phones, so that a plan has no inputs."""

    code = "plan_unfounded"


class PlansWaiting(Refused):
    """MOST_OPEN plans are open; one of them must be done or stopped first."""

    code = "plans_waiting"


def _open_plans() -> QuerySet[CityPlan]:
    return CityPlan.objects.filter(state__in=[PlanState.WAITING, PlanState.RUNNING])


def wards_of_city(running: float | None = None, today: datetime.date | None = None) -> tuple[Ward, ...]:
    """The city's wards with their residents and the share of residents who have the app running, 0..1.

    Coverage has the share of passages with a smartphone. This is multiplied by the share of residents with a
    smartphone, from the directory, else from the assumptions. A ward with a suppressed or missing share gets that of
    the city. running: the share if the city has none either; None to refuse that. Raises PlanUnfounded.
    """
    day = today or timezone.localdate()
    week = latest_week(day)
    city = city_unit(week.first_day)
    if city is None:
        raise PlanUnfounded("the office knows no city: enter units and agencies first")
    city_overview = read_overview(city, week, exact=False, keys=frozenset({RUNNING}))
    shares: dict[int, float | None] = {}
    for row in city_overview.rows:
        if row.unit:
            for cell in row.all_cells:
                shares[row.unit.pk] = cell.share
    city_cell = city_overview.cell(RUNNING)
    city_share = city_cell.share if city_cell is not None else None
    units = [row.unit for row in city_overview.rows if row.unit is not None] or [city]
    return tuple(_wards(units, week, shares, city_share, running))


def _wards(
    units: list[AdminUnit],
    week: Week,
    shares: dict[int, float | None],
    city_share: float | None,
    running: float | None,
) -> list[Ward]:
    figures = newest_denominators(units, week.last_day)
    assumptions = read_assumptions()
    usual_owners = float((assumptions.array("smartphone", 9) * assumptions.array("ages", 9)).sum())
    wards = []
    for unit in units:
        population = figures.get((unit.pk, "population"))
        if population is None or not population.value:
            continue
        smartphones = figures.get((unit.pk, "smartphones"))
        owners = usual_owners
        if smartphones:
            owners = min(smartphones.value / population.value, 1.0)
        share = shares.get(unit.pk)
        if share is None:
            share = city_share
        if share is not None:
            wards.append(Ward(unit.name, population.value, share * owners))
        elif running is not None:
            wards.append(Ward(unit.name, population.value, running))
        else:
            raise PlanUnfounded("coverage shows no share of running phones yet, neither of wards nor of the city")
    if not wards:
        raise PlanUnfounded("the directory has no number of residents of any ward")
    return wards


def queue_plan(user: User, inputs: Inputs) -> CityPlan:
    """Queue a plan. Raises PlansWaiting, CityTooSmall, PlanInvalid."""
    with transaction.atomic():
        if _open_plans().count() >= MOST_OPEN:
            raise PlansWaiting(f"{MOST_OPEN} plans are waiting or running: wait for one, or stop it")
        plan = CityPlan.objects.create(asked_by=user, inputs=inputs.as_json(), pieces=inputs.seeds)
        record(user.username, "plan_asked", str(plan.pk), disease=inputs.disease, days=inputs.days)
    return plan


def stop_plan(user: User, plan: CityPlan) -> None:
    """Stop an open plan and delete its results; a plan that is not open stays as it is."""
    with transaction.atomic():
        if _open_plans().filter(pk=plan.pk).update(state=PlanState.STOPPED, results=[]):
            record(user.username, "plan_stopped", str(plan.pk))


def next_plan() -> CityPlan | None:
    """The oldest open plan, None if there is none."""
    return _open_plans().order_by("asked_at", "pk").first()


class PlanRunner:
    """Runs plans in a separate thread, so that the worker can do its other work.

    thread: the one that runs or has run plans, None before the first plan.
    """

    def __init__(self) -> None:
        self.thread: threading.Thread | None = None

    def begin(self) -> None:
        """Start the thread if a plan is open and the thread is not running."""
        if self.thread is not None and self.thread.is_alive():
            return
        if next_plan() is not None:
            self.thread = threading.Thread(target=self._work, name="plans", daemon=True)
            self.thread.start()

    def _work(self) -> None:
        try:
            while (plan := next_plan()) is not None:
                run_plan(plan)
        except Exception:
            # The next tick starts the thread again; the plan continues after its last seed.
            log.exception("plans: the work ended", extra=event_fields("plans_ended"))
        finally:
            connection.close()


_runner = PlanRunner()


def start_open_plans(_now: datetime.datetime) -> None:
    """Start the work on open plans, at each tick."""
    _runner.begin()


def run_plan(plan: CityPlan) -> None:
    """Run a plan from its first open seed to its last, and store each seed's results; return early if it is stopped.

    A refusal or a lack of memory ends the plan as failed.
    """
    try:
        inputs = Inputs.of_json(plan.inputs)
        planner = Planner(inputs)
        for seed in range(plan.done + 1, inputs.seeds + 1):
            trial = planner.trial(seed)
            results = []
            for option in planner.options:
                if not _open_plans().filter(pk=plan.pk).exists():
                    return
                results.append([seed, option.name, planner.totals(trial, option.name)])
            _store_results(plan, seed, results, is_last=seed == inputs.seeds)
    except (Refused, MemoryError) as refused:
        code = refused.code if isinstance(refused, Refused) else "memory_short"
        log.warning("plan %s failed: %s", plan.pk, code, extra=event_fields("plan_failed", code=code))
        _open_plans().filter(pk=plan.pk).update(state=PlanState.FAILED, refusal=code)


def _store_results(plan: CityPlan, seed: int, results: list[list[object]], *, is_last: bool) -> None:
    plan.results = [*plan.results, *results]
    state = PlanState.DONE if is_last else PlanState.RUNNING
    _open_plans().filter(pk=plan.pk).update(results=plan.results, done=seed, state=state)


def inputs_of(disease: str, infected: int, days: int, seeds: int) -> Inputs:
    """The inputs of a plan for the city, from today's coverage. infected: people infected today.

    Raises PlanUnfounded, PlanInvalid.
    """
    wards = wards_of_city()
    if infected > sum(ward.residents for ward in wards):
        raise PlanInvalid("more people are infected than live in the city")
    return Inputs(wards, infected, imports=0.1, disease=disease, days=days, seeds=seeds)
