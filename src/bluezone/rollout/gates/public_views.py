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

from bluezone.devices.audience import DeviceRequest, device_audience, json_body
from bluezone.devices.models import DeviceKind
from bluezone.devices.offline_app import answer_file, complete, read_folder, take_from_face
from bluezone.edge.gate.box import PORT as BOX_PORT
from bluezone.edge.gate.page import STATIC as PAGE
from bluezone.face.files import StaticFile
from bluezone.identity.audiences import audience
from bluezone.identity.duty import EVERYONE
from bluezone.rollout.gates.counters import CountersInvalid, inside, store_counters
from bluezone.rollout.gates.health import store_health
from bluezone.rollout.gates.models import Gate, GateCounter, Verdict
from bluezone.rollout.gates.paper_slips import PaperSums, came_in_on_paper, paper_days
from bluezone.rollout.gates.registry import gate_of, roster_of, sharing_key, store_shifts

MOST_BYTES = 512 * 1024


@device_audience(DeviceKind.GATE, DeviceKind.DRIVE, method="POST")
def counters(request: DeviceRequest) -> dict[str, Any]:
    """Store counters and shifts; 409 `gate_clock_wrong`, 422 `gate_counters_invalid` with nothing taken.

    An empty call is how a tablet learns the time, its gate and who may sign in at it.
    """
    said = json_body(request, MOST_BYTES)
    rows, shifts = said.get("counters", []), said.get("shifts", [])
    if not isinstance(rows, list) or not isinstance(shifts, list):
        raise CountersInvalid("counters and shifts are lists")
    now = timezone.now()
    gate = gate_of(request.device, now)
    taken = store_counters(request.device.pk, gate, rows, now.timestamp(), timezone.get_default_timezone())
    store_shifts(gate, shifts, now)
    if "health" in said:
        store_health(request.device.pk, said["health"])
    return {
        "server_time": int(now.timestamp()),
        "accepted": taken.accepted,
        "too_old": taken.too_old,
        "gate": {**_told(gate), "others": _others(request.device.pk, gate, timezone.localdate(now))},
        "roster": roster_of(gate, timezone.localdate(now)),
    }


def _others(device_id: int, gate: Gate, day: datetime.date) -> dict[str, Any]:
    """What the gate's other tablets and its paper slips say of a day.

    inside: in less out of all of them. tablets: passages by verdict of each; paper: in less out on slips. A tablet adds
    what it counted itself, so that all tablets of a gate show one number.
    """
    tablets: dict[str, dict[str, int]] = {}
    own = 0
    told = GateCounter.objects.filter(gate=gate, day=day).order_by().values_list("device", "verdict")
    for device, verdict, count in told.annotate(Sum("count")):
        if device == device_id:
            own += -count if verdict == Verdict.OUT else count
        else:
            tablets.setdefault(str(device), {})[verdict] = count
    slips = paper_days(day, day, Gate.objects.filter(pk=gate.pk)).get((gate.pk, day), PaperSums())
    on_paper = came_in_on_paper(slips) - slips["went_out"]
    everybody = inside([gate.pk], day).get(gate.pk, 0)
    return {"day": day.isoformat(), "inside": everybody - own + on_paper, "tablets": tablets, "paper": on_paper}


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
    return complete("gate", {**page, **read_folder(PHONE), **take_from_face(_FROM_FACE)})


# The gate's box is in the tablet's own network, where no name and no certificate can be had; its answers are authentic
# by the gate's key. A browser lets a page that came over TLS ask in plain nothing but devices of the local network.
@csp_update({"connect-src": [f"http://*:{BOX_PORT}"]})
@require_safe
@audience(EVERYONE)
def app(request: HttpRequest, path: str = "") -> HttpResponse:
    """A file of the app."""
    return answer_file(request, gate_app_files(), path)


urlpatterns = [
    path("v1/gates/counters", counters, name="gate-counters"),
    path("gate/", app, name="gate-app"),
    path("gate/<path:path>", app, name="gate-app-file"),
]
