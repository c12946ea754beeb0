# SPDX-License-Identifier: Apache-2.0
import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bluezone.rollout.bulletins.air.recurrence import (
    BYDAY,
    Rule,
    ScheduleEndsBeforeStart,
    ScheduleUnreadable,
    write_rrule,
)

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


@pytest.mark.long
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


@pytest.mark.long
@given(rule=rules(), cut=st.integers(0, 60 * 24 * 60))
@settings(max_examples=100, deadline=None)
def test_a_span_cut_in_two_gives_the_same_moments_as_the_whole(rule, cut):
    since = datetime.datetime.combine(rule.first, datetime.time(), HANOI)
    middle, until = since + datetime.timedelta(minutes=cut), since + 70 * DAY

    halves = [*rule.moments(since, middle, HANOI), *rule.moments(middle, until, HANOI)]
    assert halves == list(rule.moments(since, until, HANOI))


@pytest.mark.parametrize(
    ("times", "weekdays"),
    [((), frozenset()), ((datetime.time(5),) * 25, frozenset()), ((datetime.time(5),), frozenset({7}))],
)
def test_a_rule_without_a_time_with_too_many_or_with_no_such_weekday_is_refused(times, weekdays):
    with pytest.raises(ScheduleUnreadable):
        Rule(datetime.date(2020, 9, 1), None, times, weekdays)


@given(rule=rules(), time=st.sampled_from([datetime.time(5, 30), datetime.time(0), datetime.time(23, 59)]))
@settings(max_examples=50, deadline=None)
def test_the_end_of_a_written_rrule_is_the_last_local_day_at_that_time(rule, time):
    parts = dict(part.split("=") for part in write_rrule(rule, time, HANOI).split(";"))

    assert parts["FREQ"] == ("WEEKLY" if rule.weekdays else "DAILY")
    assert parts.get("BYDAY", "") == ",".join(BYDAY[day] for day in sorted(rule.weekdays))
    if rule.last is None:
        assert "UNTIL" not in parts
    else:
        until = datetime.datetime.strptime(parts["UNTIL"], "%Y%m%dT%H%M%S%z").astimezone(HANOI)
        assert (until.date(), until.time()) == (rule.last, time)


def test_a_schedule_that_ends_before_it_starts_is_refused():
    with pytest.raises(ScheduleEndsBeforeStart):
        Rule(datetime.date(2020, 9, 2), datetime.date(2020, 9, 1), (datetime.time(5),))
