# SPDX-License-Identifier: Apache-2.0
"""The bench that judges the warning: its format, its figures, and what it finds where it is known what to find."""

import numpy as np
import pytest
from bench.accuracy.converters import composed, drawn, stretches
from bench.accuracy.figures import auc, calibration_error, found_at
from bench.accuracy.phones import live_through
from bench.accuracy.recordings import HEADERS, InvalidRecordings, read_collection, write_collection
from bench.accuracy.vehicles import AIRS, PEOPLE, compose_ride, judge_rides
from bench.bench_accuracy import SHIPPED, run
from click.testing import CliRunner

from bluezone.cli.main import root
from bluezone.protocol.risk.assessment import load_profile
from bluezone.radio.calibration import Calibration, calibration, uncalibrated

ONE = np.ones(4)


@pytest.fixture
def folder(tmp_path):
    """A collection of two phones that heard each other three times at 1 m, then were apart."""
    (tmp_path / "collection.toml").write_text('name = "two"\nsource = "a test"\n')
    rows = {
        "phones.csv": ["one,,-25,0,1", "two,samsung SM-G970F,,,"],
        "bursts.csv": [f"{phone},{burst},{burst * 30}" for phone in ("one", "two") for burst in (1, 2, 3)],
        "frames.csv": [
            f"{phone},{burst},{other},-80" for phone, other in (("one", "two"), ("two", "one")) for burst in (1, 2, 3)
        ],
        "truth.csv": ["one,two,0,1.0", "two,one,60,5.5", "one,two,90,"],
    }
    for name, lines in rows.items():
        (tmp_path / name).write_text("\n".join([",".join(HEADERS[name]), *lines]) + "\n")
    return tmp_path


def test_a_collection_is_read_with_its_distances_from_moment_to_moment(folder):
    read = read_collection(folder)

    assert read.phones["one"].radio == Calibration(-25, 0, 1)
    assert read.phones["two"].radio == calibration("samsung SM-G970F")
    assert [read.distance_m("two", "one", at) for at in (-1, 0, 59, 60, 90)] == [None, 1.0, 1.0, 5.5, None]
    assert (read.minutes_within("one", "two", 2), read.minutes_within("one", "two", 9)) == (1.0, 1.5)
    assert not read.synthetic


def test_figures_of_another_zero_are_moved_and_an_unknown_model_is_the_median(folder):
    (folder / "collection.toml").write_text('name = "two"\nhand_to_hand_1m_db = 61\n')
    (folder / "phones.csv").write_text(",".join(HEADERS["phones.csv"]) + "\none,,-18,0,1\ntwo,nobody's phone,,,\n")
    read = read_collection(folder)

    assert read.phones["one"].radio == Calibration(-25, 0, 1)
    assert read.phones["two"].radio == uncalibrated()


@pytest.mark.parametrize(
    ("file", "line", "said"),
    [
        ("phones.csv", "three,,loud,0,1", "phones.csv line 4"),
        ("phones.csv", "three,,-99,0,1", "phones.csv line 4"),
        ("bursts.csv", "three,1,0", "'three' is not in phones.csv"),
        ("bursts.csv", "one,0,900", "do not rise"),
        ("frames.csv", "one,9,two,-70", "no burst 9"),
        ("frames.csv", "one,1,two,", "frames.csv line 8"),
        ("truth.csv", "one,three,0,1", "'three' is not in phones.csv"),
        ("truth.csv", "one,two,nan,1", "truth.csv line 5"),
    ],
)
def test_a_wrong_line_is_named(folder, file, line, said):
    with (folder / file).open("a") as opened:
        opened.write(line + "\n")
    with pytest.raises(InvalidRecordings, match=said):
        read_collection(folder)


def test_a_folder_without_a_file_or_a_column_is_refused(folder):
    (folder / "truth.csv").write_text("phone_a,phone_b,seconds\n")
    with pytest.raises(InvalidRecordings, match="no column 'distance_m'"):
        read_collection(folder)
    (folder / "frames.csv").unlink()
    result = CliRunner().invoke(root, ["bench", "accuracy", "--recordings", str(folder), "--json"])
    assert "recordings_invalid" in result.output


def test_what_is_written_is_read_again(tmp_path):
    made = drawn(people=3, minutes=5)
    write_collection(made, tmp_path)
    read = read_collection(tmp_path)

    assert (read.name, read.synthetic, read.truth) == (made.name, True, made.truth)
    assert {name: dict(phone.frames) for name, phone in read.phones.items()} == {
        name: dict(phone.frames) for name, phone in made.phones.items()
    }


def test_each_phone_is_told_of_each_other_one_by_the_code_of_a_real_phone(folder):
    (folder / "bursts.csv").write_text(
        "phone,burst,seconds\n" + "".join(f"{p},{b},{b * 30}\n" for p in ("one", "two") for b in range(1, 51))
    )
    (folder / "frames.csv").write_text(
        "phone,burst,sender,rssi_dbm\n" + "".join(f"one,{b},two,-82\none,{b},two,-84\n" for b in range(1, 51))
    )
    told = {
        meeting.phone: meeting
        for meeting in live_through(read_collection(folder), load_profile("covid-19"), reciprocity=True)
    }

    assert (told["one"].case, told["one"].day.level, told["one"].day.minutes) == ("two", "high", 25)
    assert told["two"].day is None
    assert [len(part.attenuations_db) for part in told["one"].slices] == [9, 10, 10, 10, 10, 1]
    assert {db for part in told["one"].slices for burst in part.attenuations_db for db in burst} == {57, 59}


