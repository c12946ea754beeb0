# SPDX-License-Identifier: Apache-2.0
"""The houses (hotels, stations) at which a user works, their notices, and the figures for coverage."""

import datetime
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Count
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bluezone.directory.models import Agency
from bluezone.directory.queries import day_to_show
from bluezone.directory.scopes import agencies_in_reach, grants_for, has_city_role
from bluezone.identity.models import Role, User
from bluezone.messaging.sms.models import OPEN_STATES, State
from bluezone.rollout.coverage.api import Figure, Indicator, Proof
from bluezone.rollout.report_week import Week
from bluezone.rollout.venues import api as venues
from bluezone.rollout.visitors.duty import VISITOR_DESKS
from bluezone.rollout.visitors.models import Notice, NoticeDay

OFFICERS = VISITOR_DESKS.roles - {Role.VENUE_OWNER}
NEWEST = 12
_REACHED = {State.SENT, State.DELIVERED}
_NOT_REACHED = {State.FAILED, State.EXPIRED, State.SUPPRESSED, State.NOT_SENT}


@dataclass(frozen=True)
class House:
    """One hotel or station. key: "a12" for an agency, "v7" for a venue. audited: its name in the audit."""

    key: str
    name: str
    unit_id: int
    audited: str


def houses_of(user: User) -> list[House]:
    """The houses for which a user may have notices sent, by name."""
    agencies = {agency.pk: agency for agency in agencies_in_reach(user, OFFICERS).filter(pk__in=_current_agencies())}
    for grant in grants_for(user, [Role.VENUE_OWNER]):
        if grant.agency is not None:
            agencies[grant.agency.pk] = grant.agency
    houses = [House(f"a{pk}", agency.name, agency.unit_id, agency.key) for pk, agency in agencies.items()]
    houses += [
        House(f"v{venue.pk}", venue.name, venue.unit_id, f"venue {venue.pk}")
        for venue in venues.registered_venues_of(user)
    ]
    return sorted(houses, key=lambda house: house.name)


def house_names(keys: Iterable[str]) -> dict[str, str]:
    """The names of the houses that still exist, by key; two queries."""
    numbers: dict[str, list[int]] = {"a": [], "v": []}
    for key in keys:
        numbers[key[0]].append(int(key[1:]))
    agencies = Agency.objects.filter(pk__in=numbers["a"]).values_list("pk", "name")
    agency_names = {f"a{pk}": name for pk, name in agencies}
    venue_names = {f"v{pk}": name for pk, name in venues.venue_names(numbers["v"]).items()}
    return {**agency_names, **venue_names}


def may_see_all(user: User) -> bool:
    """Whether a user is responsible for the notices of the whole city, and so may see small numbers of every house."""
    return has_city_role(user, OFFICERS)


def _current_agencies() -> list[int]:
    return list(Agency.objects.valid_on(day_to_show(Agency, timezone.localdate())).values_list("pk", flat=True))


def chosen_house(request: HttpRequest, houses: list[House]) -> House:
    """The house of `?house=a12`, or the first of `houses` without it. Raises Http404 if it is not among `houses`."""
    return house_of(request.GET.get("house"), houses)


def house_of(key: str | None, houses: list[House]) -> House:
    """The house with this key, the first of `houses` if `key` is None. Raises Http404."""
    for house in houses:
        if key in (None, house.key):
            return house
    raise Http404


@dataclass(frozen=True)
class HouseWeek:
    """The numbers of notices that one house requested in a week, or their sums over several houses.

    handed_over: accepted by the operator, including those delivered. unknown: without a final state when purged.
    """

    house: str
    unit_path: str
    requested: int = 0
    handed_over: int = 0
    delivered: int = 0
    not_reached: int = 0
    unknown: int = 0


def newest_notices(house: House) -> list[Notice]:
    """The newest notices of a house, at most NEWEST, with their messages."""
    return list(Notice.objects.filter(house=house.key).select_related("message")[:NEWEST])


def has_open_notice(notices: list[Notice]) -> bool:
    """Whether the state of a notice may still change, so that the page polls."""
    return any(notice.message and notice.message.state in (*OPEN_STATES, State.SENT) for notice in notices)


def week_of_houses(first: datetime.date, last: datetime.date) -> list[HouseWeek]:
    """The notices of each house and unit from the first to the last day, without training mode; two queries."""
    states_by_house: dict[tuple[str, str], Counter[str]] = {}
    rows = Notice.everything.filter(training=False, day__range=(first, last))
    counted = rows.values_list("house", "unit__path", "message__state").annotate(Count("pk")).order_by()
    sums = NoticeDay.objects.filter(day__range=(first, last)).values_list("house", "unit__path", "state", "count")
    for house, path, state, count in [*counted, *sums]:
        states_by_house.setdefault((path, house), Counter())[state or State.UNKNOWN] += count
    return [_house_week(house, path, states) for (path, house), states in sorted(states_by_house.items())]


def sum_weeks(weeks: Iterable[HouseWeek]) -> HouseWeek:
    """The sums over some houses: the figures for the report on clause 5. Its `house` and `unit_path` are ""."""
    house_weeks = list(weeks)
    names = ("requested", "handed_over", "delivered", "not_reached", "unknown")
    return HouseWeek("", "", **{name: sum(getattr(house_week, name) for house_week in house_weeks) for name in names})


def _house_week(house: str, path: str, states: Counter[str]) -> HouseWeek:
    return HouseWeek(
        house,
        path,
        requested=states.total(),
        handed_over=sum(states[state] for state in _REACHED),
        delivered=states[State.DELIVERED],
        not_reached=sum(states[state] for state in _NOT_REACHED),
        unknown=states[State.UNKNOWN],
    )


class NoticesDelivered(Indicator):
    """The share of the notices requested by desks that were delivered, by the receipts of the operator."""

    key = "visitor-notices"
    # A receipt shows that a phone got the message, not that anything runs on it.
    proof = Proof.ATTESTED
    name = gettext_lazy("notices delivered to visitors’ phones")
    base_name = gettext_lazy("notices sent by desks")
    of_phones = False
    adds_up = True

    def figures(self, week: Week) -> Iterable[Figure]:
        """One figure for each house and unit; two queries."""
        source = _("receipts of the mobile operators")
        for house_week in week_of_houses(week.first_day, week.last_day):
            agency_id = int(house_week.house[1:]) if house_week.house.startswith("a") else None
            yield Figure(
                house_week.unit_path, agency_id, house_week.delivered, house_week.requested, source, week.last_day
            )

    def rows_address(self, unit_id: int, week: Week) -> str:
        """The houses of the unit in that week."""
        return f"{reverse('visitors-week')}?{urlencode({'week': week, 'unit': unit_id})}"
