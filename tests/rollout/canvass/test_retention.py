# SPDX-License-Identifier: Apache-2.0
"""Households are deleted by their rule; the sums of the ward's days stay, and coverage counts what is left."""

import datetime

import pytest
from tests.builders.canvass import NOW, Phone, connected_phone, door, street

from bluezone.rollout.canvass import leases
from bluezone.rollout.canvass.households import decisions
from bluezone.rollout.canvass.models import (
    Aside,
    Change,
    DoorsDay,
    DoorsImport,
    DuplicatePair,
    Entry,
    Household,
    Lease,
    LeaseDoor,
    Visit,
)
from bluezone.rollout.canvass.progress import DoorsVisited, SeenAtDoors, ToldAtDoors
from bluezone.rollout.canvass.retention import ASIDE_KEPT, HOUSEHOLD_KEPT, purge
from bluezone.rollout.coverage.api import Proof, registered_indicators
from bluezone.rollout.report_week import Week

DAY = datetime.timedelta(days=1)
WEEK = Week.of(datetime.date(2020, 8, 14))


def doors(phone):
    return list(Household.objects.filter(places__turf=phone.turf).order_by("address"))


@pytest.fixture
def said(public, phone):
    one, two, _three = doors(phone)
    phone.call(
        public,
        phone.entry(one, "running", phones=3, seen=1, told=1, changes={"head": "Nông Thị Lan"}),
        phone.entry(one, "running", phones=3, seen=2),
        phone.entry(two, "not_home"),
        {**phone.entry(two), "form": 0},
    )
    return one, two


def test_a_household_goes_180_days_after_the_last_word_with_everything_said_of_it(public, phone, said):
    one, _two = said
    other = door(phone.turf.unit, "Nông Thị Lan", one.address)
    pair = DuplicatePair.objects.create(first=one, second=other, score=90)
    decisions.join("officer", pair, keep_first=True, now=NOW)
    last = NOW - datetime.timedelta(minutes=5)
    purge(last + HOUSEHOLD_KEPT - DAY)
    assert Household.objects.filter(pk__in=[one.pk, other.pk]).count() == 2
    assert not Aside.objects.exists(), "its 90 days are over"

    purge(last + HOUSEHOLD_KEPT + DAY)
    for model in (Household, Visit, Change, LeaseDoor, DuplicatePair, Entry):
        assert not model._base_manager.exists(), model
    kept = DoorsDay.objects.get()
    assert (kept.visits, kept.reached, kept.phones, kept.seen, kept.told) == (3, 1, 6, 3, 1)
    purge(last + HOUSEHOLD_KEPT + 2 * DAY)
    assert DoorsDay.objects.get().visits == 3, "purging again adds nothing"


def test_lists_sent_in_go_after_a_day_and_entries_kept_aside_after_90(phone, said, committee):
    from tests.builders.office import user

    DoorsImport.objects.create(unit=phone.turf.unit, file_name="ho.csv", content=b"", sha256="", made_by=user("x"),
                               made_at=NOW)  # fmt: skip
    purge(NOW + DAY)
    assert not DoorsImport.objects.exists()
    assert Aside.objects.exists()
    purge(NOW + ASIDE_KEPT)
    assert not Aside.objects.exists()
    assert Visit.objects.exists()


def test_a_lease_whose_time_is_up_frees_its_doors(phone, committee):
    purge(NOW + 8 * DAY)
    lease = Lease.objects.get()
    assert (lease.ended_why, lease.ended_at) == ("expired", lease.until)
    other, _token = connected_phone(committee, "Máy 2")
    leases.lease("officer", phone.turf, other, NOW + 10 * DAY, NOW + 9 * DAY)


def test_coverage_counts_doors_and_phones_in_columns_that_are_never_added(phone, said, ward, clock, settings):
    settings.ROOT_URLCONF = "bluezone.web.urls_office"
    figures = {one.key: list(one.figures(WEEK)) for one in (DoorsVisited(), SeenAtDoors(), ToldAtDoors())}
    assert [(figure.count, figure.base, figure.unit_path) for figure in figures["doors-visited"]] == [(1, 3, ward.path)]
    assert [(figure.count, figure.base) for figure in figures["doors-seen"]] == [(3, 6)]
    assert [(figure.count, figure.base) for figure in figures["doors-told"]] == [(1, 6)]
    proofs = {one.key: one.proof for one in registered_indicators()}
    assert (proofs["doors-visited"], proofs["doors-seen"], proofs["doors-told"]) == (
        Proof.ATTESTED,
        Proof.ATTESTED,
        Proof.SELF_REPORTED,
    )
    assert all(
        "unit=" in one.rows_address(ward.pk, WEEK) for one in registered_indicators() if one.key.startswith("doors-")
    )


def test_the_phones_of_weeks_whose_households_are_gone_are_still_counted(phone, said, clock):
    before = [(figure.count, figure.base) for figure in SeenAtDoors().figures(WEEK)]
    purge(NOW + HOUSEHOLD_KEPT + DAY)
    assert [(figure.count, figure.base) for figure in SeenAtDoors().figures(WEEK)] == before


def test_nothing_of_training_is_counted(ward, committee, clock):
    from bluezone.training import practice

    with practice():
        Phone.leasing(street(ward), committee)
    assert list(DoorsVisited().figures(WEEK)) == []
