# SPDX-License-Identifier: Apache-2.0
"""bluezone.directory.records.entries: entries that contradict each other are refused by name."""

import dataclasses
import datetime

import pytest

from bluezone.directory.kinds import AgencyKind, Purpose, UnitKind
from bluezone.directory.records.entries import (
    AgencyEntry,
    CodeRepeated,
    Directory,
    DirectoryRefused,
    GroupEntry,
    GroupMemberUnknown,
    KeyRepeated,
    ParentUnknown,
    SuccessorUnknown,
    UnitCycle,
    UnitEntry,
    Validity,
    ValidityInconsistent,
    contradictions,
)

MERGER = datetime.date(2025, 7, 1)
PROVINCE = UnitEntry("province", "tỉnh", UnitKind.PROVINCE, "06")
CITY = UnitEntry("city", "thành phố", UnitKind.DISTRICT, "058", "province")
WARD = UnitEntry("ward", "phường", UnitKind.WARD, "01840", "city")
OFFICE = AgencyEntry("office", "Văn phòng", AgencyKind.DEPARTMENT, "city", "VP")
GROUP = GroupEntry("all", "Các phòng, ban", ("office",), Purpose.ACTION)


def change(entry, **fields):
    return dataclasses.replace(entry, **fields)


def test_entries_that_fit_make_a_directory():
    directory = Directory.build([PROVINCE, CITY, WARD], [OFFICE], [GROUP])

    assert [unit.key for unit in directory.subtree("city")] == ["city", "ward"]
    assert directory.groups["all"].members == ("office",)


@pytest.mark.parametrize(
    ("units", "agencies", "groups", "refusal", "key"),
    [
        ([PROVINCE, PROVINCE], [], [], KeyRepeated, "province"),
        ([PROVINCE, CITY], [change(OFFICE, key="city")], [], KeyRepeated, "city"),
        ([PROVINCE, CITY, WARD, change(WARD, key="again")], [], [], CodeRepeated, "again"),
        ([PROVINCE, CITY], [OFFICE, change(OFFICE, key="again")], [], CodeRepeated, "again"),
        ([CITY], [], [], ParentUnknown, "city"),
        ([PROVINCE, change(CITY, parent=None)], [], [], ParentUnknown, "city"),
        ([PROVINCE, CITY, change(WARD, kind=UnitKind.GROUP)], [], [], ParentUnknown, "ward"),
        ([PROVINCE, change(CITY, validity=Validity(None, MERGER)), WARD], [], [], ParentUnknown, "ward"),
        ([PROVINCE, CITY], [change(OFFICE, unit="nowhere")], [], ParentUnknown, "office"),
        ([change(PROVINCE, parent="province")], [], [], UnitCycle, "province"),
        ([change(PROVINCE, validity=Validity(MERGER, MERGER))], [], [], ValidityInconsistent, "province"),
        ([PROVINCE, CITY, change(WARD, successors=("city",))], [], [], ValidityInconsistent, "ward"),
        (
            [
                PROVINCE,
                CITY,
                change(WARD, validity=Validity(None, MERGER), successors=("new",)),
                change(WARD, key="new", validity=Validity(MERGER + datetime.timedelta(1))),
            ],
            [],
            [],
            ValidityInconsistent,
            "ward",
        ),
        (
            [
                PROVINCE,
                CITY,
                change(WARD, validity=Validity(None, MERGER), successors=("new",)),
                change(WARD, key="new", code="1", validity=Validity(None, MERGER)),
            ],
            [],
            [],
            ValidityInconsistent,
            "ward",
        ),
        (
            [PROVINCE, CITY, change(WARD, validity=Validity(None, MERGER), successors=("ward",))],
            [],
            [],
            SuccessorUnknown,
            "ward",
        ),
        ([PROVINCE, CITY], [OFFICE], [change(GROUP, members=("nobody",))], GroupMemberUnknown, "all"),
        ([PROVINCE, CITY], [OFFICE], [change(GROUP, members=())], GroupMemberUnknown, "all"),
    ],
)
def test_a_contradiction_is_refused_and_its_entry_named(units, agencies, groups, refusal, key):
    found = list(contradictions(units, agencies, groups))

    assert (refusal, key) in [(type(one), one.key) for one in found]
    with pytest.raises(DirectoryRefused):
        Directory.build(units, agencies, groups)


def test_the_units_of_a_ring_are_named_and_what_hangs_below_it_is_not():
    first = change(CITY, key="first", parent="second", code=None)
    second = change(CITY, key="second", parent="first", code=None)
    below = change(WARD, parent="first")
    cycles = [one.key for one in contradictions([below, first, second], [], []) if isinstance(one, UnitCycle)]

    assert sorted(cycles) == ["first", "second"]


def test_a_code_may_be_used_again_once_it_is_free():
    ended = change(WARD, validity=Validity(None, MERGER), successors=("new",))
    new = change(WARD, key="new", parent="province", validity=Validity(MERGER))
    directory = Directory.build([PROVINCE, CITY, ended, new])

    assert [unit.key for unit in directory.units_on(MERGER)] == ["province", "city", "new"]
    assert [entry.key for entry in directory.current("ward", MERGER)] == ["new"]
    assert [entry.key for entry in directory.current("ward", MERGER - datetime.timedelta(1))] == ["ward"]


def test_ten_thousand_groups_are_checked_without_quadratic_work():
    groups = [UnitEntry(f"g{n}", f"Tổ {n}", UnitKind.GROUP, f"g{n}", "ward") for n in range(10_000)]

    assert len(Directory.build([PROVINCE, CITY, WARD, *groups]).subtree("ward")) == 10_001
