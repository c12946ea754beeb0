# SPDX-License-Identifier: Apache-2.0
"""Setting up a place: its units, what went into them, its offices and groups, once however often it is done."""

import datetime

import pytest

from bluezone.audit.models import AuditEntry
from bluezone.directory.kinds import UnitKind
from bluezone.directory.models import AdminUnit, Agency, RecipientGroup
from bluezone.directory.records.reading import read_directory
from bluezone.directory.records.seed import seed_directory
from bluezone.firstday.city_pack import REFORM, city_pack
from bluezone.firstday.city_setup import commune_offices, set_up, usual_offices

pytestmark = pytest.mark.django_db
EVE = REFORM - datetime.timedelta(days=1)


def place(code):
    return city_pack().places[code]


def set_up_whole(code):
    one = place(code)
    below = commune_offices(one, city_pack()) if one.province is None else []
    return set_up("quan", one, [*usual_offices(one), *below])


def test_a_ward_of_today_stands_under_its_province_with_32_offices_beside_the_committee():
    seed_directory()
    made = set_up_whole("01840")

    ward = AdminUnit.objects.valid_on(REFORM).get(code="01840")
    assert (ward.name, ward.kind, ward.parent.name) == ("phường Đức Xuân", "ward", "tỉnh Thái Nguyên")
    assert (made.agencies, made.issuer.name) == (33, "Ủy ban nhân dân phường Đức Xuân")
    names = set(Agency.objects.valid_on(REFORM).values_list("name", flat=True))
    assert {"Phòng Kinh tế, Hạ tầng và Đô thị phường", "Trạm Y tế phường Đức Xuân"} <= names
    assert "Phòng Kinh tế phường" not in names
    group = RecipientGroup.objects.get(name="Các phòng, ban, đơn vị, ngành, đoàn thể phường")
    assert group.agencies.count() == 32
    assert AuditEntry.objects.get(action="city_set_up").subject == "01840"


def test_what_the_seed_left_open_is_filled_in_and_nothing_is_entered_twice():
    seed_directory()
    set_up_whole("01840")

    province = AdminUnit.objects.get(key="tinh-thai-nguyen-2025")
    assert (province.code, "code" in province.unconfirmed) == ("19", False)
    assert AdminUnit.objects.valid_on(EVE).filter(name="thành phố Bắc Kạn").count() == 1
    past = AdminUnit.objects.valid_on(EVE).get(name="phường Huyền Tụng")
    assert [heir.name for heir in past.successors.all()] == ["phường Đức Xuân"]
    before = read_directory()

    assert (set_up_whole("01840").units, set_up_whole("01840").agencies) == (0, 0)
    assert read_directory() == before


def test_a_special_zone_has_the_offices_of_a_commune():
    zone = next(one for one in city_pack().places.values() if one.kind is UnitKind.ZONE)
    set_up_whole(zone.code)

    assert AdminUnit.objects.get(code=zone.code, valid_to=None).kind == "zone"
    assert Agency.objects.filter(name="Phòng Kinh tế đặc khu").exists()


def test_a_province_comes_with_committee_and_station_of_every_commune():
    set_up_whole("19")
    communes = [one for one in city_pack().places.values() if one.province == place("19")]

    assert AdminUnit.objects.valid_on(REFORM).exclude(kind="province").count() == len(communes) == 92
    assert Agency.objects.filter(kind="committee").count() == 93
    assert Agency.objects.filter(name__startswith="Trạm Y tế ").count() == 92
    assert RecipientGroup.objects.get(name="UBND các xã, phường").agencies.count() == 92
    assert Agency.objects.get(key="01840-ubnd").parent.name == "Ủy ban nhân dân tỉnh Thái Nguyên"


def test_a_second_ward_of_the_same_province_adds_to_the_first():
    set_up_whole("01840")
    set_up_whole("01843")

    assert AdminUnit.objects.valid_on(REFORM).filter(kind="province").count() == 1
    assert Agency.objects.filter(kind="committee").count() == 2


def test_offices_that_were_taken_away_are_not_entered():
    one = place("01840")
    offices = [office for office in usual_offices(one) if office.key in ("ubnd", "tram-y-te")]

    assert set_up("quan", one, offices).agencies == 2
    assert RecipientGroup.objects.get().agencies.get().name == "Trạm Y tế phường Đức Xuân"
