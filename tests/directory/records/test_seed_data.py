# SPDX-License-Identifier: Apache-2.0
"""bluezone.directory.records.seed: the city as the letter of 7 August 2020 found it."""

import datetime
import json
import unicodedata
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.directory.kinds import UnitKind
from bluezone.directory.records.seed import SEED_DAY, SeedInvalid, load_seed, read_seed
from bluezone.refusal import Refused

SEEDS = resources.files("bluezone.directory") / "seeds"
EIGHT = {
    "01834": "phường Nguyễn Thị Minh Khai",
    "01837": "phường Sông Cầu",
    "01840": "phường Đức Xuân",
    "01843": "phường Phùng Chí Kiên",
    "01846": "phường Huyền Tụng",
    "01849": "xã Dương Quang",
    "01852": "xã Nông Thượng",
    "01855": "phường Xuất Hóa",
}


def test_on_the_letters_day_the_city_has_its_eight_units():
    units = load_seed().units_on(SEED_DAY)
    lowest = [unit for unit in units if unit.kind in {UnitKind.WARD, UnitKind.COMMUNE}]

    assert {unit.code: unit.name for unit in lowest} == EIGHT
    assert {unit.parent for unit in lowest} == {"tp-bac-kan"}
    assert [unit.code for unit in units if unit not in lowest] == ["06", "058"]


def test_today_only_the_two_units_under_thai_nguyen_are_left():
    directory = load_seed()
    units = directory.units_on(datetime.date(2026, 11, 24))

    assert {unit.name: unit.code for unit in units} == {
        "tỉnh Thái Nguyên": None,
        "phường Đức Xuân": "01840",
        "phường Bắc Kạn": "01843",
    }
    assert [unit.code for unit in directory.current("phuong-duc-xuan", datetime.date(2026, 1, 1))] == ["01840"]
    assert directory.agencies_on(datetime.date(2026, 11, 24)) == []


def test_what_the_seed_is_not_sure_of_is_marked():
    directory = load_seed()

    assert all("valid_until" in unit.unconfirmed for unit in directory.units_on(SEED_DAY))
    assert all("code" in unit.unconfirmed for unit in directory.units.values() if unit.code is None)
    assert {agency.key for agency in directory.agencies.values() if agency.confirmed} >= {
        "van-phong", "phong-gddt", "phong-vhtt", "trung-tam-vhtttt", "thanh-doan", "hoi-lhpn"
    }  # fmt: skip
    assert all(agency.edxml_id is None and agency.code is None for agency in directory.agencies.values())


def test_the_letters_recipients_are_groups_of_agencies():
    directory = load_seed()
    groups = {group.name: (group.purpose.value, len(group.members)) for group in directory.groups.values()}

    assert groups == {
        "Các phòng, ban, đơn vị, ngành, đoàn thể thành phố": ("action", 23),
        "UBND các xã, phường": ("action", 8),
        "CT, PCT UBND thành phố": ("information", 1),
        "Lưu: VT": ("file", 1),
    }
    assert len(directory.agencies) == 32


def test_every_name_is_composed_unicode():
    for entry in (*load_seed().units.values(), *load_seed().agencies.values()):
        assert entry.name == unicodedata.normalize("NFC", entry.name)


def test_the_letters_own_words_name_the_groups(shared):
    letter = unicodedata.normalize("NFC", "\n".join(path.read_text() for path in (shared / "directive").iterdir()))

    assert all(group.name in letter for group in load_seed().groups.values())


@given(st.binary(max_size=200))
def test_a_damaged_seed_is_refused(damaged):
    with pytest.raises(SeedInvalid):
        read_seed(damaged, (SEEDS / "agencies.json").read_bytes())


@pytest.mark.parametrize(
    "spoiled", [{"kind": "planet"}, {"valid_from": "yesterday"}, {"valid_from": 7}, {"parent": "none"}]
)
def test_a_seed_with_a_wrong_value_is_refused(spoiled):
    document = json.loads((SEEDS / "units.json").read_bytes())
    document["units"][2] |= spoiled
    with pytest.raises(Refused):
        read_seed(json.dumps(document).encode(), (SEEDS / "agencies.json").read_bytes())
