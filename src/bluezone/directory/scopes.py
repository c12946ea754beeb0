# SPDX-License-Identifier: Apache-2.0
"""Where a person's roles reach: the whole city, an agency with those under it, or a unit with all that serves it."""

import datetime
from collections.abc import Iterable

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet

from bluezone.directory.kinds import WARDS, AgencyKind, UnitKind
from bluezone.directory.models import AdminUnit, Agency
from bluezone.identity.audiences import note_asked
from bluezone.identity.models import RoleGrant, User, grants_of
from bluezone.refusal import Refused

_WITHIN_A_WARD = (*WARDS, UnitKind.GROUP)


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
    return any(_covers(grant, agency, unit) for grant in granted(user, roles, on))


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
    return any(grant.scope is None for grant in granted(user, roles, None))


def require_city(user: User, roles: Iterable[str]) -> None:
    """Go on only where one of `roles` is held for the whole city; raises OutsideScope, which a page shows as 403."""
    if not holds_for_the_city(user, roles):
        raise OutsideScope("the role does not reach the whole city")


def agencies_of(user: User, roles: Iterable[str], on: datetime.date | None = None) -> QuerySet[Agency]:
    """Every agency that `roles` of this person reach, whatever its own validity."""
    reach = Q(pk__in=[])
    for grant in granted(user, roles, on):
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
    for grant in granted(user, roles, on):
        if grant.unit:
            reach |= Q(path__startswith=grant.unit.path)
        elif not grant.agency:
            return AdminUnit.objects.all()
    return AdminUnit.objects.filter(reach)


def served_units(user: User, roles: Iterable[str]) -> QuerySet[AdminUnit]:
    """Every unit that `roles` of this person reach, and those that the People's Committee of such a role serves."""
    reach = Q(pk__in=[])
    for grant in granted(user, roles):
        if grant.scope is None:
            return AdminUnit.objects.all()
        if grant.unit is not None:
            reach |= Q(path__startswith=grant.unit.path)
        elif grant.agency is not None and grant.agency.kind == AgencyKind.COMMITTEE:
            reach |= Q(path__startswith=grant.agency.unit.path)
    return AdminUnit.objects.filter(reach)


def at_the_desk(user: User, roles: Iterable[str], agency: str = "agency", city: Q | None = None) -> Q:
    """Rows of the agencies in which one of `roles` is held itself: given for that agency, or the unit that it serves.

    agency: name of the rows' field, "" where the rows are agencies. city: the rows for who holds a role in the whole
    city; without it none. Whoever works above an agency reaches it, but what waits there waits for its own people.
    """
    found = Q(pk__in=[])
    for grant in granted(user, roles):
        if grant.agency_id is not None:
            found |= Q(**{agency or "pk": grant.agency_id})
        elif grant.unit_id is not None:
            found |= Q(**{f"{agency}__unit" if agency else "unit": grant.unit_id})
        elif city is not None:
            found |= city
    return found


def is_own_ward(user: User, roles: Iterable[str], places: Iterable[AdminUnit]) -> bool:
    """Whether all places lie in the one ward or commune for which one of `roles` is held.

    A role for more than one ward has no ward of its own: what it does reaches others.
    """
    wards = [_ward_of(grant) for grant in granted(user, roles)]
    places = list(places)
    return any(ward is not None and all(place.is_under(ward) for place in places) for ward in wards)


def reaches_beyond_a_ward(user: User, roles: Iterable[str]) -> bool:
    """Whether one of `roles` is held for more than one ward or commune."""
    return any(_ward_of(grant) is None for grant in granted(user, roles))


def lies_in_a_ward(within: Agency | AdminUnit | None) -> bool:
    """Whether a role held for this agency or unit (None: the whole city) reaches no more than one ward or commune."""
    return _ward_at(within) is not None


def require_more_than_a_ward(user: User, roles: Iterable[str]) -> None:
    """Go on only where `reaches_beyond_a_ward` says so; raises OutsideScope, which a page shows as 403."""
    if not reaches_beyond_a_ward(user, roles):
        raise OutsideScope("the role reaches no more than one ward")


def _ward_of(grant: RoleGrant) -> AdminUnit | None:
    """The ward, commune or group that a grant lies in, None for a wider one."""
    return _ward_at(grant.unit or grant.agency)


def _ward_at(within: Agency | AdminUnit | None) -> AdminUnit | None:
    place = within.unit if isinstance(within, Agency) else within
    return place if place is not None and place.kind in _WITHIN_A_WARD else None


def granted(user: User, roles: Iterable[str], on: datetime.date | None = None) -> list[RoleGrant]:
    """The grants of one of `roles` that a person holds on a day: what every question about reach begins with."""
    note_asked()
    wanted = {str(role) for role in roles}
    return [grant for grant in grants_of(user, on) if grant.role in wanted]


def _covers(grant: RoleGrant, agency: Agency | None, unit: AdminUnit | None) -> bool:
    if grant.agency:
        return unit is None and (agency is None or agency.is_under(grant.agency))
    if grant.unit:
        return (agency is None or agency.unit.is_under(grant.unit)) and (unit is None or unit.is_under(grant.unit))
    return True
