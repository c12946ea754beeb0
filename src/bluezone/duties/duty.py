# SPDX-License-Identifier: Apache-2.0
"""What a part of the office registers: its app, addresses, audiences, acts, menu, purges, indicators and so on.

Django's settings are built from duties, so a duty is made before Django knows its apps. Whatever needs models is
therefore named by a dotted string ("bluezone.rollout.gates.counters.purge") and imported when it is first needed.
"""

import importlib
from collections.abc import Mapping
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


@dataclass(frozen=True)
class MenuEntry:
    """One line of the office's menu.

    url: name of the address. audience: who sees it, None for everybody signed in. order: its place, smallest first.
    sections: first words of the names of addresses (`gate` of `gate-new`) on whose pages it is marked as current.
    """

    label: Text
    url: str
    order: int
    sections: tuple[str, ...]
    audience: Audience | None = None


@dataclass(frozen=True)
class FirstPage:
    """Where the work of an audience begins. url: name of the address. order: who is of several begins at the first."""

    audience: Audience
    url: str
    order: int


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
    indicators:   classes of Indicator that coverage shows.
    door_counts:  takes a moment, returns {unit: Doors}. help_counts: takes two days, returns {unit: HelpDone}. Coverage
                  ranks units by both.
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
    indicators: tuple[Dotted, ...] = ()
    door_counts: Dotted = ""
    help_counts: Dotted = ""
    reversers: Mapping[str, Dotted] = field(default_factory=dict)
    shared_acts: Mapping[str, Dotted] = field(default_factory=dict)
    demo: Dotted = ""
    print_sheets: tuple[PrintSheet, ...] = ()
