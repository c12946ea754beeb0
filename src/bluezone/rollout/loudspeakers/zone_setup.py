# SPDX-License-Identifier: Apache-2.0
"""Set up loudspeakers: zones, their volume and quiet hours, which machine plays for which; and the number that tells
every serving process that the plan changed.
"""

import datetime

from django.db import transaction
from django.db.models import F

from bluezone.audit.hash_chain import record
from bluezone.devices.models import Device
from bluezone.directory.models import AdminUnit, Agency
from bluezone.rollout.bulletins.api import OutletKind, create_outlet, set_quiet_hours
from bluezone.rollout.loudspeakers.models import Assignment, PlanVersion, Unit, Zone
from bluezone.training import practising


def raise_plan_version() -> None:
    """Raise the number in the caller's transaction; practice changes nothing that machines play."""
    if practising():
        return
    if not PlanVersion.objects.filter(pk=1).update(number=F("number") + 1):
        PlanVersion.objects.create(pk=1, number=1)


def create_zone(actor: str, name: str, agency: Agency, unit: AdminUnit | None, *, by_hand: bool) -> Zone:
    """Enter a zone. Raises OutletNameTaken."""
    with transaction.atomic():
        outlet = create_outlet(actor, OutletKind.LOUDSPEAKERS, name, agency, unit)
        return Zone.objects.create(outlet=outlet, by_hand=by_hand)


def configure_zone(
    actor: str,
    zone: Zone,
    volume: int,
    quiet: tuple[datetime.time, datetime.time],
    now: datetime.datetime,
    *,
    by_hand: bool,
) -> None:
    """Change volume (0..100), quiet hours, and whether the zone is played by hand from now on."""
    with transaction.atomic():
        Zone.objects.filter(pk=zone.pk).update(volume=volume, by_hand=by_hand)
        if by_hand:
            Assignment.objects.filter(zone=zone, until=None).update(until=now)
        else:
            for device_id in Unit.objects.filter(zone=zone).values_list("pk", flat=True):
                _assign(device_id, zone, now)
        set_quiet_hours(actor, zone.outlet, *quiet, now)
        raise_plan_version()


def assign_machine(actor: str, device: Device, zone: Zone, now: datetime.datetime) -> None:
    """Let a machine play for a zone from now on; what was due before stays as it was."""
    with transaction.atomic():
        Unit.objects.update_or_create(device=device, defaults={"zone": zone})
        Assignment.objects.filter(device=device, until=None).exclude(zone=zone).update(until=now)
        if not zone.by_hand:
            _assign(device.pk, zone, now)
        record(actor, "outlet_changed", str(zone.pk), device=device.pk)
        raise_plan_version()


def set_volume(actor: str, unit: Unit, volume: int | None) -> None:
    """A machine's own volume (0..100), None for that of its zone."""
    with transaction.atomic():
        Unit.objects.filter(pk=unit.pk).update(volume=volume)
        record(actor, "outlet_changed", str(unit.zone_id), device=unit.pk, volume=volume)
        raise_plan_version()


def _assign(device_id: int, zone: Zone, now: datetime.datetime) -> None:
    Assignment.objects.get_or_create(device_id=device_id, zone=zone, until=None, defaults={"since": now})
