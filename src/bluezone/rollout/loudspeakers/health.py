# SPDX-License-Identifier: Apache-2.0
"""How loudspeakers are: what they say of themselves, one word for each, and the silent ones first."""

import datetime
import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Max, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from bluezone.devices.models import Device
from bluezone.directory.models import AdminUnit
from bluezone.rollout.loudspeakers.models import Outcome, Playing, Street, Unit, Zone
from bluezone.rollout.loudspeakers.playback import LATEST, UNHEARD_SINKS, PlayedInvalid

DEAD_AFTER = datetime.timedelta(minutes=5)
CLOCK_SECONDS = 60.0
# A machine that comes this far soon fetches no sound any more.
LITTLE_SPACE_MB = 200
MOST_LETTERS = 40
MOST_NUMBER = 10**9


class UnitState(enum.Enum):
    """One word for a machine, worst first; the first that fits."""

    NEVER = ("waiting", _("never in contact"))
    DEAD = ("dead", _("no contact: off or without a network"))
    NO_DEVICE = ("no_device", _("its sound device is gone"))
    MUTE = ("mute", _("plays, but its microphone does not hear it"))
    UNHEARD = ("unheard", _("has no sound card"))
    FULL = ("full", _("almost no space left"))
    CLOCK = ("clock", _("its clock is wrong; it plays by the server’s"))
    FETCHING = ("fetching", _("still fetches sounds"))
    WELL = ("well", _("ready"))
    CUT_OFF = ("revoked", _("disconnected"))

    def __init__(self, key: str, label: str) -> None:
        self.key, self.label = key, label

    @property
    def order(self) -> int:
        """Sort key: what needs somebody first."""
        return list(UnitState).index(self)

    @property
    def is_silent(self) -> bool:
        """Whether nothing is to be heard of the machine, or of what it plays."""
        return self in (UnitState.NEVER, UnitState.DEAD, UnitState.NO_DEVICE, UnitState.MUTE)


@dataclass(frozen=True)
class ZoneRow:
    """A zone with its machines and their states, the worst first."""

    zone: Zone
    units: list[tuple[Unit, UnitState]]

    @property
    def dead(self) -> int:
        """Machines that are not to be heard of."""
        return sum(state in (UnitState.DEAD, UnitState.NEVER) for _unit, state in self.units)

    @property
    def is_silent(self) -> bool:
        """Whether somebody has to go there."""
        return any(state.is_silent for _unit, state in self.units)


def note_status(device: Device, status: Any, now: datetime.datetime) -> None:
    """Keep how a machine says it is; a machine in no zone is not noted. Raises PlayedInvalid.

    What an older program does not tell stays unknown.
    """
    if not isinstance(status, dict):
        raise PlayedInvalid("status is not an object")
    off, missing = status.get("clock_off", 0.0), status.get("missing", 0)
    if type(off) not in (int, float) or type(missing) is not int or not abs(off) < LATEST or not 0 <= missing < 10**6:
        raise PlayedInvalid("clock_off and missing are numbers")
    Unit.objects.filter(pk=device.pk).update(
        heard_at=now,
        sink=str(status.get("sink", ""))[:16],
        clock_off_seconds=float(off),
        missing=missing,
        problem=str(status.get("problem") or "")[:40],
        health=_health(status),
    )


def _health(status: dict[str, Any]) -> dict[str, Any]:
    """What has not its form is left out: it must hold up no report."""
    version, free_mb = status.get("version"), status.get("free_mb")
    health: dict[str, Any] = {}
    if isinstance(version, str):
        health["version"] = version[:MOST_LETTERS]
    if type(free_mb) is int and 0 <= free_mb <= MOST_NUMBER:
        health["free_mb"] = free_mb
    health.update({name: status[name] for name in ("device", "listens") if isinstance(status.get(name), bool)})
    return health


def state_of(unit: Unit, now: datetime.datetime) -> UnitState:
    """How a machine is. unit: read with its device; only `rows_of` reads what its microphone said, too."""
    health = unit.health or {}
    if unit.device.revoked_at is not None:
        return UnitState.CUT_OFF
    if unit.heard_at is None:
        return UnitState.NEVER
    if now - unit.heard_at >= DEAD_AFTER:
        return UnitState.DEAD
    if health.get("device") is False:
        return UnitState.NO_DEVICE
    if getattr(unit, "street", None) == Street.NOT_HEARD:
        return UnitState.MUTE
    if unit.sink in UNHEARD_SINKS:
        return UnitState.UNHEARD
    if health.get("free_mb", MOST_NUMBER) < LITTLE_SPACE_MB:
        return UnitState.FULL
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
    """Zones with their machines, those first to which somebody has to go, in two queries.

    Of each machine `played_at`, when it last played something to its end, and `street`, what its microphone last said.
    """
    found = list(zones)
    units: dict[int, list[tuple[Unit, UnitState]]] = {zone.pk: [] for zone in found}
    for unit in _units(found):
        units[unit.zone_id].append((unit, state_of(unit, now)))
    rows = [ZoneRow(zone, sorted(units[zone.pk], key=lambda one: one[1].order)) for zone in found]
    return sorted(rows, key=lambda row: not row.is_silent)


def _units(zones: list[Zone]) -> QuerySet[Unit]:
    played = Playing.objects.filter(device=OuterRef("device")).order_by(F("began_at").desc(nulls_last=True))
    street = played.filter(street__in=(Street.HEARD, Street.NOT_HEARD)).values("street")[:1]
    last = Max("device__playings__ended_at", filter=Q(device__playings__outcome=Outcome.PLAYED))
    units = Unit.objects.filter(zone__in=zones).select_related("device")
    return units.annotate(played_at=last, street=Subquery(street)).order_by("device__name")
