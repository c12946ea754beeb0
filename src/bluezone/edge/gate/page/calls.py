# SPDX-License-Identifier: Apache-2.0
"""The calls of the gate page, by name, with their arguments checked."""

from collections.abc import Callable
from typing import Any

from bluezone.edge.gate.desk import GateDesk
from bluezone.edge.gate.practice import BADGE, KINDS, PIN, TICKET, Kind, Practice
from bluezone.edge.gate.shifts import BADGE_PREFIX
from bluezone.localpage import CallInvalid, Changing, Reading

MOST_TEXT = 4_096


def reading(desk: GateDesk) -> Reading:
    """What GET answers."""
    return {"api/state": desk.state}


def changing(desk: GateDesk, send: Callable[[], None], help_later: Callable[[str], str]) -> Changing:
    """What POST does. send: sends the office what waits, now. help_later: contact -> ticket of a request for help."""
    return {
        "api/judge": lambda given: desk.judge(_text(given, "text")),
        "api/enter": lambda given: desk.enter(_direction(given), _text(given, "verdict")),
        "api/undo": lambda given: desk.undo(_number(given, "number")),
        "api/signIn": lambda given: desk.sign_in(_text(given, "badge"), _text(given, "pin")),
        "api/signOut": lambda _given: desk.sign_out(),
        "api/help": lambda given: {"ticket": help_later(_text(given, "contact"))},
        "api/send": lambda _given: _sent(desk, send),
    }


def practising(desk: GateDesk, practice: Practice) -> Changing:
    """What POST does at a practice gate: the same, but nothing is reported, and there are codes to show to it."""
    return {
        **changing(desk, lambda: None, lambda _contact: TICKET),
        "api/practise": lambda given: {"text": practice.code(_kind(given), desk.check)},
        "api/badge": lambda _given: {"badge": BADGE_PREFIX + BADGE, "pin": PIN},
    }


def _sent(desk: GateDesk, send: Callable[[], None]) -> dict[str, Any]:
    send()
    return {"unsent": desk.state()["unsent"]}


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or len(value) > MOST_TEXT:
        raise CallInvalid(f"{name} is a text of at most {MOST_TEXT} letters")
    return value


def _number(given: dict[str, Any], name: str) -> int:
    value = given.get(name)
    if type(value) is not int or not 0 <= value < 2**53:
        raise CallInvalid(f"{name} is a whole number")
    return value


def _direction(given: dict[str, Any]) -> Any:
    value = given.get("direction")
    if value not in ("in", "out"):
        raise CallInvalid('direction is "in" or "out"')
    return value


def _kind(given: dict[str, Any]) -> Kind:
    for kind in KINDS:
        if given.get("kind") == kind:
            return kind
    raise CallInvalid(f"kind is one of {', '.join(KINDS)}")
