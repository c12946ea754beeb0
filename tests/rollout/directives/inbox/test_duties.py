# SPDX-License-Identifier: Apache-2.0
"""Duties as the letter says: when they are due, who has done them and who says so, and whom they are given to."""

import datetime

import pytest
from tests.builders.agencies import agency_values
from tests.builders.directives import DAY, LETTER, NOW, door_to_door, person, send_letter

from bluezone.directory.models import Agency
from bluezone.directory.records.changes import save_agency
from bluezone.rollout.directives import queries
from bluezone.rollout.directives.inbox import dispatch_acts
from bluezone.rollout.directives.issuance import intake, recipient_changes
from bluezone.rollout.directives.models import Deadline, Directive, DispatchState, TaskParty
from bluezone.rollout.directives.reports import agency_reports

HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def ward(committee):
    return Agency.objects.get(key="ubnd-phuong-song-cau")


@pytest.fixture
def officer(ward):
    return person("officer", "officer", ward, name="Lý Văn Cán")


def read(committee, clerk, old, new):
    """The letter with one clause put otherwise, as it is proposed."""
    assert old in LETTER
    return intake.take_in(LETTER.replace(old, new).encode(), "", committee, clerk, NOW, keep=False)


@pytest.mark.parametrize(
    ("said", "due", "until", "report"),
    [
        ("hoàn thành trước ngày 30/8/2020", (2020, 8, 29), None, ""),
        ("hoàn thành chậm nhất ngày 30/8/2020", (2020, 8, 30), None, ""),
        ("báo cáo trước 16 giờ 30 ngày 28/8/2020", (2020, 8, 28), (16, 30), "once"),
        ("hoàn thành trước 0 giờ ngày 28/8/2020", (2020, 8, 27), None, ""),
        ("báo cáo vào thứ Sáu hằng tuần", None, None, "week"),
        ("khẩn trương thực hiện", None, None, ""),
    ],
)
def test_a_clause_is_due_and_reported_on_as_it_says(committee, clerk, said, due, until, report):
    letter = read(committee, clerk, "cài đặt và chạy ứng dụng.", f"cài đặt và chạy ứng dụng, {said}.")
    task = letter.tasks.get(label="1")

    assert task.due == (datetime.date(*due) if due else None)
    assert task.due_time == (datetime.time(*until) if until else None)
    assert (task.report_every, task.fields) == (report, [])


def test_the_letter_of_2020_orders_no_report(committee, clerk):
    letter = intake.take_in(LETTER.encode(), "", committee, clerk, NOW, keep=False)

    assert set(letter.tasks.values_list("report_every", flat=True)) == {""}


def test_in_time_is_until_the_hour_of_the_letter(committee, clerk, signer, ward):
    letter = read(committee, clerk, "UBND các xã, phường: Chỉ đạo", "UBND các xã, phường: Chỉ đạo")
    letter.tasks.filter(lead_names="").update(lead_names="UBND các xã, phường")
    letter.tasks.update(report_every="once", due=NOW.date() + 2 * DAY, due_time=datetime.time(16))
    send_letter(letter, clerk, signer)
    task = door_to_door(Directive.objects.get(pk=letter.pk))
    sixteen = task.deadline.moment
    other = Agency.objects.get(key="ubnd-phuong-duc-xuan")

    prompt = agency_reports.submit(task, ward, task.report_from, {}, "Xong", clerk, sixteen - HOUR)
    late = agency_reports.submit(task, other, task.report_from, {}, "Xong", clerk, sixteen)
    assert (prompt.on_time, late.on_time) == (True, False)


def test_nobody_owes_a_report_of_a_week_before_the_letter_came(directive, clerk, ward):
    task, other = door_to_door(directive), Agency.objects.get(key="ubnd-phuong-duc-xuan")
    for agency, at in ((ward, NOW), (other, NOW + 9 * DAY)):
        dispatch_acts.move(directive.dispatches.get(agency=agency), DispatchState.RECEIVED, clerk, at)
    behind = agency_reports.late(directive, NOW + 9 * DAY)

    assert "2" in behind[ward.pk].reports
    assert other.pk not in behind
    assert agency_reports.task_periods(task, NOW.date() + 400 * DAY)[-1].first <= task.due


