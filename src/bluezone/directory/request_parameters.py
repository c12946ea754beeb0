# SPDX-License-Identifier: Apache-2.0
"""What the pages of the directory read from a request: the chosen day and values, and what the reader may edit."""

import datetime

from django.http import HttpRequest

from bluezone.directory import scopes
from bluezone.directory.duty import DIRECTORY_EDITORS
from bluezone.directory.kinds import AgencyKind
from bluezone.directory.models import AdminUnit, Agency
from bluezone.identity.audiences import OfficeRequest, admits
from bluezone.identity.models import Role
from bluezone.training import current_training

_EDITORS = (Role.ADMIN, Role.CLERK)
# Kinds at which a role reaches the territory that the agency serves (scopes.served_units, leaders of drives).
_REACHING = (AgencyKind.COMMITTEE, AgencyKind.UNION)


def chosen_day(request: HttpRequest, otherwise: datetime.date) -> datetime.date:
    """The day of `?on=2020-08-07`, or `otherwise` if it is missing or unreadable."""
    try:
        return datetime.date.fromisoformat(request.GET.get("on", ""))
    except ValueError:
        return otherwise


def chosen_value(request: HttpRequest, name: str, allowed: list[str]) -> str:
    """The value of `?name=` if it is one of `allowed`, else ""."""
    value = request.GET.get(name, "")
    return value if value in allowed else ""


def chosen_number(request: HttpRequest, name: str) -> int | None:
    """The whole number of `?name=`, None if it is missing or cannot be a primary key."""
    value = request.GET.get(name, "")
    if value.isascii() and value.isdigit() and len(value) < 18:
        return int(value)
    return None


def chosen_unit(request: HttpRequest) -> AdminUnit | None:
    """The unit of `?unit=`, None for all."""
    pk = chosen_number(request, "unit")
    return AdminUnit.objects.filter(pk=pk).first() if pk is not None else None


def may_edit(request: OfficeRequest, row: AdminUnit | Agency | None = None) -> bool:
    """True if the reader may edit this row of the directory (None: any row of it); never in training."""
    if current_training(request):
        return False
    if row is None:
        return admits(DIRECTORY_EDITORS, request.user)
    return _reaches(request, row)


def may_edit_all(request: OfficeRequest) -> bool:
    """True if the reader may edit recipient groups and import lists, which concern the whole city; not in training."""
    return scopes.has_city_role(request.user, [Role.ADMIN]) and not current_training(request)


def require_edit_all(request: OfficeRequest) -> None:
    """Raise OutsideScope unless the reader may edit what concerns the whole city."""
    scopes.require_city_role(request.user, [Role.ADMIN])


def require_edit(request: OfficeRequest, row: AdminUnit | Agency) -> None:
    """Raise OutsideScope unless the reader may edit this row."""
    if not _reaches(request, row):
        raise scopes.OutsideScope(f"the role of an editor of the directory does not reach {row.key}")


def may_move_to(request: OfficeRequest, old: AdminUnit | Agency | None, *places: AdminUnit | Agency | None) -> bool:
    """Whether a form may put a row at these places: where it was before, or where the reader may edit.

    places: the unit above; or the territory and the agency above. A reader who may edit only the agency above may
    choose no wider territory than that agency has: a committee of the city below a ward's would reach the city.
    """
    if old is not None:
        old_places = (old.unit, old.parent) if isinstance(old, Agency) else (old.parent,)
        if places == old_places:
            return True
    if scopes.has_city_role(request.user, _EDITORS):
        return True
    first, *above = places
    if first is not None and _reaches(request, first):
        return True
    return any(isinstance(place, Agency) and _reaches(request, place) and _is_within(first, place) for place in above)


def may_make_committee(request: OfficeRequest, old: Agency | None, kind: str, unit: AdminUnit) -> bool:
    """Whether an agency may be a committee or union of a unit: a role at such an agency reaches the whole unit.

    An agency that is one already may stay so. The reader may make one if they serve the unit or a predecessor of it.
    """
    if kind not in _REACHING or (old is not None and (old.kind, old.unit_id) == (kind, unit.pk)):
        return True
    places = [unit.pk, *unit.predecessors.values_list("pk", flat=True)]
    return scopes.served_units(request.user, _EDITORS).filter(pk__in=places).exists()


def _is_within(territory: AdminUnit | Agency | None, agency: Agency) -> bool:
    """Whether a territory is within that of an agency, or within a successor of that unit."""
    area = [agency.unit, *agency.unit.successors.all()]
    return territory is not None and any(territory.is_under(unit) for unit in area)


def _reaches(request: OfficeRequest, row: AdminUnit | Agency) -> bool:
    if isinstance(row, Agency):
        return scopes.has_role(request.user, _EDITORS, agency=row)
    return scopes.has_role(request.user, _EDITORS, unit=row)
