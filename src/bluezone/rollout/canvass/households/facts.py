# SPDX-License-Identifier: Apache-2.0
"""The facts of a household and how each is said; how a visit can end, and why a door was passed by."""

import datetime
import re
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

FIRST = ""
_CLOCK = re.compile(r"[0-9]{13}\.[0-9a-f]{4}\.[0-9a-z]{1,20}")
_LAST_COUNT = 0xFFFF
OFFICE = "office"


def is_clock(text: object) -> bool:
    """Whether a text is a clock; FIRST, the version before any change, is none."""
    return isinstance(text, str) and _CLOCK.fullmatch(text) is not None


def milliseconds_of(clock: str) -> int:
    """The wall time in a clock, milliseconds since 1970."""
    return int(clock[:13])


def next_clock(now: datetime.datetime, seen: Iterable[str], who: str = OFFICE) -> str:
    """A clock later than `now` and than every one in `seen`."""
    wall = int(now.timestamp() * 1000)
    newest = max((clock for clock in seen if clock), default="")
    if newest and milliseconds_of(newest) >= wall:
        wall, count = milliseconds_of(newest), int(newest[14:18], 16) + 1
        if count > _LAST_COUNT:
            wall, count = wall + 1, 0
    else:
        count = 0
    return f"{wall:013d}.{count:04x}.{who}"


def new_key(now: datetime.datetime) -> uuid.UUID:
    """A UUIDv7 (RFC 9562): ids that sort by time."""
    value = int(now.timestamp() * 1000) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    return uuid.UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


FIELDS = ("head", "address", "group", "smartphones", "note")


@dataclass(frozen=True, order=True)
class Said:
    """One change. clock first, so that they sort by it; bases: clocks of the versions it replaces."""

    clock: str
    entry: str
    value: str
    bases: tuple[str, ...]
    forced: bool = False


@dataclass(frozen=True)
class Merged:
    """The fact.

    shown:   the change whose value is shown, None while none can be taken.
    rivals:  versions that nobody has replaced, newest first, one for each value; more than one is a dispute.
    standing: clocks of all versions that nobody has replaced; a decision rests on them.
    missing: changes that wait for one before them.
    """

    shown: Said | None
    rivals: tuple[Said, ...]
    missing: tuple[Said, ...]
    standing: tuple[str, ...] = ()

    @property
    def is_disputed(self) -> bool:
        """Whether two values stand side by side."""
        return len(self.rivals) > 1


def merge(changes: Iterable[Said]) -> Merged:
    """Merge the changes of one field. A base is always earlier than the change that names it (entries.py holds it)."""
    taken: list[Said] = []
    missing: list[Said] = []
    known = {FIRST}
    for change in sorted(changes):
        if change.forced or known.issuperset(change.bases):
            taken.append(change)
            known.add(change.clock)
        else:
            missing.append(change)
    replaced = {base for change in taken for base in change.bases}
    standing = [change for change in reversed(taken) if change.clock not in replaced]
    rivals: dict[str, Said] = {}
    for change in standing:
        rivals.setdefault(change.value, change)
    clocks = tuple(change.clock for change in standing)
    return Merged(standing[0] if standing else None, tuple(rivals.values()), tuple(missing), clocks)


LABELS: dict[str, Promise] = {
    "head": _("Householder"),
    "address": _("Address"),
    "group": _("Residential group"),
    "smartphones": _("Smartphones"),
    "note": _("Directions"),
}


class Outcome(models.TextChoices):
    """What happened at a door."""

    INSTALLED = "installed", _("just installed")
    RUNNING = "running", _("already running")
    LEAFLET = "leaflet", _("leaflet left")
    NOT_HOME = "not_home", _("not at home")
    REFUSED = "refused", _("declined")
    NO_SMARTPHONE = "no_smartphone", _("no smartphone")
    MOVED = "moved", _("moved away")
    LOCKED = "locked", _("door locked")
    SKIPPED = "skipped", _("skipped")


class SkipReason(models.TextChoices):
    """Why a door was passed by."""

    NOT_FOUND = "not_found", _("address not found")
    DOG = "dog", _("dog")
    NO_WAY = "no_way", _("no way through")
    ISOLATED = "isolated", _("household under isolation")
    UNSAFE = "unsafe", _("not safe")
    OTHER = "other", _("another reason")


class Revisit(models.TextChoices):
    """When to come again. OTHER_DAY: of older phones and sheets; the app offers the others."""

    AFTER_17 = "after_17", _("come back after 17:00")
    TOMORROW = "tomorrow", _("come back tomorrow morning")
    WEEKEND = "weekend", _("come back at the weekend")
    OTHER_DAY = "other_day", _("come back another day")


# Somebody was spoken to, or a leaflet stayed at the door: the household counts as visited.
REACHED = frozenset(
    {
        Outcome.INSTALLED,
        Outcome.RUNNING,
        Outcome.LEAFLET,
        Outcome.REFUSED,
        Outcome.NO_SMARTPHONE,
        Outcome.MOVED,
    }
)
