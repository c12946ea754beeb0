# SPDX-License-Identifier: Apache-2.0
"""What the pages read: the newest notices of a house, and what houses sent in a week."""

import datetime
from collections import Counter
from dataclasses import dataclass

from django.db.models import Count, QuerySet

from bluezone.accounts.audiences import Audience
from bluezone.accounts.models import User
from bluezone.accounts.scoping import agencies_of
from bluezone.agencies.models import Agency
from bluezone.messaging.sms.models import OPEN_STATES, State
from bluezone.rollout.visitors.models import Notice, NoticeDay

NEWEST = 12
DESKS = Audience.VISITOR_DESKS.value or frozenset()
_REACHED = {State.SENT, State.DELIVERED}
_NOT_REACHED = {State.FAILED, State.EXPIRED, State.SUPPRESSED, State.NOT_SENT}


@dataclass(frozen=True)
class HouseWeek:
    """What one house had sent in a week. handed_over: taken by the operator, delivered among them."""

    agency_id: int
    asked: int = 0
    handed_over: int = 0
    delivered: int = 0
    not_reached: int = 0
    unknown: int = 0


def houses(user: User) -> QuerySet[Agency]:
    """The agencies for which a person may have notices sent."""
    return agencies_of(user, DESKS).order_by("name")


def newest(agency: Agency) -> list[Notice]:
    """The newest notices of a house with their states."""
    return list(Notice.objects.filter(agency=agency).select_related("message")[:NEWEST])


def is_open(notices: list[Notice]) -> bool:
    """Whether one of them may still change soon, so that the page asks again."""
    return any(notice.message and notice.message.state in (*OPEN_STATES, State.SENT) for notice in notices)


def week_of_houses(first: datetime.date, last: datetime.date) -> dict[int, HouseWeek]:
    """What every house had sent in days, rows and sums together; two queries, nothing of training."""
    found: dict[int, Counter[str]] = {}
    rows = Notice.everything.filter(training=False, day__range=(first, last)).values_list("agency", "message__state")
    for agency_id, state, count in rows.annotate(Count("pk")).order_by():
        found.setdefault(agency_id, Counter())[state or State.UNKNOWN] += count
    for agency_id, state, count in NoticeDay.objects.filter(day__range=(first, last)).values_list(
        "agency", "state", "count"
    ):
        found.setdefault(agency_id, Counter())[state] += count
    return {agency_id: _house(agency_id, states) for agency_id, states in found.items()}


def _house(agency_id: int, states: Counter[str]) -> HouseWeek:
    return HouseWeek(
        agency_id,
        asked=states.total(),
        handed_over=sum(states[state] for state in _REACHED),
        delivered=states[State.DELIVERED],
        not_reached=sum(states[state] for state in _NOT_REACHED),
        unknown=states[State.UNKNOWN],
    )
