# SPDX-License-Identifier: Apache-2.0
"""Where a person's roles reach: the whole city, an agency with those under it, or a unit with all that serves it."""

import datetime
from collections.abc import Iterable

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet

from bluezone.directory.models import AdminUnit, Agency
from bluezone.identity.models import RoleGrant, User, grants_of
from bluezone.refusal import Refused


class OutsideScope(Refused, PermissionDenied):
    """The role is held, but for another agency or unit; pages answer 403 with a sentence."""

    code = "outside_scope"


def may(
    user: User,
    roles: Iterable[str],
    *,
    agency: Agency | None = None,
    unit: AdminUnit | None = None,
    on: datetime.date | None = None,
) -> bool:
    """Whether one of `roles` is held for this agency and this unit; anywhere, when neither is named.

    Reads agency.unit where the caller has not, so give an agency with its unit selected.
    """
    return any(_covers(grant, agency, unit) for grant in _granted(user, roles, on))


def require(
    user: User,
    roles: Iterable[str],
    *,
    agency: Agency | None = None,
    unit: AdminUnit | None = None,
    on: datetime.date | None = None,
) -> None:
    """Go on only where `may` says so; raises OutsideScope, which a page shows as 403."""
    if not may(user, roles, agency=agency, unit=unit, on=on):
        wanted = agency or unit
        raise OutsideScope(f"the role does not reach {wanted.key if wanted else 'the whole city'}")


def holds_for_the_city(user: User, roles: Iterable[str]) -> bool:
    """Whether one of `roles` is held today for the whole city, not for an agency or a unit alone."""
    return any(grant.scope is None for grant in _granted(user, roles, None))


def require_city(user: User, roles: Iterable[str]) -> None:
    """Go on only where one of `roles` is held for the whole city; raises OutsideScope, which a page shows as 403."""
    if not holds_for_the_city(user, roles):
        raise OutsideScope("the role does not reach the whole city")


def agencies_of(user: User, roles: Iterable[str], on: datetime.date | None = None) -> QuerySet[Agency]:
    """Every agency that `roles` of this person reach, whatever its own validity."""
    reach = Q(pk__in=[])
    for grant in _granted(user, roles, on):
        if grant.agency:
            reach |= Q(path__startswith=grant.agency.path)
        elif grant.unit:
            reach |= Q(unit__path__startswith=grant.unit.path)
        else:
            return Agency.objects.all()
    return Agency.objects.filter(reach)


def units_of(user: User, roles: Iterable[str], on: datetime.date | None = None) -> QuerySet[AdminUnit]:
    """Every unit that `roles` of this person reach, whatever its own validity; a role in an agency reaches none."""
    reach = Q(pk__in=[])
    for grant in _granted(user, roles, on):
        if grant.unit:
            reach |= Q(path__startswith=grant.unit.path)
        elif not grant.agency:
            return AdminUnit.objects.all()
    return AdminUnit.objects.filter(reach)


def _granted(user: User, roles: Iterable[str], on: datetime.date | None) -> list[RoleGrant]:
    wanted = {str(role) for role in roles}
    return [grant for grant in grants_of(user, on) if grant.role in wanted]


def _covers(grant: RoleGrant, agency: Agency | None, unit: AdminUnit | None) -> bool:
    if grant.agency:
        return unit is None and (agency is None or agency.is_under(grant.agency))
    if grant.unit:
        return (agency is None or agency.unit.is_under(grant.unit)) and (unit is None or unit.is_under(grant.unit))
    return True
