# SPDX-License-Identifier: Apache-2.0
"""The home of every role: what waits, in the order in which it is to be done, each with its one next act; and search.

What waits is asked of the duties (Duty.waiting), a constant number of queries each. The menu of every page shows the
numbers that were counted last; they are counted anew when somebody has stored something in this browser.
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
from bluezone.identity.audiences import OfficeRequest, admits, audience, outside_the_view
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.models import Role, User, valid_roles
from bluezone.identity.objects import Ownership, touches
from bluezone.training import current_training, practised, practising
from bluezone.vietnamese.spelling import fold

# Where a browser's session keeps the numbers of the menu, and how long they are believed.
WAITS_KEY = "waits"
WAITS_SECONDS = 300
# Of each pile so many are shown, until all are asked for.
A_PILE = 20
MOST_WORDS = 100
FEWEST_LETTERS = 2


@dataclass(frozen=True)
class Row:
    """A matter as the page shows it. is_late: its deadline is over.

    last_day: the day at whose end it is late, None where it is at an hour of a day.
    """

    matter: Matter
    is_late: bool
    last_day: datetime.date | None


def gather(user: User, now: datetime.datetime) -> list[tuple[str, Matter]]:
    """All that waits for a person, the most urgent first, each with the name of its duty; last, what is left out."""
    found = [(duty.name, matter) for duty in DUTIES if duty.waiting for matter in load(duty.waiting)(user, now)]
    return sorted(found, key=lambda pair: (pair[1].left_out > 0, pair[1].by, pair[1].key))


def how_many(matters: Iterable[Matter]) -> int:
    """How many matters some lines stand for."""
    return sum(matter.left_out or 1 for matter in matters)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.REACHED)
def home(request: OfficeRequest) -> HttpResponse:
    """What waits for the reader. `?all=1` shows every line."""
    now = timezone.now()
    found = gather(request.user, now)
    _note(request, found, now)
    rows = [_row(matter, now) for _duty, matter in found]
    everything = request.GET.get("all") == "1"
    by_pile = {pile.value: [row for row in rows if row.matter.pile is pile] for pile in Pile}
    context = {
        "first": rows[0] if rows else None,
        "piles": [_pile(pile, own, None if everything else A_PILE) for pile, own in by_pile.items() if own],
        "count": how_many(row.matter for row in rows),
        "late": sum(row.is_late for row in rows),
        "begins": begins(request.user),
        "guide": next((role for role in Role if role in valid_roles(request.user)), None),
    }
    return render(request, "desk/home.html", context)


def _pile(pile: str, rows: list[Row], most: int | None) -> dict[str, Any]:
    """A pile as the page shows it, cut to so many lines. more: how many matters are on no line."""
    return {
        "pile": pile,
        "rows": rows[:most],
        "count": how_many(row.matter for row in rows),
        "more": how_many(row.matter for row in rows[most:]) if most is not None else 0,
    }


def begins(user: User) -> list[FirstPage]:
    """What the reader's roles begin by themselves, the usual one first."""
    return [page for page in first_pages() if admits(page.audience, user)]


def _row(matter: Matter, now: datetime.datetime) -> Row:
    local = timezone.localtime(matter.by)
    at_midnight = local.time() == datetime.time()
    return Row(
        matter,
        matter.stated and matter.by <= now,
        local.date() - datetime.timedelta(days=1) if at_midnight else None,
    )


def _note(request: HttpRequest, found: list[tuple[str, Matter]], now: datetime.datetime) -> dict[str, Any]:
    """Keep the numbers for the menus of the next pages."""
    first = found[0][1] if found else None
    counts: Counter[str] = Counter()
    for duty, matter in found:
        counts[duty] += how_many([matter])
    noted = {
        # Not the second of what was done before this page: a session lies in the store.
        "at": now.timestamp() // WAITS_SECONDS * WAITS_SECONDS,
        "training": practising(),
        "counts": dict(counts),
        "count": counts.total(),
        "late": sum(matter.stated and matter.by <= now for _duty, matter in found),
        "first": [first.what, first.act, first.url] if first else None,
        "language": getattr(request, "LANGUAGE_CODE", ""),
    }
    request.session[WAITS_KEY] = noted
    return noted


def waits(request: HttpRequest) -> dict[str, Any]:
    """The numbers for the menu, counted anew when they are older than five minutes, of the other mode or language."""
    user, now = request.user, timezone.now()
    if not isinstance(user, User):
        return {}
    noted: dict[str, Any] | None = request.session.get(WAITS_KEY)
    if (
        noted is None
        or not 0 <= now.timestamp() - noted["at"] < WAITS_SECONDS
        or noted["training"] != practising()
        or noted["language"] != getattr(request, "LANGUAGE_CODE", "")
    ):
        if practising() != current_training(request):
            return {}  # a page of the real work in training mode; what waits is counted by the next page of the mode
        # What the menu asks is not what the page was to ask.
        with outside_the_view():
            noted = _note(request, gather(user, now), now)
    return noted


def forget_waits(request: HttpRequest) -> None:
    """Let the menu count anew: something was stored."""
    request.session.pop(WAITS_KEY, None)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.REACHED)
def find(request: OfficeRequest) -> HttpResponse:
    """Everything the reader may open whose words hold those of `?q=`, diacritics or not."""
    asked = " ".join(request.GET.get("q", "").replace("\0", " ").split())[:MOST_WORDS]
    words = fold(asked)
    hits: list[Hit] = []
    if not grants_for(request.user, SIGNED_IN.roles):
        raise OutsideScope("no role is held today")
    for duty in DUTIES if len(words) >= FEWEST_LETTERS else ():
        if duty.search:
            hits += load(duty.search)(request.user, words)
    kinds: dict[str, list[Hit]] = {}
    for hit in hits:
        kinds.setdefault(hit.kind, []).append(hit)
    context = {
        "words_found_by": asked,
        "kinds": kinds,
        "count": len(hits),
        "too_short": bool(asked) and len(words) < FEWEST_LETTERS,
        "most": MOST_HITS,
    }
    return render(request, "desk/find.html", context)
