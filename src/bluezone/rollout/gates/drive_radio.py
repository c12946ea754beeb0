# SPDX-License-Identifier: Apache-2.0
"""The radio of an install drive: a gate of kind "drive", whose proven passes drives may give to helped people."""

import datetime

from django.db import transaction
from django.db.models import Q, Sum

from bluezone.devices.models import Device
from bluezone.directory.models import Agency
from bluezone.rollout.gates.models import BUCKET_SECONDS, Gate, GateCounter, GateDay, GateKind, Verdict
from bluezone.rollout.gates.setup.registry import close_gate, open_gate, put_device


def open_radio(actor: str, agency: Agency, name: str, device: Device, now: datetime.datetime) -> int:
    """Open a gate for a drive and let an enrolled device count at it; returns its primary key.

    name: of the drive, once among the agency's open gates. Raises GateNameTaken.
    """

    with transaction.atomic():
        gate = open_gate(actor, agency, name[:80], now, GateKind.DRIVE)
        put_device(actor, device, gate)
    return gate.pk


def close_radio(actor: str, gate_id: int, now: datetime.datetime) -> None:
    """Close the gate of a drive; its device may be put to another drive."""
    close_gate(actor, Gate.objects.get(pk=gate_id), now)


def proven_passes(gate_id: int, since: datetime.datetime) -> tuple[int, int]:
    """How many phones proved at a gate that they run: in all, and in five-minute buckets that end after `since`."""

    whole = GateDay.objects.filter(gate=gate_id, verdict=Verdict.RUNNING).aggregate(sum=Sum("count"))["sum"] or 0
    late = Q(bucket__gt=since.timestamp() - BUCKET_SECONDS)
    counters = GateCounter.objects.filter(late, gate=gate_id, verdict=Verdict.RUNNING)
    return int(whole), int(counters.aggregate(sum=Sum("count"))["sum"] or 0)
