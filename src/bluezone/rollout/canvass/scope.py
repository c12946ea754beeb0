# SPDX-License-Identifier: Apache-2.0
"""Whose doors a person of the office works with: wards that a role reaches, and nobody else's.

A role in a unit reaches it with everything under it. A role in an agency reaches the territory of the agency only
where that is a People's Committee, or a union whose drives the person leads: a department of the city has no business
with the names on doors.
"""

import uuid

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from bluezone.devices.models import Device, DeviceKind
from bluezone.directory.kinds import AgencyKind, UnitKind
from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.request_parameters import chosen_number
from bluezone.identity.audiences import OfficeRequest
from bluezone.identity.models import Role, User
from bluezone.identity.roles import grants_of
from bluezone.rollout.canvass.duty import CANVASS_KEEPERS
from bluezone.rollout.canvass.models import Household, Turf

KEEPERS = CANVASS_KEEPERS
WARDS = (UnitKind.WARD, UnitKind.COMMUNE)


def wards_of(user: User) -> QuerySet[AdminUnit]:
    """Wards and communes whose doors the person works with, in force or not: their households outlast a merger."""
    reach = Q(pk__in=[])
    for grant in grants_of(user):
        if grant.role not in (KEEPERS.roles):
            continue
        path = _path(grant.role, grant.agency, grant.unit)
        if path is not None:
            reach |= Q(path__startswith=path)
    return AdminUnit.objects.filter(reach, kind__in=WARDS).order_by("path")


def _path(role: str, agency: Agency | None, unit: AdminUnit | None) -> str | None:
    """Where a grant's territory begins in the tree of units; None where it has none."""
    if unit is not None:
        return unit.path
    if agency is None:
        return ""
    leads_drives = role == Role.DRIVE_LEAD and agency.kind == AgencyKind.UNION
    return agency.unit.path if agency.kind == AgencyKind.COMMITTEE or leads_drives else None


def chosen_wards(request: OfficeRequest) -> tuple[list[AdminUnit], list[AdminUnit]]:
    """The person's wards, and those of them that `?unit=` narrows a page to."""
    wards = list(wards_of(request.user))
    chosen = chosen_number(request, "unit")
    return wards, [ward for ward in wards if ward.pk == chosen] or wards


def ward_or_404(request: OfficeRequest, pk: int) -> AdminUnit:
    """One of the person's wards; raises Http404."""
    return get_object_or_404(wards_of(request.user), pk=pk)


def household_or_404(request: OfficeRequest, key: str | uuid.UUID) -> Household:
    """A household of one of the person's wards; raises Http404."""
    key = uuid_or_404(key) if isinstance(key, str) else key
    return get_object_or_404(
        Household.objects.select_related("unit", "merged_into"), pk=key, unit__in=wards_of(request.user)
    )


def uuid_or_404(text: str) -> uuid.UUID:
    """An id out of an address; raises Http404."""
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Http404 from None


def turf_or_404(request: OfficeRequest, pk: int) -> Turf:
    """A list of one of the person's wards; raises Http404."""
    return get_object_or_404(Turf.objects.select_related("unit"), pk=pk, unit__in=wards_of(request.user))


def phones_of(wards: QuerySet[AdminUnit]) -> QuerySet[Device]:
    """Canvass phones that work in these wards, or whose agency serves one of them."""
    mine = Q(unit__in=wards) | Q(unit__isnull=True, agency__unit__in=wards) | Q(agency__unit__in=wards)
    return Device.objects.filter(mine, kind=DeviceKind.CANVASS).select_related("agency", "unit").order_by("name", "pk")


def searched_words(request: HttpRequest) -> str:
    """The words of `?q=`, at most 80 signs."""
    return request.GET.get("q", "").strip()[:80]
