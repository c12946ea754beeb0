# SPDX-License-Identifier: Apache-2.0
"""Open and close gates, and say which gate a tablet counts for."""

import datetime
import secrets

from django.db import transaction

from bluezone.audit.hash_chain import record
from bluezone.devices.models import Device, DeviceKind
from bluezone.directory.models import Agency
from bluezone.refusal import Refused
from bluezone.rollout.gates.models import Gate, GateDevice, GateKind


class GateNameTaken(Refused):
    """The agency has an open gate of that name; nothing was stored."""

    code = "gate_name_taken"


def open_gate(actor: str, agency: Agency, name: str, now: datetime.datetime, kind: GateKind = GateKind.SITE) -> Gate:
    """Open a gate of an agency. Raises GateNameTaken."""
    with transaction.atomic():
        if Gate.objects.filter(agency=agency, name=name, closed_at__isnull=True).exists():
            raise GateNameTaken(f"{agency.name} has an open gate named {name}")
        gate = Gate.objects.create(agency=agency, name=name, number=secrets.token_hex(4), kind=kind, made_at=now)
        record(actor, "gate_opened", str(gate.pk))
    return gate


def close_gate(actor: str, gate: Gate, now: datetime.datetime) -> None:
    """Close a gate; what it counted stays, and tablets still send what they hold."""
    with transaction.atomic():
        if Gate.objects.filter(pk=gate.pk, closed_at__isnull=True).update(closed_at=now):
            record(actor, "gate_closed", str(gate.pk))


def gate_of(device: Device, now: datetime.datetime) -> Gate:
    """The gate a tablet counts for; a tablet that was put to none gets one of its own name, so that it can start."""
    with transaction.atomic():
        found = GateDevice.objects.filter(device=device).select_related("gate__agency").first()
        if found is not None:
            return found.gate
        gate = Gate.objects.filter(agency=device.agency, name=device.name, closed_at__isnull=True).first()
        if gate is None:
            kind = GateKind.DRIVE if device.kind == DeviceKind.DRIVE else GateKind.SITE
            gate = open_gate(f"device {device.pk}", device.agency, device.name, now, kind)
        GateDevice.objects.create(device=device, gate=gate)
    return gate


def put_device(actor: str, device: Device, gate: Gate) -> None:
    """Let a tablet count for a gate from now on; what it counted before stays where it was counted."""
    with transaction.atomic():
        GateDevice.objects.update_or_create(device=device, defaults={"gate": gate})
        record(actor, "gate_device_put", str(gate.pk), device=device.pk)
