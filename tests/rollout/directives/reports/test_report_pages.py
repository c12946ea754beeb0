# SPDX-License-Identifier: Apache-2.0
"""The pages of reports: the table of a period as it is sent up, what is chosen where nothing is asked for, answers."""

import datetime
import re

import pytest
from django.urls import reverse
from tests.builders.directives import DAY, NOW, WARD_KEYS, door_to_door, person
from tests.builders.office import local_today

from bluezone.directory.models import Agency
from bluezone.rollout.directives.inbox import dispatch_acts
from bluezone.rollout.directives.models import DispatchState, PeriodRequest, Report
from bluezone.rollout.directives.reports import agency_reports
from bluezone.rollout.directives.reports.report_views import period_table


@pytest.fixture
def task(directive):
    return door_to_door(directive)


@pytest.fixture
def wards(task):
    return [Agency.objects.get(key=key) for key in WARD_KEYS[:4]]


@pytest.fixture
def office(client, clerk):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(clerk)
    return client


def report(task, agency, clerk, when=NOW, people=7, text="Đã đi 40 nhà"):
    return agency_reports.submit(task, agency, task.report_from, {"people": people}, text, clerk, when)


def test_the_table_of_a_period_says_of_each_agency_what_it_reported_and_whether_in_time(task, wards, clerk):
    (period,) = agency_reports.task_periods(task, NOW.date())
    prompt, slow, returned, silent = wards
    report(task, prompt, clerk, people=0)
    report(task, slow, clerk, NOW + DAY * (period.due.day - NOW.date()).days + DAY)
    agency_reports.give_back(report(task, returned, clerk), "Thiếu số hộ", clerk, NOW)
    table = period_table(task, period, None)
    rows = {row[0]: row[1:] for row in table.rows}

    assert rows[prompt.name] == (0, "Đúng hạn", "Đã đi 40 nhà")
    assert rows[slow.name] == (7, "Quá hạn", "Đã đi 40 nhà")
    assert rows[returned.name] == (7, "Trả lại", "Đã đi 40 nhà")
    assert rows[silent.name] == (None, "Chưa báo cáo", "")
    assert table.note.startswith("Phải báo cáo 8; đã báo cáo 2; đúng hạn 1.")
    assert table.title == f"Nhiệm vụ 2, kỳ {period.first:%d/%m/%Y} - {period.last:%d/%m/%Y}"
    below = period_table(task, period, prompt.unit)
    assert ([row[0] for row in below.rows], below.note[:16]) == ([prompt.name], "Phải báo cáo 1; ")


@pytest.mark.long
def test_what_is_asked_for_is_shown_and_else_the_weekly_task_and_its_newest_period(office, directive, task, wards):
    once = directive.tasks.exclude(pk=task.pk).first()
    directive.tasks.filter(pk=once.pk).update(report_every="once", report_from=task.report_from, position=0)
    page = reverse("directive-progress", args=[directive.pk])
    usual, asked = office.get(page).context, office.get(f"{page}?task={once.pk}").context
    newest = agency_reports.task_periods(task, local_today())[-1]

    assert (usual["task"], asked["task"]) == (task, once)
    assert usual["period"] == usual["periods"][0] == newest
    first = office.get(f"{page}?task={task.pk}&period={task.report_from}&unit={wards[0].unit_id}").context
    assert (first["period"].first, first["under"], first["rates"].expected) == (task.report_from, wards[0].unit, 1)
    assert office.get(f"{page}?period=x&unit=x").context["period"] == newest


@pytest.mark.long
def test_a_table_leaves_under_the_name_of_its_period_and_in_three_forms_only(office, directive, task, wards, clerk):
    report(task, wards[0], clerk)
    answer = office.get(reverse("directive-file", args=[directive.pk, "xlsx"]) + f"?period={task.report_from}")

    assert f'filename="report-{directive.pk}-{task.report_from}.xlsx"' in answer["Content-Disposition"]
    assert office.get(reverse("directive-file", args=[directive.pk, "csv"])).status_code == 404
    directive.tasks.update(report_every="")
    assert office.get(reverse("directive-file", args=[directive.pk, "xlsx"])).status_code == 404
    assert office.get(reverse("directive-progress", args=[directive.pk])).context["page"] is None
    party = task.parties.get(agency=wards[0])
    office.force_login(person("reporter", "officer", wards[0]))
    assert office.get(reverse("task-report", args=[party.pk])).status_code == 404


@pytest.mark.long
def test_a_report_is_accepted_or_returned_with_a_reason_and_never_without(office, directive, task, wards, clerk):
    made = report(task, wards[0], clerk)
    act = reverse("report-check", args=[made.pk])

    def states(**sent):
        answer = office.post(act, sent)
        made.refresh_from_db()
        return made.state, answer.url

    where = f"{reverse('directive-progress', args=[directive.pk])}?task={task.pk}&period={made.period}"
    assert states(reason=" ") == ("submitted", where)
    assert states(reason="Thiếu số hộ") == ("returned", where)
    report(task, wards[0], clerk)
    assert states(accept="1")[0] == "accepted"
    assert states(reason="Thiếu số hộ")[0] == "accepted", "it was checked"


