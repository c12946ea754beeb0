# SPDX-License-Identifier: Apache-2.0
"""What the pages of the gates read from a request: the week, the unit, the gate, and whether it is the reader's."""

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone

from bluezone.devices.duty import DEVICE_KEEPERS
from bluezone.directory.duty import STAFF_REPORTERS
from bluezone.directory.models import Agency
from bluezone.directory.scopes import agencies_of, may, require
from bluezone.identity.audiences import OfficeRequest
from bluezone.rollout.coverage.api import Week, week_or
from bluezone.rollout.gates.duty import GATEKEEPERS
from bluezone.rollout.gates.models import Gate

# Head, officer in charge and administrator: who keeps an agency's tablets also keeps its gates.
KEEPERS = DEVICE_KEEPERS
# Whoever counts at a gate sees what it counted.
_READERS = frozenset[str]().union(*(one.roles for one in (STAFF_REPORTERS, KEEPERS, GATEKEEPERS)))


def chosen_week(request: HttpRequest) -> Week:
    """The week of `?week=2020-W33`, this week where there is none that can be read."""
    return week_or(request.GET.get("week", ""), Week.of(timezone.localdate()))


def own_agencies(request: OfficeRequest) -> frozenset[int]:
    """Primary keys of the agencies whose gates the reader sees as they were counted."""
    return frozenset(agencies_of(request.user, _READERS).values_list("pk", flat=True))


def keeps(request: OfficeRequest, agency: Agency | None = None) -> bool:
    """Whether the reader opens gates and nominates for an agency, or for any when none is named."""
    return may(request.user, KEEPERS.roles, agency=agency)


def sees(request: OfficeRequest, agency: Agency) -> bool:
    """Whether the reader sees the gates of an agency as they were counted, with their days and shifts."""
    return may(request.user, _READERS, agency=agency)


def gate_of_ours(request: OfficeRequest, pk: int) -> Gate:
    """A gate that the reader keeps. Raises Http404, OutsideScope (403)."""
    gate = get_object_or_404(Gate.objects.select_related("agency__unit"), pk=pk)
    require(request.user, KEEPERS.roles, agency=gate.agency)
    return gate
