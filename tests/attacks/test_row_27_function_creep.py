# SPDX-License-Identifier: Apache-2.0
"""Attack row 27, function creep: no table joins a person and a place; what there is of time at a gate is purged.

The exceptions are the ones of docs/privacy.md: staff on duty (shifts, nominations) and requests for help.
"""

import datetime

import pytest
from django.apps import apps
from django.utils import timezone
from tests.builders.gates import gate

from bluezone.rollout.gates import counters, registry
from bluezone.rollout.gates.counters import store_counters
from bluezone.rollout.gates.models import GateCounter, GateDay, Shift, UndatedCounter

PLACES = {"Gate", "GateDevice", "GateCounter", "UndatedCounter", "GateDay", "PaperSlip", "Shift", "Gatekeeper"}
# Words of a field that could name, call or recognise a person.
PERSON = ("name", "phone", "person", "user", "contact", "email", "badge", "pass", "token", "identifier", "visitor")
# Duties of staff, named in docs/privacy.md with purpose and limit.
STAFF = {"Gatekeeper", "Shift"}
OWN_NAMES = {("Gate", "name"), ("PaperSlip", "no_smartphone")}  # of the gate, and a number
# Of gates of the kind "drive", where nobody passes but who was just helped; docs/privacy.md names requests for help.
DRIVES = {"Drive", "HelpOutcome"}


def test_no_table_of_the_gates_joins_a_person_and_a_place():
    guilty = []
    for model in apps.get_app_config("gates").get_models():
        for field in model._meta.get_fields():
            if field.auto_created or model.__name__ in STAFF or (model.__name__, field.name) in OWN_NAMES:
                continue
            target = field.related_model.__name__ if field.is_relation else ""
            if any(word in field.name for word in PERSON) or target in {"User", "Gatekeeper"}:
                guilty.append((model.__name__, field.name))

    assert guilty == []
    assert {model.__name__ for model in apps.get_app_config("gates").get_models()} == PLACES


def test_no_other_table_points_at_a_gate_and_a_shift_points_at_no_count():
    pointing = {
        model.__name__
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.is_relation and field.concrete and getattr(field.related_model, "__name__", "") == "Gate"
    }

    assert pointing - DRIVES == PLACES - {"Gate"}
    assert {field.name for field in GateCounter._meta.fields} == {
        "id", "device", "gate", "bucket", "day", "direction", "verdict", "proof", "count"
    }  # fmt: skip
    assert {field.name for field in UndatedCounter._meta.fields} == {
        "id", "device", "gate", "bucket", "received", "direction", "verdict", "count"
    }  # fmt: skip
    assert {field.name for field in Shift._meta.fields} == {"key", "gate", "gatekeeper", "started_at", "ended_at"}


@pytest.mark.django_db
def test_after_its_time_nothing_finer_than_a_day_and_nobody_s_working_time_is_left():
    now = timezone.now()
    made, _token = gate(now=now)
    lan = registry.nominate("clerk", made, "Hà Thị Lan", timezone.localdate(now), now=now).gatekeeper
    bucket = int(now.timestamp()) // 300 * 300
    zone = timezone.get_default_timezone()
    store_counters(made.devices.get().device_id, made, [[bucket, "in", "running", 3]], now.timestamp(), zone)
    Shift.objects.create(key="0" * 32, gate=made, gatekeeper=lan, started_at=now)

    counters.purge(now + datetime.timedelta(days=33))
    assert (GateCounter.objects.count(), GateDay.objects.get().count, Shift.objects.count()) == (0, 3, 1)
    counters.purge(now + datetime.timedelta(days=91))
    assert not Shift.objects.exists()
