# SPDX-License-Identifier: Apache-2.0
import random

import pytest

from bluezone.radio import calibration
from bluezone.radio.air import Pair, Scene, VirtualAir
from bluezone.radio.calibration import InvalidCalibration
from bluezone.radio.comparison import CalibrationFailed, Heard, against, measure
from bluezone.radio.simulatedtime import run_simulated

pytestmark = pytest.mark.long


def measured(scene, seconds, seed=1):
    async def main():
        air = VirtualAir(scene, random.Random(seed))
        return await measure(
            air.radio("unknown"), air.radio("reference"), seconds, random.Random(seed), lambda *_: None
        )

    return run_simulated(main())


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 5))])
def test_an_adapter_like_the_shipped_one_is_found_to_be_like_it(seed):
    result = against("virtual", *measured(Scene(default=Pair(1.0)), 600, seed))

    assert result.effective_power_dbm == pytest.approx(-25, abs=3)
    assert result.receiver_correction_db == pytest.approx(0, abs=3)
    assert result.confidence == 2


def test_a_weaker_sender_and_a_deafer_receiver_are_told_apart():
    at_adapter, at_reference = Heard([-89] * 300), Heard([-85] * 300)  # 10 dB deaf; 6 dB weak; -79 is the rig's

    result = against("virtual", at_adapter, at_reference)

    assert (result.effective_power_dbm, result.receiver_correction_db, result.confidence) == (-31, 10, 2)


def test_two_of_a_kind_give_a_power_of_low_confidence_and_no_correction(tmp_path, monkeypatch):
    monkeypatch.setenv(calibration.FILE_VARIABLE, str(tmp_path / "none.json"))

    result = against("never seen", Heard([-70] * 300), Heard([-74] * 300))

    assert (result.effective_power_dbm, result.receiver_correction_db, result.confidence) == (-18, 0, 1)


def test_too_few_packets_and_impossible_values_are_refused():
    with pytest.raises(CalibrationFailed) as refused:
        measured(Scene(default=Pair(1.0)), 15)
    assert refused.value.code == "calibration_failed"
    with pytest.raises(CalibrationFailed):
        measured(Scene(), 300)
    with pytest.raises(InvalidCalibration):
        against("virtual", Heard([-20] * 300), Heard([-20] * 300))
