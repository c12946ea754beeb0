# SPDX-License-Identifier: Apache-2.0
"""What a gate's tablet and a drive's radio call, one address for counters and shifts; and the gate as an app that a
phone or tablet installs.
"""

import datetime
from functools import cache
from pathlib import Path
from typing import Any

from csp.decorators import csp_update
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_safe

from bluezone.devices.audience import DeviceRequest, device_audience, read_json_body
from bluezone.devices.models import DeviceKind
from bluezone.devices.offline_app import build_app, face_files, read_folder, serve_file
from bluezone.edge.gate.box import PORT as BOX_PORT
from bluezone.edge.gate.page import STATIC as PAGE
from bluezone.face.files import StaticFile
from bluezone.identity.audiences import audience
from bluezone.identity.duty import EVERYONE
from bluezone.rollout.gates.counters import CountersInvalid, store_counters
from bluezone.rollout.gates.health import store_health
from bluezone.rollout.gates.models import Gate, GateCounter, Verdict
from bluezone.rollout.gates.queries import people_inside
from bluezone.rollout.gates.registry import gate_of, roster_of, sharing_key, store_shifts

MOST_BYTES = 512 * 1024


@device_audience(DeviceKind.GATE, DeviceKind.DRIVE, method="POST")
def counters(request: DeviceRequest) -> dict[str, Any]:
    """Store counters and shifts; 422 `gate_counters_invalid` with nothing taken.

    An empty call is how a tablet learns the time, its gate and who may sign in at it.
    """
    said = read_json_body(request, MOST_BYTES)
    rows, undated, shifts = (said.get(name, []) for name in ("counters", "undated", "shifts"))
    if not all(isinstance(one, list) for one in (rows, undated, shifts)):
        raise CountersInvalid("counters, undated and shifts are lists")
    now = timezone.now()
    gate = gate_of(request.device, now)
    zone = timezone.get_default_timezone()
    taken = store_counters(request.device.pk, gate, rows, now.timestamp(), zone, undated)
    store_shifts(gate, shifts, now)
    if "health" in said:
        store_health(request.device.pk, said["health"])
    return {
        "server_time": int(now.timestamp()),
        "accepted": taken.accepted,
        "undated": taken.undated,
        "too_old": taken.too_old,
        "invalid": taken.invalid,
        "gate": {**_told(gate), "others": _others(request.device.pk, gate, timezone.localdate(now))},
        "roster": roster_of(gate, timezone.localdate(now)),
    }


def _others(device_id: int, gate: Gate, day: datetime.date) -> dict[str, Any]:
    """What a tablet adds to its own passages of a day, so that all tablets of a gate show one number of people inside.

    inside: all of it. tablets: passages by verdict of each other tablet; paper: what no tablet counted that day: who
    was inside when the day began, and in less out on slips.
    """
    tablets: dict[str, dict[str, int]] = {}
    own = 0
    by_tablets = 0
    told = GateCounter.objects.filter(gate=gate, day=day).order_by().values_list("device", "verdict")
    for device, verdict, count in told.annotate(Sum("count")):
        signed = -count if verdict == Verdict.OUT else count
        by_tablets += signed
        if device == device_id:
            own += signed
        else:
            tablets.setdefault(str(device), {})[verdict] = count
    everybody = people_inside(gate, day).now
    return {
        "day": day.isoformat(),
        "inside": everybody - own,
        "tablets": tablets,
        "paper": everybody - by_tablets,
    }


def _told(gate: Gate) -> dict[str, Any]:
    return {
        "number": gate.number,
        "name": gate.name,
        "agency": gate.agency.name,
        "closed": gate.closed_at is not None,
        "sharing_key": sharing_key(gate),
    }


PHONE = Path(__file__).parent / "phone"
# The page of the gate program is the page of the app, too; only what it asks is another (desk.js).
_NOT_THE_APPS = ("desk.js", "gate.html")
_FROM_FACE = (
    "devicecalls.js", "dom.js", "oldbrowser.js", "qrcode.js", "uuid7.js", "engine/web/blindrsa.js",
    "engine/web/cityconfig.js", "engine/web/client.js", "engine/web/environment.js", "engine/web/gatepass.js",
    "engine/web/publiclog.js", "engine/web/store.js", "scan/decoder.js", "scan/reading.js", "vendor/qr-encode.js",
)  # fmt: skip


@cache
def gate_app_files() -> dict[str, StaticFile]:
    """Everything under /gate/ by path, the page under ""."""
    page = {name: file for name, file in read_folder(PAGE).items() if name not in _NOT_THE_APPS}
    return build_app("gate", {**page, **read_folder(PHONE), **face_files(_FROM_FACE)})


# The gate's box is in the tablet's own network, where no name and no certificate can be had; its answers are authentic
# by the gate's key. A browser lets a page that came over TLS ask in plain nothing but devices of the local network.
@csp_update({"connect-src": [f"http://*:{BOX_PORT}"]})
@require_safe
@audience(EVERYONE)
def app(request: HttpRequest, path: str = "") -> HttpResponse:
    """A file of the app."""
    return serve_file(request, gate_app_files(), path)


urlpatterns = [
    path("v1/gates/counters", counters, name="gate-counters"),
    path("gate/", app, name="gate-app"),
    path("gate/<path:path>", app, name="gate-app-file"),
]
