# SPDX-License-Identifier: Apache-2.0
"""The main job, from one phone to another, over real HTTP."""

import datetime

import pytest
from tests.builders.handset import BURST_SECONDS, city_with_phones, meet_phone, pages, publish_reports, report_patient

from bluezone.handset.page.shapes import report_of
from bluezone.radio.interface import Burst, Sighting


@pytest.mark.long
def test_a_contact_of_25_minutes_is_warned_after_the_patient_reported(phones, server, world):
    patient, near, elsewhere = phones.new("patient"), phones.new("near"), phones.new("elsewhere")
    meet_phone(near, patient, 25, world=world)
    meet_phone(elsewhere, near, 25, world=world)
    report_patient(patient, server)
    publish_reports(server, world)

    assessment = near.check()
    assert assessment.level == "high"
    (day,) = assessment.days
    assert (day.day, day.band, day.certainty) == (datetime.date(2026, 11, 25), "15-30", "sure")
    assert elsewhere.check().level == "none"
    assert patient.check().level == "none"


def test_what_is_heard_right_after_a_check_is_noted_as_heard_when_its_files_were_out(phones, server, world):
    phone = phones.new("phone")
    phone.check()
    publish_reports(server, world)
    boot = phone.clock.boot_seconds()
    phone.encounters.burst_started(Burst(1, boot, BURST_SECONDS))
    phone.check()
    phone.encounters.heard(Sighting(bytes(16), bytes(4), -60, 1, boot))
    phone.encounters.flush()

    (page,) = pages(phone)
    assert page.stamp.newest_export == phone.downloads.position.number > 0


@pytest.mark.long
def test_where_the_city_holds_keys_back_the_warning_comes_at_the_fixed_hour_and_the_patient_is_told_so(tmp_path):
    with city_with_phones(tmp_path, hold_hours=24, publish_period_seconds=7200) as (server, phones, world):
        patient, near = phones.new("patient"), phones.new("near")
        meet_phone(near, patient, 25, world=world)
        world.pass_by(86_400)
        report_patient(patient, server, onset_days_ago=2)
        told = report_of(patient)
        assert told["publishAt"] - told["sendAt"] == 86_400
        assert told["reachAt"] - told["publishAt"] == patient.city.current.poll_seconds
        fixed = (world.now // 86_400 + 1) * 86_400 + 7200
        while world.now < fixed:
            assert near.check().level == "none"
            world.pass_by(min(7200, fixed - world.now))
            server.key_server.tick()

        assert near.check().level == "high"


def test_a_warning_says_what_to_do_in_both_languages_and_nothing_about_time_or_place(phones, server, world):
    patient, near = phones.new("patient"), phones.new("near")
    meet_phone(near, patient, 25, world=world)
    report_patient(patient, server)
    publish_reports(server, world)
    near.check()

    (warning,) = near.risk.warnings()
    assert "0209 3870 000" in warning.texts["vi"]["step_2"]
    assert "25 November 2026" in warning.texts["en"]["step_2"]
    assert "9/12/2026" in warning.texts["vi"]["step_3"]
    assert not any("{" in text for texts in warning.texts.values() for text in texts.values())


@pytest.mark.long
def test_a_second_check_downloads_nothing_twice_and_changes_nothing(phones, server, world):
    patient, near = phones.new("patient"), phones.new("near")
    meet_phone(near, patient, 25, world=world)
    report_patient(patient, server)
    publish_reports(server, world)
    first = near.check()
    server.requests.clear()

    assert near.check() == first
    fetched = ["/v1/config", "/v1/exports/index.json", "/v1/venues/index.json", "/news/feed.json"]
    assert [path for path, _ in server.requests] == fetched


def test_nine_minutes_at_arm_s_length_warn_nobody(phones, server, world):
    patient, near = phones.new("patient"), phones.new("near")
    meet_phone(near, patient, 9, world=world)
    report_patient(patient, server)
    publish_reports(server, world)

    assert near.check().level == "none"