def test_done_needs_a_report_and_the_acceptance_of_the_issuer(directive, clerk, ward):
    dispatch = directive.dispatches.get(agency=ward)
    dispatch_acts.move(dispatch, DispatchState.RECEIVED, clerk, NOW)
    with pytest.raises(dispatch_acts.ActOutOfOrder):
        dispatch_acts.move(dispatch, DispatchState.DONE, clerk, NOW)
    with pytest.raises(dispatch_acts.CompletionWithoutReport):
        dispatch_acts.move(dispatch, DispatchState.REPORTED, clerk, NOW, note=" ")
    directive.tasks.filter(label="2").update(report_every="once")
    with pytest.raises(dispatch_acts.CompletionWithoutReport):
        dispatch_acts.move(dispatch, DispatchState.REPORTED, clerk, NOW, note="Đã làm")
    task = door_to_door(directive)
    agency_reports.submit(task, ward, task.report_from, {"people": 4}, "", clerk, NOW)

    dispatch_acts.move(dispatch, DispatchState.REPORTED, clerk, NOW, note="Đã làm")
    assert [one.done_note for one in queries.completions(directive)] == ["Đã làm"]
    assert queries.counts([directive.pk])[directive.pk]["done"] == 0
    dispatch_acts.reopen_completion(dispatch, "Thiếu tổ 5", clerk, NOW)
    assert dispatch.state == "in_progress"
    dispatch_acts.move(dispatch, DispatchState.REPORTED, clerk, NOW, note="Xong cả tổ 5")
    dispatch_acts.accept_completion(dispatch, clerk, NOW)

    assert queries.counts([directive.pk])[directive.pk]["done"] == 1


def test_more_time_is_later_and_a_request_is_withdrawn(directive, clerk, ward):
    task = door_to_door(directive)
    for until in (task.due, task.due - DAY, None):
        with pytest.raises(dispatch_acts.ExtensionNotLater):
            dispatch_acts.ask(task, ward, "extension", "Mưa lũ", clerk, NOW, until)
    asked = dispatch_acts.ask(task, ward, "extension", "Mưa lũ", clerk, NOW, task.due + 40 * 365 * DAY)
    dispatch_acts.withdraw(asked, clerk, NOW)
    with pytest.raises(dispatch_acts.RequestAnswered):
        dispatch_acts.answer(asked, True, "", clerk, NOW)

    assert dispatch_acts.ask(task, ward, "extension", "Mưa lũ", clerk, NOW, task.due + DAY).state == "open"


def test_a_task_is_given_to_people_of_the_agency_with_their_own_day(directive, clerk, ward, officer):
    dispatch, task = directive.dispatches.get(agency=ward), door_to_door(directive)
    dispatch_acts.move(dispatch, DispatchState.RECEIVED, clerk, NOW)
    stranger = person("stranger", "officer", Agency.objects.get(key="ubnd-phuong-duc-xuan"))
    for account, due in ((stranger, None), (officer, task.due + DAY)):
        with pytest.raises(dispatch_acts.AssigneeWrong):
            dispatch_acts.assign(dispatch, account, task, due, clerk, NOW)
    lead = person("lead", "lead", ward, name="Hà Thị Thu")
    dispatch_acts.assign(dispatch, officer, task, task.due - 3 * DAY, clerk, NOW)
    dispatch_acts.assign(dispatch, lead, None, None, clerk, NOW)
    dispatch_acts.assign(dispatch, officer, task, task.due - 2 * DAY, clerk, NOW)

    assert (dispatch.state, dispatch.assigned_to) == ("assigned", "Hà Thị Thu, Lý Văn Cán")
    assert officer.assignments.get().due == task.due - 2 * DAY


@pytest.mark.long
def test_whoever_is_above_an_agency_does_not_receive_in_its_name(client, directive, committee, ward, officer):
    address = f"/inbox/{directive.dispatches.get(agency=ward).pk}/act/"
    Agency.objects.filter(pk=ward.pk).update(parent=committee, path=f"{committee.path}{ward.pk}/")
    client.force_login(person("above", "clerk", committee))
    assert client.post(address, {"to": "received"}).status_code == 403
    client.force_login(officer)

    assert client.post(address, {"to": "received"}).status_code == 302
    received = directive.dispatches.get(agency=ward).events.get(what="received")
    assert received.seal == directive.seal
    assert len(received.seal) == 64


def test_the_successor_goes_on_with_the_tasks_and_their_days(directive, clerk, committee, ward):
    task = door_to_door(directive)
    TaskParty.objects.filter(task=task, agency=ward).update(due=task.due + 5 * DAY)
    heir = save_agency("test", None, agency_values(committee.unit, name="UBND phường mới", kind="committee"))
    Agency.objects.filter(pk=ward.pk).update(valid_to=NOW.date())
    ward.took_over.create(successor=heir, day=NOW.date())

    assert recipient_changes.follow_successors(NOW + HOUR) == 1
    assert recipient_changes.follow_successors(NOW + HOUR) == 0
    old, new = directive.dispatches.get(agency=ward), directive.dispatches.get(agency=heir)
    assert (old.state, new.state, new.taken_over_from) == ("handed_on", "arrived", old)
    assert old.events.first().note == "UBND phường mới"
    assert new.events.first().note == ward.name
    assert task.parties.get(agency=heir).deadline == Deadline(task.due + 5 * DAY)
    assert ward.pk not in agency_reports.late(directive, NOW + 90 * DAY)
