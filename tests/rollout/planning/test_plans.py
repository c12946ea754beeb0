# SPDX-License-Identifier: Apache-2.0
"""Plans of leaders: from figures that everybody sees to a page on which no number stands without its interval."""

import datetime
import re

import pytest
from django.utils import timezone
from tests.builders.coverage import WEEK, agency, city, registered_only
from tests.builders.office import user

from bluezone.audit.models import AuditEntry
from bluezone.directory.models import Denominator
from bluezone.identity.models import Role
from bluezone.planning.people import Ward
from bluezone.planning.plan import Inputs
from bluezone.rollout.coverage.api import Figure, RunningShare
from bluezone.rollout.planning import plans, retention
from bluezone.rollout.planning.models import CityPlan, PlanState

pytestmark = pytest.mark.django_db
SMALL = Inputs((Ward("phường Đức Xuân", 900, 0.4), Ward("xã Dương Quang", 700, 0.1)), 20, days=20, seeds=3)


class Gates(RunningShare):
    """Gate-days as the gates give them."""

    def __init__(self, *days):
        self.days = days

    def figures(self, week):
        return [Figure(path, None, proven, phones, "gates", week.last_day) for path, proven, phones in self.days]

    def rows_address(self, unit_id, week):
        return f"/gates/?unit={unit_id}"


@pytest.fixture
def leader(client):
    client.cookies.load({"bluezone-language": "en"})
    made = user("hoa", Role.LEADER)
    client.force_login(made)
    return made


def lived_in(unit, residents, smartphones=None):
    for kind, value in (("population", residents), ("smartphones", smartphones)):
        if value is not None:
            Denominator.objects.create(unit=unit, kind=kind, value=value, source="census", as_of="2019-04-01")


def test_a_plan_starts_from_residents_and_shares_that_coverage_shows(leader):
    _top, (one, other, third) = city("phường Đức Xuân", "xã Dương Quang", "phường Sông Cầu")
    for ward in (one, other, third):
        agency(f"UBND {ward.name}", ward)
    lived_in(one, 4000, 3000)
    lived_in(other, 2000)
    lived_in(third, 3000)
    days = [(one.path, 50, 100), (one.path, 50, 100), (other.path, 3, 100), (other.path, 0, 100)]
    days += [(third.path, 40, 100), (third.path, 40, 100)]
    with registered_only(Gates(*days)):
        wards = plans.wards_of_city(today=WEEK.last_day)

    shares = {ward.name: ward.running for ward in wards}
    assert {ward.name: ward.residents for ward in wards} == {one.name: 4000, other.name: 2000, third.name: 3000}
    assert shares[one.name] == pytest.approx(0.5 * 0.75)
    # 3 of 200 is kept back above the ward, and one more with it: the plan has the city's share for both.
    assert shares[other.name] == shares[third.name] == pytest.approx(183 / 600 * 0.744, rel=0.01)


def test_without_residents_or_shares_there_is_no_plan_and_the_page_says_what_to_do(client, leader):
    answer = client.post("/plans/", {"disease": "covid-19", "infected": "20", "days": "60"})

    assert answer.status_code == 409
    assert "enter residents" in answer.text
    assert not CityPlan.objects.exists()


def test_a_form_that_is_not_understood_asks_nothing(client, leader):
    assert client.post("/plans/", {"disease": "plague", "infected": "0", "days": "60"}).status_code == 422
    assert not CityPlan.objects.exists()


@pytest.mark.long
def test_a_plan_is_worked_off_and_its_page_shows_no_number_without_its_interval(client, leader):
    plan = plans.queue_plan(leader, SMALL)
    waiting = client.get(f"/plans/{plan.pk}/").text
    plans.run_plan(plan)
    text = client.get(f"/plans/{plan.pk}/").text
    plan.refresh_from_db()

    assert "<progress" in waiting
    assert plan.state == PlanState.DONE
    assert plan.done == plan.pieces == 3
    table = text.split("Compared with the current state</caption>")[1].split("</table>")[0]
    cells = [cell for cell in re.findall(r"<td>.*?</td>", table, re.DOTALL) if re.search(r"<b>", cell)]
    assert len(cells) == 8 * 5 + 3
    assert all(re.search(r"<small class=\"soft\">−?[\d,.]+ to −?[\d,.]+</small>", cell) for cell in cells)
    lead = text.split('class="lead"')[1].split("</p>")[0]
    assert len(re.findall(r"<b>", lead)) == len(re.findall(r"\(\d+ to \d+\)", lead))
    assert "will be" not in text
    assert "forecast" not in text or "not a forecast" in text
    assert "Ferretti" in text


@pytest.mark.long
def test_what_is_half_done_shows_how_far_it_is_and_goes_on_where_it_stood(client, leader):
    plan = plans.queue_plan(leader, SMALL)
    plans.run_plan(plan)
    plan.refresh_from_db()
    whole = plan.results
    CityPlan.objects.update(state=PlanState.RUNNING, done=1, results=whole[: len(whole) // 3])
    again = CityPlan.objects.get()
    plans.run_plan(again)
    again.refresh_from_db()

    assert again.results == whole


def test_no_thread_is_begun_where_no_plan_waits(leader):
    shift = plans.PlanRunner()
    shift.begin()

    assert shift.thread is None


@pytest.mark.long
def test_a_stopped_plan_is_left_alone_and_keeps_nothing(client, leader):
    plan = plans.queue_plan(leader, SMALL)
    assert client.post(f"/plans/{plan.pk}/stop/").status_code == 302
    plans.run_plan(CityPlan.objects.get())
    plan.refresh_from_db()

    assert (plan.state, plan.results, plans.next_plan()) == (PlanState.STOPPED, [], None)
    assert "was stopped" in client.get(f"/plans/{plan.pk}/").text
    assert [entry.action for entry in AuditEntry.objects.order_by("number")] == ["plan_asked", "plan_stopped"]


def test_a_plan_that_cannot_be_made_says_why(client, leader):
    plan = plans.queue_plan(leader, Inputs((Ward("hamlet", 40, 0.1),), 5, days=20, seeds=3))
    plans.run_plan(plan)
    plan.refresh_from_db()

    assert (plan.state, plan.refusal) == (PlanState.FAILED, "city_too_small")
    assert "too few residents" in client.get(f"/plans/{plan.pk}/").text


def test_no_more_than_five_plans_wait(leader):
    for _turn in range(plans.MOST_OPEN):
        plans.queue_plan(leader, SMALL)
    with pytest.raises(plans.PlansWaiting):
        plans.queue_plan(leader, SMALL)


def test_plans_are_forgotten_after_ninety_days(leader):
    now = timezone.now()
    plans.queue_plan(leader, SMALL)
    retention.purge(now + datetime.timedelta(days=89))
    assert CityPlan.objects.count() == 1
    retention.purge(now + datetime.timedelta(days=91))
    assert not CityPlan.objects.exists()


@pytest.mark.long
def test_only_leaders_and_health_supervisors_open_it(client):
    for role, status in ((Role.LEADER, 200), (Role.SUPERVISOR, 200), (Role.CLERK, 403)):
        client.force_login(user(f"{role}", role))
        assert client.get("/plans/").status_code in (status, 302 if status == 200 else status), role
