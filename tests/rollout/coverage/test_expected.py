# SPDX-License-Identifier: Apache-2.0
"""What an hour of a team is expected to bring: more need never lowers it, few answers lean on the others, small numbers
weigh alike; and in a simulated city it finds more than going where the most households are.
"""

import datetime
import re
from dataclasses import replace

import numpy as np
import pytest
from bench import bench_yield
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.builders.canvass import agency, connected_phone, door
from tests.builders.coverage import city
from tests.builders.office import user

from bluezone.identity.models import Role
from bluezone.rollout.canvass.households.facts import new_key
from bluezone.rollout.canvass.models import Visit
from bluezone.rollout.canvass.visits.answers import answers_by_unit
from bluezone.rollout.coverage.expected.comparison import compare_week, week_to_compare
from bluezone.rollout.coverage.expected.yields import Answers, Place, _count_interval, _gamma_quantile, expectations
from bluezone.rollout.report_week import Week

unhurried = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
HANOI = datetime.timezone(datetime.timedelta(hours=7))
WEEK = Week(datetime.date(2020, 8, 10))


@st.composite
def answers(draw):
    visits = draw(st.integers(0, 400))
    met = draw(st.integers(0, visits))
    asked = draw(st.integers(0, met))
    phones = draw(st.integers(0, 4 * asked))
    steps = draw(st.integers(0, visits))
    minutes = steps * draw(st.floats(1, 25))
    return Answers(visits, met, asked, phones, draw(st.integers(0, phones)), steps, minutes)


@st.composite
def cities(draw):
    places = [
        Place(
            key,
            draw(st.none() | st.integers(0, 3000)),
            draw(st.none() | st.floats(0, 1)),
            draw(st.none() | st.floats(0.5, 5)),
            draw(answers()),
        )
        for key in range(draw(st.integers(1, 8)))
    ]
    return places, draw(st.integers(0, len(places) - 1))


def changed(places, key, **values):
    return [replace(one, **values) if one.key == key else one for one in places]


@pytest.mark.long
@unhurried
@given(cities())
def test_every_unit_has_an_expectation_within_its_interval(found):
    for one in expectations(found[0]).values():
        assert 0 <= one.low <= one.high
        assert np.isfinite([one.mean, one.low, one.high, one.spread]).all()
        assert one.mean <= one.high or one.spread > 1
        _mean, low, high = one.of_hours(8)
        assert 0 <= low <= high


@pytest.mark.long
@unhurried
@given(cities(), st.integers(1, 400), st.floats(0, 1))
def test_more_households_left_or_a_lower_share_never_lower_what_is_expected_against_the_others(found, more, part):
    places, key = found
    one, before = places[key], expectations(places)
    nearer = []
    if one.left is not None:
        nearer.append(expectations(changed(places, key, left=one.left + more)))
    if one.share is not None:
        nearer.append(expectations(changed(places, key, share=one.share * part)))
    for after in nearer:
        for other in places:
            if other.share is not None and before[key].mean >= before[other.key].mean:
                assert after[key].mean >= after[other.key].mean - 1e-9


@pytest.mark.long
@unhurried
@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 300))
def test_numbers_from_one_to_four_tell_nothing(first, second, visits):
    def of(small):
        said = Answers(visits + small, visits, small, small, small, small, 6.0 * small)
        return expectations([Place(1, small, 0.3, None, said), Place(2, 500, None, None, Answers(90, 60, 60, 99, 20))])

    assert of(first) == of(second)


def test_a_unit_without_answers_looks_like_the_others_and_one_with_many_like_itself():
    many = Answers(1000, 800, 800, 1600, 80, 1000, 10_000.0)
    few = replace(many, visits=10, met=8, surveyed=8, phones=16, helped=8, steps=10, minutes=30.0)
    found = expectations([Place(1, answers=many), Place(2), Place(3, answers=few)])

    assert found[1].minutes == pytest.approx(10, abs=0.1)
    assert found[1].mean == pytest.approx(6 * 0.8 * 0.1, rel=0.05)
    assert found[2].minutes == pytest.approx(10, abs=0.3)
    assert found[3].mean > found[2].mean > found[1].mean
    assert found[1].high / found[1].low < 2 < found[2].high / max(found[2].low, 1e-9)


