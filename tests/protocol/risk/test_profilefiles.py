# SPDX-License-Identifier: Apache-2.0
import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.protocol.risk.profile import Range
from bluezone.protocol.risk.profilefiles import InvalidProfile, load_profile, parse_profile, profile_document

COVID = profile_document("covid-19")
REPOSITORY = Path(__file__).parents[3]


def changed(path: str, value: object) -> dict:
    """The covid-19 profile with one entry, named like `levels.low` or `weights.0.weight`, set to something else."""
    document = copy.deepcopy(COVID)
    *parents, name = [int(part) if part.isdigit() else part for part in path.split(".")]
    table = document
    for parent in parents:
        table = table[parent]
    table[name] = value
    return document


def test_the_shipped_profile_is_the_one_of_the_protocol():
    profile = load_profile("covid-19")

    nearness = profile.nearness
    assert nearness is not None
    assert (nearness.near_m, nearness.high_minutes, nearness.at_1m_db, nearness.low_dose, nearness.high_dose) == (
        2.0, 10, 54, 8, 16,
    )  # fmt: skip
    assert [profile.factor(*pair) for pair in ((1, 2), (1, 1), (2, 2), (2, 1))] == [1.6, 1.4, 1.2, 1.0]
    assert {profile.factor(kind, level) for kind in (0, 3, 4, 5) for level in (0, 1, 2)} == {0}
    assert {profile.factor(kind, 0) for kind in range(6)} == {0}
    assert [profile.level(score) for score in (0, 8.999, 9, 14.999, 15, 1e6)] == ["none"] * 2 + ["low"] * 2 + [
        "high"
    ] * 2
    assert (profile.attenuation, profile.minimum_minutes, profile.max_age_days) == ("typical", 10, 14)
    assert [profile.infectiousness(days) for days in (0, 7, 1, -3, None)] == [2, 1, 1, 1, 1]
    assert profile.summary is not None
    assert [profile.summary.attenuation_weight(db) for db in (62, 63, 69, 70, 78, 79)] == [1, 0.8, 0.8, 0.3, 0.3, 0]


def test_the_protocol_document_states_the_shipped_profile_s_bounds():
    text = " ".join((REPOSITORY / "docs" / "protocol.md").read_text(encoding="utf-8").split())
    levels, shift, segment = (COVID["nearness"][part] for part in ("levels", "shift", "segment"))
    calibration = ", ".join(f"{db:g}" for db in shift["calibration_db"])

    for stated in (
        f"| low | dose from {levels['low_dose']:g} |",
        f"dose from {levels['high_dose']:g}, and a chance of at least {levels['high_chance']:g} of "
        f"{levels['high_minutes']:g} minutes near",
        f"`sure` from {levels['sure_chance']:g}, `likely` from {levels['high_chance']:g}",
        f"pair {shift['pair_db']:g}, direction {shift['direction_db']:g}, drift {segment['drift_db']:g}, "
        f"burst {segment['burst_db']:g}; calibration {calibration} for confidence 0 to 3",
    ):
        assert stated in text


def test_a_profile_survives_the_signed_config():
    assert parse_profile(json.loads(json.dumps(COVID))) == load_profile("covid-19")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("attenuation", "mean"),
        ("attenuation", ["typical"]),
        ("name", ""),
        ("name", 19),
        ("max_age_days", -1),
        ("max_age_days", 14.5),
        ("max_age_days", True),
        ("minimum_minutes", "10"),
        ("minimum_minutes", float("nan")),
        ("nearness", []),
        ("nearness.distances.near_m", 0.2),
        ("nearness.distances.farthest_m", float("inf")),
        ("nearness.attenuation.slope_db", 0),
        ("nearness.attenuation.slope", 18),
        ("nearness.shift.calibration_db", [6, 2, 1]),
        ("nearness.segment.stays", []),
        ("nearness.segment.stays", [1.1]),
        ("nearness.segment.seconds", 0),
        ("nearness.segment.burst_db", 0),
        ("nearness.levels.low_dose", 16),
        ("nearness.levels.sure_chance", 0.4),
        ("nearness.unclear.crowd", 5.5),
        ("nearness.walls", {}),
        ("factors", 1.6),
        ("factors.confirmed_test.high", None),
        ("factors.confirmed_test.low", 1.0),
        ("factors.rumour", {"high": 1.0, "standard": 1.0}),
        ("levels.low", 15),
        ("levels.low", 0),
        ("levels.middle", 12),
        ("infectiousness.high_days_since_onset", 0),
        ("infectiousness.high_days_since_onset", [0, 15]),
        ("infectiousness.high_days_since_onset", [0.5]),
        ("summary.thresholds_db", [62, 69]),
        ("summary.thresholds_db", [69, 62, 78]),
        ("summary.attenuation", [1.0, 0.8, 0.3, 2.6]),
        ("summary.report_type", {"revoked": 1.0}),
        ("remark", "new"),
    ],
)
def test_a_wrong_entry_is_refused_by_its_name(path, value):
    with pytest.raises(InvalidProfile) as refused:
        parse_profile(changed(path, value))
    assert refused.value.code == "profile_invalid"
    assert path.split(".")[0] in refused.value.message


