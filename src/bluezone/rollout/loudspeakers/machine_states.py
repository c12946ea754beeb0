# SPDX-License-Identifier: Apache-2.0
"""How the machines are: a dead one is flagged within five minutes of its last word."""

import datetime
import enum
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from bluezone.directory.models import AdminUnit
from bluezone.rollout.loudspeakers.models import Unit, Zone
from bluezone.rollout.loudspeakers.playback import UNHEARD_SINKS

DEAD_AFTER = datetime.timedelta(minutes=5)
CLOCK_SECONDS = 60.0


class UnitState(enum.Enum):
    """One word for a machine; the first that fits."""

    CUT_OFF = ("revoked", _("cut off"))
    NEVER = ("waiting", _("never heard of"))
    DEAD = ("dead", _("no word: dead or without network"))
    UNHEARD = ("unheard", _("has no sound card"))
    CLOCK = ("clock", _("its clock is wrong; it plays by the server’s"))
    FETCHING = ("fetching", _("still fetches sounds"))
    WELL = ("well", _("ready"))

    def __init__(self, key: str, label: str) -> None:
        self.key, self.label = key, label


@dataclass(frozen=True)
class ZoneRow:
    """A zone with its machines and their states."""

    zone: Zone
    units: list[tuple[Unit, UnitState]]

    @property
    def dead(self) -> int:
        """Machines that are not to be heard of."""
        return sum(state in (UnitState.DEAD, UnitState.NEVER) for _unit, state in self.units)


def state_of(unit: Unit, now: datetime.datetime) -> UnitState:
    """How a machine is. unit: read with its device."""
    if unit.device.revoked_at is not None:
        return UnitState.CUT_OFF
    if unit.heard_at is None:
        return UnitState.NEVER
    if now - unit.heard_at >= DEAD_AFTER:
        return UnitState.DEAD
    if unit.sink in UNHEARD_SINKS:
        return UnitState.UNHEARD
    if abs(unit.clock_off_seconds or 0.0) >= CLOCK_SECONDS:
        return UnitState.CLOCK
    return UnitState.FETCHING if unit.missing else UnitState.WELL


def zones_under(unit: AdminUnit | None) -> QuerySet[Zone]:
    """Open zones, of a unit and its parts where one is given."""
    zones = Zone.objects.filter(outlet__closed_at=None).select_related("outlet__agency__unit", "outlet__unit")
    if unit is not None:
        zones = zones.filter(outlet__agency__unit__path__startswith=unit.path)
    return zones.order_by("outlet__agency__name", "outlet__name", "pk")


def rows_of(zones: Iterable[Zone], now: datetime.datetime) -> list[ZoneRow]:
    """Zones with their machines, in two queries."""
    found = list(zones)
    units: dict[int, list[tuple[Unit, UnitState]]] = {zone.pk: [] for zone in found}
    for unit in Unit.objects.filter(zone__in=units).select_related("device").order_by("device__name"):
        units[unit.zone_id].append((unit, state_of(unit, now)))
    return [ZoneRow(zone, units[zone.pk]) for zone in found]
