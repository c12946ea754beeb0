# SPDX-License-Identifier: Apache-2.0
"""What a phone says of an hour in a room: other people in it change nothing, and neither does an unknown model."""

import pytest
from tests.builders.handset import BURST_SECONDS, published, reported

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
    reported(patient, server)
    published(server, world)
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
