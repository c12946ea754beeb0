# SPDX-License-Identifier: Apache-2.0
import json
import random
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.radio.androiddouble import AndroidPhone

from bluezone.radio import calibration
from bluezone.radio.air import Scene, VirtualAir
from bluezone.radio.android import AndroidRadio
from bluezone.radio.calibration import Calibration, InvalidCalibration, write_own_calibration
from bluezone.radio.simulatedtime import run_simulated


@pytest.fixture(autouse=True)
def own_file(tmp_path, monkeypatch):
    path = tmp_path / "folder" / "radio.json"
    monkeypatch.setenv(calibration.FILE_VARIABLE, str(path))
    return path


def test_the_virtual_adapter_is_calibrated_and_an_unknown_one_says_that_it_is_not():
    assert (calibration.effective_power_dbm("virtual"), calibration.receiver_correction_db("virtual")) == (-25, 0)
    assert calibration.confidence("virtual") == 3
    assert calibration.confidence("0a5c-2209") == 0


@pytest.mark.parametrize(
    ("model", "power", "correction"),
    [
        ("SM-G973F", -29, 2), ("SM-G970F", -25, 5), ("SM-A405FN", -23, 2),
        ("SM-A515F", -28, 2), ("SM-A908B", -25, 5), ("SM-G981B", -25, 5),
    ],
)  # fmt: skip
def test_a_phone_of_the_public_table_is_known_by_maker_and_model_and_never_as_if_we_had_measured_it(
    model, power, correction
):
    assert calibration.calibration(f"samsung {model}") == Calibration(power, correction, 1)
    assert calibration.confidence(f"{model}") == 0, "the same model name of another maker is another phone"


def test_every_shipped_figure_names_its_source_and_licence():
    table = tomllib.loads(calibration.SHIPPED_FILE.read_text())

    assert all({"of", "licence"} <= set(source) for source in table["sources"].values())
    assert {row["source"] for row in table["models"]} == set(table["sources"])
    assert len({row["model"] for row in table["models"]}) == len(table["models"])


def test_an_android_phone_is_looked_up_by_what_it_calls_itself(android_double):
    async def model(name):
        air = VirtualAir(Scene(), random.Random(1))
        return AndroidRadio(AndroidPhone(air, "phone", model=name).start_process()).model

    assert calibration.confidence(run_simulated(model("SM-G970F"))) == 1
    assert calibration.calibration(run_simulated(model("Nobody's Phone"))) == calibration.uncalibrated()


def test_a_phone_nobody_measured_is_taken_for_the_median_of_those_that_were():
    assert calibration.uncalibrated() == Calibration(-25, 4, 0)


def test_figures_of_another_zero_are_moved_to_ours_and_a_zero_nobody_named_is_refused():
    row = {"model": "x", "effective_power_dbm": -18, "receiver_correction_db": 3, "confidence": 1, "source": "rig"}
    table = {"models": [row], "sources": {"rig": {"hand_to_hand_1m_db": 61}}}

    assert calibration.read_table(table) == {"x": Calibration(-25, 3, 1)}
    with pytest.raises(InvalidCalibration, match="zero is unknown"):
        calibration.read_table(table | {"sources": {"rig": {}}})


def test_two_phones_of_the_shipped_rig_read_our_zero_at_one_metre():
    measured_dbm = -79.4  # mean of the recordings the rig stands for

    rig = calibration.calibration("virtual")
    attenuation_db = rig.effective_power_dbm - (measured_dbm + rig.receiver_correction_db)
    assert round(attenuation_db) == calibration.HAND_TO_HAND_1M_DB


def test_what_the_owner_measured_with_an_older_program_is_moved_too(own_file):
    own_file.parent.mkdir()
    older = {"effective_power_dbm": -18, "receiver_correction_db": 0, "confidence": 2}
    own_file.write_text(json.dumps({"older": older, "newer": older | {"hand_to_hand_1m_db": 54}}))

    assert calibration.effective_power_dbm("older") == -25
    assert calibration.effective_power_dbm("newer") == -18


def test_what_the_owner_measured_goes_before_the_shipped_table_and_is_kept(own_file):
    write_own_calibration("virtual", Calibration(-20, 3, 2))
    write_own_calibration("0a5c-2209", Calibration(-12, -4, 1))

    assert calibration.effective_power_dbm("virtual") == -20
    assert calibration.receiver_correction_db("0a5c-2209") == -4
    assert sorted(json.loads(own_file.read_text())) == ["0a5c-2209", "virtual"]
    assert [path.name for path in own_file.parent.iterdir()] == ["radio.json"]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"x": 1}', '{"x": {}}', '{"x": {"effective_power_dbm": -99}}', '{"x": {"a": 1}}', "\xff\xfe"],
)
def test_a_spoilt_file_is_refused(own_file, text):
    own_file.parent.mkdir()
    own_file.write_bytes(text.encode("latin-1"))
    with pytest.raises(InvalidCalibration) as refused:
        calibration.confidence("virtual")
    assert refused.value.code == "calibration_invalid"


@given(
    power=st.one_of(st.integers(-200, -51), st.integers(21, 200), st.none(), st.floats(), st.booleans()),
)
def test_powers_that_no_adapter_has_are_refused(power):
    with pytest.raises(InvalidCalibration):
        Calibration(power, 0, 1)
