# SPDX-License-Identifier: Apache-2.0
"""What the pages read from a request: whose house it is, and whether the reader works there."""

from django.http import Http404
from django.utils import timezone

from bluezone.accounts.audiences import OfficeRequest
from bluezone.accounts.scoping import may
from bluezone.agencies.asking import chosen_number
from bluezone.agencies.models import Agency
from bluezone.agencies.queries import day_to_show
from bluezone.rollout.visitors import queries


def own_houses(request: OfficeRequest) -> list[Agency]:
    """Agencies in force for which the reader may have notices sent."""
    found = queries.houses(request.user) & Agency.objects.in_force(day_to_show(Agency, timezone.localdate()))
    return list(found.select_related("unit"))


def chosen_house(request: OfficeRequest, houses: list[Agency]) -> Agency:
    """The house of `?agency=`, else the only or first one. Raises Http404 for another's or where there is none."""
    pk = chosen_number(request, "agency")
    for house in houses:
        if pk in (None, house.pk):
            return house
    raise Http404


def works_at(request: OfficeRequest, agency: Agency) -> bool:
    """Whether the reader has notices sent for this house, and so sees its numbers as they are."""
    return may(request.user, queries.DESKS, agency=agency)