def test_figures_are_what_they_are_called():
    near = np.array([True, True, False, False])

    assert auc(np.array([4.0, 3, 2, 1]), near, ONE) == 1
    assert auc(np.array([1.0, 1, 1, 1]), near, ONE) == 0.5
    assert auc(np.array([3.0, 1, 2, 0]), near, ONE) == 0.75
    assert auc(np.array([3.0, 1, 2, 0]), near, np.array([1.0, 0, 1, 1])) == 1
    assert found_at(np.array([3.0, 1, 2, 0]), near, ONE, 0.0) == 0.5
    assert found_at(np.array([3.0, 1, 2, 0]), near, ONE, 0.5) == 1
    assert calibration_error(np.array([0.9, 0.9, 0.1, 0.1]), near, ONE) == pytest.approx(0.1)
    assert np.isnan(auc(np.array([1.0, 2]), np.array([True, True]), np.ones(2)))


@pytest.mark.long
def test_the_collection_that_ships_is_called_drawn_in_every_result(capsys):
    lines = []
    result = run(lines.append)

    assert SHIPPED.is_dir()
    assert "SYNTHETIC" in lines[0]
    assert result["synthetic"] is True
    assert "synthetic" in result["name"]
    # The model is not worse than the mean it rests on.
    assert result["value"] >= result["baseline"] - 0.01


def test_riders_sit_on_seats_of_a_bus_and_hear_the_case_for_the_whole_ride():
    riders = compose_ride(20, AIRS[0], 1, 1)
    seconds = [one.seconds_since_last_scan for one in riders.windows[0].scan_instances]

    assert len(riders.windows) == len(riders.metres) == 19
    assert 0.45 <= min(riders.metres) < 2 < max(riders.metres) <= 8
    assert 30 <= sum(seconds) / 60 <= 40
    assert {one.others for one in riders.windows[0].scan_instances} == {18}
    near = riders.metres <= 2
    levels = np.array([window.scan_instances[0].typical_attenuation_db for window in riders.windows])
    assert levels[near].mean() < levels[~near].mean()


def test_rides_say_what_each_rule_costs_and_finds_with_the_spread_over_rides():
    lines = []
    rows = judge_rides(lines.append, rides=2)

    assert len(rows) == len(lines) - 1 == len(AIRS) * len(PEOPLE) * 3
    for row in rows:
        for name in ("false_per_ride", "far_told_high", "near_found", "unclear"):
            value, low, high = row[name]
            assert 0 <= low <= value <= high
    by_rule = {(row["air"], row["people"], row["rule"]): row for row in rows}
    with_rule, without = (by_rule["metal", 40, f"models known, {rule}"] for rule in ("crowd rule", "no crowd rule"))
    assert with_rule["unclear"][0] > without["unclear"][0]
    assert with_rule["near_found"][0] <= without["near_found"][0]


@pytest.mark.slow
def test_on_the_recordings_the_score_is_as_good_as_the_mean_of_the_same_window_whichever_carriage_is_left_out(shared):
    folder = shared / "data" / "rssi" / "rss_HumanHuman"
    for without in (
        None,
        "BackpackBackpack",
        "HandBackpack",
        "HandHand",
        "HandPocket",
        "PocketBackpack",
        "PocketPocket",
    ):
        figures = _figures(stretches(folder, without))["auc_2m"]
        assert figures["nearness"][0] >= figures["mean attenuation"][0] - 0.02, without


@pytest.mark.slow
# Shifts of 5, 6.3 and 7 dB, what is seen between real pairs; the profile assumes 7.1.
@pytest.mark.parametrize(("pair_db", "direction_db"), [(2.5, 4.3), (3.5, 5.2), (4.0, 5.7)])
def test_levels_stated_chances_and_ranges_come_true_on_composed_meetings(shared, tmp_path, pair_db, direction_db):
    folder = shared / "data" / "rssi" / "rss_HumanHuman"
    write_collection(composed(folder, pair_db=pair_db, direction_db=direction_db), tmp_path)
    result = run(lambda _: None, tmp_path)

    for told, least_auc in ((result["meetings"], 0.81), (result["meetings_both_directions"], 0.84)):
        high, certainty = told["high"], told["certainty"]
        assert told["auc"][0] >= least_auc
        assert high["tpr"][0] >= 0.50
        assert high["fpr"][0] <= 0.17
        # Over several compositions the mean is under 0.12; this one lies above it (docs/accuracy.md).
        assert high["of_under_a_minute"][0] <= 0.15
        assert certainty["sure"]["truly_near"][0] >= 0.80
        assert certainty["sure"]["of_the_near"][0] >= 0.10
        assert certainty["calibration_error"][0] < 0.10
        assert told["minutes"]["inside_the_range"][0] >= 0.70
        assert abs(told["minutes"]["median_bias"]) <= 2


def _figures(collection):
    from bench.bench_accuracy import judge_windows

    one_way, both = (
        list(live_through(collection, load_profile("covid-19"), reciprocity=told)) for told in (False, True)
    )
    return judge_windows(collection, one_way, both, lambda _: None)
