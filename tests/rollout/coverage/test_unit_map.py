# SPDX-License-Identifier: Apache-2.0
import datetime
import json
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.directory.models import AdminUnit
from bluezone.directory.records.unit_outlines import Outlines
from bluezone.rollout.coverage.api import Proof
from bluezone.rollout.coverage.overview import OverviewCell, Row
from bluezone.rollout.coverage.unit_map import LINE_LENGTH, draw_map, name_lines
from bluezone.rollout.staffing.queries import StaffRunning

SEEDED = [
    "phuong-nguyen-thi-minh-khai", "phuong-song-cau", "phuong-duc-xuan", "phuong-phung-chi-kien",
    "phuong-huyen-tung", "xa-duong-quang", "xa-nong-thuong", "phuong-xuat-hoa",
]  # fmt: skip


def rows(keys):
    return [Row(AdminUnit(pk=n, key=key, name=key.replace("-", " ")), {}) for n, key in enumerate(keys, 1)]


def test_the_eight_units_have_places_of_their_own():
    drawn = draw_map(rows(SEEDED), "staff")

    assert drawn.placed
    assert len({(tile.x, tile.y) for tile in drawn.tiles}) == 8
    assert (drawn.width, drawn.height) == (336, 336)


def test_the_layout_names_units_of_the_seed():
    seed = json.loads((resources.files("bluezone.directory") / "seeds" / "units.json").read_text())

    assert set(SEEDED) <= {unit["key"] for unit in seed["units"]}


@given(st.integers(1, 40))
def test_another_city_gets_a_grid_and_is_told_so(count):
    drawn = draw_map(rows([f"ward-{n}" for n in range(count)]), "staff")

    assert not drawn.placed
    assert len({(tile.x, tile.y) for tile in drawn.tiles}) == count


@pytest.mark.long
@given(st.text(st.characters(categories=["L", "Zs"]), max_size=80))
def test_a_name_fits_its_tile(name):
    lines = name_lines(name)

    assert len(lines) <= 3
    assert all(len(line) <= LINE_LENGTH for line in lines)


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("phường Nguyễn Thị Minh Khai", ("phường", "Nguyễn Thị", "Minh Khai")),
        ("xã", ("xã",)),
        ("abcde fghijk", ("abcde fghijk",)),
        ("abcde fghijkl", ("abcde", "fghijkl")),
        ("abcdefghijkl", ("abcdefghijkl",)),
        ("abcdefghijklm", ("abcdefghijk…",)),
        ("một hai abcdefghijkl mười bốn chữa năm", ("một hai", "abcdefghijkl", "mười bốn…")),
        ("abcdefghijkl abcdefghijkl abcdefghijkl x", ("abcdefghijkl", "abcdefghijkl", "abcdefghijk…")),
    ],
)
def test_a_name_is_broken_between_words(name, lines):
    assert name_lines(name) == lines


def test_a_map_without_units_is_empty():
    assert draw_map([], "staff").tiles == []


def test_a_tile_has_its_name_above_and_its_number_below():
    first, second = draw_map(rows(["one-two-and-three", "ward"]), "staff").tiles

    assert (first.x, first.y, second.x, second.y) == (6, 6, 116, 6)
    assert first.middle == 58
    assert first.baselines == [(30, "one two and"), (46, "three")]
    assert first.figure_y == 96


def share_of(share, base=100):
    cell = OverviewCell(StaffRunning(), 1, base, share, None, None, (), datetime.date(2020, 8, 10), "")
    return {Proof.SELF_REPORTED: [cell]}


@pytest.mark.parametrize(
    ("share", "level"), [(0.09, 0), (0.1, 1), (0.25, 2), (0.39, 2), (0.4, 3), (0.59, 3), (0.6, 4), (None, 0)]
)
def test_a_tile_is_darker_from_the_same_shares_in_every_week(share, level):
    tile = draw_map([Row(AdminUnit(pk=1, key="ward", name="ward"), share_of(share))], "staff").tiles[0]

    assert tile.level == level


def test_a_tile_says_whether_a_number_is_shown_kept_back_or_missing():
    cells = [share_of(0.2), share_of(None, None), share_of(None, 0), {}]
    drawn = draw_map([Row(AdminUnit(pk=n, key=f"w{n}", name="w"), cell) for n, cell in enumerate(cells, 1)], "staff")

    assert [tile.state for tile in drawn.tiles] == ["shown", "suppressed", "empty", "empty"]
    assert (drawn.width, drawn.height) == (226, 226)
    assert [(tile.x, tile.y) for tile in drawn.tiles] == [(6, 6), (116, 6), (6, 116), (116, 116)]


def test_the_texts_are_in_the_middle_of_an_outline_that_is_as_wide_everywhere():
    ring = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0))
    drawn = draw_map(rows(["ward"]), "staff", Outlines({1: ((ring,),)}))
    (tile,) = drawn.tiles

    assert (tile.x, tile.y) == (drawn.width / 2, drawn.height / 2)
    assert tile.room == pytest.approx(300, abs=0.1)
