# SPDX-License-Identifier: Apache-2.0
"""House visits in the data folder of a running `serve`: a ward with households, lists, and phones that wait for codes.

Run as a program in a separate process, because Django opens one data folder in a process: parameters as a JSON line on
stdin, the result as one on stdout.
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


def canvassing(data: Path, **parameters: Any) -> dict[str, Any]:
    """Plant with the parameters of `_plant`; returns the result."""
    process = subprocess.run(
        [sys.executable, "-m", "tests.builders.canvassing", str(data)],
        input=json.dumps(parameters), capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.splitlines()[-1])


def ask(data: Path, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Query the office store of a running `serve`."""
    with sqlite3.connect(f"file:{data / 'office.sqlite3'}?mode=ro", uri=True, timeout=120) as store:
        return store.execute(sql, values).fetchall()


def _plant(data: Path, parameters: dict[str, Any]) -> dict[str, Any]:
    """Do what the parameters say.

    doors: number of households in `group`, by default Tổ 5. phones: names of phones, each gets a code.
    lease: the first phone gets the list. lying: all its doors but the last have coordinates.
    officer: make an officer of the ward. give: a device that gets the list `turf` from now on.
    load: {households, phones, visits}: many households, and connected phones with a list of `visits` doors each.
    count: only return counts.
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

    now = timezone.now()
    week = datetime.timedelta(days=7)
    planted = {}
    if "give" in parameters:
        leases.lease(
            "officer",
            Turf.objects.get(pk=parameters["turf"]),
            Device.objects.get(pk=parameters["give"]),
            now + week,
            now,
        )
        return planted
    if "count" in parameters:
        return _counted()
    directives.extend_to_today()
    if "load" in parameters:
        return _load(now, **parameters["load"])
    ward = AdminUnit.objects.get(key=WARD)
    committee = Agency.objects.get(key=COMMITTEE)
    phones = [
        enrolment.create_device("admin", "canvass", name, committee, ward, now) for name in parameters.get("phones", [])
    ]
    planted["phones"] = [{"device": device.pk, "code": code} for device, code in phones]
    if parameters.get("doors"):
        turf = street(ward, parameters["doors"], parameters.get("group", "Tổ 5"), now=now)
        if parameters.get("lying"):
            _lay_out(turf)
        planted["turf"] = turf.pk
        planted["doors"] = [
            str(key)
            for key in Household.objects.filter(places__turf=turf)
            .order_by("places__place")
            .values_list("pk", flat=True)
        ]
        if parameters.get("lease", True) and phones:
            leases.lease("officer", turf, phones[0][0], now + week, now)
    if parameters.get("officer"):
        from bluezone.identity.models import RoleGrant, User

        user = User(username="officer", name="Hoàng Văn Bình", agency=committee.name)
        user.set_password(peopling.PASSWORD)
        user.save()
        RoleGrant.objects.create(user=user, role=Role.OFFICER, agency=committee, valid_from=datetime.date(2020, 1, 1))
    return planted


def _lay_out(turf: Any) -> None:
    """Set coordinates for the doors of a list, twenty in each street; the last door gets none."""
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
    from tests.builders.canvass import connected_phone

    from bluezone.directory.models import AdminUnit, Agency
    from bluezone.rollout.canvass import leases
    from bluezone.rollout.canvass.households import facts
    from bluezone.rollout.canvass.models import Household, Turf, TurfDoor

    ward = AdminUnit.objects.get(key=WARD)
    committee = Agency.objects.get(key=COMMITTEE)
    rows = [
        Household(key=facts.new_key(now), unit=ward, head=f"Hộ {n}", address=f"Số {n}", group=f"Tổ {n // 60}",
                  group_folded=f"to {n // 60}", folded=f"ho {n} so {n} to {n // 60}", made_at=now, touched_at=now)
        for n in range(households)
    ]  # fmt: skip
    Household.objects.bulk_create(rows, batch_size=500)
    planted = []
    for number in range(phones):
        turf = Turf.objects.create(unit=ward, name=f"Danh sách {number}", made_by="officer", made_at=now)
        mine = rows[number * visits : (number + 1) * visits]
        TurfDoor.objects.bulk_create(TurfDoor(turf=turf, household=door, place=n) for n, door in enumerate(mine, 1))
        device, token = connected_phone(committee, f"Máy {number}", now)
        leases.lease("officer", turf, device, now + datetime.timedelta(days=7), now)
        doors = [str(door.pk) for door in mine]
        planted.append({"device": device.pk, "token": token, "turf": turf.pk, "doors": doors})
    return {"phones": planted}


if __name__ == "__main__":
    print(json.dumps(_plant(Path(sys.argv[1]), json.loads(sys.stdin.read()))))  # noqa: T201 - its answer
