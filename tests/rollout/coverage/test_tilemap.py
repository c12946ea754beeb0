# SPDX-License-Identifier: Apache-2.0
import json
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.directory.models import AdminUnit
from bluezone.rollout.coverage.overview import LINE_LENGTH, Row, broken, tile_map

SEEDED = [
    "phuong-nguyen-thi-minh-khai", "phuong-song-cau", "phuong-duc-xuan", "phuong-phung-chi-kien",
    "phuong-huyen-tung", "xa-duong-quang", "xa-nong-thuong", "phuong-xuat-hoa",
]  # fmt: skip


def rows(keys):
    return [Row(AdminUnit(pk=n, key=key, name=key.replace("-", " ")), {}) for n, key in enumerate(keys, 1)]


def test_the_eight_units_have_places_of_their_own():
    drawn = tile_map(rows(SEEDED), "staff")

    assert drawn.placed
    assert len({(tile.x, tile.y) for tile in drawn.tiles}) == 8
    assert (drawn.width, drawn.height) == (336, 336)


def test_the_layout_names_units_of_the_seed():
    seed = json.loads((resources.files("bluezone.directory") / "seeds" / "units.json").read_text())

    assert set(SEEDED) <= {unit["key"] for unit in seed["units"]}


@given(st.integers(1, 40))
def test_another_city_gets_a_grid_and_is_told_so(count):
    drawn = tile_map(rows([f"ward-{n}" for n in range(count)]), "staff")

    assert not drawn.placed
    assert len({(tile.x, tile.y) for tile in drawn.tiles}) == count


@given(st.text(st.characters(categories=["L", "Zs"]), max_size=80))
def test_a_name_fits_its_tile(name):
    lines = broken(name)

    assert len(lines) <= 3
    assert all(len(line) <= LINE_LENGTH for line in lines)


@pytest.mark.parametrize(
    ("name", "lines"), [("phường Nguyễn Thị Minh Khai", ("phường", "Nguyễn Thị", "Minh Khai")), ("xã", ("xã",))]
)
def test_a_name_is_broken_between_words(name, lines):
    assert broken(name) == lines


def test_a_map_without_units_is_empty():
    assert tile_map([], "staff").tiles == []
