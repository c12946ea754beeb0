# SPDX-License-Identifier: Apache-2.0
"""What a phone says of an hour in a room: others in it change nothing, nor does an unknown model; and what low asks."""

from datetime import date

import pytest
from tests.builders.handset import BURST_SECONDS, publish_reports, report_patient
from tests.builders.protocol import make_config as a_config

from bluezone.handset.exposure.warnings import build_warnings
from bluezone.protocol.risk.assessment import Assessment, DayExposure
from bluezone.radio.calibration import effective_power_dbm
from bluezone.radio.interface import Burst, Sighting

MINUTES = 40


def sit(listener, around, *, world, model="virtual"):
    """Let a phone hear others of one model for 40 minutes. around: each of them, and how far (dB) it is attenuated."""
    power_dbm = effective_power_dbm(model) - listener.encounters.receiver.correction_db
    for number in range(1, int(MINUTES * 60 / BURST_SECONDS) + 1):
        burst = Burst(number, listener.clock.boot_seconds(), BURST_SECONDS)
        listener.encounters.burst_started(burst)
        for other, attenuation_db in around.items():
            payload = other.encounters.payload()
            sighting = Sighting(payload[:16], payload[16:], power_dbm - attenuation_db, number, burst.boot_seconds)
            listener.encounters.heard(sighting)
        world.pass_by(BURST_SECONDS)
    listener.encounters.flush()


def warned(listener, patient, server, world):
    """The one warning of a phone once the patient has reported."""
    report_patient(patient, server)
    publish_reports(server, world)
    listener.check()
    (warning,) = listener.risk.warnings()
    return warning


@pytest.mark.long
@pytest.mark.parametrize("others", [4, 5])
def test_forty_minutes_at_an_arms_length_are_high_however_many_sit_around(phones, server, world, others):
    patient, near = phones.new("patient"), phones.new("near")
    room = {phones.new(f"other{number}"): 60 + number for number in range(others)}
    sit(near, {patient: 50, **room}, world=world)

    warning = warned(near, patient, server, world)

    assert (warning.level, warning.certainty) == ("high", "sure")


@pytest.mark.long
@pytest.mark.parametrize(("model", "certainty"), [("virtual", "sure"), ("a model that the table lacks", "likely")])
def test_two_phones_of_unknown_models_are_judged_too_and_less_surely(phones, server, world, model, certainty):
    patient, near = (phones.new(name, model=model) for name in ("patient", "near"))
    sit(near, {patient: 50}, world=world, model=model)

    warning = warned(near, patient, server, world)

    assert (warning.level, warning.certainty) == ("high", certainty)


@pytest.mark.parametrize("level", ["low", "high"])
def test_under_a_config_of_an_earlier_release_low_still_keeps_its_owner_apart_from_no_one(level):
    names = ("step_1", "step_2", "step_3", "lead", "not_known", "doubt")
    texts = {name: f"stay apart, {name}" for name in names}
    texts |= {f"unclear_{name}": f"watch, {name}" for name in names[:4]}
    day = DayExposure(date(2026, 11, 25), 9.0, level, 30, "15-30", "unlikely", None, (0.0, 20.0), 0.3)

    (warning,) = build_warnings(Assessment(level, (day,)), a_config(texts={"vi": texts, "en": texts}))

    steps = [warning.texts["vi"][name] for name in names[:3]]
    assert all(step.startswith("watch" if level == "low" else "stay apart") for step in steps)
    assert warning.texts["en"]["doubt"] == "stay apart, doubt"
