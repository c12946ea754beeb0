# SPDX-License-Identifier: Apache-2.0
"""What the pages of the schools read from a request: week, unit, school, class, and what the reader may do there."""

import datetime

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone

from bluezone.directory.duty import STAFF_REPORTERS
from bluezone.directory.kinds import AgencyKind, UnitKind
from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.queries import day_to_show
from bluezone.directory.scopes import OutsideScope, units_of
from bluezone.identity.audiences import OfficeRequest
from bluezone.identity.roles import grants_of
from bluezone.rollout.coverage.api import Week, week_or
from bluezone.rollout.schools.models import SchoolClass

# Head, officer in charge, clerk and administrator: who reports the staff of a school also keeps its classes.
KEEPERS = STAFF_REPORTERS.roles


def latest_week() -> Week:
    """This week, or the last one in which there were agencies."""
    return Week.of(day_to_show(Agency, timezone.localdate()))


def chosen_week(request: HttpRequest) -> Week:
    """The week of `?week=2020-W33`, or the latest."""
    return week_or(request.GET.get("week", ""), latest_week())


def own_schools(request: OfficeRequest) -> frozenset[int]:
    """Primary keys of the agencies in which the reader holds a role that keeps classes.

    Only there: whoever works above the schools enters nothing for them and sees sums, as the whole city does.
    """
    held = grants_of(request.user)
    return frozenset(grant.agency_id for grant in held if grant.role in KEEPERS and grant.agency_id is not None)


def keeps(request: OfficeRequest, school: Agency) -> bool:
    """Whether the reader keeps the classes of a school, and so sees them one by one."""
    return school.pk in own_schools(request)


def oversees(request: OfficeRequest, school: Agency) -> bool:
    """Whether the reader works above a school: may open locked weeks for it and send its numbers back."""
    for grant in grants_of(request.user):
        above = grant.agency or grant.unit
        reaches = above is None or school.is_under(above)
        if reaches and grant.role in KEEPERS and grant.agency_id != school.pk:
            return True
    return False


def units_closed_by(request: OfficeRequest, on: datetime.date) -> QuerySet[AdminUnit]:
    """Units for whose schools the reader may say that there is no school: where a role reaches, and what the committee
    or department serves in which one is held.
    """
    serving = {
        grant.agency.unit_id
        for grant in grants_of(request.user)
        if grant.role in KEEPERS and grant.agency and grant.agency.kind in (AgencyKind.COMMITTEE, AgencyKind.DEPARTMENT)
    }
    reached = units_of(request.user, KEEPERS).values("pk")
    found = AdminUnit.objects.in_force(on).filter(Q(pk__in=serving) | Q(pk__in=reached))
    return found.filter(kind__in=[UnitKind.DISTRICT, UnitKind.WARD, UnitKind.COMMUNE]).order_by("path")


def school_of(pk: int) -> Agency:
    """A school with its unit. Raises Http404."""
    return get_object_or_404(Agency.objects.select_related("unit"), pk=pk, kind=AgencyKind.SCHOOL)


def kept_school(request: OfficeRequest, pk: int) -> Agency:
    """A school that the reader keeps. Raises Http404, OutsideScope (403)."""
    school = school_of(pk)
    if not keeps(request, school):
        raise OutsideScope(f"the role is not held in {school.key}")
    return school


def class_of_ours(request: OfficeRequest, pk: int) -> SchoolClass:
    """A class that the reader keeps or teaches. Raises Http404, PermissionDenied (403)."""
    one = get_object_or_404(SchoolClass.objects.select_related("school__unit", "teacher"), pk=pk)
    if one.teacher_id != request.user.pk and not keeps(request, one.school):
        raise PermissionDenied
    return one
