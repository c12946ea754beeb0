# SPDX-License-Identifier: Apache-2.0
"""The home of every role: what waits, in the order in which it is to be done, each with its one next act; and search.

Each duty gives the matters that wait (Duty.waiting), in a constant number of queries. The menu of every page shows the
numbers that were counted last. They are counted again when something was stored from this browser.
"""

import datetime
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from bluezone.directory.scopes import OutsideScope, grants_for
from bluezone.duties.catalogue import DUTIES, first_pages
from bluezone.duties.duty import MOST_HITS, FirstPage, Hit, Matter, Pile, load
from bluezone.identity.audiences import OfficeRequest, admits, audience, reach_of_page_frame
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.models import Role, User, valid_roles
from bluezone.identity.objects import Ownership, touches
from bluezone.training import current_training, practised, practising
from bluezone.vietnamese.spelling import fold

# In the browser's session: the numbers of the menu, which are used for this long.
WAITS_KEY = "waits"
WAITS_SECONDS = 300
# Lines shown of each pile, unless the reader wants all.
LINES_A_PILE = 20
MOST_WORDS = 100
FEWEST_LETTERS = 2


@dataclass(frozen=True)
class Row:
    """A matter as the page shows it. is_late: its deadline is over.

    last_day: the day after which it is late; None if the deadline is an hour of a day.
    """

    matter: Matter
    is_late: bool
    last_day: datetime.date | None


def all_matters(user: User, now: datetime.datetime) -> list[tuple[str, Matter]]:
    """(name of the duty, matter) of all that waits for a person, the most urgent first.

    At the end are the lines that stand for several matters.
    """
    matters: list[tuple[str, Matter]] = []
    for duty in DUTIES:
        if duty.waiting:
            matters += [(duty.name, matter) for matter in load(duty.waiting)(user, now)]
    return sorted(matters, key=lambda pair: (pair[1].left_out > 0, pair[1].by, pair[1].key))


def count_matters(matters: Iterable[Matter]) -> int:
    """The number of matters for which these lines stand."""
    return sum(matter.left_out or 1 for matter in matters)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.REACHED)
def home(request: OfficeRequest) -> HttpResponse:
    """What waits for the reader. `?all=1` shows every line."""
    now = timezone.now()
    matters = all_matters(request.user, now)
    _store_menu_counts(request, matters, now)
    rows = [_row(matter, now) for _duty, matter in matters]
    everything = request.GET.get("all") == "1"
    by_pile = {pile.value: [row for row in rows if row.matter.pile is pile] for pile in Pile}
    context = {
        "first": rows[0] if rows else None,
        "piles": [_pile(pile, own, None if everything else LINES_A_PILE) for pile, own in by_pile.items() if own],
        "count": count_matters(row.matter for row in rows),
        "late": sum(row.is_late for row in rows),
        "begins": pages_to_begin(request.user),
        "guide": next((role for role in Role if role in valid_roles(request.user)), None),
    }
    return render(request, "desk/home.html", context)


def _pile(pile: str, rows: list[Row], most: int | None) -> dict[str, Any]:
    """A pile as the page shows it, cut to `most` lines. more: the number of matters that are on no line."""
    return {
        "pile": pile,
        "rows": rows[:most],
        "count": count_matters(row.matter for row in rows),
        "more": count_matters(row.matter for row in rows[most:]) if most is not None else 0,
    }


def pages_to_begin(user: User) -> list[FirstPage]:
    """The pages on which the reader may begin something new, the usual one first."""
    return [page for page in first_pages() if admits(page.audience, user)]


def _row(matter: Matter, now: datetime.datetime) -> Row:
    local = timezone.localtime(matter.by)
    at_midnight = local.time() == datetime.time()
    return Row(
        matter,
        matter.stated and matter.by <= now,
        local.date() - datetime.timedelta(days=1) if at_midnight else None,
    )


def _store_menu_counts(
    request: HttpRequest, matters: list[tuple[str, Matter]], now: datetime.datetime
) -> dict[str, Any]:
    """Store the numbers for the menus of the next pages in the session, and return them."""
    first = matters[0][1] if matters else None
    counts: Counter[str] = Counter()
    for duty, matter in matters:
        counts[duty] += count_matters([matter])
    stored = {
        # Rounded, because a session is in the store and must not reveal the second of the act before this page.
        "at": now.timestamp() // WAITS_SECONDS * WAITS_SECONDS,
        "training": practising(),
        "counts": dict(counts),
        "count": counts.total(),
        "late": sum(matter.stated and matter.by <= now for _duty, matter in matters),
        "first": [first.what, first.act, first.url] if first else None,
        "language": getattr(request, "LANGUAGE_CODE", ""),
    }
    request.session[WAITS_KEY] = stored
    return stored


def menu_counts(request: HttpRequest) -> dict[str, Any]:
    """The numbers for the menu, counted again if they are older than five minutes, or of another mode or language.

    Empty before signing in, and on a page of the real work while the browser is in training mode.
    """
    user = request.user
    if not isinstance(user, User):
        return {}
    now = timezone.now()
    stored: dict[str, Any] | None = request.session.get(WAITS_KEY)
    if stored is not None and _are_current(stored, request, now):
        return stored
    if practising() != current_training(request):
        return {}
    # These queries belong to the menu, not to the page: they do not count as the page's check of its reach.
    with reach_of_page_frame():
        return _store_menu_counts(request, all_matters(user, now), now)


def _are_current(stored: dict[str, Any], request: HttpRequest, now: datetime.datetime) -> bool:
    """Whether stored numbers of the menu are recent enough, and of the present mode and language."""
    is_recent = 0 <= now.timestamp() - stored["at"] < WAITS_SECONDS
    is_same_language = stored["language"] == getattr(request, "LANGUAGE_CODE", "")
    return is_recent and is_same_language and bool(stored["training"] == practising())


def forget_menu_counts(request: HttpRequest) -> None:
    """Let the next menu count again, because something was stored."""
    request.session.pop(WAITS_KEY, None)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.REACHED)
def find(request: OfficeRequest) -> HttpResponse:
    """Everything that the reader may open and that contains the words of `?q=`, with or without diacritics."""
    text = " ".join(request.GET.get("q", "").replace("\0", " ").split())[:MOST_WORDS]
    words = fold(text)
    hits: list[Hit] = []
    if not grants_for(request.user, SIGNED_IN.roles):
        raise OutsideScope("no role is held today")
    is_too_short = len(words) < FEWEST_LETTERS
    for duty in DUTIES:
        if duty.search and not is_too_short:
            hits += load(duty.search)(request.user, words)
    kinds: dict[str, list[Hit]] = {}
    for hit in hits:
        kinds.setdefault(hit.kind, []).append(hit)
    context = {
        "words_found_by": text,
        "kinds": kinds,
        "count": len(hits),
        "too_short": bool(text) and is_too_short,
        "most": MOST_HITS,
    }
    return render(request, "desk/find.html", context)
