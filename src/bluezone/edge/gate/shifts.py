# SPDX-License-Identifier: Apache-2.0
"""Who is on duty at the gate: sign-in by printed badge and PIN, without network; one person at a time.

The tablet keeps who was on duty from when to when, never who counted which passage.
"""

import datetime
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from bluezone.edge.gate.book import GateBook
from bluezone.refusal import Refused

BADGE_PREFIX = "BZGK:"
SCRYPT = {"n": 2**14, "r": 8, "p": 1}
WRONG_PINS = 5
LOCKED_SECONDS = 300.0


class BadgeUnknown(Refused):
    """No badge of this gate: another gate's, one that was renewed, or one whose time is over or has not begun."""

    code = "badge_unknown"


class PinWrong(Refused):
    """The PIN does not belong to the badge."""

    code = "pin_wrong"


class PinLocked(Refused):
    """Five wrong PINs; `seconds` says when the next may be tried. Passages are still counted meanwhile."""

    code = "pin_locked"

    def __init__(self, seconds: float) -> None:
        super().__init__(f"five wrong PINs; the next can be tried in {seconds:.0f} s")
        self.seconds = seconds


class NobodyOnDuty(Refused):
    """There is no shift to end."""

    code = "nobody_on_duty"


@dataclass(frozen=True)
class Duty:
    """A shift: id, badge, name of who is on duty, Unix seconds of its beginning and end.

    since, before: the day's beginning and the day's totals when the shift began, so that a slip shows the difference.
    """

    id: str
    badge: str
    name: str
    started: int
    ended: int | None
    since: float
    before: dict[str, int]


def pin_digest(pin: str, salt: bytes) -> bytes:
    """scrypt of a PIN, 32 bytes, as the office computes it."""
    return hashlib.scrypt(pin.encode(), salt=salt, dklen=32, **SCRYPT)


class Shifts:
    """The shifts of one gate. clock: Unix seconds as the gate reckons them; zone: of the city."""

    def __init__(self, book: GateBook, clock: Callable[[], float], zone: Callable[[], ZoneInfo]) -> None:
        self._book = book
        self._clock = clock
        self._zone = zone
        self._wrong: list[float] = []

    def on_duty(self) -> Duty | None:
        """The shift under way, or None."""
        kept = self._book.get("on_duty")
        return Duty(**json.loads(kept)) if kept else None

    def sign_in(self, badge_text: str, pin: str) -> Duty:
        """Begin a shift; one that is under way ends with it. Raises BadgeUnknown, PinWrong, PinLocked."""
        now = time.monotonic()
        self._wrong = [moment for moment in self._wrong if now - moment < LOCKED_SECONDS]
        if len(self._wrong) >= WRONG_PINS:
            raise PinLocked(self._wrong[0] + LOCKED_SECONDS - now)
        badge = badge_text.strip().upper().removeprefix(BADGE_PREFIX).lower()
        entry = self._entry(badge)
        expected = bytes.fromhex(entry["hash"])
        given = pin_digest(pin.strip(), bytes.fromhex(entry["salt"]))
        if not hmac.compare_digest(given, expected):
            self._wrong.append(now)
            raise PinWrong(f"wrong PIN; {WRONG_PINS - len(self._wrong)} more tries")
        self._wrong.clear()
        if self.on_duty() is not None:
            self.sign_out()
        since = self.day_begins()
        before = {passage.verdict: count for passage, count in self._book.totals(since).items()}
        duty = Duty(str(uuid4()), badge, entry["name"], int(self._clock()), None, since, before)
        self._book.put("on_duty", json.dumps(asdict(duty)))
        self._note(duty)
        return duty

    def sign_out(self) -> Duty:
        """End the shift. Raises NobodyOnDuty."""
        duty = self.on_duty()
        if duty is None:
            raise NobodyOnDuty("no one is on duty")
        ended = Duty(**{**asdict(duty), "ended": max(duty.started, int(self._clock()))})
        self._note(ended)
        self._book.put("on_duty", None)
        return ended

    def totals(self, duty: Duty) -> dict[str, int]:
        """Passages of a shift by verdict."""
        now = {passage.verdict: count for passage, count in self._book.totals(duty.since).items()}
        return {verdict: count - duty.before.get(verdict, 0) for verdict, count in now.items()}

    def day_begins(self) -> float:
        """Unix seconds of the local midnight before now."""
        zone = self._zone()
        today = datetime.datetime.fromtimestamp(self._clock(), zone).date()
        return datetime.datetime.combine(today, datetime.time(), zone).timestamp()

    def _entry(self, badge: str) -> dict[str, Any]:
        day = datetime.datetime.fromtimestamp(self._clock(), self._zone()).date().isoformat()
        for entry in json.loads(self._book.get("roster") or "[]"):
            if entry["badge"] == badge and entry["since"] <= day <= (entry["until"] or "9999"):
                return dict(entry)
        raise BadgeUnknown("this badge does not belong to this gate today; ask your agency for a new one")

    def _note(self, duty: Duty) -> None:
        """Store what the office may know of a shift, until it is sent."""
        told = {"id": duty.id, "badge": duty.badge, "started": duty.started, "ended": duty.ended}
        others = [shift for shift in json.loads(self._book.get("shifts") or "[]") if shift["id"] != duty.id]
        self._book.put("shifts", json.dumps([*others, told]))
