# SPDX-License-Identifier: Apache-2.0
"""A locked week: the agency asks with a reason, an office above opens it until a day, or declines."""

import datetime

import pytest
from django.utils import timezone
from tests.builders.coverage import WEEK, agency, city
from tests.builders.office import user

from bluezone import training
from bluezone.identity.models import AuditEntry, Role
from bluezone.rollout.staffing import staff_reports, week_requests
from bluezone.rollout.staffing.counts import StaffCounts
from bluezone.rollout.staffing.models import WeekReopening, WeekRequest
from bluezone.training import TRAINING_KEY

pytestmark = pytest.mark.django_db
COUNTS = StaffCounts(staff=40, with_smartphone=30, running=12, web_edition=5, reminded=9)
DAY = datetime.timedelta(days=1)


@pytest.fixture
def office():
    top, _wards = city("phường Đức Xuân")
    return agency("Phòng Tư pháp", top)


@pytest.fixture
def officer(office):
    return user("can", Role.OFFICER, office, factor=False)


@pytest.fixture
def admin():
    return user("mai", Role.ADMIN)


def test_it_is_open_until_its_day_and_the_audit_knows(office, officer, admin):
    now = timezone.now()
    week_requests.answer_request(
        week_requests.request_reopening(office, WEEK, "Mất mạng", officer, now),
        timezone.localdate(now + DAY),
        "",
        admin,
        now,
    )

    assert staff_reports.submit_staff_report(office, WEEK, COUNTS, officer, now + DAY).version == 1
    with pytest.raises(staff_reports.PeriodLocked):
        staff_reports.submit_staff_report(office, WEEK, COUNTS, officer, now + 3 * DAY)
    assert AuditEntry.objects.filter(action="week_reopened", subject=office.key).count() == 1


def test_a_hundred_older_requests_of_another_agency_hide_none_of_ones_own(office, officer):
    now, beside = timezone.now(), agency("Phòng Nội vụ", office.unit)
    WeekRequest.objects.bulk_create(
        WeekRequest(
            agency=beside, week=WEEK.first_day - 7 * back * DAY, reason="x", asked_by=officer, asked_at=now - DAY
        )
        for back in range(100)
    )
    asked = week_requests.request_reopening(office, WEEK, "Mất mạng", officer, now)

    assert week_requests.open_requests(user("an", Role.ADMIN, office, factor=False)) == [asked]
    assert week_requests.open_requests(user("bich", Role.CLERK, office)) == [], "a clerk answers for agencies below"


def test_declined_stays_locked_and_may_be_asked_again(office, officer, admin):
    now = timezone.now()
    week_requests.answer_request(
        week_requests.request_reopening(office, WEEK, "Sót", officer, now), None, "Đã chốt số", admin, now
    )

    with pytest.raises(staff_reports.PeriodLocked):
        staff_reports.submit_staff_report(office, WEEK, COUNTS, officer, now)
    assert week_requests.request_reopening(office, WEEK, "Có văn bản", officer, now).state == "open"


def test_what_does_not_fit_is_refused(office, officer, admin):
    now = timezone.now()
    with pytest.raises(week_requests.WeekNotLocked):
        week_requests.request_reopening(office, type(WEEK).of(timezone.localdate(now)), "x", officer, now)
    asked = week_requests.request_reopening(office, WEEK, "x", officer, now)
    with pytest.raises(week_requests.WeekRequestOpen):
        week_requests.request_reopening(office, WEEK, "y", officer, now)
    for days in (-1, 60):
        with pytest.raises(week_requests.WeekDayWrong):
            week_requests.answer_request(asked, timezone.localdate(now + days * DAY), "", admin, now)
    week_requests.answer_request(asked, None, "", admin, now)
    with pytest.raises(week_requests.WeekRequestAnswered):
        week_requests.answer_request(asked, None, "", admin, now)
    assert WeekReopening.objects.count() == 0


