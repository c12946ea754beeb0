# SPDX-License-Identifier: Apache-2.0
"""The gate as its page sees it: judge a code, count a passage, take it back, who is on duty, what waits to be sent."""

import datetime
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

from bluezone.edge.gate.book import KEPT_DAYS, UNDO_SECONDS, GateBook, balance_of
from bluezone.edge.gate.check import Finding, GateCheck
from bluezone.edge.gate.city import GateCity
from bluezone.edge.gate.passages import BUCKET_SECONDS, Direction, Passage, PassageInvalid
from bluezone.edge.gate.shifts import Duty, Shifts
from bluezone.protocol.gate.passes import screen_text
from bluezone.refusal import Refused

_VERDICT_OF = {Finding.PROVEN: "running", Finding.FRESH: "valid_code"}
_BY_CODE_ALONE = ("proven", "fresh")
DEFAULT_ZONE = "Asia/Ho_Chi_Minh"
# As in the office (rollout/gates/queries.py).
EXIT_DAYS = 7
_DAY = datetime.timedelta(days=1)


class HourInvalid(Refused):
    """A date for passages of a lost hour that cannot be theirs; nothing was changed."""

    code = "hour_invalid"


class GateDesk:
    """Everything the gate page asks for; each method's answer is JSON-ready. Usable from any thread.

    radio_off: why the radio is silent, None while it works, "no_radio" for a gate without one.
    training: whether this is a practice gate (practice.py), which reports nothing to anybody.
    box_text: the code by which tablets join this gate as their box (box.py), None for one that is none.
    """

    def __init__(
        self,
        book: GateBook,
        city: GateCity,
        check: GateCheck,
        radio_off: Callable[[], str | None],
        *,
        training: bool = False,
        box_text: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._box_text = box_text
        self.training = training
        self.book = book
        self.city = city
        self.check = check
        self.shifts = Shifts(book, city.now, self.zone)
        self.sync_problem: str | None = None
        self.synced_at: float | None = None
        self._radio_off = radio_off
        self._last: tuple[int, Passage, float] | None = None

    def zone(self) -> ZoneInfo:
        """The city's time zone; before the first config DEFAULT_ZONE."""
        return ZoneInfo(self.city.current.zone if self.city.current else DEFAULT_ZONE)

    def state(self) -> dict[str, Any]:
        """All that the page shows beside the verdict."""
        challenges = self.check.challenges()
        duty = self.shifts.on_duty()
        since = self.shifts.day_begins()
        held = self.city.current
        return {
            "gate": json.loads(self.book.get("gate") or "{}"),
            "city": dict(held.city) if held else None,
            "public_origin": self.city.public_origin,
            "zone": str(self.zone()),
            "now": self.city.now(),
            "training": self.training,
            "clock_wrong": self.city.clock_is_wrong,
            "radio_off": self._radio_off(),
            "box_text": self._box_text(),
            "screen": {"text": screen_text(challenges.screen), "seconds_left": round(challenges.seconds_left, 1)},
            "duty": self._told(duty) if duty else None,
            "inside": max(0, self.book.inside(since) + self._inside_elsewhere(since)),
            "today": {passage.verdict: count for passage, count in self.book.totals(since).items()},
            "unsent": sum(counter.count for counter in self.book.unsent()) + self.book.undated(),
            "lost": [asdict(one) for one in self.book.lost_hours()],
            "synced_at": self.synced_at,
            "sync_problem": self.sync_problem,
            "undo": self._undo(),
        }

    def _inside_elsewhere(self, since: float) -> int:
        """In minus out of today by the gate's other tablets and on paper, and who was inside when the day began.

        As the office gave it last; after a midnight without a network, by the office's own rule.
        """
        others = json.loads(self.book.get("gate") or "{}").get("others") or {}
        today = datetime.datetime.fromtimestamp(since, self.zone()).date()
        oldest = today - KEPT_DAYS * _DAY
        last = datetime.date.fromisoformat(others["day"]) if others.get("day") else oldest
        inside = int(others.get("inside", 0))
        if last >= today:
            return inside if last == today else 0
        days = self._days(min(last, today - EXIT_DAYS * _DAY), today)
        exits = any(passage.direction == "out" for totals in days.values() for passage in totals)
        exits = exits or any("out" in totals for totals in others.get("tablets", {}).values())
        if len(days) > 1 and not exits:
            return 0
        for totals in (totals for day, totals in days.items() if day >= last):
            inside = max(0, inside + balance_of(totals))
        return max(0, inside)

    def _days(self, first: datetime.date, until: datetime.date) -> dict[datetime.date, dict[Passage, int]]:
        """What this gate counted day by day, those without any passage left out."""
        counted = {}
        for number in range((until - first).days):
            day = first + number * _DAY
            totals = self.book.totals(self._begins(day), self._begins(day + _DAY))
            if totals:
                counted[day] = totals
        return counted

    def _begins(self, day: datetime.date) -> float:
        return datetime.datetime.combine(day, datetime.time(), self.zone()).timestamp()

    def judge(self, text: str) -> dict[str, Any]:
        """Check a scanned text; a code that is enough by itself is counted as a passage in."""
        finding = self.check.judge(text)
        answer: dict[str, Any] = {"finding": finding.value, "verdict": None, "number": None}
        if finding in _VERDICT_OF:
            answer |= self._count(Passage("in", _VERDICT_OF[finding]))
        return answer

    def enter(self, direction: Direction, verdict: str) -> dict[str, Any]:
        """Count a passage that the attendant vouches for. Raises PassageInvalid, GateBookUnusable."""
        passage = Passage(direction, verdict)
        if passage.proof in _BY_CODE_ALONE:
            raise PassageInvalid(f"{verdict} is counted when its code was checked, never by hand")
        return self._count(passage)

    def _count(self, passage: Passage) -> dict[str, Any]:
        number = self.book.enter(passage)
        self._last = (number, passage, time.monotonic())
        return {"verdict": passage.verdict, "number": number, "undo_seconds": UNDO_SECONDS}

    def undo(self, number: int) -> dict[str, Any]:
        """Take back a passage of the last ten seconds. Raises NothingToUndo."""
        passage = self.book.undo(number)
        if self._last and self._last[0] == number:
            self._last = None
        return {"undone": passage.verdict}

    def date(self, boot: str, began: int) -> dict[str, Any]:
        """Say when a boot of a lost hour began to count, Unix seconds; what was counted in it is sent with that date.

        Raises HourInvalid for a boot that has no lost hour, or one that would end after now.
        """
        lost = next((one for one in self.book.lost_hours() if one.boot == boot), None)
        if lost is None or began + lost.seconds > self.city.now() + BUCKET_SECONDS:
            raise HourInvalid("these passages cannot have been counted in that hour")
        return {"dated": self.book.date_lost(boot, began - lost.began)}

    def sign_in(self, badge: str, pin: str) -> dict[str, Any]:
        """Begin a shift. Raises BadgeUnknown, PinWrong, PinLocked."""
        return self._told(self.shifts.sign_in(badge, pin))

    def sign_out(self) -> dict[str, Any]:
        """End the shift; the answer is what the slip prints. Raises NobodyOnDuty."""
        return self._told(self.shifts.sign_out())

    def _told(self, duty: Duty) -> dict[str, Any]:
        return {
            "name": duty.name,
            "started": duty.started,
            "ended": duty.ended,
            "totals": {verdict: count for verdict, count in self.shifts.totals(duty).items() if count},
        }

    def _undo(self) -> dict[str, Any] | None:
        if self._last is None:
            return None
        number, passage, moment = self._last
        left = UNDO_SECONDS - (time.monotonic() - moment)
        if left <= 0:
            return None
        told = {"direction": passage.direction, "verdict": passage.verdict}
        return {"number": number, "seconds_left": round(left, 1), **told}
