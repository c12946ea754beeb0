# SPDX-License-Identifier: Apache-2.0
import datetime

import pytest
from tests.builders.bulletins import NOW, approved_bulletin, make_people, schedule_bulletin, station, zone

from bluezone.rollout.bulletins.air import air_log as bulletins_airing
from bluezone.rollout.bulletins.air import outlets, timetable
from bluezone.rollout.bulletins.air.planner import plan_airings
from bluezone.rollout.bulletins.air.precedence import GAP_SECONDS
from bluezone.rollout.bulletins.air.recurrence import Rule
from bluezone.rollout.bulletins.models import Airing, Schedule, Sound
from bluezone.rollout.bulletins.texts import scripts

pytestmark = pytest.mark.django_db
HOUR = datetime.timedelta(hours=1)
DAY = datetime.timedelta(days=1)


@pytest.fixture
def bulletin():
    return approved_bulletin(seconds=2.0)


def at(hours, minutes=0, day=0):
    """A time of the local day of NOW."""
    return NOW.replace(hour=0) + datetime.timedelta(hours=hours - 7, minutes=minutes, days=day)


def test_the_coming_days_are_planned_once_however_often(bulletin):
    place = zone().outlet
    schedule = schedule_bulletin(bulletin, place, times=("5:30".zfill(5), "17:30"), last=datetime.date(2020, 8, 12))
    first = list(Airing.objects.values_list("pk", "key"))

    assert plan_airings(NOW) == 5
    assert list(Airing.objects.values_list("pk", "key")) == first
    assert [one.due_at for one in Airing.objects.all()] == [
        at(17, 30), at(5, 30, 1), at(17, 30, 1), at(5, 30, 2), at(17, 30, 2),
    ]  # fmt: skip
    assert {one.schedule for one in Airing.objects.all()} == {schedule}


def test_a_stop_takes_the_future_and_leaves_what_is_past(bulletin):
    schedule = schedule_bulletin(bulletin, zone().outlet)
    timetable.stop_schedule(schedule, make_people()[0], at(18))

    assert [one.due_at for one in Airing.objects.all()] == [at(17, 30)]
    assert plan_airings(at(19)) == 0


def test_a_day_that_is_left_out_is_not_aired_and_the_others_are(bulletin):
    schedule = schedule_bulletin(bulletin, zone().outlet)
    timetable.leave_out_day(schedule, datetime.date(2020, 8, 12), make_people()[0], NOW)

    days = {one.due_at.date() for one in Airing.objects.all()}
    assert datetime.date(2020, 8, 12) not in days
    assert len(days) == 7
    with pytest.raises(timetable.ScheduleNeverDue):
        timetable.leave_out_day(schedule, datetime.date(2020, 8, 1), make_people()[0], NOW)


@pytest.mark.long
def test_a_priority_bulletin_moves_the_ordinary_one_behind_it_and_the_plan_says_so(bulletin):
    place = zone().outlet
    schedule_bulletin(bulletin, place)
    schedule_bulletin(approved_bulletin("priority", "Ưu tiên", seconds=3.0), place)

    today = {one.importance: one for one in Airing.objects.filter(due_at=at(17, 30))}
    assert today["priority"].starts_at == at(17, 30)
    assert today["normal"].starts_at > at(17, 30) + datetime.timedelta(seconds=3)
    assert today["normal"].displaced == ""


def test_the_commune_decides_which_priority_bulletin_comes_first():
    place, user = zone().outlet, make_people()[0]
    first = schedule_bulletin(approved_bulletin("priority", "Một", seconds=2.0), place)
    second = schedule_bulletin(approved_bulletin("priority", "Hai", seconds=2.0), place)
    assert Airing.objects.get(schedule=first, due_at=at(17, 30)).starts_at == at(17, 30)

    timetable.put_schedule_first(second, user, NOW)

    assert Airing.objects.get(schedule=second, due_at=at(17, 30)).starts_at == at(17, 30)
    assert Airing.objects.get(schedule=first, due_at=at(17, 30)).starts_at > at(17, 30)


@pytest.mark.long
def test_an_emergency_is_aired_at_once_in_quiet_hours_too_and_nothing_else_is(bulletin):
    place, user = zone().outlet, make_people()[0]
    with pytest.raises(timetable.ScheduleInQuietHours):
        schedule_bulletin(bulletin, place, times=("04:30",))
    with pytest.raises(timetable.NotAnEmergency):
        timetable.air_at_once(bulletin, [place], ["vi"], user, NOW)

    night = at(23)
    schedule_bulletin(bulletin, place, times=("17:30",))
    during = at(17, 30) + datetime.timedelta(seconds=1)
    timetable.air_at_once(approved_bulletin("emergency", "Lũ", seconds=3.0), [place], ["vi"], user, during)
    assert Airing.objects.get(importance="emergency").starts_at == during
    timetable.air_at_once(approved_bulletin("emergency", "Khẩn", seconds=2.0), [place], ["vi"], user, night)
    airing = Airing.objects.get(importance="emergency", due_at=night)
    assert (airing.due_at, airing.starts_at) == (night, night)
    # An hour later nobody plays it any more, and the log keeps it.
    plan_airings(night + HOUR)
    assert Airing.objects.filter(pk=airing.pk).exists()


