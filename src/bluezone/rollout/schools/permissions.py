# SPDX-License-Identifier: Apache-2.0
"""Who keeps, teaches and oversees which schools and classes."""

import datetime

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404

from bluezone.directory.duty import STAFF_REPORTERS
from bluezone.directory.kinds import WARDS, AgencyKind, UnitKind
from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.scopes import OutsideScope, grants_for, units_in_reach
from bluezone.identity.audiences import OfficeRequest
from bluezone.identity.models import User
from bluezone.rollout.schools.models import SchoolClass

# The roles that report the staff of a school also keep its classes: head, officer in charge, clerk and administrator.
KEEPERS = STAFF_REPORTERS.roles


def own_schools(request: OfficeRequest) -> frozenset[int]:
    """Primary keys of the agencies in which the reader has a role that keeps classes.

    Schools under these agencies are not included: officials above a school enter nothing for it and see only its sums.
    """
    return own_schools_of(request.user)


def own_schools_of(user: User) -> frozenset[int]:
    """`own_schools` of a user."""
    grants = grants_for(user, KEEPERS)
    return frozenset(grant.agency_id for grant in grants if grant.agency_id is not None)


def is_own_school(request: OfficeRequest, school: Agency) -> bool:
    """Whether the reader keeps the classes of a school, and so sees each of them."""
    return school.pk in own_schools(request)


def may_reopen_for(request: OfficeRequest, school: Agency) -> bool:
    """Whether the reader works above a school, and so may reopen locked weeks for it and send its numbers back."""
    return user_may_reopen_for(request.user, school)


def user_may_reopen_for(user: User, school: Agency) -> bool:
    """`may_reopen_for` for a user."""
    for grant in grants_for(user, KEEPERS):
        above = grant.agency or grant.unit
        reaches = above is None or school.is_under(above)
        if reaches and grant.agency_id != school.pk:
            return True
    return False


def _serves_schools(agency: Agency) -> bool:
    """Whether an agency is a People's Committee, or a department of a committee and not of a school."""
    committee = agency.parent if agency.kind == AgencyKind.DEPARTMENT else agency
    return committee is None or committee.kind == AgencyKind.COMMITTEE


def units_closed_by(request: OfficeRequest, on: datetime.date) -> QuerySet[AdminUnit]:
    """Units in which the reader may enter breaks for all schools.

    These are the units that a role reaches, and the unit that the reader's committee or department serves.
    """
    serving = {
        grant.agency.unit_id
        for grant in grants_for(request.user, KEEPERS)
        if grant.agency and _serves_schools(grant.agency)
    }
    reached = units_in_reach(request.user, KEEPERS).values("pk")
    units = AdminUnit.objects.valid_on(on).filter(Q(pk__in=serving) | Q(pk__in=reached))
    return units.filter(kind__in=[UnitKind.DISTRICT, *WARDS]).order_by("path")


def school_of(pk: int) -> Agency:
    """A school with its unit. Raises Http404."""
    return get_object_or_404(Agency.objects.select_related("unit"), pk=pk, kind=AgencyKind.SCHOOL)


def own_school(request: OfficeRequest, pk: int) -> Agency:
    """A school that the reader keeps. Raises Http404, OutsideScope (403)."""
    school = school_of(pk)
    if not is_own_school(request, school):
        raise OutsideScope(f"the role is not held in {school.key}")
    return school


def own_class(request: OfficeRequest, pk: int) -> SchoolClass:
    """A class that the reader keeps or teaches. Raises Http404, PermissionDenied (403)."""
    school_class = get_object_or_404(SchoolClass.objects.select_related("school__unit", "teacher"), pk=pk)
    if school_class.teacher_id != request.user.pk and not is_own_school(request, school_class.school):
        raise PermissionDenied
    return school_class
