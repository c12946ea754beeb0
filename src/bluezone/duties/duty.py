# SPDX-License-Identifier: Apache-2.0
"""What a part of the office registers: its app, addresses, audiences, acts, menu, purges, indicators and so on.

Django's settings are built from the duties, so a duty is made before Django knows its apps. What needs models is
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
    """The object that a dotted name names. Raises ModuleNotFoundError or AttributeError if there is none."""
    module, _, within = name.rpartition(".")
    return getattr(importlib.import_module(module), within)


@dataclass(frozen=True)
class Audience:
    """The people for whom a page is.

    name:  in capitals, unique; templates use it as `may.NAME`.
    roles: values of Role; each of them opens the page. EVERYONE has none, because it needs no account.
    """

    name: str
    roles: frozenset[str] = frozenset()


class Group(enum.Enum):
    """The headings of a long menu, from the top."""

    LETTERS = "letters"
    FIELD = "field"
    PUBLIC = "public"
    OFFICE = "office"


@dataclass(frozen=True)
class MenuEntry:
    """One line of the office's menu.

    url:      name of the address. order: its place, smallest first. group: its heading in a long menu.
    audience: the people who may open it, None for everybody signed in.
    sections: first words of names of addresses (`gate` of `gate-new`); on their pages the line is marked as current.
    used_by:  values of Role with daily work there, empty for the whole audience. For the others who may open it, the
              line is under "Other pages".
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
    """The work that an audience most often begins.

    url: name of the address. act: a verb for the button ("Issue a code"). order: the smallest is offered first.
    """

    audience: Audience
    url: str
    order: int
    act: Text


class Pile(enum.Enum):
    """Why something waits for a person: given to them, for their agency, or sent by them."""

    MINE = "mine"
    AGENCY = "agency"
    SENT = "sent"


@dataclass(frozen=True)
class Matter:
    """Something that waits for a person, with its next act.

    key:     unique and the same each time, so that there is only one notice of it ("dispatch 12 received").
    what:    its subject. act: the next act, a verb ("Receive"). Both in the reader's language.
    url:     the page on which the act is done.
    by:      aware moment by which the act should be done; matters are shown in this order.
    stated:  whether `by` is a deadline that a person set, which is shown; otherwise it is only the usual time.
    pile:    see Pile.
    where:   the agency that it is for or about, "" if that is clear.
    left_out: for a line in place of several matters with the same act: their number, and `what` is "". Otherwise 0.
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


# Matters of one kind that a duty returns for a person, the most urgent first; a last line has the number of the others.
MOST_MATTERS = 100


def shorten(matters: Sequence[Matter], url: str, total: Callable[[], int] | None = None) -> list[Matter]:
    """Cut matters of one kind to MOST_MATTERS, and add a line with the number of the others.

    matters: the most urgent first, with at least one beyond MOST_MATTERS if more wait. url: a page that lists them all.
    total: counts all that wait, and is called only if some are left out; None if `matters` are all.
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
    """A result of the search. kind: in the reader's language ("Letter"). note: tells it from others with this title."""

    kind: str
    title: str
    url: str
    note: str = ""


# Results that a duty returns for one search.
MOST_HITS = 20


@dataclass(frozen=True)
class Work:
    """Recurring work of the worker. name: unique, a label of metrics. call: takes the present moment."""

    name: str
    call: Dotted


@dataclass(frozen=True)
class PrintSheet:
    """A file to download from the public site and print.

    name, ending: of the file, "leaflet-a5.vi.pdf". make: takes the city's facts, returns the file's bytes.
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

    name:         one word, unique. app: of Django, "" if it has none.
    urls, public_urls: modules of addresses in the office and on the public site, "" for none.
    api_prefix:   addresses under /v1/ that its devices call, "/v1/gates/"; "" for none.
    audiences:    those that it declares. acts: name in the audit -> words ("opened a gate").
    purges, hourly, every_tick: work of the worker. Each purge runs once an hour; a failed one does not stop the others.
    threads:      work for which the worker starts a separate thread; it runs until the threading.Event that it takes is
                  set.
    waiting:      `matters_of` in the room's matters.py: takes a person and a moment, returns the Matters that wait for
                  that person, each kind cut by `shorten`, in a number of queries that does not grow with them.
    search:       takes a person and folded words, returns at most MOST_HITS Hits that the person may open.
    open_at:      takes an agency, returns sentences about its open work, shown before the agency is ended.
    indicators:   classes of Indicator that coverage shows.
    door_counts:  takes a moment, returns {unit: DoorCounts}. help_counts: takes two days, returns {unit: HelpCounts}.
    door_answers: takes begin and end of the visits and `received_before`, returns {unit: Answers}. Coverage ranks units
                  by these.
    reversers:    act that can be undone for ten seconds -> the function that undoes it.
    shared_acts:  act that takes two people -> its class, a SharedAct of bluezone.authority.two_persons.
    demo:         takes the present moment and adds what `bluezone demo` shows of this duty; "" for nothing.
    print_sheets: files that the public site offers for printing.
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
    threads: tuple[Work, ...] = ()
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
