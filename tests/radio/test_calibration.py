# SPDX-License-Identifier: Apache-2.0
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.radio import calibration
from bluezone.radio.calibration import Calibration, InvalidCalibration, write_own_calibration


@pytest.fixture(autouse=True)
def own_file(tmp_path, monkeypatch):
    path = tmp_path / "folder" / "radio.json"
    monkeypatch.setenv(calibration.FILE_VARIABLE, str(path))
    return path


def test_the_virtual_adapter_is_calibrated_and_an_unknown_one_says_that_it_is_not():
    assert (calibration.effective_power_dbm("virtual"), calibration.receiver_correction_db("virtual")) == (-18, 0)
    assert calibration.confidence("virtual") == 3
    assert calibration.confidence("0a5c-2209") == 0


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
