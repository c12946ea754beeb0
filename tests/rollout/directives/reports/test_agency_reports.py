# SPDX-License-Identifier: Apache-2.0
"""Scenario 4: seven of eight wards on time, one late, a locked period, a returned report."""

import datetime

import pytest
from tests.builders.directives import DAY, NOW, door_to_door

from bluezone.identity.acts import UndoTooLate
from bluezone.rollout.directives import queries
from bluezone.rollout.directives.inbox import dispatch_acts
from bluezone.rollout.directives.issuance import approval
from bluezone.rollout.directives.models import Deadline, DispatchState
from bluezone.rollout.directives.reports import agency_reports

SECOND = datetime.timedelta(seconds=1)


@pytest.fixture
def task(directive):
    return door_to_door(directive)


def wards(task):
    return [party.agency for party in task.parties.select_related("agency__unit").order_by("pk")]


def report(task, agency, clerk, when, people=1):
    return agency_reports.submit(task, agency, task.report_from, {"people": people}, "", clerk, when)


def test_seven_of_eight_on_time_then_the_late_one(task, clerk):
    *prompt, slow = wards(task)
    for agency in prompt:
        report(task, agency, clerk, NOW + 6 * DAY)
    period = agency_reports.task_periods(task, NOW.date() + 9 * DAY)[0]
    assert queries.rates(task, period).share == 87.5

    report(task, slow, clerk, NOW + 9 * DAY)
    rates = queries.rates(task, period)
    assert (rates.share, rates.share_on_time) == (100.0, 87.5)
    assert queries.rates(task, period, slow.unit).share_on_time == 0.0


def test_a_locked_period_takes_nothing_and_keeps_what_it_has(task, clerk):
    made = report(task, wards(task)[0], clerk, NOW, people=7)
    with pytest.raises(agency_reports.ReportPeriodLocked):
        report(task, wards(task)[0], clerk, NOW + 30 * DAY, people=9)
    made.refresh_from_db()
    assert made.values == {"people": 7}


def test_a_returned_report_counts_as_not_made_until_it_comes_again(task, clerk):
    made = report(task, wards(task)[0], clerk, NOW)
    agency_reports.give_back(made, "Thiếu số hộ", clerk, NOW)
    period = agency_reports.task_periods(task, NOW.date())[0]
    assert queries.rates(task, period).actual == 0

    report(task, wards(task)[0], clerk, NOW + DAY)
    assert queries.rates(task, period).actual == 1


@pytest.mark.parametrize("values", [{}, {"people": -1}, {"people": 10**12}, {"people": 1, "more": 2}])
def test_numbers_that_were_not_asked_for_are_refused(task, clerk, values):
    with pytest.raises(agency_reports.ReportValueWrong):
        agency_reports.submit(task, wards(task)[0], task.report_from, values, "", clerk, NOW)


def test_more_time_moves_the_day_of_one_agency_alone(task, clerk, signer):
    first, second = wards(task)[:2]
    asked = dispatch_acts.ask(task, first, "extension", "Mưa lũ", clerk, NOW, NOW.date() + 40 * DAY)
    with pytest.raises(dispatch_acts.RequestOpen):
        dispatch_acts.ask(task, first, "extension", "Mưa lũ", clerk, NOW, NOW.date() + 50 * DAY)
    dispatch_acts.answer(asked, True, "", signer, NOW)

    assert task.parties.get(agency=first).due == NOW.date() + 40 * DAY
    assert task.parties.get(agency=second).due is None
    with pytest.raises(dispatch_acts.RequestAnswered):
        dispatch_acts.answer(asked, False, "", signer, NOW)


def test_who_is_late_is_named_with_what(directive, task, clerk):
    dispatch = directive.dispatches.get(agency=wards(task)[0])
    dispatch_acts.move(dispatch, DispatchState.RECEIVED, clerk, NOW)
    behind = agency_reports.late(directive, NOW + 9 * DAY)

    assert behind[dispatch.agency_id].not_received is False
    assert "2" in behind[dispatch.agency_id].reports
    assert behind[wards(task)[1].pk].not_received


