# SPDX-License-Identifier: Apache-2.0
"""A locked period: what was entered is kept, the agency asks with a reason, the issuer opens it or declines."""

import pytest
from tests.builders.directives import DAY, NOW, door_to_door, person

from bluezone.directory.models import Agency
from bluezone.identity.models import AuditEntry
from bluezone.rollout.directives.models import PeriodRequest, Report
from bluezone.rollout.directives.reports import agency_reports

LATER = NOW + 30 * DAY


@pytest.fixture
def ward(committee):
    return Agency.objects.get(key="ubnd-phuong-song-cau")


@pytest.fixture
def officer(ward):
    return person("officer", "officer", ward, name="Lý Văn Cán")


@pytest.fixture
def locked(directive):
    task = door_to_door(directive)
    return task, agency_reports.task_periods(task, NOW.date())[0]


def enter(task, ward, period, officer, now):
    return agency_reports.submit(task, ward, period.first, {"people": 9}, "", officer, now)


def test_a_period_opened_again_takes_a_report_until_its_day_for_this_agency_alone(locked, ward, officer, clerk):
    task, period = locked
    other = Agency.objects.get(key="ubnd-phuong-duc-xuan")
    asked = agency_reports.ask(task, ward, period, "Nhập nhầm số tổ 5", officer, LATER)
    agency_reports.answer(asked, (LATER + 2 * DAY).date(), "", clerk, LATER)

    assert not enter(task, ward, period, officer, LATER + DAY).on_time
    for agency, day in ((other, LATER), (ward, LATER + 4 * DAY)):
        with pytest.raises(agency_reports.ReportPeriodLocked):
            enter(task, agency, period, officer, day)
    assert AuditEntry.objects.filter(action="period_reopened", subject=ward.key).count() == 1


@pytest.mark.long
def test_declined_stays_locked_and_may_be_asked_again(locked, ward, officer, clerk):
    task, period = locked
    agency_reports.answer(agency_reports.ask(task, ward, period, "Sót", officer, LATER), None, "Đã chốt", clerk, LATER)

    with pytest.raises(agency_reports.ReportPeriodLocked):
        enter(task, ward, period, officer, LATER)
    assert agency_reports.ask(task, ward, period, "Có số mới của công an", officer, LATER).state == "open"


def test_what_does_not_fit_is_refused(locked, ward, officer, clerk):
    task, period = locked
    with pytest.raises(agency_reports.PeriodNotLocked):
        agency_reports.ask(task, ward, period, "x", officer, NOW)
    asked = agency_reports.ask(task, ward, period, "x", officer, LATER)
    with pytest.raises(agency_reports.RequestOpen):
        agency_reports.ask(task, ward, period, "y", officer, LATER)
    for day in (LATER - DAY, LATER + 60 * DAY):
        with pytest.raises(agency_reports.ReopeningWrong):
            agency_reports.answer(asked, day.date(), "", clerk, LATER)
    agency_reports.answer(asked, LATER.date(), "", clerk, LATER)
    with pytest.raises(agency_reports.RequestAnswered):
        agency_reports.answer(asked, None, "", clerk, LATER)


@pytest.mark.long
def test_the_page_of_a_locked_period_asks_and_the_office_answers_on_the_directive(
    client, directive, locked, ward, officer, clerk
):
    task, period = locked
    party = task.parties.get(agency=ward)
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(officer)
    page = client.get(f"/tasks/{party.pk}/report/?period={period.first}")
    assert "What was entered is kept" in page.text
    assert client.post(f"/tasks/{party.pk}/reopen/?period={period.first}", {"reason": " "}).status_code == 302
    assert PeriodRequest.objects.count() == 0
    client.post(f"/tasks/{party.pk}/reopen/?period={period.first}", {"reason": "Sót tổ 5 <b>"})
    assert "has not answered yet" in client.get(f"/tasks/{party.pk}/report/?period={period.first}").text
    asked = PeriodRequest.objects.get()
    assert client.post(f"/requests/periods/{asked.pk}/answer/", {"granted": "1"}).status_code == 403

    client.force_login(clerk)
    office = client.get(f"/directives/{directive.pk}/").text
    assert "Sót tổ 5 &lt;b&gt;" in office
    assert client.post(f"/requests/periods/{asked.pk}/answer/", {"granted": "1"}).status_code == 302
    client.force_login(officer)
    assert "open again for this agency" in client.get(f"/tasks/{party.pk}/report/?period={period.first}").text
    sent = client.post(f"/tasks/{party.pk}/report/?period={period.first}", {"people": "12", "text": ""})
    assert sent.status_code == 302
    assert Report.objects.get(agency=ward).values == {"people": 12}


@pytest.mark.long
def test_a_period_is_asked_for_from_the_day_it_is_locked(locked, ward, officer):
    task, period = locked
    first_locked = NOW + DAY * (period.locks - NOW.date()).days

    with pytest.raises(agency_reports.PeriodNotLocked):
        agency_reports.ask(task, ward, period, "x", officer, first_locked - DAY)
    assert agency_reports.ask(task, ward, period, f" {'x' * 400}", officer, first_locked).reason == "x" * 300


@pytest.mark.parametrize(("days", "taken"), [(-1, False), (0, True), (31, True), (32, False)])
def test_a_period_is_opened_again_from_today_for_a_month_at_most(locked, ward, officer, clerk, days, taken):
    task, period = locked
    asked = agency_reports.ask(task, ward, period, "x", officer, LATER)
    until = LATER + days * DAY
    if not taken:
        with pytest.raises(agency_reports.ReopeningWrong):
            agency_reports.answer(asked, until.date(), "", clerk, LATER)
        return
    agency_reports.answer(asked, until.date(), "y" * 400, clerk, LATER)

    assert asked.answer == "y" * 300
    with pytest.raises(agency_reports.ReportPeriodLocked):
        enter(task, ward, period, officer, until + DAY)
    assert not enter(task, ward, period, officer, until).on_time, "on its last day"


def test_a_period_that_is_open_again_is_not_asked_for(locked, ward, officer, clerk):
    task, period = locked
    agency_reports.answer(agency_reports.ask(task, ward, period, "x", officer, LATER), LATER.date(), "", clerk, LATER)

    with pytest.raises(agency_reports.PeriodNotLocked):
        agency_reports.ask(task, ward, period, "x", officer, LATER)
    assert agency_reports.ask(task, ward, period, "x", officer, LATER + DAY)
