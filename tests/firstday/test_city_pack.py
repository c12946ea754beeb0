# SPDX-License-Identifier: Apache-2.0
"""The city pack: how many units there are of each level, what went into which, and what a search finds."""

from collections import Counter
from importlib import resources

import pytest

from bluezone.firstday.city_pack import city_pack

MOST_BYTES = 300_000


def test_there_are_34_provinces_and_3321_communes_wards_and_special_zones():
    places = city_pack().places.values()

    assert Counter(place.level for place in places) == {
        "thành phố": 6, "tỉnh": 28, "xã": 2621, "phường": 687, "đặc khu": 13
    }  # fmt: skip
    assert all(len(place.code) == (5 if place.province else 2) for place in places)


def test_every_commune_before_the_reform_leads_to_one_of_today_and_every_one_of_today_is_led_to():
    pack = city_pack()
    led_to = {code for former in pack.former for code in former.heirs}

    # Five islands were districts without a commune.
    islands = {place.code: place.name for place in pack.places.values() if place.province and place.code not in led_to}
    assert sorted(islands.values()) == [
        f"đặc khu {name}" for name in ("Bạch Long Vĩ", "Côn Đảo", "Cồn Cỏ", "Hoàng Sa", "Lý Sơn")
    ]
    assert led_to <= pack.places.keys()
    assert len({former.province for former in pack.former}) == len(pack.heirs) == 63
    assert {pack.heirs[former.province[0]] for former in pack.former} == {
        place.code for place in pack.places.values() if not place.province
    }
    # A commune went to places of the province that its own province became.
    assert all(
        pack.places[code].province.code == pack.heirs[former.province[0]]
        for former in pack.former
        for code in former.heirs
    )


def test_the_eight_of_the_letter_of_2020_lead_to_wards_and_communes_of_thai_nguyen():
    pack = city_pack()
    eight = {former.name: former for former in pack.former if former.district == ("058", "thành phố Bắc Kạn")}

    assert len(eight) == 8
    heirs = {name: sorted(pack.places[code].name for code in former.heirs) for name, former in eight.items()}
    assert heirs["phường Huyền Tụng"] == ["phường Đức Xuân"]
    assert heirs["xã Nông Thượng"] == ["phường Bắc Kạn"]


@pytest.mark.long
def test_a_search_finds_without_diacritics_and_by_the_name_of_before():
    found = city_pack().find("duc xuan thai nguyen")
    assert (found[0].place.code, found[0].former) == ("01840", None)

    by_past = city_pack().find("phung chi kien bac kan")
    assert by_past[0].former.name == "phường Phùng Chí Kiên"
    assert by_past[0].place.name == "phường Bắc Kạn"
    assert city_pack().find("  ") == city_pack().find("không có đâu") == []
    assert city_pack().find("hà nội")[0].place.code == "01"


def test_the_pack_is_small():
    packed = (resources.files("bluezone.firstday") / "city-pack.txt.xz").read_bytes()

    assert len(packed) < MOST_BYTES