def test_a_ward_passes_it_on_below_and_to_nobody_else(directive, clerk):
    from tests.builders.agencies import agency_values

    from bluezone.directory.records.changes import save_agency

    ward = directive.dispatches.select_related("agency__unit").get(agency__key="ubnd-phuong-song-cau")
    school = save_agency("clerk", None, agency_values(ward.agency.unit, name="Trường Tiểu học", kind="school"))
    other = directive.dispatches.get(agency__key="ubnd-phuong-duc-xuan").agency
    dispatch_acts.move(ward, DispatchState.RECEIVED, clerk, NOW)
    with pytest.raises(dispatch_acts.NotBelow):
        dispatch_acts.pass_on(ward, [other], clerk, NOW)
    made = dispatch_acts.pass_on(ward, [school], clerk, NOW)

    assert [one.agency.name for one in made] == ["Trường Tiểu học"]
    assert queries.tasks_for(made[0])


@pytest.mark.long
def test_a_recalled_letter_takes_no_report(directive, task, clerk):
    approval.revoke(directive, "Ban hành nhầm", clerk, NOW)
    task.directive.refresh_from_db()
    with pytest.raises(dispatch_acts.DirectiveNotInForce):
        report(task, wards(task)[0], clerk, NOW)


def test_a_report_is_in_time_on_the_due_day_and_taken_until_the_period_is_locked(task, clerk):
    first, second, third, fourth = wards(task)[:4]
    (period,) = agency_reports.task_periods(task, NOW.date())
    due, last = (NOW + DAY * (day - NOW.date()).days for day in (period.due.day, period.locks - DAY))

    assert report(task, first, clerk, due).on_time
    assert not report(task, second, clerk, due + DAY).on_time
    assert not report(task, third, clerk, last).on_time
    with pytest.raises(agency_reports.ReportPeriodLocked):
        report(task, fourth, clerk, last + DAY)


def test_a_period_that_has_not_begun_is_none_yet(task, clerk):
    with pytest.raises(agency_reports.ReportPeriodLocked):
        report(task, wards(task)[0], clerk, NOW - DAY)


@pytest.mark.parametrize(("people", "taken"), [(0, True), (10**9, True), (10**9 + 1, False), ("7", False)])
def test_a_number_is_whole_and_at_most_a_milliard(task, clerk, people, taken):
    try:
        assert report(task, wards(task)[0], clerk, NOW, people).values == {"people": people}
    except agency_reports.ReportValueWrong:
        assert not taken
    else:
        assert taken


def test_nobody_is_late_on_the_due_day_itself(directive, task, clerk):
    ward = wards(task)[0]
    day = task.report_from
    task.parties.filter(agency=ward).update(due=day)
    received = [agency_reports.late(directive, NOW + step).get(ward.pk) for step in (DAY - SECOND, DAY)]
    midnight = Deadline(day).moment
    tasks = [agency_reports.late(directive, at).get(ward.pk) for at in (midnight - SECOND, midnight)]

    assert [bool(one and one.not_received) for one in received] == [False, True], "a day after it arrived"
    assert [one.tasks if one else [] for one in tasks] == [[], ["2"]]


def test_an_accepted_report_is_corrected_no_more_and_one_given_back_is(task, clerk):
    ward = wards(task)[0]
    made = report(task, ward, clerk, NOW, people=1)
    agency_reports.give_back(made, "x" * 400, clerk, NOW)
    assert (made.state, made.return_reason) == ("returned", "x" * 300)
    made = report(task, ward, clerk, NOW, people=2)
    assert (made.state, made.return_reason, made.values) == ("submitted", "", {"people": 2})
    agency_reports.accept(made, clerk, NOW)

    for again in (lambda: report(task, ward, clerk, NOW), lambda: agency_reports.accept(made, clerk, NOW)):
        with pytest.raises(agency_reports.ReportSettled):
            again()
    agency_reports.take_acceptance_back(made, clerk, NOW)
    assert report(task, ward, clerk, NOW, people=3).values == {"people": 3}


