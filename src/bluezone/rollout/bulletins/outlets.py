# SPDX-License-Identifier: Apache-2.0
"""Enter outlets, stations, papers, groups of loudspeakers, and set their quiet hours; none is closed here yet."""

import datetime

from django.db import transaction

from bluezone.accounts.auditing import record
from bluezone.accounts.models import Act
from bluezone.agencies.models import AdminUnit, Agency
from bluezone.refusal import Refused
from bluezone.rollout.bulletins.models import Outlet, OutletKind
from bluezone.rollout.bulletins.planning import plan_ahead


class OutletNameTaken(Refused):
    """The agency has an open outlet of that kind and name; nothing was stored."""

    code = "outlet_name_taken"


def enter(actor: str, kind: OutletKind, name: str, agency: Agency, unit: AdminUnit | None = None) -> Outlet:
    """Enter an outlet. Raises OutletNameTaken. Stations have no quiet hours of their own: they know their programme."""
    with transaction.atomic():
        if Outlet.objects.filter(agency=agency, kind=kind, name=name, closed_at=None).exists():
            raise OutletNameTaken(f"{agency.name} has one named {name}")
        quiet = (
            {} if kind == OutletKind.LOUDSPEAKERS else {"quiet_from": datetime.time(0), "quiet_to": datetime.time(0)}
        )
        outlet = Outlet.objects.create(kind=kind, name=name, agency=agency, unit=unit, **quiet)
        record(actor, Act.OUTLET_ENTERED, str(outlet.pk))
    return outlet


def set_quiet(actor: str, outlet: Outlet, since: datetime.time, until: datetime.time, now: datetime.datetime) -> None:
    """Change the quiet hours; what was planned within them gets no time from now on."""
    with transaction.atomic():
        Outlet.objects.filter(pk=outlet.pk).update(quiet_from=since, quiet_to=until)
        record(actor, Act.OUTLET_CHANGED, str(outlet.pk), now=now, quiet=f"{since:%H:%M}-{until:%H:%M}")
        plan_ahead(now, [outlet.pk])
