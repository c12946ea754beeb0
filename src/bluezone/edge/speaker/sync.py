# SPDX-License-Identifier: Apache-2.0
"""A loudspeaker's exchange with the office (the plan every two seconds, sounds ahead of time), and the time it plays
by.
"""

import base64
import contextlib
import http.client
import json
import logging
import ssl
from collections.abc import Callable, Mapping
from email.message import Message
from typing import Any
from urllib.parse import urlsplit

from bluezone.edge.speaker.book import SpeakerBook
from bluezone.edge.speaker.plan import EMPTY, Plan, SpeakerPlanInvalid, read_plan
from bluezone.protocol.upload.puzzle import PUZZLE_HEADER, read_challenge, solve_for_header
from bluezone.refusal import Refused

# A slower answer says too little about the moment at which it was given.
MOST_ROUND_TRIP_SECONDS = 1.0
# Where the network is always slow, a slow answer is better than none until a quick one comes.
FIRST_ROUND_TRIP_SECONDS = 5.0
# Beyond this a machine's own clock is called wrong, at the machine and in the office.
TOLERATED_SECONDS = 5.0
_KEPT_AGAIN_SECONDS = 60.0


class SpeakerClock:
    """wall: the machine's clock in Unix seconds; boot: seconds that only ever go forward."""

    def __init__(self, book: SpeakerBook, wall: Callable[[], float], boot: Callable[[], float]) -> None:
        self._book, self._wall, self._boot = book, wall, boot
        self._offset = float(book.get("clock_offset") or 0.0)
        self._last_known = float(book.get("last_known") or 0.0)
        self._anchor: tuple[float, float] | None = None
        self._kept_at = boot()

    def now(self) -> float:
        """Unix seconds as the server counts them."""
        if self._anchor is not None:
            server, boot = self._anchor
            return server + self._boot() - boot
        return self._wall() + self._offset

    def take_server_time(self, server: float, asked: float, answered: float) -> None:
        """Take the server's time from one question. asked, answered: of the boot clock, around it."""
        trip = answered - asked
        if trip < 0 or trip > (FIRST_ROUND_TRIP_SECONDS if self._anchor is None else MOST_ROUND_TRIP_SECONDS):
            return
        then = server + trip / 2
        if self._anchor is None or abs(then - self._at(answered)) > trip / 2 + 0.02:
            self._anchor = (then, answered)
        offset = self.now() - self._wall()
        if abs(offset - self._offset) > 1.0:
            self._offset = offset
            self._book.put("clock_offset", str(offset))
        if self._last_known == 0.0 or self._boot() - self._kept_at >= _KEPT_AGAIN_SECONDS:
            self._kept_at, self._last_known = self._boot(), self.now()
            self._book.put("last_known", str(self._last_known))

    @property
    def is_measured(self) -> bool:
        """Whether the server was asked since the start."""
        return self._anchor is not None

    @property
    def is_sure(self) -> bool:
        """Whether to play by this time: measured since the start, or at least not before the last known one."""
        return self._anchor is not None or (self._last_known > 0 and self.now() >= self._last_known)

    @property
    def off_seconds(self) -> float:
        """By how much the machine's own clock is behind (ahead: negative)."""
        return self.now() - self._wall()

    @property
    def is_wrong(self) -> bool:
        """Whether the machine's own clock is off by more than what is tolerated."""
        return abs(self.off_seconds) > TOLERATED_SECONDS

    def _at(self, boot: float) -> float:
        assert self._anchor is not None
        return self._anchor[0] + boot - self._anchor[1]


TIMEOUT_SECONDS = 5.0
MOST_BYTES = 32 * 1024 * 1024
AT_ONCE = 200
PLAN_PATH = "/v1/speakers/plan"
STATUS_SECONDS = 600.0
# The office's codes for a report that it will never take, and for one whose time has not come.
_NO_REPORT, _OF_THE_FUTURE = "speaker_report_invalid", "speaker_clock_wrong"

logger = logging.getLogger(__name__)


class SpeakerOffline(Refused):
    """No connection to the office; the plan that is kept goes on, and reports wait."""

    code = "offline"


class SpeakerRefused(Refused):
    """The office answered with an error. reason: its code."""

    code = "speaker_not_accepted"

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


