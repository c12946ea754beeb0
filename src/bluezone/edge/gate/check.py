# SPDX-License-Identifier: Apache-2.0
"""How a gate checks passes: its own challenges, the answers heard by radio, and what was used; all in memory.

Nothing that was on the air or in a pass is ever written down: heard answers are forgotten after 40 s, what stands for a
session after 2 minutes, one-time keys are remembered as 8 bytes of a keyed hash whose key changes with the day.
Source: docs/protocol.md section 7; docs/attacks.md rows 28, 29, 31, 33.
"""

import hmac
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from bluezone.protocol import blindrsa
from bluezone.protocol.gate.passes import (
    CHALLENGE_LENGTH,
    CHALLENGE_SECONDS,
    BluetoothState,
    Challenge,
    NotABluezoneCode,
    PassA,
    PassB,
    PassSignatureInvalid,
    compute_response,
    read_pass,
    session_mark,
    verify_pass_signature,
    verify_token,
)
from bluezone.protocol.signed.config import WeekKey

HEARD_SECONDS = 40.0
USED_SECONDS = 120.0
WEAKEST_ANSWER_DBM = -70
# Somebody may flood the radio with answers. A phone in front of the gate sends its own again and again, so that those
# which were not heard for longest make room: to drive it out somebody would have to send as many between two of them.
MOST_HEARD = 10_000

_OPK_MARK_LENGTH = 8


class Finding(Enum):
    """What a scanned code shows; the value is the refusal's code where it is one."""

    PROVEN = "proven"
    FRESH = "fresh"
    BLUETOOTH_OFF = "installed_off"
    NOT_HEARD = "not_heard"  # a good code whose phone has not answered on the air yet, or never will: a picture
    EXPIRED = "pass_expired"
    USED = "pass_used"
    FOREIGN = "not_a_bluezone_code"

    @property
    def lets_in(self) -> bool:
        """Whether the code itself is enough, without the attendant's decision."""
        return self in (Finding.PROVEN, Finding.FRESH)


@dataclass(frozen=True)
class Challenges:
    """The two challenges of this moment and the seconds until the next ones."""

    air: Challenge
    screen: Challenge
    seconds_left: float


