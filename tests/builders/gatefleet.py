# SPDX-License-Identifier: Apache-2.0
"""Many gates with a connected tablet each, planted into a running `serve`, and the sums of their passages.

Run as a program in a separate process, because Django opens one office in a process:
`python -m tests.builders.gatefleet plant NUMBER` prints their tokens, `… sums` the passages by counters and by days.
"""

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path


def plant(data: Path, number: int, environment: dict[str, str]) -> list[str]:
    """Plant gates in the office of a data folder; returns the tokens of their tablets."""
    return _run(data, environment, "plant", str(number))


def sums(data: Path, environment: dict[str, str]) -> list[int]:
    """Passages stored in the office: [sum of five-minute counters, sum of the daily sums]."""
    return _run(data, environment, "sums")


def _run(data, environment, *arguments):
    process = subprocess.run(
        [sys.executable, "-m", "tests.builders.gatefleet", *arguments],
        env={
            **os.environ,
            **environment,
            "BLUEZONE_DATA": str(data),
            "DJANGO_SETTINGS_MODULE": "bluezone.web.settings",
        },
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(process.stdout)


def connected_gates(number):
    """Gates of one agency with a connected tablet each; returns their tokens."""
    from django.utils import timezone
    from tests.builders.devices import agency

    from bluezone.devices.enrolment import token_digest
    from bluezone.devices.models import Device
    from bluezone.rollout.gates.models import Gate, GateDevice

    keeper = agency()
    now = timezone.now()
    tokens = [secrets.token_urlsafe(32) for _ in range(number)]
    devices = Device.objects.bulk_create(
        Device(kind="gate", name=f"Máy {n}", agency=keeper, token_digest=token_digest(token), enrolled_at=now)
        for n, token in enumerate(tokens)
    )
    gates = Gate.objects.bulk_create(Gate(agency=keeper, name=f"Cổng {n}", number=f"{n:08x}") for n in range(number))
    GateDevice.objects.bulk_create(GateDevice(device=d, gate=g) for d, g in zip(devices, gates, strict=True))
    return tokens


def main(arguments):
    """Do what the command line says, and print the result as JSON."""
    import django

    django.setup()
    from django.db.models import Sum

    from bluezone.rollout.gates.models import GateCounter, GateDay

    if arguments[0] == "plant":
        answer = connected_gates(int(arguments[1]))
    else:
        answer = [table.objects.aggregate(all=Sum("count"))["all"] for table in (GateCounter, GateDay)]
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1:])