def test_where_nothing_was_entered_the_assumptions_stand_in():
    (one,) = expectations([Place(1)]).values()

    assert (one.minutes, one.met, one.phones) == (6, 0.6, 2)
    assert one.mean == pytest.approx(10 * 0.6 * 2 * 0.2)
    assert one.low < one.mean / 4
    assert one.high > one.mean * 2


def test_few_doors_left_bind_the_afternoon_and_none_end_it():
    found = expectations([Place(1, 8), Place(2, 0), Place(3, 4000)])

    assert found[1].mean == pytest.approx(found[3].mean * 2 / 10)
    assert (found[2].mean, found[2].high) == (0, 0)
    assert found[2].of_hours(5) == (0, 0, 0)


def test_the_quantiles_are_those_of_drawn_numbers():
    rng = np.random.default_rng(5)
    for mean, spread in ((6.0, 0.3), (2.0, 0.6), (40.0, 0.15)):
        drawn = rng.gamma(1 / spread**2, mean * spread**2, 200_000)
        for z, part in ((-1.959964, 0.025), (1.959964, 0.975)):
            assert _gamma_quantile(mean, spread, z) == pytest.approx(np.quantile(drawn, part), rel=0.05, abs=0.05)
        low, high = _count_interval(mean, spread)
        counts = rng.poisson(drawn)
        assert 0.945 <= np.mean((counts >= low) & (counts <= high)) <= 0.995


def test_the_ranking_finds_more_than_going_where_the_most_households_are():
    """Forty cities with the same households for both ways; `bluezone bench yield` plays two hundred."""
    found = bench_yield.compare(40)

    assert found["ratio"] >= 1.3
    assert found["low"] > 1
    assert found["held"] >= 0.9


def visit(household, at, outcome="installed", device=None, received=None, **counts):
    return Visit.objects.create(
        key=new_key(at), household=household, door=household.pk, device=device, at=at, received_at=received or at,
        outcome=outcome, entered_by="" if device else "hoa", **counts,
    )  # fmt: skip


def at(day, hour, minute=0):
    return datetime.datetime(2020, 8, day, hour, tzinfo=HANOI) + datetime.timedelta(minutes=minute)


def phone_of(ward):
    return connected_phone(agency(f"UBND {ward.name}", ward, kind="committee"))[0]


def walk(ward, day, device, doors=12, helped=1, each=6, **more):
    """One door after the other from 8:00; every third nobody is at home."""
    for number in range(doors):
        household = door(ward, f"{ward.pk}-{day}-{number}", made_at=at(1, 0), touched_at=at(1, 0))
        home = {"outcome": "installed", "phones": 2, "helped": helped} if number % 3 else {"outcome": "not_home"}
        visit(household, at(day, 8, each * number), device=device, **home, **more)


@pytest.mark.django_db
def test_answers_are_counted_from_the_visits_themselves():
    _top, (ward, other) = city("phường Đức Xuân", "phường Sông Cầu")
    device = phone_of(ward)
    walk(ward, 3, device, doors=9, each=5)
    household = door(ward, "Muộn")
    visit(household, at(3, 14), outcome="refused", device=device)
    visit(household, at(3, 15), outcome="no_smartphone", phones=0)
    visit(door(other, "Khác"), at(3, 14, 10), outcome="installed", phones=1, helped=2, device=device)
    visit(household, at(9, 9), outcome="installed", phones=1, helped=1, received=at(20, 9))
    found = answers_by_unit(at(1, 0), at(10, 0), at(10, 0))

    # A break from 8:40 to 14:00 is no step; the way to the other ward is a step there; what came late is not known yet.
    assert found[ward.pk] == Answers(11, 8, 7, 12, 6, 8, 40.0)
    assert found[other.pk] == Answers(1, 1, 1, 2, 2, 1, 10.0)
    assert answers_by_unit(at(1, 0), at(10, 0), at(21, 0))[ward.pk].helped == 7


