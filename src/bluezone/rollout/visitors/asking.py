# SPDX-License-Identifier: Apache-2.0
"""What the pages read from a request: for which house it is."""

from django.http import Http404, HttpRequest

from bluezone.rollout.visitors.houses import House


def chosen_house(request: HttpRequest, houses: list[House]) -> House:
    """The house of `?house=a12`, else the first. Raises Http404 for another's or where there is none."""
    wanted = request.GET.get("house")
    for house in houses:
        if wanted in (None, house.key):
            return house
    raise Http404