@pytest.mark.long
def test_a_period_is_opened_again_for_three_days_where_no_day_is_named(office, task, wards, clerk):
    (period, *_) = agency_reports.task_periods(task, local_today())
    asked = agency_reports.ask(task, wards[0], period, "Sót", person("officer", "officer", wards[0]), NOW + 30 * DAY)
    act = reverse("period-answer", args=[asked.pk])
    office.post(act, {"granted": "1", "until": "tuần sau"})
    assert PeriodRequest.objects.get().state == "open", "no day is taken for what is none"
    answered = office.post(act, {"granted": "1", "until": "", "answer": " Đồng ý "}, follow=True)
    assert "The answer has been sent." in answered.text
    granted = PeriodRequest.objects.get()
    assert (granted.state, granted.answer) == ("granted", "Đồng ý")
    assert granted.until == local_today() + datetime.timedelta(days=2), "today, tomorrow and the day after"

    PeriodRequest.objects.update(state="open", until=None, answered_at=None, answered_by=None)
    office.post(act, {"granted": "1", "until": "ngày mai"})
    assert PeriodRequest.objects.get().until == local_today() + datetime.timedelta(days=1)
    PeriodRequest.objects.update(state="open", until=None, answered_at=None, answered_by=None)
    office.post(act, {"granted": "1", "until": str(local_today() + datetime.timedelta(days=9))})
    assert PeriodRequest.objects.get().until == local_today() + datetime.timedelta(days=9)
    PeriodRequest.objects.update(state="open", until=None, answered_at=None, answered_by=None)
    office.post(act, {"granted": "0", "until": str(local_today())})
    assert (PeriodRequest.objects.get().state, PeriodRequest.objects.get().until) == ("declined", None)


@pytest.mark.long
def test_the_page_of_a_report_holds_what_was_entered_and_says_when_it_is_locked(client, directive, task, wards, clerk):
    ward = wards[0]
    report(task, ward, clerk)
    client.force_login(person("officer", "officer", ward))
    party = task.parties.get(agency=ward)
    page = client.get(reverse("task-report", args=[party.pk]) + f"?period={task.report_from}")

    assert page.context["form"].initial == {"people": 7, "text": "Đã đi 40 nhà"}
    assert (page.context["is_open"], page.context["reopened_until"], page.context["asked"]) == (False, None, None)
    assert page.context["known"] == Report.objects.get()
    assert client.post(page.request["PATH_INFO"] + f"?period={task.report_from}", {"people": "9"}).status_code == 409
    newest = client.get(reverse("task-report", args=[party.pk])).context
    assert (newest["known"], newest["period"]) == (None, newest["periods"][0])


@pytest.mark.long
def test_who_is_behind_is_listed_with_the_tasks(office, directive, task, wards, clerk):
    dispatch_acts.move(directive.dispatches.get(agency=wards[1]), DispatchState.RECEIVED, clerk, NOW)
    rows = dict(office.get(reverse("directive-late", args=[directive.pk])).context["rows"])

    assert rows[wards[0]].not_received
    assert "2" in rows[wards[0]].tasks
    assert rows[wards[0]].reports == [], "it owes reports from when it has received the letter"
    assert "2" in rows[wards[1]].reports


@pytest.mark.long
@pytest.mark.parametrize("already", [True, False], ids=["a report to correct", "the first report"])
def test_two_people_at_one_report_are_shown_what_both_entered_and_nothing_is_overwritten(
    client, directive, already, clerk
):
    task = door_to_door(directive)
    task.report_from, task.due = local_today(), None
    task.save()
    party = task.parties.order_by("pk").first()
    address = reverse("task-report", args=[party.pk])
    person_of = [person(name, "officer", party.agency) for name in ("mot", "hai")]
    client.force_login(person_of[0])
    if already:
        client.post(address, {"people": "1", "text": "Đợt 1"})
    shown = client.get(address).context["form"].shown_field
    token = re.search(r'value="([^"]+)"', shown).group(1)
    client.post(address, {"people": "20", "text": "Đợt 1", "shown": token})
    client.force_login(person_of[1])
    second = client.post(address, {"people": "30", "text": "Đợt 1 của tôi", "shown": token})

    assert second.status_code == 409
    assert next(one.stored for one in second.context["form"].clashes) == "20"
    assert Report.objects.get(task=task, agency=party.agency).values == {"people": 20}
    again = re.search(r'value="([^"]+)"', second.context["form"].shown_field).group(1)
    assert client.post(address, {"people": "30", "text": "x", "shown": again}).status_code == 302
    assert Report.objects.get(task=task, agency=party.agency).values == {"people": 30}