@pytest.mark.django_db
def test_last_week_is_held_against_what_its_monday_knew():
    top, wards = city("phường Đức Xuân", "phường Sông Cầu", "xã Dương Quang")
    devices = [phone_of(ward) for ward in wards]
    for ward, device in zip(wards, devices, strict=True):
        walk(ward, 5, device, doors=30)
    now = at(18, 9)
    walk(wards[0], 11, devices[0], doors=30)
    walk(wards[1], 12, devices[1], doors=30, helped=0)
    found = compare_week(top, wards, WEEK, now)

    assert {row.unit.pk for row in found.rows} == {wards[0].pk, wards[1].pk}
    first, second = (next(row for row in found.rows if row.unit == ward) for ward in wards[:2])
    assert (first.newly_running, second.newly_running) == (20, 0)
    assert first.is_within_interval
    assert not second.is_within_interval
    assert first.hours == pytest.approx(3.0)
    assert first.expected == pytest.approx(20, rel=0.25)
    # What arrives afterwards of the time before that Monday changes nothing of what it expected.
    walk(wards[0], 6, devices[0], doors=30, helped=0, received=at(17, 8))
    assert compare_week(top, wards, WEEK, now).rows == found.rows


@pytest.mark.django_db
def test_what_came_of_a_few_is_kept_back_and_cannot_be_worked_out():
    top, wards = city("phường Đức Xuân", "phường Sông Cầu", "xã Dương Quang")
    for ward, helped in zip(wards, (4, 20, 40), strict=True):
        device = phone_of(ward)
        for number in range(50):
            household = door(ward, f"{ward.pk}-{number}", made_at=at(1, 0), touched_at=at(1, 0))
            visit(household, at(11, 8, 1) + datetime.timedelta(minutes=5 * number), device=device, phones=1,
                  helped=int(number < helped))  # fmt: skip
    found = compare_week(top, wards, WEEK, at(18, 9))

    came = {row.unit.pk: row.newly_running for row in found.rows}
    assert came == {wards[0].pk: None, wards[1].pk: None, wards[2].pk: 40}
    assert found.newly_running == 40


def test_the_week_that_is_compared_is_over():
    assert week_to_compare(WEEK, datetime.date(2020, 8, 17)) == WEEK
    assert week_to_compare(WEEK, datetime.date(2020, 8, 16)) == WEEK.previous


@pytest.mark.django_db
def test_the_page_says_what_an_hour_brings_and_what_came_of_last_week(client, monkeypatch):
    top, wards = city("phường Đức Xuân", "phường Sông Cầu")
    monkeypatch.setattr(timezone, "now", lambda: at(18, 9))
    client.force_login(user("hoa", Role.SUPERVISOR))
    for ward, helped in zip(wards, (2, 0), strict=True):
        device = phone_of(ward)
        walk(ward, 5, device, doors=30, helped=helped)
        walk(ward, 11, device, doors=30, helped=helped)
    page = f"/coverage/units/{top.pk}/priority/?week={WEEK}"
    client.cookies.load({"bluezone-language": "en"})
    english = " ".join(client.get(page).text.split())
    client.cookies.load({"bluezone-language": "vi"})
    vietnamese = " ".join(client.get(page).text.split())

    assert english.index("phường Đức Xuân</a>") < english.index("phường Sông Cầu</a>")
    assert re.search(r"<b>About 1?\d newly running phones per team-hour, between \d+ and \d+</b>", english)
    assert "(from 60 visits of four weeks)" in english
    assert "there were 40." in english
    assert re.search(r"<b>Khoảng 1?\d máy mới chạy mỗi giờ của một đội, từ \d+ đến \d+</b>", vietnamese)
