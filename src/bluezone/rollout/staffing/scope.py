# SPDX-License-Identifier: Apache-2.0
"""What the pages of the staff report read from a request: the week, the unit, who asks, training mode."""

from django.http import Http404, HttpRequest

from bluezone.directory.duty import STAFF_REPORTERS
from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.request_parameters import chosen_number
from bluezone.directory.scopes import agencies_of, may
from bluezone.identity.audiences import OfficeRequest
from bluezone.rollout.coverage.api import Week, week_or
from bluezone.training import current_training


def chosen_week(request: HttpRequest, otherwise: Week) -> Week:
    """The week of `?week=2020-W33`, or `otherwise` where there is none that can be read."""
    return week_or(request.GET.get("week", ""), otherwise)


def chosen_unit(request: HttpRequest) -> AdminUnit | None:
    """The unit of `?unit=`, None for all. Raises Http404 for one that does not exist."""
    pk = chosen_number(request, "unit")
    if pk is None:
        return None
    unit = AdminUnit.objects.filter(pk=pk).first()
    if unit is None:
        raise Http404
    return unit


def may_report(request: OfficeRequest, agency: Agency | None = None) -> bool:
    """True when the reader enters the staff report of an agency, or of any when none is named."""
    return may(request.user, STAFF_REPORTERS.roles, agency=agency)


def own_agencies(request: OfficeRequest) -> frozenset[int]:
    """Primary keys of the agencies whose report the reader enters, and so sees as it was entered."""
    return frozenset(agencies_of(request.user, STAFF_REPORTERS.roles).values_list("pk", flat=True))


def in_training(request: HttpRequest) -> bool:
    """True in training mode, what is entered then is in no figure."""
    return current_training(request)