# The least and the most that each number of a profile may be; None where another number bounds it first.
BOUNDS = {
    "max_age_days": (0, 60),
    "minimum_minutes": (0, 1440),
    "factors.confirmed_test.high": (0, 10),
    "factors.confirmed_test.standard": (0, 10),
    "nearness.attenuation.at_1m_db": (0, 255),
    "nearness.attenuation.slope_db": (1, 100),
    "nearness.attenuation.bend_m": (0.1, 1000),
    "nearness.attenuation.far_slope_db": (0, 100),
    "nearness.distances.farthest_m": (None, 1000),
    "nearness.distances.nearest_m": (0.05, None),
    "nearness.shift.pair_db": (0, 40),
    "nearness.shift.direction_db": (0, 40),
    "nearness.shift.calibration_db.3": (0, 40),
    "nearness.segment.drift_db": (0.5, 40),
    "nearness.segment.burst_db": (0.5, 40),
    "nearness.segment.seconds": (60, 3600),
    "nearness.segment.stays.0": (0, 1),
    "nearness.levels.high_dose": (None, 10_000),
    "nearness.levels.high_minutes": (0.5, 1440),
    "nearness.levels.high_chance": (0, None),
    "nearness.levels.sure_chance": (None, 1),
    "nearness.unclear.directions_within_db": (0, 255),
    "nearness.unclear.crowd": (2, 1000),
    "nearness.unclear.crowd_spread_db": (0, 255),
    "nearness.unclear.change_db": (0, 255),
    "nearness.unclear.fewest_bursts": (1, 1000),
    "levels.high": (None, 10_000),
    "summary.thresholds_db.0": (0, None),
    "summary.thresholds_db.2": (None, 255),
    "summary.attenuation.3": (0, 2.5),
    "summary.report_type.confirmed_test": (0, 2.5),
    "infectiousness.high_days_since_onset.0": (-14, 14),
}


@pytest.mark.parametrize("path", BOUNDS)
def test_a_number_is_read_up_to_its_bounds_and_no_farther(path):
    for bound, beyond in zip(BOUNDS[path], (-1, 1), strict=True):
        if bound is not None:
            assert parse_profile(changed(path, bound))
            step = 1 if isinstance(bound, int) else 0.01
            with pytest.raises(InvalidProfile):
                parse_profile(changed(path, bound + beyond * step))


STEPS = {name: table for name, table in COVID.items() if name != "nearness"} | {
    "weights": [{"below_db": 63, "weight": 1.0}, {"below_db": 70, "weight": 0.8}]
}


@pytest.mark.parametrize(
    "weights",
    [[], {}, "all", [3], [{"below_db": 63, "weight": -0.1}], [{"below_db": 63, "weight": float("inf")}],
     [{"below_db": 62.5, "weight": 1.0}], [STEPS["weights"][0]] * 2, [{"below_db": 63, "weigth": 1.0}]],
)  # fmt: skip
def test_steps_by_attenuation_are_what_a_profile_without_a_model_of_nearness_has(weights):
    assert [parse_profile(STEPS).weight(db) for db in (0, 62, 63, 69, 70, 200)] == [1, 1, 0.8, 0.8, 0, 0]
    with pytest.raises(InvalidProfile, match="weights"):
        parse_profile(STEPS | {"weights": weights})


@pytest.mark.parametrize("name", ["name", "attenuation", "factors", "levels", "infectiousness", "weights"])
def test_a_missing_entry_is_refused_by_its_name(name):
    with pytest.raises(InvalidProfile, match=f"profile.{name} is missing"):
        parse_profile({key: value for key, value in (STEPS if name == "weights" else COVID).items() if key != name})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from([*COVID, "minutesAtAttenuationWeights", "trlFilters"]), json_values)
def test_anything_in_the_place_of_an_entry_is_read_or_refused(name, value):
    try:
        profile = parse_profile({**COVID, name: value})
    except InvalidProfile:
        return
    assert profile.level(0) == "none"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("broken.toml", b"name = "),
        ("latin.toml", "name = 'Bắc Kạn'".encode("utf-16")),
        ("broken.json", b"{"),
        ("list.json", b"[]"),
        ("deep.json", b"[" * 99_000),
        ("long.toml", b"#" * 100_001),
    ],
)
def test_a_file_that_is_no_profile_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)

    with pytest.raises(InvalidProfile):
        load_profile(tmp_path / name)


@pytest.mark.parametrize("name", ["measles", "/", "a\0b", ""])
def test_a_profile_that_is_not_there_is_refused(name):
    with pytest.raises(InvalidProfile):
        load_profile(name)


def test_a_profile_of_ones_own_is_read_from_a_file(tmp_path):
    path = tmp_path / "own.json"
    path.write_text(json.dumps(changed("levels.high", 20)))

    assert load_profile(path).level(16) == "low"
    assert load_profile(str(path)).level(20) == "high"


@pytest.mark.parametrize(
    ("within", "inside", "outside"),
    [
        (Range(1, 2), [1, 1.5, 2], [0.9, 2.1]),
        (Range(1, 2, low_exclusive=True), [1.1, 2], [1]),
        (Range(1, 2, high_exclusive=True), [1, 1.9], [2]),
        (Range(1), [1, 1e9], [0]),
    ],
)
def test_a_range_holds_its_bounds_unless_they_are_exclusive(within, inside, outside):
    assert all(number in within for number in inside)
    assert not any(number in within for number in outside)


def test_a_day_is_the_longest_that_an_exposure_can_be_asked_to_last():
    assert parse_profile(changed("minimum_minutes", 1440)).minimum_minutes == 1440
    for minutes in (1440.5, 1441):
        with pytest.raises(InvalidProfile, match="minimum_minutes"):
            parse_profile(changed("minimum_minutes", minutes))