@pytest.mark.long
def test_the_page_asks_and_the_office_answers_in_its_table(client, office, officer, admin):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(officer)
    address = f"/staff/agencies/{office.pk}/?week={WEEK}"
    assert f'action="/staff/agencies/{office.pk}/ask/?week={WEEK}"' in client.get(address).text
    client.post(f"/staff/agencies/{office.pk}/ask/?week={WEEK}", {"reason": "  "})
    assert WeekRequest.objects.count() == 0
    client.post(f"/staff/agencies/{office.pk}/ask/?week={WEEK}", {"reason": "Mất mạng <b>"})
    assert "has not answered yet" in client.get(address).text
    asked = WeekRequest.objects.get()
    assert client.post(f"/staff/requests/{asked.pk}/answer/", {"granted": "1"}).status_code == 403
    assert "Mất mạng" not in client.get("/staff/").text

    client.force_login(admin)
    assert "Mất mạng &lt;b&gt;" in client.get("/staff/").text
    assert client.post(f"/staff/requests/{asked.pk}/answer/", {"granted": "1"}).status_code == 302
    client.force_login(officer)
    assert "Opened again by" in client.get(address).text


def test_a_clerk_opens_for_those_below_and_not_for_the_own_agency(office, admin):
    below = agency("Đội trật tự", office.unit, parent=office)
    clerk = user("vanthu", Role.CLERK, office, factor=False)

    assert week_requests.may_answer(admin, office)
    assert week_requests.may_answer(clerk, below)
    assert not week_requests.may_answer(clerk, office)
    assert not week_requests.may_answer(user("so", Role.OFFICER, office, factor=False), below)


def practise(client, on=True):
    session = client.session
    session[TRAINING_KEY] = on
    session.save()


@pytest.mark.long
def test_asking_to_reopen_is_practised_apart_answered_apart_and_erased(client, office, officer, admin):
    """A learner asks, a learner in the office answers, the learner reports; the real week stays locked throughout."""
    page, week = f"/staff/agencies/{office.pk}/", f"?week={WEEK}"
    numbers = {"staff": 40, "with_smartphone": 30, "running": 12, "web_edition": 5, "reminded": 9}
    client.force_login(officer)
    practise(client)
    assert client.post(page + week, numbers).status_code == 409
    assert client.post(page + "ask/" + week, {"reason": "Tập xin mở lại"}).status_code == 302
    asked = WeekRequest.everything.get()
    practise(client, on=False)
    assert "Tập xin mở lại" not in client.get(page + week).text
    client.force_login(admin)
    assert asked.agency.name not in client.get(f"/staff/{week}").text.split("</h1>")[1].split("<nav")[0]
    practise(client)
    client.post(f"/staff/requests/{asked.pk}/answer/", {"granted": "1", "answer": "Nộp trước thứ Sáu"})
    client.force_login(officer)
    practise(client)

    assert client.post(page + week, numbers).status_code == 302
    assert client.get(page + week).text.count("Tập xin mở lại") == 1
    assert "Nộp trước thứ Sáu" in client.get(page + week).text
    practise(client, on=False)
    assert client.post(page + week, numbers).status_code == 409
    assert not AuditEntry.objects.filter(action="week_reopened").exists()
    assert (WeekRequest.objects.count(), WeekReopening.objects.count()) == (0, 0)
    training.purge(timezone.now() + 8 * DAY)
    assert (WeekRequest.everything.count(), WeekReopening.everything.count()) == (0, 0)


@pytest.mark.long
def test_an_answer_is_taken_back_within_ten_seconds_unless_the_agency_has_reported(client, office, officer, admin):
    asked = week_requests.request_reopening(office, WEEK, "Mất mạng", officer, timezone.now())
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(admin)
    page = client.post(f"/staff/requests/{asked.pk}/answer/", {"granted": "1"}, follow=True).text
    assert "Undo (10 seconds)" in page
    assert "Undone" in client.post("/undo/", {"next": "/staff/"}, follow=True).text

    asked.refresh_from_db()
    assert (asked.state, asked.answered_by, WeekReopening.objects.count()) == ("open", None, 0)
    client.post(f"/staff/requests/{asked.pk}/answer/", {"granted": "1"})
    numbers = staff_reports.StaffCounts(staff=40, with_smartphone=30, running=12, web_edition=5, reminded=9)
    staff_reports.submit_staff_report(office, WEEK, numbers, officer, timezone.now())
    assert "The ten seconds are over" in client.post("/undo/", {"next": "/staff/"}, follow=True).text
    assert WeekReopening.objects.count() == 1