class SpeakerSync:
    """One loudspeaker's connection, kept open. address: `https://host[:port]`; boot: seconds that only go forward."""

    def __init__(
        self, address: str, book: SpeakerBook, clock: SpeakerClock, boot: Callable[[], float], sink: str
    ) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SpeakerOffline(f"{address} is not an address of a city: expected https://host")
        self._parts = parts
        self._book, self._clock, self._boot, self._sink = book, clock, boot, sink
        self._connection: http.client.HTTPConnection | None = None
        self._etag = book.get("plan_etag") or ""
        self._status: dict[str, Any] = {}
        self._status_at = boot() - STATUS_SECONDS
        self.plan = self._kept_plan()
        # How the machine is beyond its clock and its sounds, for the office (rollout/loudspeakers/health.py).
        self.health: Callable[[], Mapping[str, Any]] = dict

    def enrol(self, code: str) -> None:
        """Exchange a one-time code for a token and keep it. Raises SpeakerOffline, SpeakerRefused."""
        status, _headers, body = self._call("POST", "/v1/devices/enrol", {"code": code})
        if status == 429 and (challenge := read_challenge(body)):
            # Many wrong codes came from this network; the answer costs some seconds.
            more = {PUZZLE_HEADER: solve_for_header(challenge)}
            status, _headers, body = self._call("POST", "/v1/devices/enrol", {"code": code}, more)
        if status != 201:
            raise _refused(status, body)
        self._book.put("token", str(json.loads(body)["token"]))

    def poll(self) -> bool:
        """Ask for the plan; returns whether it changed. Raises SpeakerOffline, SpeakerRefused, SpeakerPlanInvalid."""
        asked = self._boot()
        status, headers, body = self._call("GET", PLAN_PATH, None, {"If-None-Match": self._etag} if self._etag else {})
        answered = self._boot()
        if status == 401:
            self._be_cut_off()
        if status not in (200, 304):
            raise _refused(status, body)
        with contextlib.suppress(ValueError):
            self._clock.take_server_time(float(headers.get("Bluezone-Time", "")) / 1000, asked, answered)
        if status == 304:
            return False
        self.plan = read_plan(body.decode("utf-8", "replace"))
        self._etag = headers.get("ETag", "")
        self._book.put("plan", body.decode())
        self._book.put("plan_etag", self._etag)
        return True

    def fetch(self, *, urgent: bool = False) -> int:
        """Fetch one sound that is not here yet, emergencies first; returns how many are still missing.

        urgent: only of emergencies that are ordered. Raises SpeakerOffline, SpeakerRefused.
        """
        missing = self._missing(urgent=urgent)
        if missing:
            status, _headers, body = self._call("GET", f"/v1/speakers/audio/{missing[0]}", None)
            if status != 200 or not self._book.keep_sound(missing[0], body):
                raise SpeakerRefused(f"the sound {missing[0][:12]} cannot be had: {status}")
        return max(0, len(missing) - 1)

    def live(self, number: int, first: int) -> tuple[list[bytes], bool]:
        """Pieces of what is spoken live, from `first` on, and whether more can come.

        Raises SpeakerOffline, SpeakerRefused.
        """
        status, _headers, body = self._call("GET", f"/v1/speakers/live/{number}/{first}", None)
        if status != 200:
            raise _refused(status, body)
        try:
            said = json.loads(body)
            return [base64.b64decode(piece, validate=True) for piece in said["pieces"]], bool(said["more"])
        except (ValueError, KeyError, TypeError):
            raise SpeakerRefused("what is spoken live cannot be read") from None

    def tell(self) -> int:
        """Send reports that wait, and the machine's state when it changed; how many reports the office took.

        Reports that it refuses together go one by one, so that a bad one holds up no other; the bad one is set aside.
        Raises SpeakerOffline, SpeakerRefused.
        """
        rows = self._book.unsent(AT_ONCE)
        status = self._state()
        due = status != self._status or self._boot() - self._status_at >= STATUS_SECONDS
        if not rows and not due:
            return 0
        taken = len(rows)
        try:
            self._send(rows, {"status": status})
        except SpeakerRefused as refused:
            if not rows or refused.reason not in (_NO_REPORT, _OF_THE_FUTURE):
                raise
            taken = sum(self._is_taken_alone(row) for row in rows)
            self._send([], {"status": status})
        self._status, self._status_at = status, self._boot()
        return taken

    def tidy(self) -> None:
        """Delete sounds that are in no plan any more."""
        self._book.forget_sounds({item.sound for item in self.plan.items}.union(self.plan.ready))

    def _send(self, rows: list[dict[str, Any]], more: dict[str, Any]) -> None:
        answer, _headers, body = self._call("POST", "/v1/speakers/played", {"played": rows, **more})
        if answer != 200:
            raise _refused(answer, body)
        self._book.sent(str(row["airing"]) for row in rows)

    def _is_taken_alone(self, row: dict[str, Any]) -> bool:
        try:
            self._send([row], {})
        except SpeakerRefused as refused:
            if refused.reason == _NO_REPORT:
                logger.warning("report of %s set aside: %s", row["airing"], refused.reason)
                self._book.set_aside(str(row["airing"]))
            elif refused.reason != _OF_THE_FUTURE:
                raise
            # A report from the future waits until its time has come.
            return False
        return True

    def _state(self) -> dict[str, Any]:
        off = self._clock.off_seconds
        problem = "clock_wrong" if self._clock.is_wrong else ""
        # Rounded, so that a drift of milliseconds is not told at every poll.
        return {"sink": self._sink, "clock_off": round(off) if abs(off) > 2 else 0, "missing": len(self._missing()),
                "problem": problem, **self.health()}  # fmt: skip

    def _missing(self, *, urgent: bool = False) -> list[str]:
        items = sorted(self.plan.items, key=lambda item: (not item.is_emergency, item.due))
        emergencies = [item.sound for item in items if item.is_emergency]
        others = [] if urgent else [*self.plan.ready, *(item.sound for item in items)]
        wanted = dict.fromkeys([*emergencies, *others])
        return [sound for sound in wanted if self._book.sound(sound) is None]

    def _kept_plan(self) -> Plan:
        try:
            return read_plan(self._book.get("plan") or "")
        except SpeakerPlanInvalid:
            self._etag = ""
            return EMPTY

    def _be_cut_off(self) -> None:
        """Fall silent and keep no bulletin: the office has cut this machine off, perhaps because it was stolen."""
        self.plan, self._etag = EMPTY, ""
        self._book.put("plan", "")
        self._book.put("plan_etag", "")
        self._book.forget_sounds((), all_of_them=True)

    def _call(
        self, method: str, path: str, body: dict[str, Any] | None, more: dict[str, str] | None = None
    ) -> tuple[int, Message, bytes]:
        headers = {**(more or {}), "Authorization": f"Bearer {self._book.get('token') or ''}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        data = None if body is None else json.dumps(body).encode()
        try:
            # A connection that the server has closed meanwhile is opened once more.
            for fresh in (self._connection is None, True):
                try:
                    return self._ask(method, path, data, headers, fresh=fresh)
                except (http.client.HTTPException, ConnectionError):
                    self._drop()
                    if fresh:
                        raise
        except (http.client.HTTPException, OSError, ValueError) as error:
            self._drop()
            raise SpeakerOffline(f"the office cannot be reached: {type(error).__name__}") from None
        raise SpeakerOffline("the office cannot be reached")

    def _ask(
        self, method: str, path: str, data: bytes | None, headers: dict[str, str], *, fresh: bool
    ) -> tuple[int, Message, bytes]:
        if fresh or self._connection is None:
            self._connection = self._open()
        self._connection.request(method, self._parts.path.rstrip("/") + path, data, headers)
        answer = self._connection.getresponse()
        content = answer.read(MOST_BYTES)
        return answer.status, answer.headers, content

    def _open(self) -> http.client.HTTPConnection:
        host = self._parts.netloc
        if self._parts.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, timeout=TIMEOUT_SECONDS, context=context)
        return http.client.HTTPConnection(host, timeout=TIMEOUT_SECONDS)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _refused(status: int, body: bytes) -> SpeakerRefused:
    try:
        reason = str(json.loads(body)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        reason = ""
    return SpeakerRefused(f"the office answered {status} {reason}".strip(), reason)
