# SPDX-License-Identifier: Apache-2.0
"""Outlets of bulletins: enter one, lend it to agencies, set its quiet hours."""

import datetime
from collections.abc import Sequence

from django.db import transaction

from bluezone.audit.hash_chain import record
from bluezone.directory.models import AdminUnit, Agency
from bluezone.refusal import Refused
from bluezone.rollout.bulletins.air.planner import plan_airings
from bluezone.rollout.bulletins.models import Outlet, OutletKind


class OutletNameTaken(Refused):
    """The agency has an open outlet of that kind and name; nothing was stored."""

    code = "outlet_name_taken"


def create_outlet(actor: str, kind: OutletKind, name: str, agency: Agency, unit: AdminUnit | None = None) -> Outlet:
    """Enter an outlet. Only loudspeakers get quiet hours: a station plans its own programme. Raises OutletNameTaken."""
    with transaction.atomic():
        if Outlet.objects.filter(agency=agency, kind=kind, name=name, closed_at=None).exists():
            raise OutletNameTaken(f"{agency.name} has one named {name}")
        quiet: dict[str, datetime.time] = {}
        if kind != OutletKind.LOUDSPEAKERS:
            quiet = {"quiet_from": datetime.time(0), "quiet_to": datetime.time(0)}
        outlet = Outlet.objects.create(kind=kind, name=name, agency=agency, unit=unit, **quiet)
        record(actor, "outlet_entered", str(outlet.pk))
    return outlet


def lend_outlet(actor: str, outlet: Outlet, agencies: Sequence[Agency]) -> None:
    """Lend an outlet to exactly these agencies: they may have bulletins aired there. Planned airings stay."""
    with transaction.atomic():
        outlet.lent_to.set(agencies)
        record(actor, "outlet_lent", str(outlet.pk), to=sorted(agency.key for agency in agencies))


def set_quiet_hours(
    actor: str, outlet: Outlet, since: datetime.time, until: datetime.time, now: datetime.datetime
) -> None:
    """Change the quiet hours of an outlet and plan its airings again: those in the quiet hours are displaced."""
    with transaction.atomic():
        Outlet.objects.filter(pk=outlet.pk).update(quiet_from=since, quiet_to=until)
        record(actor, "outlet_changed", str(outlet.pk), now=now, quiet=f"{since:%H:%M}-{until:%H:%M}")
        plan_airings(now, [outlet.pk])
