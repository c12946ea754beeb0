# SPDX-License-Identifier: Apache-2.0
"""The class link: a PIN and four numbers on one page, without an account; guessing locks it."""

import datetime
import re

import pytest
from django.utils import timezone
from tests.builders.schools import find_class, this_week

from bluezone.rollout.schools import school_calendar
from bluezone.rollout.schools.classes import catalogue, class_links
from bluezone.rollout.schools.models import ClassReport, SchoolClass
from bluezone.rollout.schools.school_calendar import year_of
from bluezone.training import practice

pytestmark = pytest.mark.django_db
NUMBERS = {"pupils": 40, "with_smartphone": 30, "running": 12, "relatives": 25}


@pytest.fixture
def link(school, admin):
    return class_links.issue_class_links(school, [find_class(school, "6A")], admin, timezone.now())[0]


def path(link):
    return "/c/" + link.address.rsplit("/c/", 1)[1]


def send(public, link, pin=None, **changes):
    values = {**NUMBERS, "week": str(this_week()), "pin": link.pin if pin is None else pin, **changes}
    return public.post(path(link), values)


def wrong(link):
    return "000000" if link.pin != "000000" else "111111"


def test_pin_and_four_numbers_are_stored_on_one_page_without_cookie_or_account(public, link):
    page = public.get(path(link))
    answer = send(public, link, pin=link.spoken_pin)
    report = ClassReport.objects.get()

    assert page.status_code == 200
    assert not answer.cookies
    assert "Đã ghi" in answer.text
    assert (report.pupils, report.with_smartphone, report.running, report.relatives) == (40, 30, 12, 25)
    assert (report.channel, report.reported_by) == ("link", None)


def test_the_link_alone_shows_no_number_that_was_reported(public, link):
    send(public, link, with_smartphone=37, running=33, relatives=91)
    text = re.sub(r"<(script|style|link|meta)[^>]*>", "", public.get(path(link)).text)

    assert not re.search(r"\b(37|33|91)\b", text.split("<main")[1].split("</main>")[0])
    assert "đã báo" in text


def test_a_wrong_pin_stores_nothing_and_keeps_what_was_typed(public, link):
    answer = send(public, link, pin=wrong(link))

    assert answer.status_code == 403
    assert 'value="12"' in answer.text
    assert not ClassReport.objects.exists()


def test_five_wrong_pins_lock_the_link_for_a_quarter_of_an_hour_even_for_the_right_one(public, link, monkeypatch):
    assert [send(public, link, pin=wrong(link)).status_code for _ in range(5)] == [403] * 5
    locked = send(public, link)
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now + datetime.timedelta(minutes=16))

    assert locked.status_code == 429
    assert "Thử lại sau" in locked.text
    assert send(public, link).status_code == 200


def test_after_twenty_wrong_pins_only_a_new_link_helps(public, link, school, admin):
    one, now = link.school_class, timezone.now()
    for n in range(20):
        with pytest.raises(class_links.ClassPinWrong):
            class_links.check_pin(one, wrong(link), now + n * datetime.timedelta(hours=1))
    later = now + datetime.timedelta(days=1)
    with pytest.raises(class_links.ClassLinkLocked) as refused:
        class_links.check_pin(one, link.pin, later)
    assert refused.value.until is None
    fresh = class_links.issue_class_links(school, [one], admin, later)[0]

    assert public.get(path(link)).status_code == 404
    assert send(public, fresh).status_code == 200


def test_contradicting_numbers_cost_no_try_and_come_back_with_a_sentence(public, link):
    answers = [send(public, link, pin=wrong(link), running=31) for _ in range(6)]

    assert {answer.status_code for answer in answers} == {422}
    assert "Nhiều máy đang chạy hơn" in answers[0].text
    assert SchoolClass.objects.get(pk=link.school_class.pk).wrong_tries == 0


@pytest.mark.parametrize("week", ["", "2019-W01", "x", "2020-W99", "\0"])
def test_a_week_that_is_not_open_is_refused(public, link, week):
    assert send(public, link, week=week).status_code == 409
    assert not ClassReport.objects.exists()


@pytest.mark.parametrize("token", ["x", "A" * 16, "A" * 400, "..%2f..", "%00", "ế" * 16])
def test_whatever_is_no_link_opens_nothing(public, school, token):
    assert public.get(f"/c/{token}/").status_code == 404


def test_a_form_from_another_site_is_refused(public, link):
    values = {**NUMBERS, "week": str(this_week()), "pin": link.pin}

    assert public.post(path(link), values, headers={"Origin": "https://evil.example"}).status_code == 403


def test_in_weeks_without_school_there_is_nothing_to_send(public, link, school, admin):
    school_calendar.enter_break(school, this_week().previous, this_week(), "Nghỉ Tết", admin, timezone.now())

    assert "Không có tuần nào đang mở" in public.get(path(link)).text
    assert send(public, link).status_code == 409


def test_a_class_made_in_training_reports_training(public, school, admin):
    with practice():
        catalogue.add_classes(school, year_of(this_week()), catalogue.read_list("9Z 10"), admin, timezone.now())
        made = class_links.issue_class_links(school, SchoolClass.objects.filter(name="9Z"), admin, timezone.now())[0]
    answer = send(public, made)

    assert "Tập huấn" in answer.text
    assert not ClassReport.objects.exists()
    assert ClassReport.everything.get().training


def test_link_pin_and_teacher_are_forgotten_when_the_year_is_over(link, admin, public):
    SchoolClass.objects.filter(pk=link.school_class.pk).update(teacher=admin)
    class_links.purge(timezone.now())
    assert SchoolClass.objects.get(pk=link.school_class.pk).link_digest
    SchoolClass.objects.filter(pk=link.school_class.pk).update(year=year_of(this_week()) - 1)
    assert public.get(path(link)).status_code == 404
    class_links.purge(timezone.now())
    one = SchoolClass.objects.get(pk=link.school_class.pk)

    assert (one.link_digest, one.pin_digest, one.teacher) == (None, "", None)


def test_neither_link_nor_pin_is_in_the_database(link):
    values = [value for row in SchoolClass.everything.values() for value in row.values()]
    stored = str([value for value in values if not isinstance(value, datetime.datetime)])

    # A digest may hold any six digits, and so may microseconds.
    assert link.pin not in re.sub(r"[0-9a-f]{64}", "", stored)
    assert link.address.rstrip("/").rsplit("/", 1)[1] not in stored
