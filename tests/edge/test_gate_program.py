# SPDX-License-Identifier: Apache-2.0
"""`bluezone gate run` beside a real `bluezone serve`: enrol, count, be killed, send, be cut off."""

import http.client
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.builders.serving import BLUEZONE, serving

from bluezone.protocol.gate.passes import read_screen

SETUP = """
import datetime
from tests.builders.devices import agency, device
from django.utils import timezone
from bluezone.rollout.gates import registry
made, code = device(agency(), now=timezone.now())
gate = registry.gate_of(made, timezone.now())
badge = registry.nominate("admin", gate, "Hà Thị Lan", timezone.localdate(), now=timezone.now())
print("CODE", code, badge.text, badge.pin)
"""
COUNTED = """
from django.db.models import Sum
from bluezone.rollout.gates.models import GateCounter, Shift
rows = GateCounter.objects.values_list("direction", "verdict").annotate(n=Sum("count"))
print("COUNTED", *sorted(f"{verdict}={n}" for _direction, verdict, n in rows), Shift.objects.count())
"""
MOVE = """
from django.utils import timezone
from bluezone.rollout.gates import registry
from bluezone.rollout.gates.models import Gate
old = Gate.objects.get()
other = registry.open_gate("admin", old.agency, "Cổng sau", timezone.now())
registry.put_device("admin", old.devices.get().device, other)
Gate.objects.filter(pk=other.pk).update(name="Cổng sau, đổi tên")
registry.close_gate("admin", other, timezone.now())
print("MOVED", other.number)
"""
REVOKE = """
from django.utils import timezone
from bluezone.devices import enrolment
from bluezone.devices.models import Device
enrolment.revoke_device("admin", Device.objects.get(), timezone.now())
"""


class Gate:
    """A running gate and its page."""

    def __init__(self, served, folder, *more):
        self.process = subprocess.Popen(
            [BLUEZONE, "gate", "run", "--data", folder, "--server", served.public, "--radio", "none", *more],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        line = ""
        for line in self.process.stderr:
            if line.startswith("ready"):
                break
        found = re.fullmatch(r"ready (http://\S+?)\?token=(\S+)\n", line)
        assert found, f"gate ended with {self.process.wait()}: {line}"
        self.base, self.token = found[1], found[2]

    def call(self, method, name, **arguments):
        parts = urlsplit(self.base)
        connection = http.client.HTTPConnection(parts.netloc, timeout=120)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        connection.request(
            method, f"{parts.path}api/{name}", json.dumps(arguments) if method == "POST" else None, headers
        )
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    def state(self):
        return self.call("GET", "state")[1]

    def settled(self, count):
        """Wait until passages can no longer be undone and so are counters."""
        deadline = time.monotonic() + 600
        while (state := self.state())["unsent"] < count:
            assert time.monotonic() < deadline, state
            time.sleep(0.2)

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.communicate(timeout=120)


def shell(served, script):
    told = subprocess.run(
        [BLUEZONE, "manage", "--data", served.data, "shell", "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert told.returncode == 0, told.stderr
    return told.stdout


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("served") / "data") as running:
        yield running


def test_a_gate_counts_through_a_kill_and_tells_the_office_once(served, tmp_path):
    code, badge, pin = re.search(r"CODE (\S+) (\S+) (\S+)", shell(served, SETUP)).groups()
    trust = re.search(r"city key\D*([0-9a-f]{64})", served.output, re.IGNORECASE)[1]
    gate = Gate(served, tmp_path, "--trust", trust, "--code", code)
    try:
        assert gate.state()["gate"]["name"] == "Cổng chính"
        assert gate.state()["radio_off"] == "no_radio"
        wrong = f"{(int(pin) + 1) % 10**6:06}"
        assert gate.call("POST", "signIn", badge=badge, pin=wrong)[1]["error"]["code"] == "pin_wrong"
        assert gate.call("POST", "signIn", badge=badge, pin=pin)[0] == 200
        for verdict in ("told", "told", "no_smartphone"):
            assert gate.call("POST", "enter", direction="in", verdict=verdict)[0] == 200
        assert gate.call("POST", "judge", text="https://example.org")[1]["finding"] == "not_a_bluezone_code"
        gate.stop(signal.SIGKILL)

        gate = Gate(served, tmp_path)
        gate.call("POST", "enter", direction="out", verdict="out")
        gate.settled(4)
        for _ in range(2):
            assert gate.call("POST", "send") == (200, {"unsent": 0})
        assert gate.call("POST", "signOut")[1]["name"] == "Hà Thị Lan"
        gate.call("POST", "send")
        assert "COUNTED no_smartphone=1 out=1 told=2 1" in shell(served, COUNTED)

        number = re.search(r"MOVED (\w+)", shell(served, MOVE))[1]
        gate.call("POST", "send")
        state = gate.state()
        assert (state["gate"]["name"], state["gate"]["closed"]) == ("Cổng sau, đổi tên", True)
        assert read_screen(state["screen"]["text"]).gate_id.hex() == number

        shell(served, REVOKE)
        gate.call("POST", "enter", direction="in", verdict="helped")
        gate.settled(1)
        status, answer = gate.call("POST", "send")
        assert (status, answer["error"]["code"], gate.state()["unsent"]) == (422, "gate_not_accepted", 1)
        assert gate.state()["sync_problem"] == "device_token_invalid"
    finally:
        gate.stop()


def test_a_gate_that_was_never_told_its_city_says_so(served, tmp_path):
    ran = subprocess.run(
        [BLUEZONE, "gate", "run", "--data", tmp_path, "--server", served.public, "--radio", "none", "--json"],
        capture_output=True,
        text=True,
    )

    assert ran.returncode == 1
    assert json.loads(ran.stdout)["error"]["code"] == "gate_trust_invalid"
