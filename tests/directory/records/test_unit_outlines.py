# SPDX-License-Identifier: Apache-2.0
"""Outlines of units from a city's GeoJSON file: whose they are, what is refused, and how lines are thinned out."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import outlines

from bluezone.directory.models import AdminUnit
from bluezone.directory.records.unit_outlines import (
    ShapesUnreadable,
    outlines_of,
    read_features,
    simplify_line,
    simplify_ring,
)

SQUARE = [[105.8, 22.1], [105.9, 22.1], [105.9, 22.2], [105.8, 22.2], [105.8, 22.1]]


@pytest.fixture
def data_folder(tmp_path, settings):
    settings.DATA_FOLDER = tmp_path
    return tmp_path


def unit(pk, name, key="", code=None):
    return AdminUnit(pk=pk, name=name, key=key or f"u{pk}", code=code)


def collection(*features):
    return {"type": "FeatureCollection", "features": list(features)}


def matched(data_folder, units, *features):
    outlines.put(data_folder, collection(*features))
    found = outlines_of(units)
    assert found.trouble == ""
    return {pk: len(polygons) for pk, polygons in found.by_unit.items()}


def test_without_a_file_there_are_no_outlines(data_folder):
    assert outlines_of([unit(1, "phường Sông Cầu")]).by_unit == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [("key", "phuong-song-cau"), ("code", "01837"), ("ma_xa", "01837"), ("ref", 1837), ("name", "PHƯỜNG SÔNG CẦU")],
)
def test_a_unit_is_found_by_key_code_or_name(data_folder, name, value):
    asked = unit(7, "phường Sông Cầu", "phuong-song-cau", "01837")

    assert matched(data_folder, [asked], outlines.feature(value, [SQUARE], name)) == {7: 1}


def test_parts_with_one_code_are_one_unit(data_folder):
    parts = [outlines.feature("01837", [SQUARE], "code")] * 2

    assert matched(data_folder, [unit(7, "phường Sông Cầu", code="01837")], *parts) == {7: 2}


def test_a_name_that_two_units_or_two_outlines_have_tells_nothing(data_folder):
    two = [unit(1, "phường 1"), unit(2, "phường 1")]

    assert matched(data_folder, two, outlines.feature("Phường 1", [SQUARE])) == {}
    assert matched(data_folder, two[:1], *[outlines.feature("Phường 1", [SQUARE])] * 2) == {}


def test_a_file_put_there_anew_is_read_anew(data_folder):
    asked = [unit(1, "phường Sông Cầu")]
    assert matched(data_folder, asked, outlines.feature("xã Dương Quang", [SQUARE])) == {}
    assert matched(data_folder, asked, outlines.feature("phường Sông Cầu", [SQUARE])) == {1: 1}


def test_metres_of_vn_2000_are_refused_with_the_command_that_converts_them():
    metres = [[585000.1, 2445000.5], [586000, 2445000], [586000, 2446000], [585000.1, 2445000.5]]

    with pytest.raises(ShapesUnreadable, match="ogr2ogr -t_srs EPSG:4326"):
        read_features(collection(outlines.feature("x", [metres])))


@pytest.mark.parametrize(
    "document",
    [
        [], {"type": "Feature"}, None,
        collection(outlines.feature("x", [SQUARE[:-1]])),
        collection(outlines.feature("x", [[[105.8, float("nan")]] * 4])),
        collection(outlines.feature("x", [[105.8, 22.1]])),
        collection(outlines.feature("x", [[["a", "b"]] * 4])),
        collection(outlines.feature("x", 5)),
    ],
)  # fmt: skip
def test_what_is_no_map_of_polygons_is_refused(document):
    with pytest.raises(ShapesUnreadable):
        read_features(document)


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "\x00", '{"type": "FeatureCollection", "features": 5}'])
def test_a_file_that_cannot_be_read_is_never_an_error_of_a_page(data_folder, text):
    outlines.put(data_folder, text)

    assert outlines_of([unit(1, "x")]).by_unit == {}


def test_roads_and_labels_among_the_outlines_are_left_out():
    road = {"type": "Feature", "properties": {}, "geometry": {"type": "LineString", "coordinates": SQUARE}}

    assert read_features(collection(road, {"type": "Feature"}, "x", outlines.feature("x", [SQUARE])))[0][0].names == (
        "x",
    )


@pytest.mark.parametrize("end", [(4.0, 4.0), (4.0, 2.0), (-4.0, 2.0), (4.0, 0.0), (0.0, 4.0)])
def test_a_point_on_a_line_is_left_out_however_the_line_slants_and_a_point_off_it_stays(end):
    middle = (end[0] / 2, end[1] / 2)
    off = (middle[0] - end[1] / 8, middle[1] + end[0] / 8)

    assert simplify_line(((0.0, 0.0), middle, end), 0.1) == ((0.0, 0.0), end)
    assert simplify_line(((0.0, 0.0), off, end), 0.1) == ((0.0, 0.0), off, end)


@given(
    st.lists(st.tuples(st.floats(-100, 100), st.floats(-100, 100)), min_size=3, max_size=40, unique=True),
    st.floats(0.01, 20),
)
def test_a_thinned_ring_stays_within_its_tolerance_of_every_point(points, tolerance):
    ring = (*points, points[0])
    thin = simplify_ring(ring, tolerance)

    assert thin[0] == thin[-1] == ring[0]
    assert len(thin) >= 4
    assert set(thin) <= set(ring)
    for point in ring:
        assert min(_off(point, *ends) for ends in pairwise(thin)) <= tolerance + 1e-6


def _off(point, begin, end):
    length = math.dist(begin, end)
    if length == 0:
        return math.dist(point, begin)
    along = sum((p - b) * (e - b) for p, b, e in zip(point, begin, end, strict=True)) / length**2
    along = min(1.0, max(0.0, along))
    return math.dist(point, [b + along * (e - b) for b, e in zip(begin, end, strict=True)])