def test_only_who_has_accepted_a_report_takes_that_back(task, clerk, signer):
    made = report(task, wards(task)[0], clerk, NOW)
    for user in (clerk, signer):
        with pytest.raises(UndoTooLate):
            agency_reports.take_acceptance_back(made, user, NOW)
        if user == clerk:
            agency_reports.accept(made, clerk, NOW)


def party_of(task, agency):
    party = task.parties.get(agency=agency)
    party.task = task
    return party


def receive(task, agency, clerk, when):
    dispatch = task.directive.dispatches.get(agency=agency)
    dispatch_acts.move(dispatch, DispatchState.RECEIVED, clerk, when)
    return party_of(task, agency)


def firsts(periods):
    return [(one.first - NOW.date()).days for one in periods]


def test_weeks_of_an_agency_begin_on_the_day_on_which_it_received_the_letter(task, clerk):
    soon, later, never = wards(task)[:3]
    until = NOW.date() + 20 * DAY
    began = [receive(task, soon, clerk, NOW), receive(task, later, clerk, NOW + 5 * DAY)]

    assert [firsts(agency_reports.task_periods(task, until, one)) for one in began] == [[0, 7, 14], [5, 12, 19]]
    assert firsts(agency_reports.task_periods(task, until, party_of(task, never))) == [0, 7, 14]
    assert firsts(agency_reports.task_periods(task, until)) == [0, 7, 14]


def test_in_time_is_judged_by_the_week_that_began_with_the_receipt(task, clerk):
    soon, later = wards(task)[:2]
    receive(task, soon, clerk, NOW)
    receive(task, later, clerk, NOW + 5 * DAY)
    ninth = NOW + 9 * DAY
    behind = agency_reports.late(task.directive, ninth)
    made = agency_reports.submit(task, later, (NOW + 5 * DAY).date(), {"people": 3}, "", clerk, ninth + 2 * DAY)

    assert task.label in behind[soon.pk].reports
    assert later.pk not in behind or behind[later.pk].reports == []
    assert made.on_time
    assert task.label in agency_reports.late(task.directive, NOW + 22 * DAY)[later.pk].reports, "its second week"


def test_the_issuer_reads_each_report_in_the_week_of_the_letter_in_which_its_period_began(task, clerk):
    soon, later, last = wards(task)[:3]
    for agency, days in ((soon, 0), (later, 5), (last, 15)):
        receive(task, agency, clerk, NOW + days * DAY)
        agency_reports.submit(task, agency, (NOW + days * DAY).date(), {"people": days}, "", clerk, NOW + days * DAY)
    weeks = agency_reports.task_periods(task, NOW.date() + 20 * DAY)
    everybody = task.parties.count()

    assert [queries.rates(task, week).actual for week in weeks] == [2, 0, 1]
    assert [queries.rates(task, week).expected for week in weeks] == [everybody - 1, everybody - 1, everybody]
    assert set(queries.reports_of(task, weeks[0], [soon.pk, later.pk, last.pk])) == {soon.pk, later.pk}
    assert queries.reporters(task, weeks[0]).filter(has_reported=True).count() == 2


def test_who_reported_before_receiving_keeps_the_weeks_of_the_letter(task, clerk):
    (ward, *_) = wards(task)
    report(task, ward, clerk, NOW + DAY)
    party = receive(task, ward, clerk, NOW + 3 * DAY)

    assert firsts(agency_reports.task_periods(task, NOW.date() + 8 * DAY, party)) == [0, 7]


def test_what_is_reported_once_is_due_as_the_letter_says_whenever_it_was_received(task, clerk):
    task.report_every = "once"
    task.save()
    (ward, *_) = wards(task)
    party = receive(task, ward, clerk, NOW + 3 * DAY)

    assert party.report_from is None
    assert firsts(agency_reports.task_periods(task, NOW.date() + 8 * DAY, party)) == [0]
