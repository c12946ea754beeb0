# SPDX-License-Identifier: Apache-2.0
"""What canvassers say and how a visit can end, as data of the city: `canvass/script.json` in its data folder.

Without the file the one that comes with the app is used. Every outcome of the city counts as one of the nine that are
counted (facts.py), so that figures of two cities, or of a city before and after, mean the same.
"""

import hashlib
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from django.conf import settings
from django.utils.translation import get_language

from bluezone.refusal import Refused
from bluezone.rollout.canvass.households.facts import Outcome

FILE = Path("canvass") / "script.json"
SHIPPED = Path(__file__).parents[1] / "phone" / "script.json"
MOST_BYTES = 64_000

Key = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]{0,23}$", description="stays the same for ever")]
Label = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
Sentence = Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
Counted = Literal[
    "installed", "running", "leaflet", "not_home", "refused", "no_smartphone", "moved", "locked", "skipped"
]


class Labels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A few words in both languages."""

    vi: Label
    en: Label


class Sentences(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to say, in both languages."""

    vi: Sentence
    en: Sentence


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step of the talk at the door."""

    title: Labels
    say: Sentences


class Offer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What can be offered at an outcome, such as a paper card."""

    key: Key
    label: Labels


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One outcome that a canvasser can tap. counts_as: which of the counted ones it is."""

    key: Key
    counts_as: Counted
    label: Labels
    say: Sentences | None = None
    offers: Annotated[tuple[Offer, ...], msgspec.Meta(max_length=6)] = ()


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. outcomes: in the order shown; each counted one at least once, the first of a kind names it."""

    version: Literal[1]
    steps: Annotated[tuple[Step, ...], msgspec.Meta(max_length=12)]
    outcomes: Annotated[tuple[Choice, ...], msgspec.Meta(min_length=9, max_length=20)]


class ScriptUnreadable(Refused):
    """The city's file is no script, or leaves out an outcome that is counted; the shipped one is used instead."""

    code = "canvass_script_unreadable"


@dataclass(frozen=True)
class InForce:
    """The script that phones get. as_of: fingerprint. trouble: why the city's own file is not used, else ""."""

    script: Script
    as_of: str
    trouble: str = ""


def in_force() -> InForce:
    """The city's script, or the shipped one; a file that cannot be read is said and never raised."""
    path = Path(settings.DATA_FOLDER) / FILE
    try:
        state = path.stat()
    except OSError:
        return shipped()
    try:
        return _read(path, state.st_mtime_ns, state.st_size)
    except ScriptUnreadable as refused:
        own = shipped()
        return InForce(own.script, own.as_of, refused.message)


@cache
def shipped() -> InForce:
    """The script that comes with the app."""
    content = SHIPPED.read_bytes()
    return InForce(read_script(content), _fingerprint(content))


@lru_cache(maxsize=2)
def _read(path: Path, _changed: int, size: int) -> InForce:
    if size > MOST_BYTES:
        raise ScriptUnreadable(f"{FILE} has {size} bytes, expected at most {MOST_BYTES}")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ScriptUnreadable(f"{FILE} cannot be read: {type(error).__name__}") from error
    return InForce(read_script(content), _fingerprint(content))


def read_script(content: bytes) -> Script:
    """A script from its JSON. Raises ScriptUnreadable, which says where it is wrong."""
    try:
        script = msgspec.json.decode(content, type=Script)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ScriptUnreadable(f"{FILE}: {error}") from error
    keys = [choice.key for choice in script.outcomes]
    if len(set(keys)) < len(keys):
        raise ScriptUnreadable(f"{FILE}: an outcome's key appears twice")
    missing = set(Outcome.values) - {choice.counts_as for choice in script.outcomes}
    if missing:
        raise ScriptUnreadable(f"{FILE}: no outcome counts as {', '.join(sorted(missing))}")
    return script


def schema() -> dict[str, object]:
    """The JSON Schema of the file (docs/reference/canvass-script.schema.json)."""
    return msgspec.json.schema(Script)


def answer_label(key: str) -> str:
    """What the city calls an outcome of its own, in the reader's language; "" where it names none of that key."""
    return next((_said(one.label) for one in in_force().script.outcomes if one.key == key), "")


def offer_label(key: str) -> str:
    """The same of something offered; the key itself where the script has it no more."""
    offers = (offer for one in in_force().script.outcomes for offer in one.offers)
    return next((_said(offer.label) for offer in offers if offer.key == key), key)


def _said(words: Labels) -> str:
    return words.vi if get_language() == "vi" else words.en


def _fingerprint(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
