# SPDX-License-Identifier: Apache-2.0
"""What a gate's tablet and a drive's radio call: one address for counters and shifts."""

from typing import Any

from django.urls import path
from django.utils import timezone

from bluezone.devices.audience import DeviceRequest, device_audience, json_body
from bluezone.devices.models import DeviceKind
from bluezone.rollout.gates.counters import CountersInvalid, store_counters
from bluezone.rollout.gates.models import Gate
from bluezone.rollout.gates.registry import gate_of, roster_of, store_shifts

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
    return {
        "server_time": int(now.timestamp()),
        "accepted": taken.accepted,
        "too_old": taken.too_old,
        "gate": _told(gate),
        "roster": roster_of(gate, timezone.localdate(now)),
    }


def _told(gate: Gate) -> dict[str, Any]:
    return {
        "number": gate.number,
        "name": gate.name,
        "agency": gate.agency.name,
        "closed": gate.closed_at is not None,
    }


urlpatterns = [path("v1/gates/counters", counters, name="gate-counters")]
