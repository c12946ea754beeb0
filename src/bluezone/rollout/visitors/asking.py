# SPDX-License-Identifier: Apache-2.0
"""What the pages read from a request: for which house it is."""

from django.http import Http404, HttpRequest

from bluezone.rollout.visitors.houses import House


def chosen_house(request: HttpRequest, houses: list[House]) -> House:
    """The house of `?house=a12`, else the first. Raises Http404 for another's or where there is none."""
    return house_of(request.GET.get("house"), houses)


def house_of(key: str | None, houses: list[House]) -> House:
    """The house with this key, the first without one. Raises Http404."""
    for house in houses:
        if key in (None, house.key):
            return house
    raise Http404
