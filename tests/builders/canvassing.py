# SPDX-License-Identifier: Apache-2.0
"""House visits in the data folder of a running `serve`: a ward with doors, lists and phones that wait for their codes.

Run as a program in a process of its own, because Django opens one data folder a process: a JSON line of what is to be
done on stdin, a JSON line of what there is now on stdout.
"""

import datetime
import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

WARD = "phuong-duc-xuan"
COMMITTEE = "ubnd-phuong-duc-xuan"


def canvassing(data: Path, **wanted: Any) -> dict[str, Any]:
    """Plant; see `_plant` for what can be wanted."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.builders.canvassing", str(data)],
        input=json.dumps(wanted), capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


def ask(data: Path, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Read the office store of a running `serve`."""
    with sqlite3.connect(f"file:{data / 'office.sqlite3'}?mode=ro", uri=True, timeout=20) as store:
        return store.execute(sql, values).fetchall()


def _plant(data: Path, wanted: dict[str, Any]) -> dict[str, Any]:
    """doors: how many in Tổ 5. phones: names of phones, each gets a code. lease: the first phone gets the list.

    officer: whether there is an officer of the ward. give: number of a device that gets list `turf` from now on.
    """
    from bluezone.web.preparing import open_office

    open_office(data)
    from django.utils import timezone
    from tests.builders import peopling
    from tests.builders.canvass import street

    from bluezone.accounts.models import Role
    from bluezone.agencies.models import AdminUnit, Agency
    from bluezone.devices import enrolling
    from bluezone.devices.models import Device
    from bluezone.rollout.canvass import leasing
    from bluezone.rollout.canvass.models import Household, Turf

    now, week, told = timezone.now(), datetime.timedelta(days=7), {}
    if "give" in wanted:
        leasing.lease(
            "officer", Turf.objects.get(pk=wanted["turf"]), Device.objects.get(pk=wanted["give"]), now + week, now
        )
        return told
    peopling._last_until_today()
    ward, committee = AdminUnit.objects.get(key=WARD), Agency.objects.get(key=COMMITTEE)
    phones = [
        enrolling.make_device("admin", "canvass", name, committee, ward, now) for name in wanted.get("phones", [])
    ]
    told["phones"] = [{"device": device.pk, "code": code} for device, code in phones]
    if wanted.get("doors"):
        turf = street(ward, wanted["doors"], now=now)
        told["turf"] = turf.pk
        told["doors"] = [
            str(key)
            for key in Household.objects.filter(places__turf=turf)
            .order_by("places__place")
            .values_list("pk", flat=True)
        ]
        if wanted.get("lease", True) and phones:
            leasing.lease("officer", turf, phones[0][0], now + week, now)
    if wanted.get("officer"):
        from bluezone.accounts.models import RoleGrant, User

        user = User(username="officer", name="Hoàng Văn Bình", agency=committee.name)
        user.set_password(peopling.PASSWORD)
        user.save()
        RoleGrant.objects.create(user=user, role=Role.OFFICER, agency=committee, valid_from=datetime.date(2020, 1, 1))
    return told


if __name__ == "__main__":
    print(json.dumps(_plant(Path(sys.argv[1]), json.loads(sys.stdin.read()))))  # noqa: T201 - its answer
