# SPDX-License-Identifier: Apache-2.0
"""What a part of the office registers: its app, addresses, audiences, acts, menu, purges, indicators and so on.

Django's settings are built from duties, so a duty is made before Django knows its apps. Whatever needs models is
therefore named by a dotted string ("bluezone.rollout.gates.counters.purge") and imported when it is first needed.
"""

import datetime
import enum
import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise

Text = str | Promise
# "package.module.name" of a callable or class.
Dotted = str


def load(name: Dotted) -> Any:
    """What a dotted name stands for. Raises ModuleNotFoundError or AttributeError where there is no such thing."""
    module, _, within = name.rpartition(".")
    return getattr(importlib.import_module(module), within)


@dataclass(frozen=True)
class Audience:
    """Who a page is for.

    name:  in capitals, unique; templates ask `may.NAME`.
    roles: values of Role, one of which opens the page. EVERYONE has none: it asks for no account.
    """

    name: str
    roles: frozenset[str] = frozenset()


class Group(enum.Enum):
    """Headings of a long menu, from the top."""

    LETTERS = "letters"
    FIELD = "field"
    PUBLIC = "public"
    OFFICE = "office"


@dataclass(frozen=True)
class MenuEntry:
    """One line of the office's menu.

    url: name of the address. audience: who may open it, None for everybody signed in. order: its place, smallest first.
    sections: first words of the names of addresses (`gate` of `gate-new`) on whose pages it is marked as current.
    used_by: values of Role whose daily work is there; everybody else who may open it finds it under "Other pages".
             Empty: the whole audience. group: where it stands when a menu is long.
    """

    label: Text
    url: str
    order: int
    sections: tuple[str, ...]
    audience: Audience | None = None
    used_by: frozenset[str] = frozenset()
    group: Group | None = None


@dataclass(frozen=True)
class FirstPage:
    """What an audience most often begins. url: name of the address. act: the same as a verb, for a button ("Issue a
    code"). order: who is of several audiences is offered the first.
    """

    audience: Audience
    url: str
    order: int
    act: Text


class Pile(enum.Enum):
    """Why something waits for a person."""

    MINE = "mine"
    AGENCY = "agency"
    SENT = "sent"


@dataclass(frozen=True)
class Matter:
    """Something that waits for a person, with the one next act.

    key:     unique and the same each time, so that nobody is told of it twice ("dispatch 12 received").
    what:    what it is about. act: the next act, a verb ("Receive"). Both in the reader's language.
    url:     the page on which the act is done.
    by:      aware moment by which it is to be done; what waits is shown in this order.
    stated:  `by` is a deadline that a person set, and is shown; else it is only what is usual, and orders.
    pile:    given to this person, to their agency, or sent by them and not come back.
    where:   the agency it is for or about, "" where that goes without saying.
    left_out: how many matters with the same act this line stands for, 0 where it is a matter itself; then `what` is "".
    """

    key: str
    what: str
    act: str
    url: str
    by: datetime.datetime
    pile: Pile
    stated: bool = False
    where: str = ""
    left_out: int = 0


# A source gives a person no more than so many matters of one kind, the most urgent first, and says how many more wait.
MOST_MATTERS = 100


def shorten(matters: Sequence[Matter], url: str, total: Callable[[], int] | None = None) -> list[Matter]:
    """Cut matters of one kind to MOST_MATTERS, with a line that says how many more wait.

    matters: the most urgent first, at least one beyond MOST_MATTERS where more wait. url: a page that lists them all.
    total: counts all that wait, called only where some are left out; None where `matters` are all.
    """
    if len(matters) <= MOST_MATTERS:
        return list(matters)
    shortened = list(matters[:MOST_MATTERS])
    last = shortened[-1]
    left_out = (total() if total else len(matters)) - MOST_MATTERS
    key = f"more {last.key.split()[0]} {url}"
    return [*shortened, Matter(key, "", last.act, url, last.by, last.pile, left_out=left_out)]


@dataclass(frozen=True)
class Hit:
    """Something found by its words. kind: what it is, in the reader's language ("Letter"). note: what sets it apart."""

    kind: str
    title: str
    url: str
    note: str = ""


# A source of search gives no more than so many.
MOST_HITS = 20


@dataclass(frozen=True)
class Work:
    """Something the worker does again and again. name: unique, a label of metrics. call: takes the present moment."""

    name: str
    call: Dotted


@dataclass(frozen=True)
class PrintSheet:
    """Something to download and print from the public site.

    name, ending: of its file, "leaflet-a5.vi.pdf". make: takes the city's facts, returns the file's bytes.
    """

    name: str
    ending: str
    media_type: str
    title: Text
    purpose: Text
    make: Dotted


@dataclass(frozen=True)
class Duty:
    """A part of the office.

    name:         one word, unique. app: of Django, "" where it has none.
    urls, public_urls: modules of addresses in the office and on the public site, "" for none.
    api_prefix:   addresses under /v1/ that its devices call, "/v1/gates/"; "" for none.
    audiences:    those it declares. acts: what its audit tells of -> the same in words ("opened a gate").
    purges, hourly, every_tick: work of the worker. What purges is done once an hour, each by itself.
    beside:       what the worker does in a thread of its own, until the threading.Event that it takes is set.
    waiting:      `matters_of` in the room's matters.py: takes a person and a moment, returns the Matters that wait for
                  that person, each kind cut by `shorten`, in a number of queries that does not grow with them.
    search:       takes a person and folded words, returns at most MOST_HITS Hits among what that person may open.
    open_at:      takes an agency, returns sentences that say what is open there; read before it is ended.
    indicators:   classes of Indicator that coverage shows.
    door_counts:  takes a moment, returns {unit: Doors}. help_counts: takes two days, returns {unit: HelpDone}.
    door_answers: takes two moments and when they were known, returns {unit: Answers}. Coverage ranks units by these.
    reversers:    act that can be undone for ten seconds -> what takes it back.
    shared_acts:  act that takes two people -> its class, a SharedAct of bluezone.authority.two_persons.
    demo:         takes the present moment and plants what `bluezone demo` shows of this duty; "" for nothing.
    print_sheets: what the public site offers for printing.
    """

    name: str
    app: str = ""
    urls: str = ""
    public_urls: str = ""
    api_prefix: str = ""
    audiences: tuple[Audience, ...] = ()
    acts: Mapping[str, Text] = field(default_factory=dict)
    menu: tuple[MenuEntry, ...] = ()
    first_pages: tuple[FirstPage, ...] = ()
    purges: tuple[Work, ...] = ()
    hourly: tuple[Work, ...] = ()
    every_tick: tuple[Work, ...] = ()
    beside: tuple[Work, ...] = ()
    waiting: Dotted = ""
    search: Dotted = ""
    open_at: Dotted = ""
    indicators: tuple[Dotted, ...] = ()
    door_counts: Dotted = ""
    help_counts: Dotted = ""
    door_answers: Dotted = ""
    reversers: Mapping[str, Dotted] = field(default_factory=dict)
    shared_acts: Mapping[str, Dotted] = field(default_factory=dict)
    demo: Dotted = ""
    print_sheets: tuple[PrintSheet, ...] = ()
