# SPDX-License-Identifier: Apache-2.0
import os
from datetime import date

import pytest
from tests.builders.venue import keys_of, signed_venue

from bluezone.protocol.risk.assessment import load_profile
from bluezone.protocol.venues.items import (
    Record,
    index_items,
    open_records,
    seal_item,
)
from bluezone.protocol.venues.overlaps import VenueOverlap, assess_venues, compute_overlap

HOUR = 443_644  # 2020-08-11T04:00Z, 11:00 in Vietnam
START = HOUR * 3600
DAY = date(2020, 8, 11)
ZONE = "Asia/Ho_Chi_Minh"
PROFILE = load_profile("covid-19")


def pieces(minutes, level=2, day=DAY, visit=1):
    return VenueOverlap(day, minutes, level, visit)


def test_items_of_other_venues_and_hours_are_not_found():
    keys = keys_of(signed_venue(), START, START + 600)
    mine = seal_item(keys[HOUR], Record(1, 0, 30, HOUR), os.urandom(12))
    others = [os.urandom(52) for _ in range(100)]

    assert open_records(keys, index_items([*others, mine])) == [Record(1, 0, 30, HOUR)]
    assert open_records(keys_of(signed_venue(seed=bytes(16)), START, START + 600), index_items([mine])) == []


def test_two_cases_of_one_venue_and_hour_both_count():
    keys = keys_of(signed_venue(), START, START + 600)
    items = [seal_item(keys[HOUR], Record(level, 0, 30, HOUR), os.urandom(12)) for level in (1, 2)]

    assert {record.level for record in open_records(keys, index_items(items))} == {1, 2}


def test_only_what_both_stays_have_in_common_counts():
    record = Record(2, 20, 50, HOUR)

    assert compute_overlap(record, START + 30 * 60, START + 90 * 60, 1, ZONE) == pieces(20)
    assert compute_overlap(record, START, START + 20 * 60, 1, ZONE) is None
    assert compute_overlap(record, START + 50 * 60, START + 90 * 60, 1, ZONE) is None
    assert compute_overlap(record, START + 25 * 60 + 30, START + 26 * 60, 1, ZONE).minutes == pytest.approx(0.5)


def test_a_piece_belongs_to_the_local_day_of_its_beginning():
    before_local_midnight = Record(2, 0, 60, START // 3600 + 12)  # 23:00 to 24:00 in Vietnam

    assert compute_overlap(before_local_midnight, 0, 2**40, 1, ZONE).day == DAY
    assert compute_overlap(Record(2, 0, 60, START // 3600 + 13), 0, 2**40, 1, ZONE).day == date(2020, 8, 12)


@pytest.mark.parametrize(
    ("minutes", "level", "expected"),
    [(9, 2, "none"), (10, 2, "none"), (10.5, 1, "low"), (10.5, 2, "high"), (11, 1, "high"), (60, 2, "high")],
)
def test_the_level_follows_the_rule_of_the_profile(minutes, level, expected):
    assert assess_venues([pieces(minutes, level)], PROFILE, DAY)[0].level == expected


def test_minutes_of_a_day_add_and_days_do_not():
    days = assess_venues([pieces(6), pieces(6, visit=2), pieces(6, day=date(2020, 8, 12))], PROFILE, date(2020, 8, 12))

    assert [(day.minutes, day.level, day.stays) for day in days] == [(12, "high", (1, 2)), (6, "none", (1,))]


def test_no_venue_warning_is_ever_called_certain():
    certainties = [assess_venues([pieces(minutes)], PROFILE, DAY)[0].certainty for minutes in (12, 15, 16, 600)]

    assert certainties == ["unclear", "unclear", "likely", "likely"]


def test_days_past_the_bound_of_the_profile_and_days_to_come_are_left_out():
    old, new = pieces(60, day=date(2020, 7, 27)), pieces(60, day=date(2020, 8, 12))

    assert assess_venues([old, new], PROFILE, DAY) == []
