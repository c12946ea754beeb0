# SPDX-License-Identifier: Apache-2.0
"""A gate and its box see the same of a phone whether its owner was warned, has reported, or neither."""

import pytest
from tests.builders.boxes import Tablet
from tests.builders.handset import city_with_phones, meet_phone, publish_reports, report_patient

from bluezone.edge.gate.box import Box
from bluezone.edge.gate.check import Finding, GateCheck
from bluezone.protocol.gate.passes import compute_response, encode_phone_frame, read_pass
from bluezone.radio.frames import advertisement

pytestmark = pytest.mark.field
SESSION, KEY = bytes(range(16)), bytes(32)


def seen(phone, world):
    """All that a gate sees of a phone: the code, the answer on the air, and what it broadcasts all the time."""
    boot = phone.clock.boot_seconds()
    phone.encounters.note_radio(boot, boot)
    phone.passes._random = lambda length: SESSION[:length]
    sessions = []
    phone.passes.on_session = sessions.append
    shown = phone.passes.show()
    check = GateCheck(b"gate", tuple, lambda: 1_000.0, lambda: world.now, bytes)
    answer = encode_phone_frame(compute_response(sessions[0], b"12345678"))
    check.heard(compute_response(sessions[0], check.challenges().air.value), -50)
    tablet = Tablet(Box(check, lambda: KEY, lambda: None), KEY)
    asked = tablet.question(sessions[0], nonce=bytes(16))
    return {
        "code": shown.text,
        "shown for": shown.until - boot,
        "flags": read_pass(shown.text).state,
        "answer": advertisement(answer, 0xFD6F),
        "broadcast": len(phone.encounters.payload()),
        "asked of the box": asked,
        "told by the box": tablet.ask(asked)["finding"],
        "finding": check.judge(shown.text),
    }


@pytest.mark.long
def test_a_gate_sees_the_same_of_a_warned_a_reported_and_any_other_phone(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, world):
        patient, near, other = (phones.new(name) for name in ("patient", "near", "other"))
        meet_phone(near, patient, 25, world=world)
        report_patient(patient, server)
        publish_reports(server, world)
        levels = [phone.check().level for phone in (near, patient, other)]
        assert levels == ["high", "none", "none"]
        views = [seen(phone, world) for phone in (near, patient, other)]

    assert views[0]["told by the box"] == "proven"
    assert views[0]["finding"] is Finding.USED
    assert views[0] == views[1] == views[2]
