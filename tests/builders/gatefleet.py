# SPDX-License-Identifier: Apache-2.0
"""Many gates with a connected tablet each, planted into a running `serve`, and the sums of what they sent.

Run as a program in a process of its own, because Django opens one office a process:
`python -m tests.builders.gatefleet plant NUMBER` prints their tokens, `… sums` the passages by counters and by days.
"""

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path


def plant(data: Path, number: int, environment: dict[str, str]) -> list[str]:
    """Gates in the office of a data folder; their tablets' tokens."""
    return _run(data, environment, "plant", str(number))


def sums(data: Path, environment: dict[str, str]) -> list[int]:
    """Passages that the office holds: [sum of five-minute counters, sum of the days' sums]."""
    return _run(data, environment, "sums")


def _run(data, environment, *arguments):
    told = subprocess.run(
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
    return json.loads(told.stdout)


def connected_gates(number):
    """Gates of one agency with a connected tablet each; returns their tokens."""
    from django.utils import timezone
    from tests.builders.devices import agency

    from bluezone.devices.enrolment import token_digest
    from bluezone.devices.models import Device
    from bluezone.rollout.gates.models import Gate, GateDevice

    keeper, now, tokens = agency(), timezone.now(), [secrets.token_urlsafe(32) for _ in range(number)]
    devices = Device.objects.bulk_create(
        Device(kind="gate", name=f"Máy {n}", agency=keeper, token_digest=token_digest(token), enrolled_at=now)
        for n, token in enumerate(tokens)
    )
    gates = Gate.objects.bulk_create(Gate(agency=keeper, name=f"Cổng {n}", number=f"{n:08x}") for n in range(number))
    GateDevice.objects.bulk_create(GateDevice(device=d, gate=g) for d, g in zip(devices, gates, strict=True))
    return tokens


def main(asked):
    """Do what the command line says."""
    import django

    django.setup()
    from django.db.models import Sum

    from bluezone.rollout.gates.models import GateCounter, GateDay

    if asked[0] == "plant":
        told = connected_gates(int(asked[1]))
    else:
        told = [table.objects.aggregate(all=Sum("count"))["all"] for table in (GateCounter, GateDay)]
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1:])