def test_quiet_hours_that_are_set_later_displace_what_falls_into_them(bulletin):
    place = zone().outlet
    schedule_bulletin(bulletin, place, times=("20:30",))
    outlets.set_quiet_hours("bien", place, datetime.time(20), datetime.time(6), NOW)

    airing = Airing.objects.get(due_at=at(20, 30))
    assert (airing.displaced, airing.starts_at) == ("quiet", None)


def test_the_same_bulletin_is_not_planned_twice_at_one_time(bulletin):
    place, other = zone().outlet, station()
    schedule_bulletin(bulletin, place)
    with pytest.raises(timetable.ScheduleOverlaps):
        schedule_bulletin(bulletin, place, times=("06:00", "17:30"))
    with pytest.raises(timetable.ScheduleOverlaps):
        # On Sundays alone; they meet all the same.
        schedule_bulletin(bulletin, place, weekdays=frozenset({6}))
    assert Schedule.objects.count() == 1

    schedule_bulletin(bulletin, other)
    schedule_bulletin(bulletin, place, times=("06:00",))


@pytest.mark.parametrize("later", [0, 1])
def test_two_schedules_that_begin_months_apart_are_compared_where_both_are_aired(bulletin, later):
    place, firsts = zone().outlet, [datetime.date(2020, 8, 10), datetime.date(2020, 11, 10)]
    schedule_bulletin(bulletin, place, first=firsts[1 - later])
    with pytest.raises(timetable.ScheduleOverlaps):
        schedule_bulletin(bulletin, place, first=firsts[later])


def test_what_can_never_be_aired_is_not_planned(bulletin):
    place = zone().outlet
    with pytest.raises(timetable.ScheduleNeverDue):
        schedule_bulletin(bulletin, place, first=datetime.date(2020, 8, 1), last=datetime.date(2020, 8, 9))
    with pytest.raises(timetable.ScriptNotApproved):
        schedule_bulletin(bulletin, place, languages=("vi", "tay"))
    scripts.withdraw_bulletin(bulletin, "Sai", make_people()[0], NOW)
    bulletin.refresh_from_db()
    with pytest.raises(scripts.BulletinWithdrawn):
        timetable.schedule_airings(
            bulletin,
            [place],
            ["vi"],
            Rule(datetime.date(2020, 8, 11), None, (datetime.time(6),)),
            make_people()[0],
            NOW,
        )
    assert not Schedule.objects.exists()


def test_a_withdrawn_bulletin_leaves_the_plan(bulletin):
    schedule_bulletin(bulletin, zone().outlet)
    scripts.withdraw_bulletin(bulletin, "Số điện thoại sai", make_people()[0], NOW)
    assert not Airing.objects.exists()


def test_languages_are_aired_one_after_the_other():
    bulletin = approved_bulletin(seconds=2.0, languages=("vi", "tay"))
    schedule_bulletin(bulletin, zone().outlet, languages=("vi", "tay"))

    vi, tay = Airing.objects.order_by("due_at")[:2]
    assert (vi.language, tay.language) == ("vi", "tay")
    assert datetime.timedelta(seconds=2) < tay.starts_at - vi.starts_at < datetime.timedelta(seconds=8)


@pytest.mark.parametrize("importance", ["normal", "emergency"])
def test_planning_between_two_languages_keeps_the_second(importance):
    bulletin, place = approved_bulletin(importance, seconds=2.0, languages=("vi", "tay")), zone().outlet
    Sound.objects.update(seconds=700.0)
    if importance == "emergency":
        begins = NOW
        timetable.air_at_once(bulletin, [place], ["vi", "tay"], make_people()[0], begins)
    else:
        begins = at(17, 30)
        schedule_bulletin(bulletin, place, languages=("vi", "tay"), last=datetime.date(2020, 8, 10))
    before = list(Airing.objects.order_by("due_at").values_list("key", "language", "starts_at"))
    assert [language for _key, language, _starts in before] == ["vi", "tay"]

    # Too late to begin the first language, which is sounding still; the second is not due yet.
    plan_airings(begins + datetime.timedelta(seconds=650))

    assert list(Airing.objects.order_by("due_at").values_list("key", "language", "starts_at")) == before


def test_what_is_due_while_another_bulletin_plays_begins_after_it_and_the_silence_between_them(bulletin):
    place, other = zone().outlet, approved_bulletin(title="Hai", seconds=2.0)
    Sound.objects.update(seconds=700.0)
    schedule_bulletin(bulletin, place)
    later = schedule_bulletin(other, place, times=("17:35",), now=at(17, 31))

    begins = Airing.objects.get(schedule=later, due_at=at(17, 35)).starts_at
    assert begins - at(17, 30) == datetime.timedelta(seconds=700 + GAP_SECONDS)


def test_a_schedule_made_between_its_languages_does_not_air_the_second_alone():
    bulletin, place = approved_bulletin(seconds=2.0, languages=("vi", "tay")), zone().outlet
    schedule_bulletin(bulletin, place, languages=("vi", "tay"), now=at(17, 30) + datetime.timedelta(seconds=1))

    assert Airing.objects.order_by("due_at").first().due_at == at(17, 30, day=1)


def test_what_was_said_of_an_airing_outlives_every_new_plan(bulletin):
    schedule = schedule_bulletin(bulletin, station())
    airing = Airing.objects.order_by("due_at").first()
    bulletins_airing.attest_airing(airing, make_people()[0], at(17, 20), link="https://example.org/phat")

    timetable.stop_schedule(schedule, make_people()[0], at(17, 25))

    airing.refresh_from_db()
    assert airing.attestation.was_aired
