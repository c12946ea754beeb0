# SPDX-License-Identifier: Apache-2.0
"""The main job, from one phone to another, over real HTTP."""

import datetime

import pytest
from tests.builders.handset import meet

from bluezone.keyserver import codes

HOUR = 3600


def publish(server, world):
    """Let the embargo of today's keys pass and the server publish."""
    world.pass_by(24 * HOUR + 2 * HOUR)
    server.key_server.tick()


@pytest.fixture
def onset(world):
    return datetime.datetime.fromtimestamp(world.now, datetime.UTC).date() - datetime.timedelta(days=1)


def report(patient, server, onset):
    code = codes.issue(server.key_server, "confirmed", onset).code
    return patient.report(code, consent=True)


def test_a_contact_of_25_minutes_is_warned_after_the_patient_reported(phones, server, world, onset):
    patient, near, elsewhere = phones.new("patient"), phones.new("near"), phones.new("elsewhere")
    meet(near, patient, 25, world=world)
    meet(elsewhere, near, 25, world=world)
    outcome = report(patient, server, onset)
    assert outcome.state == "sent"
    publish(server, world)

    assessment = near.check()
    assert assessment.level == "high"
    (day,) = assessment.days
    assert (day.day, day.band, day.certainty) == (datetime.date(2026, 11, 25), "15-30", "high")
    assert elsewhere.check().level == "none"
    assert patient.check().level == "none"


def test_a_warning_says_what_to_do_in_both_languages_and_nothing_about_time_or_place(phones, server, world, onset):
    patient, near = phones.new("patient"), phones.new("near")
    meet(near, patient, 25, world=world)
    report(patient, server, onset)
    publish(server, world)
    near.check()

    (warning,) = near.warnings()
    assert "0209 3870 000" in warning.texts["vi"]["step_2"]
    assert "25 November 2026" in warning.texts["en"]["step_2"]
    assert "9/12/2026" in warning.texts["vi"]["step_3"]
    assert not any("{" in text for texts in warning.texts.values() for text in texts.values())


def test_a_second_check_downloads_nothing_twice_and_changes_nothing(phones, server, world, onset):
    patient, near = phones.new("patient"), phones.new("near")
    meet(near, patient, 25, world=world)
    report(patient, server, onset)
    publish(server, world)
    first = near.check()
    server.requests.clear()

    assert near.check() == first
    assert [path for path, _ in server.requests] == ["/v1/config", "/v1/exports/index.json"]


def test_nine_minutes_at_arm_s_length_warn_nobody(phones, server, world, onset):
    patient, near = phones.new("patient"), phones.new("near")
    meet(near, patient, 9, world=world)
    report(patient, server, onset)
    publish(server, world)

    assert near.check().level == "none"
