# SPDX-License-Identifier: Apache-2.0
"""Plan 10,000 airings: from the rules to rows in the store, with every clash settled. Budget 1 s.

Baseline: writing the same 10,000 rows alone, by Django's bulk_create, without a rule or a clash.
"""

import datetime
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

AIRINGS = 10_000
OUTLETS = 50


def run(progress: Callable[[str], object]) -> dict[str, Any]:
    """50 outlets, 25 times a day for eight days; half of the bulletins are priority, so that many meet."""
    with tempfile.TemporaryDirectory() as folder:
        _open(Path(folder))
        from bluezone.rollout.bulletins.air.planner import plan_airings
        from bluezone.rollout.bulletins.models import Airing

        now = datetime.datetime(2026, 8, 10, 17, 0, tzinfo=datetime.UTC)
        _city(now)
        progress("rules written")
        wall, begun = time.perf_counter(), time.process_time()
        count = plan_airings(now)
        seconds, wall = time.process_time() - begun, time.perf_counter() - wall
        assert count >= AIRINGS, count
        moved = Airing.objects.exclude(starts_at=None).count(), Airing.objects.filter(displaced="clash").count()
        begun = time.process_time()
        plan_airings(now)
        again = time.process_time() - begun
        rows = list(Airing.objects.all())
        for row in rows:
            row.pk, row.key = None, row.key + "x"
        begun = time.process_time()
        Airing.objects.bulk_create(rows, batch_size=1000)
        baseline = time.process_time() - begun
    scale = AIRINGS / count
    return {
        "name": f"plan {AIRINGS} airings",
        "value": round(seconds * scale, 3),
        "unit": "s of CPU (budget 1)",
        "baseline": round(baseline * scale, 3),
        "ratio": round(seconds / baseline, 2),
        "wall_seconds": round(wall * scale, 3),
        "airings": count,
        "with_a_time": moved[0],
        "displaced": moved[1],
        "planned_again_seconds": round(again * scale, 3),
    }


def _open(folder: Path) -> None:
    from bluezone.city_settings import write_default

    write_default(folder, name_vi="Thử", name_en="Test", hotline="115")
    os.environ["BLUEZONE_DATA"] = str(folder)
    from bluezone.server.preparation import prepare_office

    prepare_office(folder)


def _city(now: datetime.datetime) -> None:
    from bluezone.directory.models import Agency
    from bluezone.identity.models import User
    from bluezone.rollout.bulletins.models import Bulletin, Outlet, Schedule, Script, Sound

    agency = Agency.objects.first()
    assert agency is not None
    writer, approver = (User.objects.create(username=name, name=name) for name in ("a", "b"))
    sound = Sound.objects.create(
        sha256="0" * 64, content=b"x", seconds=40, loudness_lufs=-16, peak_dbtp=-2, is_human=True
    )
    outlets = Outlet.objects.bulk_create(
        Outlet(kind="loudspeakers", name=f"Tổ {number}", agency=agency) for number in range(OUTLETS)
    )
    for number in range(5):
        bulletin = Bulletin.objects.create(
            title=f"Bản tin {number}", importance="priority" if number % 2 else "normal", agency=agency, made_by=writer
        )
        Script.objects.create(
            bulletin=bulletin, language="vi", number=1, text="x", recording=sound, written_by=writer,
            approved_by=approver, approved_at=now,
        )  # fmt: skip
        # Five times a day each, the same five minutes of the hour for neighbours, so that they meet.
        times = [f"{hour:02}:{(number // 2) * 5:02}" for hour in (6, 9, 12, 15, 18)]
        schedule = Schedule.objects.create(
            bulletin=bulletin, languages=["vi"], first=now.date(), times=times, made_by=writer
        )
        schedule.outlets.set(outlets)
