# SPDX-License-Identifier: Apache-2.0
"""What the pages read of notices, and what of them goes into coverage: the operator's receipts, of all that desks
asked to have sent.
"""

import datetime
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bluezone.messaging.sms.models import OPEN_STATES, State
from bluezone.rollout.coverage.api import Figure, Indicator, Proof, Week
from bluezone.rollout.visitors.models import Notice, NoticeDay
from bluezone.rollout.visitors.scope import House

NEWEST = 12
_REACHED = {State.SENT, State.DELIVERED}
_NOT_REACHED = {State.FAILED, State.EXPIRED, State.SUPPRESSED, State.NOT_SENT}


@dataclass(frozen=True)
class HouseWeek:
    """What one house had sent in a week. handed_over: taken by the operator, delivered among them."""

    house: str
    unit_path: str
    asked: int = 0
    handed_over: int = 0
    delivered: int = 0
    not_reached: int = 0
    unknown: int = 0


def newest(house: House) -> list[Notice]:
    """The newest notices of a house with their states."""
    return list(Notice.objects.filter(house=house.key).select_related("message")[:NEWEST])


def is_open(notices: list[Notice]) -> bool:
    """Whether one of them may still change soon, so that the page asks again."""
    return any(notice.message and notice.message.state in (*OPEN_STATES, State.SENT) for notice in notices)


def week_of_houses(first: datetime.date, last: datetime.date) -> list[HouseWeek]:
    """What every house had sent in days, rows and sums together; two queries, nothing of training."""
    found: dict[tuple[str, str], Counter[str]] = {}
    rows = Notice.everything.filter(training=False, day__range=(first, last))
    counted = rows.values_list("house", "unit__path", "message__state").annotate(Count("pk")).order_by()
    sums = NoticeDay.objects.filter(day__range=(first, last)).values_list("house", "unit__path", "state", "count")
    for house, path, state, count in [*counted, *sums]:
        found.setdefault((path, house), Counter())[state or State.UNKNOWN] += count
    return [_house(house, path, states) for (path, house), states in sorted(found.items())]


def summed(weeks: Iterable[HouseWeek]) -> HouseWeek:
    """The sums of some houses: the figures of a report on clause 5."""
    found = list(weeks)
    names = ("asked", "handed_over", "delivered", "not_reached", "unknown")
    return HouseWeek("", "", **{name: sum(getattr(one, name) for one in found) for name in names})


def _house(house: str, path: str, states: Counter[str]) -> HouseWeek:
    return HouseWeek(
        house,
        path,
        asked=states.total(),
        handed_over=sum(states[state] for state in _REACHED),
        delivered=states[State.DELIVERED],
        not_reached=sum(states[state] for state in _NOT_REACHED),
        unknown=states[State.UNKNOWN],
    )


class NoticesDelivered(Indicator):
    """Notices that the operator's receipt says were delivered / notices that desks had sent."""

    key = "visitor-notices"
    # A receipt says that a phone got the message, not that anything runs on it.
    proof = Proof.ATTESTED
    name = gettext_lazy("notices delivered to visitors’ phones")
    base_name = gettext_lazy("notices that desks had sent")
    of_phones = False
    adds_up = True

    def figures(self, week: Week) -> Iterable[Figure]:
        """One for each house; two queries."""
        source = _("receipts of the mobile operators")
        for one in week_of_houses(week.first_day, week.last_day):
            agency_id = int(one.house[1:]) if one.house.startswith("a") else None
            yield Figure(one.unit_path, agency_id, one.delivered, one.asked, source, week.last_day)

    def rows_address(self, unit_id: int, week: Week) -> str:
        """The houses of the unit in that week."""
        return f"{reverse('visitors-week')}?{urlencode({'week': week, 'unit': unit_id})}"