class GateCheck:
    """One gate's memory, or that of several lanes that share a gate id. Usable from any thread.

    gate_id:    4 bytes.
    week_keys:  the gate(week) keys that the signed config lists, asked at each pass B.
    boot_clock: seconds on a clock that nobody sets; unix_clock only chooses the week of a key and the day of a mark.
    """

    def __init__(
        self,
        gate_id: bytes,
        week_keys: Callable[[], Iterable[WeekKey]],
        boot_clock: Callable[[], float],
        unix_clock: Callable[[], float],
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.gate_id = gate_id
        self._week_keys = week_keys
        self._boot_clock = boot_clock
        self._unix_clock = unix_clock
        self._random = random_bytes
        self._lock = threading.Lock()
        self._turn = -1
        self._air: tuple[bytes, bytes] = (b"", b"")
        self._screen: tuple[bytes, bytes] = (b"", b"")
        # Both in the order of their times.
        self._heard: OrderedDict[bytes, float] = OrderedDict()
        self._used: OrderedDict[bytes, float] = OrderedDict()
        self._marks: set[bytes] = set()
        self._mark_key = b""
        self._mark_day = -1

    def challenges(self) -> Challenges:
        """What to advertise and to show now; both change every 30 seconds."""
        with self._lock:
            now = self._boot_clock()
            self._advance(now)
            left = CHALLENGE_SECONDS - now % CHALLENGE_SECONDS
            return Challenges(Challenge(self.gate_id, self._air[0]), Challenge(self.gate_id, self._screen[0]), left)

    def heard(self, answer: bytes, rssi_dbm: int) -> None:
        """Note an answer on the air, 16 bytes; one from further away than a gate's width is dropped."""
        if rssi_dbm < WEAKEST_ANSWER_DBM:
            return
        with self._lock:
            now = self._boot_clock()
            self._advance(now)
            self._heard[answer] = now
            self._heard.move_to_end(answer)
            if len(self._heard) > MOST_HEARD:
                self._heard.popitem(last=False)

    def judge(self, text: str) -> Finding:
        """Decide what a scanned text shows, and mark it as used if it shows enough. Never raises, whatever the text."""
        try:
            shown = read_pass(text)
        except NotABluezoneCode:
            return Finding.FOREIGN
        with self._lock:
            self._advance(self._boot_clock())
            mark = session_mark(shown.session)
            if mark in self._used:
                return Finding.USED
            finding = self._judge_a(shown) if isinstance(shown, PassA) else self._judge_b(shown)
            if finding.lets_in:
                self._used[mark] = self._boot_clock()
            return finding

    def air(self) -> tuple[bytes, ...]:
        """The challenges to which an answer on the air counts now, the newest first; two but for the beginning."""
        with self._lock:
            self._advance(self._boot_clock())
            return tuple(value for value in self._air if value)

    def judge_beside(self, answers: Iterable[bytes], mark: bytes, tablet: int) -> Finding:
        """What a tablet beside this gate may say of a phone's pass that only it has read: PROVEN, NOT_HEARD or USED.

        answers: what the phone answers to the challenges of `air`, 16 bytes each. mark: `session_mark` of its session.
        tablet: who asks; the same one may ask again, because it may not have got the answer.
        """
        with self._lock:
            now = self._boot_clock()
            self._advance(now)
            by = mark + tablet.to_bytes(8, "big")
            if mark in self._used:
                return Finding.PROVEN if by in self._used else Finding.USED
            if not any(answer in self._heard for answer in answers):
                return Finding.NOT_HEARD
            self._used[mark] = self._used[by] = now
            return Finding.PROVEN

    def _judge_a(self, shown: PassA) -> Finding:
        if any(compute_response(shown.session, value) in self._heard for value in self._air if value):
            return Finding.PROVEN
        return Finding.NOT_HEARD if BluetoothState.BLUETOOTH_ON in shown.state else Finding.BLUETOOTH_OFF

    def _judge_b(self, shown: PassB) -> Finding:
        if not any(hmac.compare_digest(shown.challenge, value) for value in self._screen if value):
            return Finding.EXPIRED
        try:
            verify_pass_signature(shown)
        except PassSignatureInvalid:
            return Finding.FOREIGN
        now = self._unix_clock()
        key = next((key for key in self._week_keys() if key.kid == shown.kid and key.purpose == "gate"), None)
        if key is None or not key.use_from <= now < key.accept_until:
            return Finding.EXPIRED
        if not verify_token(blindrsa.PublicKey(key.n, key.e), shown):
            return Finding.FOREIGN
        mark = hmac.digest(self._mark_key, shown.opk, "sha256")[:_OPK_MARK_LENGTH]
        if mark in self._marks:
            return Finding.USED
        self._marks.add(mark)
        return Finding.FRESH

    def _advance(self, now: float) -> None:
        turn = int(now // CHALLENGE_SECONDS)
        if turn != self._turn:
            # After a gap the challenge before is older than its time and is not accepted any more.
            follows = turn == self._turn + 1
            self._air = (self._random(CHALLENGE_LENGTH), self._air[0] if follows else b"")
            self._screen = (self._random(CHALLENGE_LENGTH), self._screen[0] if follows else b"")
            self._turn = turn
        _forget_older(self._heard, now - HEARD_SECONDS)
        _forget_older(self._used, now - USED_SECONDS)
        day = int(self._unix_clock() // 86_400)
        if day != self._mark_day:
            # A challenge lives a minute, so yesterday's keys cannot come back; a new key makes old marks unreadable.
            self._mark_key, self._mark_day = self._random(32), day
            self._marks.clear()


def _forget_older(times: OrderedDict[bytes, float], bound: float) -> None:
    """Drop what is older than the bound, from the oldest on; a flood must not make each answer cost a look at all."""
    while times and next(iter(times.values())) <= bound:
        times.popitem(last=False)
