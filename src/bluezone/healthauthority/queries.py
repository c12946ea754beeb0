# SPDX-License-Identifier: Apache-2.0
"""What the pages show: codes with their present state, when reports reach phones, declarations and who opened them."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.utils import timezone

from bluezone.healthauthority.codes import issuance
from bluezone.healthauthority.codes.quotas import codes_seen_by
from bluezone.healthauthority.duty import HEALTH_SUPERVISORS
from bluezone.healthauthority.models import IssuedCode, OpenedDeclaration
from bluezone.identity.models import User
from bluezone.keyserver.publication import embargo
from bluezone.keyserver.reports.codes import CodeState
from bluezone.keyserver.service import KeyServer
from bluezone.training import practising

CODES_A_PAGE = 20
SECONDS_PER_HOUR = 3600


@dataclass(frozen=True)
class Reach:
    """When a report received now reaches phones.

    first: its codes of days that are over are published; last: every phone that is switched on has fetched them.
    today_first, today_last: the same for the code of the running day, which is held back until the day is over.
    """

    first: datetime.datetime
    last: datetime.datetime
    today_first: datetime.datetime
    today_last: datetime.datetime


def supervisors() -> list[str]:
    """Names of those who can raise a limit, for whoever has met one."""
    return [str(user) for user in User.objects.holding(HEALTH_SUPERVISORS.roles)]


def page_of_codes(
    server: KeyServer, user: User, number: str | None
) -> tuple[Page[IssuedCode], list[tuple[IssuedCode, CodeState]]]:
    """One page of codes, newest first, with their states asked from the key server now, in one call."""
    page = Paginator(codes_seen_by(user), CODES_A_PAGE).get_page(number)
    if practising():
        states = issuance.practice_states(page.object_list, timezone.now())
    else:
        states = server.codes.statuses([issued.handle for issued in page.object_list])
    return page, [(issued, states[issued.handle]) for issued in page.object_list]


def state_of(server: KeyServer, issued: IssuedCode) -> CodeState:
    """open, used, revoked or expired, as the key server says now."""
    if practising():
        return issuance.practice_states([issued], timezone.now())[issued.handle]
    return server.codes.status(issued.handle)


def reach(server: KeyServer, now: datetime.datetime) -> Reach:
    """When a report received at `now` reaches phones."""
    times = embargo.reach_times(server.city, now.timestamp())
    seconds = (times.published_at, times.phones_by, times.today_published_at, times.today_phones_by)
    return Reach(*(datetime.datetime.fromtimestamp(value, datetime.UTC) for value in seconds))


@dataclass(frozen=True)
class DeclarationRow:
    """A sealed declaration in the list: when it came (Unix seconds, the hour), and what was done with it."""

    handle: str
    received: int
    opened: OpenedDeclaration | None


def declaration_rows(held: Iterable[tuple[str, int]]) -> list[DeclarationRow]:
    """Sealed declarations (handle, hour) with who opened them, in one query."""
    rows = list(held)
    notes = OpenedDeclaration.objects.select_related("opened_by").filter(handle__in=[handle for handle, _ in rows])
    opened = {note.handle: note for note in notes}
    return [DeclarationRow(handle, hour * SECONDS_PER_HOUR, opened.get(handle)) for handle, hour in rows]
