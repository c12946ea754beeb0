# SPDX-License-Identifier: Apache-2.0
"""Doors in the order of walking, where they lie, and the map that a phone gets from the city's own files."""

import itertools
import json
import math
import random
import uuid

import pytest
from tests.builders.canvass import NOW, Phone, door
from tests.builders.outlines import SOUTH, WEST, grid
from tests.rollout.canvass.test_door_lists import accepted

from bluezone.directory.records import streets, unit_outlines
from bluezone.directory.records.streets import MOST_POINTS, streets_in
from bluezone.rollout.canvass import leases
from bluezone.rollout.canvass.households.decisions import join, propose
from bluezone.rollout.canvass.households.walking import Stop, walking_order
from bluezone.rollout.canvass.models import DuplicatePair, Household


def walked(*addresses):
    some = random.Random(3)
    stops = [Stop(uuid.UUID(int=some.getrandbits(128)), address) for address in addresses]
    some.shuffle(stops)
    return [stop.address for stop in walking_order(stops)]


@pytest.mark.parametrize(
    "order",
    [
        ("Số 2, tổ 5", "Số 9, tổ 5", "Số 10, tổ 5", "Số 10A, tổ 5", "Số 10B, tổ 5", "Số 100, tổ 5"),
        # Lane 12 leaves the street beside house 12; 12/3/5 lies deeper in it.
        ("12 Trần Phú", "12/1 Trần Phú", "12/3 Trần Phú", "12/3/5 Trần Phú", "12/10 Trần Phú", "13 Trần Phú"),
        ("Số 7 phố Huế", "Số 3 ngõ 80 phố Huế", "Số 5 ngách 80/4 phố Huế", "Số 20, ngõ 80, phố Huế", "Số 81 phố Huế"),
        ("3 ngõ 5", "12/1 ngách 5", "12/3 ngách 5", "1 ngách 6"),
        ("Số nhà 4, đường Hùng Vương, phường Đức Xuân", "Số 6, Đường HÙNG VƯƠNG", "4 đường Trường Chinh"),
        ("5 Kon Tum", "7 Kon Tum", "Đường Kon Tum, cạnh trường học"),
        ("12 Lê Lợi", "K12/3 Lê Lợi", "14 Lê Lợi", "Nhà bà Lan, cổng xanh"),
        ("Hẻm 3 Bà Triệu", "Số 1 hẻm 4 Bà Triệu", "Số 2 hẻm 4 Bà Triệu"),
    ],
)
def test_addresses_are_walked_as_vietnamese_numbers_lie(order):
    assert walked(*order) == list(order)


def test_any_text_has_a_place_and_the_order_does_not_hang_on_how_it_was_asked():
    texts = ["", "1/", "/", "ngõ", "ngõ 5", "Số", "12/", "số 999999999999999999999", "đường", "phố ,", "1/2/3/4/5/6"]

    assert sorted(walked(*texts)) == sorted(texts)
    assert walked(*texts) == walked(*reversed(texts))


def located(count):
    spread = random.Random(5)
    return [
        Stop(uuid.UUID(int=number), f"Số {number}", "", 22.1 + spread.random() / 100, 105.8 + spread.random() / 100)
        for number in range(1, count + 1)
    ]


def length(stops):
    pairs = itertools.pairwise(stops)
    return sum(math.hypot(one.latitude - other.latitude, one.longitude - other.longitude) for one, other in pairs)


def test_where_the_list_has_coordinates_the_way_is_short_and_every_door_on_it_once():
    stops = located(200)
    tour = walking_order(stops)

    assert sorted(stop.key for stop in tour) == sorted(stop.key for stop in stops)
    assert tour[0].address == "Số 1"
    # 0.7124 times the root of area and number is the best that there is for many points (Beardwood et al. 1959).
    assert length(tour) < 1.25 * 0.7124 * math.sqrt(200 * 0.01**2)
    assert length(tour) < length(stops) / 5


def test_a_door_without_coordinates_comes_after_the_one_before_it_by_address():
    first, second, third = located(3)
    between = Stop(uuid.UUID(int=9), "Số 2A")
    before = Stop(uuid.UUID(int=8), "Số 0")
    tour = walking_order([third, between, second, before, first])

    assert tour[0] == before
    assert tour.index(between) == tour.index(second) + 1


@pytest.mark.django_db
def test_a_list_is_cut_in_the_order_of_walking_and_so_are_ticked_doors(ward):
    made = {text: door(ward, "", text) for text in ("Số 10", "Số 9", "Số 9/2", "Số 100")}
    (turf,) = leases.cut_group("officer", ward, "Tổ 5", NOW)
    keys = [made[text].pk for text in ("Số 100", "Số 10", "Số 9/2")]

    assert [one.household.address for one in turf.places.order_by("place")] == ["Số 9", "Số 9/2", "Số 10", "Số 100"]
    assert leases.in_walking_order(keys) == keys[::-1]
    assert leases.in_walking_order([*keys, uuid.UUID(int=1)])[-1] == uuid.UUID(int=1)


