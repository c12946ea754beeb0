# SPDX-License-Identifier: Apache-2.0
"""Entering, changing and ending units and agencies: checked as a whole, stored whole or not at all, audited."""

import datetime

import pytest
from tests.builders.agencies import agency_values, plant_seed, unit_values
from tests.builders.office import data_folder, furnished_folder, quick_passwords

from bluezone.directory import apps
from bluezone.directory.kinds import Quantity
from bluezone.directory.models import AdminUnit, Agency, Denominator, RecipientGroup
from bluezone.directory.records import changes
from bluezone.directory.records.entries import AgencyCycle, CodeRepeated, ParentUnknown, UnitCycle, ValidityInconsistent
from bluezone.directory.records.reading import read_directory, state_digest
from bluezone.identity.models import AuditEntry

__all__ = ["data_folder", "furnished_folder", "quick_passwords"]
pytestmark = pytest.mark.django_db
DAY = datetime.date(2020, 9, 1)
SPLIT = datetime.date(2025, 7, 1)


@pytest.fixture
def places():
    return plant_seed()


def group(ward, **values):
    usual = {"parent": ward, "valid_from": datetime.date(2015, 3, 11), "valid_to": SPLIT}
    return changes.save_unit("mai", None, unit_values(**{**usual, **values}))


def as_it_is(unit, **values):
    names = ("name", "kind", "code", "parent", "valid_from", "valid_to", "confirmed", "head_name", "head_phone")
    same = {name: getattr(unit, name) for name in names}
    return {**same, "successors": list(unit.successors.all()), **values}


def test_a_residential_group_lies_under_its_ward_and_keeps_its_head(places):
    city, ward = places
    made = group(ward, head_name="Nông Văn Ba", head_phone="0912 345 678")

    assert made.path == f"{ward.path}{made.pk}/"
    assert made.is_under(city)
    assert not city.is_under(made)
    assert (made.head_name, made.head_phone) == ("Nông Văn Ba", "0912 345 678")


def test_the_audit_tells_which_fields_and_not_what_is_in_them(places):
    made = group(places[1], head_name="Nông Văn Ba")
    entry = AuditEntry.objects.order_by("-number").first()

    assert (entry.actor, entry.action, entry.subject) == ("mai", "entry_made", made.key)
    assert "Ba" not in str(entry.details)


def test_saving_what_is_stored_already_leaves_no_trace(places):
    made = group(places[1])
    before = AuditEntry.objects.count()
    changes.save_unit("mai", made, as_it_is(made))

    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"kind": "ward", "code": "01840", "name": "phường Mới"}, CodeRepeated),
        ({"valid_from": SPLIT, "valid_to": DAY}, ParentUnknown),
        ({"valid_to": None}, ParentUnknown),
        ({"kind": "district"}, ParentUnknown),
    ],
)
def test_a_refused_unit_changes_nothing(places, values, refusal):
    city, ward = places
    before, audited = state_digest(read_directory()), AuditEntry.objects.count()
    with pytest.raises((refusal, ValidityInconsistent)):
        group(city if values.get("kind") == "ward" else ward, **values)

    assert state_digest(read_directory()) == before
    assert AuditEntry.objects.count() == audited


def test_a_unit_never_lies_under_itself(places):
    city, ward = places
    with pytest.raises((UnitCycle, ParentUnknown)):
        changes.save_unit("mai", city, as_it_is(city, parent=ward))


def test_ending_a_ward_ends_its_groups_on_the_same_day(places):
    ward = places[1]
    made = group(ward)
    changes.save_unit("mai", ward, as_it_is(ward, valid_to=DAY))
    made.refresh_from_db()

    assert made.valid_to == DAY


def test_a_merger_names_who_took_over_and_the_code_goes_on(places):
    city, ward = places
    other = AdminUnit.objects.get(key="phuong-xuat-hoa")
    changes.save_unit("mai", ward, as_it_is(ward, valid_to=DAY, successors=[other]))
    changes.save_unit(
        "mai",
        None,
        unit_values(name="phường Cầu", kind="ward", code="01837", parent=city, valid_from=DAY, valid_to=SPLIT),
    )

    assert list(ward.successors.all()) == [other]
    assert ward.took_over.get().day == DAY


def test_a_tick_confirms_what_was_open(places):
    ward = places[1]
    assert ward.unconfirmed
    changes.save_unit("mai", ward, as_it_is(ward, confirmed=True))
    ward.refresh_from_db()

    assert (ward.confirmed, ward.unconfirmed) == (True, [])


