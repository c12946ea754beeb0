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
    with sqlite3.connect(f"file:{data / 'office.sqlite3'}?mode=ro", uri=True, timeout=120) as store:
        return store.execute(sql, values).fetchall()


def _plant(data: Path, wanted: dict[str, Any]) -> dict[str, Any]:
    """doors: how many in `group`, Tổ 5 if not said. phones: names of phones, each gets a code.

    lease: the first phone gets the list. lying: its doors have coordinates, all but the last.
    officer: whether there is an officer of the ward. give: number of a device that gets list `turf` from now on.
    load: {households, phones, visits}: many doors, and connected phones with a list of `visits` doors each.
    count: only say how much there is.
    """
    from bluezone.server.preparation import open_office

    open_office(data)
    from django.utils import timezone
    from tests.builders import directives, peopling
    from tests.builders.canvass import street

    from bluezone.devices import enrolment
    from bluezone.devices.models import Device
    from bluezone.directory.models import AdminUnit, Agency
    from bluezone.identity.models import Role
    from bluezone.rollout.canvass import leases
    from bluezone.rollout.canvass.models import Household, Turf

    now, week, told = timezone.now(), datetime.timedelta(days=7), {}
    if "give" in wanted:
        leases.lease(
            "officer", Turf.objects.get(pk=wanted["turf"]), Device.objects.get(pk=wanted["give"]), now + week, now
        )
        return told
    if "count" in wanted:
        return _counted()
    directives.last_until_today()
    if "load" in wanted:
        return _load(now, **wanted["load"])
    ward, committee = AdminUnit.objects.get(key=WARD), Agency.objects.get(key=COMMITTEE)
    phones = [
        enrolment.make_device("admin", "canvass", name, committee, ward, now) for name in wanted.get("phones", [])
    ]
    told["phones"] = [{"device": device.pk, "code": code} for device, code in phones]
    if wanted.get("doors"):
        turf = street(ward, wanted["doors"], wanted.get("group", "Tổ 5"), now=now)
        if wanted.get("lying"):
            _lay_out(turf)
        told["turf"] = turf.pk
        told["doors"] = [
            str(key)
            for key in Household.objects.filter(places__turf=turf)
            .order_by("places__place")
            .values_list("pk", flat=True)
        ]
        if wanted.get("lease", True) and phones:
            leases.lease("officer", turf, phones[0][0], now + week, now)
    if wanted.get("officer"):
        from bluezone.identity.models import RoleGrant, User

        user = User(username="officer", name="Hoàng Văn Bình", agency=committee.name)
        user.set_password(peopling.PASSWORD)
        user.save()
        RoleGrant.objects.create(user=user, role=Role.OFFICER, agency=committee, valid_from=datetime.date(2020, 1, 1))
    return told


def _lay_out(turf: Any) -> None:
    """Coordinates for the doors of a list, twenty to a street, except for the last one."""
    from tests.builders.outlines import SOUTH, WEST

    places = list(turf.places.order_by("place").select_related("household"))
    for number, place in enumerate(places[:-1]):
        place.household.latitude = SOUTH + 0.015 + (number // 20) / 1000
        place.household.longitude = WEST + 0.015 + (number % 20) / 4000
        place.household.save()


def _counted() -> dict[str, Any]:
    from bluezone.rollout.canvass.models import Aside, Entry, Household, Visit

    return {
        "visits": Visit.objects.count(), "entries": Entry.objects.count(), "asides": Aside.objects.count(),
        "reached": Household.objects.filter(reached_at__isnull=False).count(),
    }  # fmt: skip


def _load(now: datetime.datetime, households: int, phones: int, visits: int) -> dict[str, Any]:
    from tests.builders.canvass import connected

    from bluezone.directory.models import AdminUnit, Agency
    from bluezone.rollout.canvass import leases
    from bluezone.rollout.canvass.households import facts
    from bluezone.rollout.canvass.models import Household, Turf, TurfDoor

    ward, committee = AdminUnit.objects.get(key=WARD), Agency.objects.get(key=COMMITTEE)
    rows = [
        Household(key=facts.new_key(now), unit=ward, head=f"Hộ {n}", address=f"Số {n}", group=f"Tổ {n // 60}",
                  group_folded=f"to {n // 60}", folded=f"ho {n} so {n} to {n // 60}", made_at=now, touched_at=now)
        for n in range(households)
    ]  # fmt: skip
    Household.objects.bulk_create(rows, batch_size=500)
    told = []
    for number in range(phones):
        turf = Turf.objects.create(unit=ward, name=f"Danh sách {number}", made_by="officer", made_at=now)
        mine = rows[number * visits : (number + 1) * visits]
        TurfDoor.objects.bulk_create(TurfDoor(turf=turf, household=one, place=n) for n, one in enumerate(mine, 1))
        device, token = connected(committee, f"Máy {number}", now)
        leases.lease("officer", turf, device, now + datetime.timedelta(days=7), now)
        doors = [str(one.pk) for one in mine]
        told.append({"device": device.pk, "token": token, "turf": turf.pk, "doors": doors})
    return {"phones": told}


if __name__ == "__main__":
    print(json.dumps(_plant(Path(sys.argv[1]), json.loads(sys.stdin.read()))))  # noqa: T201 - its answer