POSITIONS = (
    "Chủ hộ,Địa chỉ,Tổ,Tọa độ\n"
    'Lan,Số 1,5,"22.1478, 105.8348"\nPáo,Số 2,5,"22,1479; 105,8349"\nMai,Số 3,5,\nBình,Số 4,5,"1176000 455000"\n'
)


def test_coordinates_come_with_the_list_and_are_changed_by_it_and_by_nobody_else(client, officer, ward):
    page = accepted(client, ward, POSITIONS.encode())
    lying = dict(Household.objects.values_list("head", "latitude"))

    assert lying == {"Lan": 22.1478, "Páo": 22.1479, "Mai": None}, page
    moved = POSITIONS.replace("22.1478", "22.2").rpartition("Bình")[0]
    accepted(client, ward, moved.encode())
    lan = Household.objects.get(head="Lan")
    assert (lan.latitude, lan.longitude) == (22.2, 105.8348)
    assert not lan.changes.exists(), "no fact of the household was said anew"
    exported = client.get(f"/canvass/households/{ward.pk}/list.csv")
    assert "22.20000, 105.83480" in exported.text


@pytest.mark.django_db
def test_a_merged_door_keeps_the_coordinates_that_one_of_the_two_had(ward):
    door(ward, "Nguyễn Văn An", "Số 5", latitude=22.1, longitude=105.8)
    door(ward, "Nguyễn Văn Ân", "Số 5")
    propose(ward, NOW)
    pair = DuplicatePair.objects.get()

    # The one without coordinates stays.
    stays = join("officer", pair, pair.first.latitude is None, NOW)
    assert stays.latitude is not None
    assert Household.objects.get(pk=stays.pk).position == "22.10000, 105.80000"


@pytest.fixture
def files(settings, tmp_path):
    """Writes the city's own files."""
    settings.DATA_FOLDER = tmp_path
    (tmp_path / "maps").mkdir()

    def put(name, document):
        (tmp_path / name).write_text(json.dumps(document), encoding="utf-8")

    return put


def line(name, *points):
    return {
        "type": "Feature", "properties": {"name": name}, "geometry": {"type": "LineString", "coordinates": points},
    }  # fmt: skip


def test_a_phone_gets_outline_and_streets_around_its_doors_once(public, ward, committee, clock, files):
    files(unit_outlines.FILE, grid([ward.name]))
    near, far = (WEST + 0.01, SOUTH + 0.01), (WEST + 0.2, SOUTH + 0.2)
    inside = line("Phố Huế", near, (WEST + 0.012, SOUTH + 0.011))
    files(streets.FILE, {"type": "FeatureCollection", "features": [inside, line("Xa", far, (far[0] + 0.01, far[1]))]})
    for number in range(3):
        door(ward, "", f"Số {number}", latitude=near[1] + number / 5000, longitude=near[0])
    (turf,) = leases.cut_group("officer", ward, "Tổ 5", NOW)
    phone = Phone.leasing(turf, committee)
    told = phone.call(public).json()
    (listed,) = told["lists"]
    drawn = told["maps"][listed["map"]]

    assert [street["name"] for street in drawn["streets"]] == ["Phố Huế"]
    assert len(drawn["outline"]) == 1
    assert drawn["source"] == "UBND thành phố, 2020"
    west, south, east, north = drawn["box"]
    for one in listed["doors"]:
        assert west < one["longitude"] < east
        assert south < one["latitude"] < north
    assert phone.call(public, maps=[listed["map"]]).json()["maps"] == {}


def test_a_list_without_coordinates_has_no_map(public, phone):
    told = phone.call(public).json()

    assert told["maps"] == {}
    assert told["lists"][0]["map"] == ""


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"features": [1, {"geometry": 5}, {"geometry": {"type": "Point"}}]}']
)
def test_a_file_of_streets_that_is_none_leaves_the_map_without_streets(files, tmp_path, content):
    (tmp_path / streets.FILE).write_text(content, encoding="utf-8")

    assert streets_in((105.0, 22.0, 106.0, 23.0)) == ((), "")


def test_so_many_streets_are_thinned_until_a_phone_can_draw_them(files):
    some = random.Random(2)
    wild = [
        line(f"Phố {n}", *[(105.8 + some.random() / 50, 22.1 + some.random() / 50) for _ in range(60)])
        for n in range(300)
    ]
    files(streets.FILE, {"features": wild, "source": "Sở Xây dựng"})
    found, source = streets_in((105.8, 22.1, 105.82, 22.12))

    assert 0 < sum(len(street.points) for street in found) <= MOST_POINTS
    assert source == "Sở Xây dựng"
