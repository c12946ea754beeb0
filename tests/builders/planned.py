# SPDX-License-Identifier: Apache-2.0
"""The data from which a plan starts: residents of wards, and the counts of their gates in the last week. They are
planted in a separate process, because Django opens one office in a process.
"""

import datetime
import subprocess
import sys
from pathlib import Path

WARDS = ("ubnd-phuong-song-cau", "ubnd-phuong-duc-xuan", "ubnd-phuong-huyen-tung", "ubnd-xa-duong-quang")


def plant(data: Path, residents: int) -> None:
    """Give each of four wards of a peopled office (peopling.py) a quarter of the residents, and a gate with counts."""
    command = [sys.executable, "-m", "tests.builders.planned", str(data), str(residents)]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[2])


def _plant(data: Path, residents: int) -> None:
    from bluezone.server.preparation import open_office

    open_office(data)
    from django.utils import timezone

    from bluezone.directory.models import Agency, Denominator
    from bluezone.rollout.coverage.api import latest_week
    from bluezone.rollout.gates import registry
    from bluezone.rollout.gates.models import Direction, GateDay, Proof, Verdict

    week = latest_week(timezone.localdate())
    for place, key in enumerate(WARDS, start=1):
        agency = Agency.objects.get(key=key)
        Denominator.objects.create(
            unit=agency.unit, kind="population", value=residents // len(WARDS), source="census", as_of="2019-04-01"
        )
        gate = registry.open_gate("admin", agency, "Cổng để lập phương án", timezone.now())
        sums = (Verdict.RUNNING, Proof.PROVEN, 100 * place), (Verdict.TOLD, Proof.NONE, 1000 - 100 * place)
        GateDay.objects.bulk_create(
            GateDay(
                gate=gate, day=week.first_day + datetime.timedelta(days=day), direction=Direction.IN, verdict=verdict,
                proof=proof, count=count,
            )
            for day in range(5)
            for verdict, proof, count in sums
        )  # fmt: skip


if __name__ == "__main__":
    _plant(Path(sys.argv[1]), int(sys.argv[2]))