def test_a_new_agency_answers_to_the_committee_its_kind_tells(places):
    city, ward = places
    committee = Agency.objects.get(key="ubnd-phuong-song-cau")
    school = changes.save_agency("mai", None, agency_values(ward, kind="school", valid_to=SPLIT))
    union = changes.save_agency("mai", None, agency_values(ward, name="Đoàn phường", kind="union", valid_to=SPLIT))

    assert (school.parent, union.parent) == (committee, None)
    assert committee.parent == Agency.objects.get(key="ubnd-tp")
    assert school.is_under(Agency.objects.get(key="ubnd-tp"))
    assert school.is_under(city)
    assert not union.is_under(committee)


def test_every_follower_is_called_when_an_agency_has_changed_and_none_when_only_a_unit_has(places, monkeypatch):
    called = []
    monkeypatch.setattr(apps, "FOLLOWERS", [lambda: called.append("first"), lambda: called.append("second")])
    group(places[1])
    assert called == []

    changes.save_agency("mai", None, agency_values(places[1], kind="school", valid_to=SPLIT))
    assert called == ["first", "second"]


def test_an_agency_never_answers_to_itself(places):
    school = changes.save_agency("mai", None, agency_values(places[1], kind="school", valid_to=SPLIT))
    top = Agency.objects.get(key="ubnd-tp")
    values = agency_values(top.unit, name=top.name, kind="committee", parent=school, valid_to=top.valid_to)
    with pytest.raises(AgencyCycle):
        changes.save_agency("mai", top, values)

    assert Agency.objects.get(key="ubnd-tp").parent is None


def test_a_second_agency_of_the_same_name_gets_a_key_of_its_own(places):
    keys = {changes.save_agency("mai", None, agency_values(places[1])).key for _ in range(2)}

    assert keys == {"tram-y-te-song-cau", "tram-y-te-song-cau-2"}


def test_a_figure_for_the_same_day_is_a_correction_and_another_day_stands_beside_it(places):
    ward = places[1]
    for value, day in ((5000, DAY), (5100, DAY), (4900, datetime.date(2019, 4, 1))):
        changes.record_figure("mai", ward, Quantity.POPULATION, value, "Tổng điều tra", day, DAY)

    assert list(Denominator.objects.filter(unit=ward).values_list("value", flat=True)) == [5100, 4900]


def test_a_ward_without_a_single_venue_has_a_figure_of_0(places):
    changes.record_figure("mai", places[1], Quantity.VENUES, 0, "UBND phường", DAY, DAY)

    assert Denominator.objects.get(unit=places[1]).value == 0


def test_the_figures_of_a_unit_and_of_an_agency_are_read_where_they_were_recorded(places):
    ward, office = places[1], Agency.objects.get(key="ubnd-tp")
    changes.record_figure("mai", ward, Quantity.POPULATION, 5100, "Tổng điều tra", DAY, DAY)
    changes.record_figure("mai", office, Quantity.STAFF, 12, "Phòng Nội vụ", DAY, DAY)
    directory = read_directory()
    recorded = {
        entry.key: [(figure.quantity, figure.value) for figure in entry.denominators]
        for entry in (*directory.units.values(), *directory.agencies.values())
        if entry.denominators
    }

    assert recorded == {ward.key: [(Quantity.POPULATION, 5100)], office.key: [(Quantity.STAFF, 12)]}


@pytest.mark.parametrize(
    ("quantity", "value", "source", "day"),
    [
        (Quantity.STAFF, 5, "Phòng Nội vụ", DAY),
        (Quantity.POPULATION, 5, " ", DAY),
        (Quantity.POPULATION, -5, "Công an", DAY),
        (Quantity.POPULATION, 5, "Công an", DAY + datetime.timedelta(days=1)),
    ],
)
def test_a_figure_that_says_too_little_is_refused(places, quantity, value, source, day):
    with pytest.raises(changes.FigureRefused):
        changes.record_figure("mai", places[1], quantity, value, source, day, DAY)
    assert not Denominator.objects.exists()


def test_members_come_and_go_and_an_empty_group_stops_nothing(places):
    new = changes.save_recipients("mai", None, "Các trường học", "action")
    agency = Agency.objects.get(key="phong-gddt")
    changes.add_members("mai", new, [agency])
    changes.add_members("mai", new, [agency])
    assert list(new.agencies.all()) == [agency]
    changes.remove_member("mai", new, agency)
    group(places[1])

    assert new.agencies.count() == 0
    assert RecipientGroup.objects.filter(key="cac-truong-hoc").exists()
