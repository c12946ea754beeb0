# SPDX-License-Identifier: Apache-2.0
"""The gate page, what the attendant or in kiosk mode the visitor looks at: its calls, by name, with their arguments
checked, and its files.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bluezone.edge.gate.desk import GateDesk
from bluezone.edge.gate.practice import BADGE, KINDS, PIN, TICKET, Kind, Practice
from bluezone.edge.gate.shifts import BADGE_PREFIX
from bluezone.face.files import StaticFile, static_files
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
        "api/date": lambda given: desk.date(_text(given, "boot"), _number(given, "began")),
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


STATIC = Path(__file__).parent / "static"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}
# What the gate page takes from the face, below "face/".
_SHARED = ("fonts/", "scan/", "vendor/", "dom.js", "qrcode.js", "icon.svg")


def gate_files() -> dict[str, StaticFile]:
    """Every file by its path; "" is the page."""
    own = {
        path.relative_to(STATIC).as_posix(): StaticFile(
            path.relative_to(STATIC).as_posix(), path.read_bytes(), _TYPES[path.suffix]
        )
        for path in sorted(STATIC.rglob("*"))
        if path.suffix in _TYPES
    }
    shared = {f"face/{name}": file for name, file in static_files().items() if name.startswith(_SHARED)}
    files = {**own, **shared}
    files[""] = files["gate.html"]
    return files
