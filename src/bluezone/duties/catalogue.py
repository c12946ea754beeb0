# SPDX-License-Identifier: Apache-2.0
"""The list of duties, from which settings, addresses, menu, audit and the worker's rounds are built.

It imports no model, so that Django's settings can import it.
"""

import importlib
import os

from bluezone.duties.duty import Audience, Dotted, Duty, FirstPage, MenuEntry, PrintSheet, Text, Work

# Modules with a DUTY, in the order of Django's apps: rows of later apps refer to rows of earlier ones.
NAMES = (
    "bluezone.identity.duty",
    "bluezone.directory.duty",
    "bluezone.authority.duty",
    "bluezone.devices.duty",
    "bluezone.healthauthority.duty",
    "bluezone.messaging.email.duty",
    "bluezone.messaging.sms.duty",
    "bluezone.messaging.cap.duty",
    "bluezone.rollout.coverage.duty",
    "bluezone.rollout.planning.duty",
    "bluezone.rollout.staffing.duty",
    "bluezone.rollout.directives.duty",
    "bluezone.rollout.drives.duty",
    "bluezone.rollout.gates.duty",
    "bluezone.rollout.visitors.duty",
    "bluezone.rollout.venues.duty",
    "bluezone.rollout.canvass.duty",
    "bluezone.rollout.schools.duty",
    "bluezone.rollout.bulletins.duty",
    "bluezone.rollout.loudspeakers.duty",
    "bluezone.portal.duty",
    "bluezone.firstday.duty",
    "bluezone.desk.duty",
    "bluezone.backup.duty",
)


class DutyClash(ValueError):
    """Two duties declare something under the same name."""


def discover() -> tuple[Duty, ...]:
    """Every duty: ours, then those of BLUEZONE_DUTIES (dotted modules, separated by commas). Raises DutyClash."""
    more = filter(None, os.environ.get("BLUEZONE_DUTIES", "").split(","))
    duties: tuple[Duty, ...] = tuple(importlib.import_module(name).DUTY for name in (*NAMES, *more))
    for kind, names in (
        ("duty", [duty.name for duty in duties]),
        ("audience", [audience.name for duty in duties for audience in duty.audiences]),
        ("act", [act for duty in duties for act in duty.acts]),
        ("act to undo", [act for duty in duties for act in duty.reversers]),
        ("act of two people", [act for duty in duties for act in duty.shared_acts]),
        (
            "work",
            [work.name for duty in duties for work in (*duty.purges, *duty.hourly, *duty.every_tick, *duty.threads)],
        ),
    ):
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise DutyClash(f"two duties declare the {kind} {twice[0]}")
    return duties


DUTIES = discover()


def installed_apps() -> list[str]:
    """Django's apps of all duties."""
    return [duty.app for duty in DUTIES if duty.app]


def office_urls() -> list[str]:
    """Modules of addresses of the office."""
    return [duty.urls for duty in DUTIES if duty.urls]


def public_urls() -> list[str]:
    """Modules of addresses of the public site."""
    return [duty.public_urls for duty in DUTIES if duty.public_urls]


def api_prefixes() -> tuple[str, ...]:
    """The beginnings of the addresses that devices call."""
    return tuple(duty.api_prefix for duty in DUTIES if duty.api_prefix)


def audiences() -> dict[str, Audience]:
    """Every audience by its name."""
    return {audience.name: audience for duty in DUTIES for audience in duty.audiences}


def acts() -> dict[str, Text]:
    """Every act of the audit with its words."""
    return {act: words for duty in DUTIES for act, words in duty.acts.items()}


def shared_acts() -> dict[str, Dotted]:
    """Every kind of act that takes two people, with its class."""
    return {act: name for duty in DUTIES for act, name in duty.shared_acts.items()}


def menu() -> list[MenuEntry]:
    """Every entry of the office's menu, from the top."""
    return [entry for _name, entry in menu_by_duty()]


def menu_by_duty() -> list[tuple[str, MenuEntry]]:
    """(name of the duty, menu entry), from the top."""
    return sorted(((duty.name, entry) for duty in DUTIES for entry in duty.menu), key=lambda pair: pair[1].order)


def first_pages() -> list[FirstPage]:
    """The work that audiences begin; of several pages for one person, the first is the usual one."""
    return sorted((page for duty in DUTIES for page in duty.first_pages), key=lambda page: page.order)


def purges() -> list[Work]:
    """The purges, which run once an hour."""
    return [work for duty in DUTIES for work in duty.purges]


def hourly() -> list[Work]:
    """Other work that is done once an hour."""
    return [work for duty in DUTIES for work in duty.hourly]


def every_tick() -> list[Work]:
    """Work that is done at each tick."""
    return [work for duty in DUTIES for work in duty.every_tick]


def threads() -> list[Work]:
    """Work that is done in separate threads, in parallel with the ticks."""
    return [work for duty in DUTIES for work in duty.threads]


def print_sheets() -> list[PrintSheet]:
    """Files that the duties offer for printing."""
    return [sheet for duty in DUTIES for sheet in duty.print_sheets]
