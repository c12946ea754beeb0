# SPDX-License-Identifier: Apache-2.0
"""One screen at a time stands between the owner and Bluezone: which one, on which Android, and what it may ask for."""

import itertools
import json

import pytest

from bluezone.handset.android import permissions
from bluezone.handset.android.permissions import (
    PhoneState,
    answers_after,
    may_run,
    next_step,
    required_permissions,
    required_steps,
    step_permissions,
)
from bluezone.handset.android.setup import Answers, Setup

NEARBY = frozenset({permissions.SCAN, permissions.ADVERTISE, permissions.CONNECT})
LOCATION = frozenset({permissions.FINE_LOCATION})
ALWAYS = LOCATION | {permissions.BACKGROUND_LOCATION}
AGREED = Answers(agreed=True)
ALL_ANSWERED = Answers(True, True, True, True, True)


@pytest.mark.parametrize(
    ("api_level", "granted", "answers", "step"),
    [
        (34, frozenset(), Answers(), "agree"),
        (34, NEARBY, Answers(), "agree"),
        (34, frozenset(), AGREED, "nearby"),
        (34, NEARBY - {permissions.CONNECT}, ALL_ANSWERED, "nearby"),
        (34, NEARBY, AGREED, "notices"),
        (32, NEARBY, AGREED, "battery"),
        (34, NEARBY | {permissions.NOTIFICATIONS}, AGREED, "battery"),
        (34, NEARBY, Answers(agreed=True, notices_asked=True, battery_asked=True), "maker"),
        (34, NEARBY, ALL_ANSWERED, "go"),
        (30, frozenset(), AGREED, "location"),
        (30, LOCATION, AGREED, "location_always"),
        (30, ALWAYS, AGREED, "battery"),
        (28, LOCATION, AGREED, "battery"),
    ],
)
def test_the_next_screen_follows_from_what_is_missing(api_level, granted, answers, step):
    assert next_step(PhoneState(api_level, granted), answers) == step


def test_what_android_asks_no_more_leads_to_its_settings_and_a_withdrawn_permission_brings_the_question_back():
    settled = PhoneState(34, frozenset(), settled=frozenset({permissions.SCAN}))

    assert next_step(settled, ALL_ANSWERED) == "blocked"
    assert next_step(PhoneState(34, NEARBY), ALL_ANSWERED) == "go"
    assert next_step(PhoneState(34), ALL_ANSWERED) == "nearby"
    assert not may_run(PhoneState(34), ALL_ANSWERED)


def test_the_location_switch_is_asked_for_once_and_only_where_bluetooth_needs_it():
    assert next_step(PhoneState(30, ALWAYS, location_on=False), AGREED) == "location_switch"
    assert next_step(PhoneState(30, ALWAYS, location_on=False), ALL_ANSWERED) == "go"
    assert next_step(PhoneState(31, NEARBY, location_on=False), ALL_ANSWERED) == "go"


def test_a_phone_whose_service_was_killed_reads_again_how_to_keep_it_alive():
    killed = Answers(True, True, True, True, True, killed=True)

    assert next_step(PhoneState(34, NEARBY), killed) == "maker"
    assert answers_after("maker") == {"maker_read": True, "killed": False}


@pytest.mark.parametrize("api_level", range(31, 37))
def test_from_android_12_on_no_step_asks_for_location(api_level):
    asked = set(itertools.chain.from_iterable(step_permissions(step) for step in required_steps(api_level)))

    assert not {name for name in asked if "LOCATION" in name}


@pytest.mark.parametrize("api_level", range(26, 37))
def test_nothing_runs_before_the_owner_agreed_whatever_is_granted(api_level):
    everything = NEARBY | ALWAYS | {permissions.NOTIFICATIONS}

    assert not may_run(PhoneState(api_level, everything, battery_exempt=True), Answers())
    assert may_run(PhoneState(api_level, everything), AGREED)


def test_java_finds_in_the_file_of_answers_what_is_needed_and_python_reads_the_file_all_the_same(tmp_path):
    Setup(tmp_path, required_permissions(34)).update(agreed=True)

    assert set(json.loads((tmp_path / "setup.json").read_text())["needed"]) == NEARBY
    assert Setup(tmp_path).answers.agreed
