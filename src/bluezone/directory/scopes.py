# SPDX-License-Identifier: Apache-2.0
"""The reach of a person's roles: the whole city, an agency with those below it, or a unit with all that serves it."""

import datetime
from collections.abc import Iterable

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet

from bluezone.directory.kinds import WARDS, AgencyKind, UnitKind
from bluezone.directory.models import AdminUnit, Agency
from bluezone.identity.audiences import note_reach_queried
from bluezone.identity.models import RoleGrant, User, valid_grants
from bluezone.refusal import Refused

_WITHIN_A_WARD = (*WARDS, UnitKind.GROUP)


class OutsideScope(Refused, PermissionDenied):
    """The person has the role, but for another agency or unit; pages answer 403 with a sentence."""

    code = "outside_scope"


def has_role(
    user: User,
    roles: Iterable[str],
    *,
    agency: Agency | None = None,
    unit: AdminUnit | None = None,
    day: datetime.date | None = None,
) -> bool:
    """Whether the person has one of `roles` for this agency and this unit; without either, anywhere.

    Reads agency.unit, so pass an agency with its unit selected.
    """
    return any(_covers(grant, agency, unit) for grant in grants_for(user, roles, day))


def require_role(
    user: User,
    roles: Iterable[str],
    *,
    agency: Agency | None = None,
    unit: AdminUnit | None = None,
    day: datetime.date | None = None,
) -> None:
    """Raise OutsideScope, which a page shows as 403, unless `has_role` allows it."""
    if not has_role(user, roles, agency=agency, unit=unit, day=day):
        place = agency or unit
        name = place.key if place else "the whole city"
        raise OutsideScope(f"the role does not reach {name}")


def has_city_role(user: User, roles: Iterable[str]) -> bool:
    """Whether the person has one of `roles` for the whole city today, not only for an agency or a unit."""
    return any(grant.scope is None for grant in grants_for(user, roles, None))


def require_city_role(user: User, roles: Iterable[str]) -> None:
    """Raise OutsideScope, which a page shows as 403, unless the person has one of `roles` for the whole city."""
    if not has_city_role(user, roles):
        raise OutsideScope("the role does not reach the whole city")


def agencies_in_reach(user: User, roles: Iterable[str], day: datetime.date | None = None) -> QuerySet[Agency]:
    """Every agency that `roles` of this person reach, valid or not."""
    reach = Q(pk__in=[])
    for grant in grants_for(user, roles, day):
        if grant.agency:
            reach |= Q(path__startswith=grant.agency.path)
        elif grant.unit:
            reach |= Q(unit__path__startswith=grant.unit.path)
        else:
            return Agency.objects.all()
    return Agency.objects.filter(reach)


def units_in_reach(user: User, roles: Iterable[str], day: datetime.date | None = None) -> QuerySet[AdminUnit]:
    """Every unit that `roles` of this person reach, valid or not; a role in an agency reaches none."""
    reach = Q(pk__in=[])
    for grant in grants_for(user, roles, day):
        if grant.unit:
            reach |= Q(path__startswith=grant.unit.path)
        elif not grant.agency:
            return AdminUnit.objects.all()
    return AdminUnit.objects.filter(reach)


def served_units(user: User, roles: Iterable[str]) -> QuerySet[AdminUnit]:
    """Every unit that `roles` of this person reach; a role in a People's Committee reaches the units it serves."""
    reach = Q(pk__in=[])
    for grant in grants_for(user, roles):
        if grant.scope is None:
            return AdminUnit.objects.all()
        if grant.unit is not None:
            reach |= Q(path__startswith=grant.unit.path)
        elif grant.agency is not None and grant.agency.kind == AgencyKind.COMMITTEE:
            reach |= Q(path__startswith=grant.agency.unit.path)
    return AdminUnit.objects.filter(reach)


def rows_of_own_agencies(user: User, roles: Iterable[str], agency: str = "agency", city: Q | None = None) -> Q:
    """Rows of the agencies for which one of `roles` is granted directly: for the agency, or for the unit it serves.

    agency: name of the rows' field, "" if the rows are agencies. city: the rows for a role in the whole city; None:
    no rows. A role above an agency reaches it too, but the work that waits there is for the agency's own people.
    """
    rows = Q(pk__in=[])
    for grant in grants_for(user, roles):
        if grant.agency_id is not None:
            rows |= Q(**{agency or "pk": grant.agency_id})
        elif grant.unit_id is not None:
            rows |= Q(**{f"{agency}__unit" if agency else "unit": grant.unit_id})
        elif city is not None:
            rows |= city
    return rows


def is_within_own_ward(user: User, roles: Iterable[str], places: Iterable[AdminUnit]) -> bool:
    """Whether all places are within the ward or commune for which the person has one of `roles`.

    A role for more than one ward never counts, since it reaches others.
    """
    wards = [_ward_of(grant) for grant in grants_for(user, roles)]
    places = list(places)
    return any(ward is not None and all(place.is_under(ward) for place in places) for ward in wards)


def reaches_beyond_a_ward(user: User, roles: Iterable[str]) -> bool:
    """Whether the person has one of `roles` for more than one ward or commune."""
    return any(_ward_of(grant) is None for grant in grants_for(user, roles))


def is_within_a_ward(within: Agency | AdminUnit | None) -> bool:
    """Whether a role for this agency or unit (None: the whole city) reaches no more than one ward or commune."""
    return _ward_at(within) is not None


def require_more_than_a_ward(user: User, roles: Iterable[str]) -> None:
    """Raise OutsideScope, which a page shows as 403, unless `reaches_beyond_a_ward`."""
    if not reaches_beyond_a_ward(user, roles):
        raise OutsideScope("the role reaches no more than one ward")


def _ward_of(grant: RoleGrant) -> AdminUnit | None:
    """The ward, commune or group of a grant, None for a wider one."""
    return _ward_at(grant.unit or grant.agency)


def _ward_at(within: Agency | AdminUnit | None) -> AdminUnit | None:
    place = within.unit if isinstance(within, Agency) else within
    return place if place is not None and place.kind in _WITHIN_A_WARD else None


def grants_for(user: User, roles: Iterable[str], day: datetime.date | None = None) -> list[RoleGrant]:
    """The grants of `roles` that a person has on a day; every check of reach starts here."""
    note_reach_queried()
    names = {str(role) for role in roles}
    return [grant for grant in valid_grants(user, day) if grant.role in names]


def _covers(grant: RoleGrant, agency: Agency | None, unit: AdminUnit | None) -> bool:
    if grant.agency:
        return unit is None and (agency is None or agency.is_under(grant.agency))
    if grant.unit:
        return (agency is None or agency.unit.is_under(grant.unit)) and (unit is None or unit.is_under(grant.unit))
    return True
