# SPDX-License-Identifier: Apache-2.0
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.radio.air.figures import UnknownCarriage
from bluezone.radio.air.scenes import InvalidScene, parse_scene, read_scene

EXAMPLE = """
handsets = ["patient", "near", "far"]
loss = 0.1

[default]
distance_m = 50.0

[[pairs]]
between = ["patient", "near"]
distance_m = [[0, 20.0], [600, 1.0], [2100, 20.0]]
carriage = "pocket-hand"

[[pairs]]
between = ["patient", "far"]
distance_m = 10.0
walls = 1
"""


def test_a_scene_says_who_is_where_and_when(tmp_path):
    path = tmp_path / "scene.toml"
    path.write_text(EXAMPLE)
    scene = read_scene(path)

    assert scene.handsets == ("patient", "near", "far")
    assert scene.loss_at(0) == 0.1
    near = scene.between("near", "patient")
    assert [near.at(seconds)[0] for seconds in (0, 599, 600, 2099, 2100, 9999)] == [20, 20, 1, 1, 20, 20]
    assert near.at(0)[1:] == (0, "hand-pocket")
    assert scene.between("patient", "far").at(0) == (10.0, 1, "hand-hand")
    assert scene.between("near", "far").at(0)[0] == 50.0


def test_json_says_the_same(tmp_path):
    path = tmp_path / "scene.json"
    path.write_text(json.dumps({"pairs": [{"between": ["a", "b"], "distance_m": 2}]}))

    assert read_scene(path).between("b", "a").at(0) == (2.0, 0, "hand-hand")


def test_a_scene_says_who_is_in_which_place(tmp_path):
    path = tmp_path / "scene.toml"
    path.write_text('places = {bus = ["a", "b"], hall = ["c"]}\ndefault = {distance_m = 2}')

    assert read_scene(path).places == {"a": "bus", "b": "bus", "c": "hall"}


@pytest.mark.parametrize(
    "text",
    [
        "pairs = 1",
        "los = 0.1",
        "loss = 1.5",
        "loss = true",
        'handsets = ["a", "a"]',
        'handsets = [""]',
        "default = 3",
        "default = {walls = 1}",
        "default = {distance_m = -1}",
        "default = {distance_m = nan}",
        "default = {distance_m = 1, walls = 1.5}",
        "default = {distance_m = 1, colour = 2}",
        "default = {distance_m = [[5, 1.0]]}",
        "default = {distance_m = [[0, 1.0], [0, 2.0]]}",
        "default = {distance_m = [[0, 1.0], [9, -2.0]]}",
        "default = {distance_m = []}",
        'pairs = [{between = ["a"], distance_m = 1}]',
        'pairs = [{between = ["a", "a"], distance_m = 1}]',
        'pairs = [{between = ["a", "b"], distance_m = 1}, {between = ["b", "a"], distance_m = 2}]',
        'places = ["a"]',
        'places = {bus = "a"}',
        'places = {bus = ["a", "a"]}',
        'places = {bus = ["a"], hall = ["a"]}',
        'places = {bus = [""]}',
        "not a scene",
        "\0",
    ],
)
def test_a_scene_that_is_not_clear_is_refused(tmp_path, text):
    path = tmp_path / "scene.toml"
    path.write_text(text)
    with pytest.raises(InvalidScene) as refused:
        read_scene(path)
    assert refused.value.code == "scene_invalid"


def test_missing_oversized_and_wrongly_encoded_files_are_refused(tmp_path):
    large, latin = tmp_path / "large.toml", tmp_path / "latin.toml"
    large.write_bytes(b"#" * 1_000_001)
    latin.write_bytes(b"# \xff\n")
    for path in (tmp_path / "absent.toml", tmp_path, large, latin):
        with pytest.raises(InvalidScene):
            read_scene(path)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["handsets", "loss", "default", "pairs", "places", "between", "distance_m", "walls", "carriage"]
            ),
            inner,
        )
    ),
    max_leaves=20,
)


@pytest.mark.long
@given(table=json_values)
def test_any_json_is_either_a_scene_or_refused(table):
    scene = None
    with contextlib.suppress(InvalidScene, UnknownCarriage):
        scene = parse_scene(table)
    if scene is not None:
        distance_m, walls, _ = scene.between("x", "y").at(0)
        assert distance_m >= 0
        assert 0 <= walls <= 20
