# SPDX-License-Identifier: Apache-2.0
"""Read one entry of a phone: a visit, changes of a household's facts, or both; form 1.

An entry that cannot be read is not refused with the call: it is kept aside whole, and the others go on.
"""

import datetime
import hashlib
import json
import re
import unicodedata
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bluezone.rollout.canvass.households.facts import (
    FIELDS,
    FIRST,
    Outcome,
    Revisit,
    Said,
    SkipReason,
    is_clock,
    milliseconds_of,
)
from bluezone.rollout.canvass.models import AsideReason
from bluezone.vietnamese.spelling import without_unseen

FORM = 1
LONGEST = {"head": 80, "address": 160, "group": 60, "note": 120}
MOST_PHONES = 60
MOST_LEAFLETS = 500
CONTACT_LENGTH, NOTE_LENGTH, LOT_LENGTH = 80, 500, 20
MOST_BASES = 8
MOST_OFFERED = 6
_KEY = re.compile(r"[a-z][a-z0-9_]{0,23}")
FUTURE = datetime.timedelta(minutes=10)
# 2020: nothing of this program is older.
_EARLIEST = 1_577_836_800
_LATEST = 2**33


class NotReadable(Exception):
    """Why an entry goes aside."""

    def __init__(self, reason: AsideReason, detail: str = "") -> None:
        super().__init__(detail or reason.value)
        self.reason = reason


@dataclass(frozen=True)
class ReadVisit:
    """A visit as the phone told it; fields as models.Visit. help: contact and note, None where none is wanted.

    answer, offered: keys of the city's script, whichever one the phone had; they need not be in today's.
    """

    outcome: str
    skip_reason: str = ""
    phones: int | None = None
    seen: int = 0
    told: int = 0
    helped: int = 0
    lot: str = ""
    leaflets: int = 0
    revisit: str = ""
    help: tuple[str, str] | None = None
    answer: str = ""
    offered: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReadEntry:
    """An entry that can be stored. made: the door was found by this phone and may be new here."""

    key: uuid.UUID
    number: int
    turf: int
    door: uuid.UUID
    made: bool
    at: datetime.datetime
    visit: ReadVisit | None
    changes: Mapping[str, Said] = field(default_factory=dict)


def digest_of(entry: Any) -> str:
    """SHA-256 over the content of an entry, whatever the order of its members."""
    text = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def key_of(entry: Any, digest: str) -> uuid.UUID:
    """The entry's own id, or one made from its content where it has none."""
    try:
        return _uuid(entry["id"])
    except (TypeError, KeyError, NotReadable):
        return uuid.UUID(digest[:32])


def number_of(entry: Any) -> int:
    """Its place in the phone's numbering, 0 where it says none."""
    number = entry.get("number") if isinstance(entry, dict) else None
    return number if type(number) is int and 0 < number < 2**31 else 0


def read(entry: Any, now: datetime.datetime) -> ReadEntry:
    """Read an entry. Raises NotReadable."""
    if not isinstance(entry, dict):
        raise NotReadable(AsideReason.UNREADABLE, "no object")
    if type(entry.get("form")) is not int or entry["form"] != FORM:
        raise NotReadable(AsideReason.OLD_FORM)
    key = _uuid(entry.get("id"))
    at = _whole(entry, "at", _EARLIEST, _LATEST)
    if at > (now + FUTURE).timestamp():
        raise NotReadable(AsideReason.IN_FUTURE)
    said, changed = entry.get("visit"), entry.get("changes") or {}
    visit = None if said is None else _visit(said)
    if not isinstance(changed, dict) or (visit is None and not changed):
        raise NotReadable(AsideReason.UNREADABLE, "neither visit nor changes")
    return ReadEntry(
        key=key,
        number=number_of(entry),
        turf=_whole(entry, "turf", 0, 2**62),
        door=_uuid(entry.get("door")),
        made=entry.get("made") is True,
        at=datetime.datetime.fromtimestamp(at, datetime.UTC),
        visit=visit,
        changes={name: _change(name, value, str(key), now) for name, value in changed.items()},
    )


