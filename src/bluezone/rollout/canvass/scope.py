# SPDX-License-Identifier: Apache-2.0
"""Whose doors a person of the office works with, and refusals of house visits as sentences in the reader's language."""

import uuid

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bluezone.devices.models import Device, DeviceKind
from bluezone.directory import refusals
from bluezone.directory.kinds import WARDS, AgencyKind
from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.request_parameters import chosen_number
from bluezone.directory.scopes import grants_for
from bluezone.identity.audiences import OfficeRequest
from bluezone.identity.models import Role, User
from bluezone.refusal import Refused
from bluezone.rollout.canvass.duty import CANVASS_KEEPERS
from bluezone.rollout.canvass.models import Household, Turf
from bluezone.rollout.drives.api import wards_of_drives

KEEPERS = CANVASS_KEEPERS


def wards_of(user: User) -> QuerySet[AdminUnit]:
    """Wards and communes whose doors the person works with, in force or not: their households outlast a merger.

    A leader of drives at a union that serves more than one ward works with those of its drives alone.
    """
    reach = Q(pk__in=[])
    for grant in grants_for(user, KEEPERS.roles):
        path = _path(grant.role, grant.agency, grant.unit)
        if path is not None:
            reach |= Q(path__startswith=path)
        elif grant.role == Role.DRIVE_LEAD and grant.agency is not None and grant.agency.kind == AgencyKind.UNION:
            reach |= Q(pk__in=wards_of_drives(grant.agency, timezone.now()))
    return AdminUnit.objects.filter(reach, kind__in=WARDS).order_by("path")


def _path(role: str, agency: Agency | None, unit: AdminUnit | None) -> str | None:
    """Where a grant's territory begins in the tree of units; None where it has none."""
    if unit is not None:
        return unit.path
    if agency is None:
        return ""
    leads_drives = role == Role.DRIVE_LEAD and agency.kind == AgencyKind.UNION and agency.unit.kind in WARDS
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


_SENTENCES: dict[str, Promise] = {
    "turf_invalid": gettext_lazy("Choose 1 to 400 doors of this ward and give the list a name. Nothing was stored."),
    "turf_leased": gettext_lazy("A phone has this list. Withdraw it first, then close it."),
    "lease_invalid": gettext_lazy("Choose an active phone and a time of at most 30 days. Nothing was assigned."),
    "household_fact_invalid": gettext_lazy("A field is too long, or the number is not valid. Nothing was stored."),
    "nothing_to_decide": gettext_lazy("Someone has already decided this. Nothing was changed."),
    "pair_decided": gettext_lazy("Someone has already decided on these two doors. Nothing was changed."),
    "aside_not_taken": gettext_lazy(
        "This entry still cannot be stored: it cannot be read, or its household does not exist. It stays here."
    ),
    "import_outdated": gettext_lazy(
        "The doors have changed in the meantime, so nothing was stored. The new preview is below."
    ),
    "import_not_ready": gettext_lazy("This list contains nothing that could be stored."),
    "import_under_way": gettext_lazy(
        "Another list of this ward is being stored, so this one was not. Wait until that is finished, then check "
        "this preview again."
    ),
    "import_stored": gettext_lazy("The list has already been stored and can no longer be undone."),
}
ROWS: dict[str, Promise] = {
    "too_long": gettext_lazy("The text is too long. Shorten it."),
    "no_group": gettext_lazy("The residential group is missing. Write for example: Tổ 5."),
    "no_name": gettext_lazy("The householder and the address are both missing. Enter at least one."),
    "no_count": gettext_lazy("The number of smartphones is not between 0 and 60. Write a whole number."),
    "no_position": gettext_lazy("These are not coordinates. Write latitude and longitude: 22.1478, 105.8348."),
    "repeated": gettext_lazy("Another row is about the same household. Delete one of the two."),
}


def sentence_of(refused: Refused) -> str:
    """The sentence of a refusal; of the directory's where it comes from reading a spreadsheet."""
    if refused.code == "doors_leased":
        return _(
            "%(doors)s doors of this list are on another list that a phone has. Withdraw that list, or create a "
            "list without these doors."
        ) % {"doors": getattr(refused, "doors", 0)}
    if refused.code == "leaflets_missing":
        return _("Only %(left)s leaflets of this lot are left. Nothing was booked.") % {
            "left": getattr(refused, "left", 0)
        }
    if refused.code == "sheet_invalid":
        return _("Line %(place)s cannot be stored: the outcome is a digit from 1 to 9, counts go up to 60.") % {
            "place": getattr(refused, "place", 0)
        }
    found = _SENTENCES.get(refused.code)
    return str(found) if found is not None else refusals.sentence_of(refused)
