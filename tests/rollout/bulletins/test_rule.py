# SPDX-License-Identifier: Apache-2.0
import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bluezone.rollout.bulletins.rule import Rule, ScheduleEndsBeforeStart, ScheduleUnreadable, read_rrule

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
# Puts its clock forward and back; a rule must survive it although no city here does so.
BERLIN = ZoneInfo("Europe/Berlin")
DAY = datetime.timedelta(days=1)
days = st.dates(datetime.date(2019, 1, 1), datetime.date(2022, 12, 31))
times = st.lists(
    st.times().map(lambda time: time.replace(second=0, microsecond=0)), min_size=1, max_size=4, unique=True
)


@st.composite
def rules(draw):
    first = draw(days)
    last = draw(st.none() | st.integers(0, 60).map(lambda length: first + length * DAY))
    weekdays = draw(st.frozensets(st.integers(0, 6), max_size=4))
    left_out = draw(st.frozensets(st.integers(0, 60).map(lambda ahead: first + ahead * DAY), max_size=5))
    return Rule(first, last, tuple(draw(times)), weekdays, left_out)


def test_half_past_five_twice_a_day_until_30_september_has_exactly_its_airings_in_local_time():
    rule = Rule(datetime.date(2020, 9, 28), datetime.date(2020, 9, 30), (datetime.time(17, 30), datetime.time(5, 30)))

    found = rule.moments(
        datetime.datetime(2020, 9, 1, tzinfo=HANOI), datetime.datetime(2020, 11, 1, tzinfo=HANOI), HANOI
    )

    assert [f"{one.astimezone(HANOI):%d/%m %H:%M}" for one in found] == [
        "28/09 05:30", "28/09 17:30", "29/09 05:30", "29/09 17:30", "30/09 05:30", "30/09 17:30",
    ]  # fmt: skip


@given(rule=rules(), zone=st.sampled_from([HANOI, BERLIN]))
@settings(max_examples=150, deadline=None)
def test_every_moment_is_on_a_day_of_the_rule_and_no_day_of_the_rule_is_left_out(rule, zone):
    since = datetime.datetime.combine(rule.first - 3 * DAY, datetime.time(), zone)
    until = since + 70 * DAY
    moments = list(rule.moments(since, until, zone))

    assert moments == sorted(set(moments))
    heard = {one.astimezone(zone).date() for one in moments}
    everything = [rule.first + ahead * DAY for ahead in range(66)]
    for day in everything:
        wanted = (
            (rule.last is None or day <= rule.last)
            and (not rule.weekdays or day.weekday() in rule.weekdays)
            and day not in rule.exceptions
        )
        assert (day in heard) == wanted, day
    assert not {day for day in heard if day < rule.first}
    if zone is HANOI:
        assert {one.astimezone(zone).time() for one in moments} <= set(rule.times)


@given(rule=rules(), cut=st.integers(0, 60 * 24 * 60))
@settings(max_examples=100, deadline=None)
def test_a_span_cut_in_two_gives_the_same_moments_as_the_whole(rule, cut):
    since = datetime.datetime.combine(rule.first, datetime.time(), HANOI)
    middle, until = since + datetime.timedelta(minutes=cut), since + 70 * DAY

    halves = [*rule.moments(since, middle, HANOI), *rule.moments(middle, until, HANOI)]
    assert halves == list(rule.moments(since, until, HANOI))


def test_the_end_of_an_rrule_is_a_local_day_that_is_still_in():
    rule = read_rrule("FREQ=DAILY;BYHOUR=5,17;BYMINUTE=30;UNTIL=20200930", datetime.date(2020, 9, 29))

    assert rule.last == datetime.date(2020, 9, 30)
    assert rule.last_moment(HANOI).astimezone(HANOI).isoformat() == "2020-09-30T17:30:00+07:00"
    weekly = read_rrule("FREQ=WEEKLY;BYDAY=MO,FR;BYHOUR=6", datetime.date(2020, 9, 1))
    assert (weekly.weekdays, weekly.times) == ({0, 4}, (datetime.time(6),))


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=HOURLY;BYHOUR=5", "FREQ=DAILY", "FREQ=DAILY;BYHOUR=25", "FREQ=DAILY;BYHOUR=5;BYSETPOS=1", "",
        "FREQ=DAILY;INTERVAL=2;BYHOUR=5", "FREQ=WEEKLY;BYDAY=XX;BYHOUR=5", "FREQ=DAILY;BYHOUR=5;UNTIL=20200930T235959Z",
    ],
)  # fmt: skip
def test_a_rule_outside_the_subset_is_refused(text):
    with pytest.raises(ScheduleUnreadable):
        read_rrule(text, datetime.date(2020, 9, 1))


def test_a_schedule_that_ends_before_it_starts_is_refused():
    with pytest.raises(ScheduleEndsBeforeStart):
        Rule(datetime.date(2020, 9, 2), datetime.date(2020, 9, 1), (datetime.time(5),))