def _visit(said: Any) -> ReadVisit:
    if not isinstance(said, dict):
        raise NotReadable(AsideReason.UNREADABLE, "visit is not an object")
    outcome, skip, revisit = said.get("outcome"), said.get("skip_reason") or "", said.get("revisit") or ""
    if outcome not in Outcome.values or revisit not in ("", *Revisit.values):
        raise NotReadable(AsideReason.UNREADABLE, "outcome or revisit")
    if (outcome == Outcome.SKIPPED) != (skip in SkipReason.values) or (skip and skip not in SkipReason.values):
        raise NotReadable(AsideReason.UNREADABLE, "skip_reason")
    wanted = said.get("help")
    return ReadVisit(
        outcome=outcome,
        skip_reason=skip,
        phones=None if said.get("phones") is None else _whole(said, "phones", 0, MOST_PHONES),
        seen=_whole(said, "seen", 0, MOST_PHONES, 0),
        told=_whole(said, "told", 0, MOST_PHONES, 0),
        helped=_whole(said, "helped", 0, MOST_PHONES, 0),
        lot=_text(said.get("lot") or "", LOT_LENGTH),
        leaflets=_whole(said, "leaflets", 0, MOST_LEAFLETS, 0),
        revisit=revisit,
        help=None if wanted is None else _help(wanted),
        answer=_key(said["answer"]) if said.get("answer") else "",
        offered=_offered(said.get("offered") or []),
    )


def _key(value: Any) -> str:
    if not isinstance(value, str) or not _KEY.fullmatch(value):
        raise NotReadable(AsideReason.UNREADABLE, "answer or offered")
    return value


def _offered(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MOST_OFFERED:
        raise NotReadable(AsideReason.UNREADABLE, "offered")
    return tuple(dict.fromkeys(map(_key, value)))


def _help(wanted: Any) -> tuple[str, str]:
    if not isinstance(wanted, dict):
        raise NotReadable(AsideReason.UNREADABLE, "help is not an object")
    contact = _text(wanted.get("contact"), CONTACT_LENGTH)
    if not contact:
        raise NotReadable(AsideReason.UNREADABLE, "help without a contact")
    return contact, _text(wanted.get("note") or "", NOTE_LENGTH)


def _change(name: str, value: Any, key: str, now: datetime.datetime) -> Said:
    if name not in FIELDS or not isinstance(value, dict):
        raise NotReadable(AsideReason.UNREADABLE, "unknown fact")
    clock, bases = value.get("clock"), value.get("bases")
    if not isinstance(clock, str) or not is_clock(clock) or not isinstance(bases, list) or len(bases) > MOST_BASES:
        raise NotReadable(AsideReason.UNREADABLE, "clock")
    if milliseconds_of(clock) > (now + FUTURE).timestamp() * 1000:
        raise NotReadable(AsideReason.IN_FUTURE)
    # Earlier than the change itself: versions that named each other in a circle could never be taken.
    if not bases or any(not (base == FIRST or is_clock(base)) or base >= clock for base in bases):
        raise NotReadable(AsideReason.UNREADABLE, "bases")
    return Said(clock, key, fact_text(name, value.get("value")), tuple(bases))


def fact_text(name: str, value: Any) -> str:
    """A fact as text, as changes keep it; "" is "not known". Raises NotReadable."""
    if name == "smartphones":
        if value is None or value == "":
            return ""
        return str(_whole({"smartphones": value}, "smartphones", 0, MOST_PHONES))
    return _text("" if value is None else value, LONGEST[name])


def _text(value: Any, longest: int) -> str:
    if not isinstance(value, str):
        raise NotReadable(AsideReason.UNREADABLE, "no text")
    # Signs that are not seen make two equal names look different.
    seen = without_unseen(value)
    kept = "".join(sign if not unicodedata.category(sign).startswith("C") else " " for sign in seen)
    text = " ".join(unicodedata.normalize("NFC", kept).split())
    if len(text) > longest:
        raise NotReadable(AsideReason.UNREADABLE, "text too long")
    return text


def _whole(said: Mapping[str, Any], name: str, least: int, most: int, missing: int | None = None) -> int:
    value = said.get(name, missing)
    if value is None and missing is not None:
        return missing
    # bool is an int for Python, not for us.
    if type(value) is not int or not least <= value <= most:
        raise NotReadable(AsideReason.UNREADABLE, name)
    return value


def _uuid(value: Any) -> uuid.UUID:
    try:
        if isinstance(value, str) and len(value) == 36:
            return uuid.UUID(value)
    except ValueError:
        pass
    raise NotReadable(AsideReason.UNREADABLE, "id")
