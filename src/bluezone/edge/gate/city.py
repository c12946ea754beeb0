# SPDX-License-Identifier: Apache-2.0
"""What a gate knows of its city, for as many days as there is no network: the signed config; and the exchange with the
office, counters out and the roster in.
"""

import base64
import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from bluezone.edge.gate.book import GateBook
from bluezone.networks import origin_of
from bluezone.protocol.primitives import ED25519_KEY_LENGTH
from bluezone.protocol.signed.config import Config, ConfigGap, WeekKey, decode_config, follow_config
from bluezone.protocol.signed.envelope import fingerprint, open_signed
from bluezone.protocol.upload.puzzle import PUZZLE_HEADER, read_challenge, solve_for_header
from bluezone.refusal import Refused

# A clock that is off by less puts a passage into the five minutes before or after, which does no harm.
TOLERATED_SECONDS = 300.0


class GateTrustInvalid(Refused):
    """The city's key given to the gate is no Ed25519 key of 64 hex digits, or not the one it was set up with."""

    code = "gate_trust_invalid"


@dataclass(frozen=True)
class Boot:
    """One run of the machine, from power-on to power-off.

    id: names it. seconds: since power-on, awake or asleep, which nobody sets. keeps_time: whether the machine has a
    clock that runs on while it is off.
    """

    id: str
    seconds: Callable[[], float]
    keeps_time: bool


def this_boot() -> Boot:
    """The run of this machine, as Linux tells it."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    clocks = any(Path("/sys/class/rtc").glob("rtc*"))
    return Boot(boot, lambda: time.clock_gettime(time.CLOCK_BOOTTIME), clocks)


class GateCity:
    """The config a gate holds and the clock it goes by.

    wall_clock: Unix seconds as the tablet shows them. boot: of the machine; with it the wall clock is read once a boot,
    and a jump of it changes nothing. Without it the wall clock is believed, for practice. tls: whether the city's
    server is asked over TLS.
    """

    def __init__(
        self, book: GateBook, wall_clock: Callable[[], float], boot: Boot | None = None, *, tls: bool = True
    ) -> None:
        self._tls = tls
        self._book = book
        self._wall_clock = wall_clock
        self._offset = float(book.get("clock_offset") or 0.0)
        payload = book.get("config")
        self._current = None if payload is None else decode_config(base64.b64decode(payload))
        if boot is not None:
            self._wall_clock = self._booted(boot, wall_clock)
            book.begin_boot(boot.id, boot.keeps_time and not book.is_behind(self.now()))

    def _booted(self, boot: Boot, wall_clock: Callable[[], float]) -> Callable[[], float]:
        """The clock of a boot: the wall clock as it was when the gate first ran in it, and the seconds since."""
        kept = json.loads(self._book.get("boot_reference") or "{}")
        if kept.get("boot") != boot.id:
            kept = {"boot": boot.id, "reference": wall_clock() - boot.seconds()}
            self._book.put("boot_reference", json.dumps(kept))
        reference = float(kept["reference"])
        return lambda: reference + boot.seconds()

    @property
    def current(self) -> Config | None:
        """The config in force, None before the first."""
        return self._current

    @property
    def public_origin(self) -> str | None:
        """The origin of the city's pages, None before the first config."""
        return origin_of(self._current.public_host, tls=self._tls) if self._current else None

    def pin(self, trust: str | None) -> None:
        """Keep the city's key, 64 hex digits, needed once. Raises GateTrustInvalid."""
        pinned = self._book.get("trust")
        if trust is None:
            if pinned is None:
                raise GateTrustInvalid("the gate does not have the city's key: give it with --trust")
            return
        try:
            raw = bytes.fromhex(trust.strip())
        except ValueError:
            raw = b""
        if len(raw) != ED25519_KEY_LENGTH:
            raise GateTrustInvalid("the city's key is not 64 hex digits of an Ed25519 key")
        if pinned is not None and pinned != raw.hex():
            raise GateTrustInvalid("this gate was set up with another key; a new city needs a new data folder")
        self._book.put("trust", raw.hex())

    def week_keys(self) -> tuple[WeekKey, ...]:
        """The gate keys of the config in force."""
        return self._current.week_keys if self._current else ()

    def update(self, fetch: Callable[[str], bytes]) -> None:
        """Take in the config if it continues the one in force. fetch: path -> bytes.

        Raises InvalidSignedFile, UntrustedSignature, InvalidConfig, ConfigRolledBack, ConfigHistoryDiffers.
        """
        payload = open_signed("config", fetch("/v1/config"), self._trusted())
        config = decode_config(payload)
        if self._current is not None:
            held_sha256 = hashlib.sha256(base64.b64decode(self._book.get("config") or "")).hexdigest()
            try:
                sha256, held = hashlib.sha256(payload).hexdigest(), self._current
                follow_config(config, sha256, held.number, held_sha256, held.generated_at)
            except ConfigGap:
                # The gate was off for longer than the history reaches back: signature and higher number must suffice.
                if config.number <= self._current.number:
                    raise
        self._book.put("config", base64.b64encode(payload).decode())
        self._current = config

    def now(self) -> float:
        """Unix seconds: the tablet's clock, put right by what the office said last."""
        return self._wall_clock() + self._offset

    @property
    def clock_is_wrong(self) -> bool:
        """Whether the tablet shows another time than the gate uses, or a time before its own config was made."""
        floor = self._current.generated_at if self._current else 0
        return abs(self._offset) > TOLERATED_SECONDS or self.now() < floor - TOLERATED_SECONDS

    def take_server_time(self, server_time: float) -> float:
        """Take the office's time. Returns by how many seconds the gate was behind, 0 where that is tolerated."""
        error = server_time - self.now()
        if abs(error) <= TOLERATED_SECONDS:
            return 0.0
        offset = server_time - self._wall_clock()
        self._offset = 0.0 if abs(offset) <= TOLERATED_SECONDS else offset
        self._book.put("clock_offset", str(self._offset))
        return error

    def _trusted(self) -> Mapping[str, bytes]:
        raw = self._book.get("trust")
        if raw is None:
            raise GateTrustInvalid("the gate does not have the city's key: give it with --trust")
        public = bytes.fromhex(raw)
        return {fingerprint(public): public}


TIMEOUT_SECONDS = 30.0
COUNTERS_PATH = "/v1/gates/counters"
# A week offline is 2,016 buckets of five minutes; they are sent in pieces, so that neither page nor office stalls.
AT_ONCE = 500
MOST_ANSWER_BYTES = 2 * 1024 * 1024

logger = logging.getLogger(__name__)


class OfficeUnreachable(Refused):
    """No connection to the office; everything is kept here and sent later."""

    code = "offline"


class OfficeRefused(Refused):
    """The office answered with an error: the gate was cut off or deleted, or the call was wrong. Nothing is lost."""

    code = "gate_not_accepted"

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


class GateSync:
    """One gate's exchange with the office. address: `https://host[:port]` of the public origin; token: the device's."""

    def __init__(self, address: str, token: Callable[[], str | None], book: GateBook, city: GateCity) -> None:
        self._address = address.rstrip("/")
        self._token = token
        self._book = book
        self._city = city
        self._lock = threading.Lock()
        # How the program does, for the gate's page in the office (rollout/gates/health.py).
        self.health: Callable[[], Mapping[str, Any]] = dict

    def run(self) -> int:
        """Send everything that is unsent; returns how many counters went. Raises OfficeUnreachable, OfficeRefused."""
        with self._lock:
            return self._run()

    def _run(self) -> int:
        error = self._city.take_server_time(float(self._tell([], self.health())["server_time"]))
        dated = self._book.date_boots(error)
        if error:
            logger.warning("the clock was wrong by %.0f s; %d counters moved", error, dated)
        count = 0
        while counters := self._book.unsent(AT_ONCE):
            rows = [[c.bucket, c.passage.direction, c.passage.verdict, c.count] for c in counters]
            self._tell(rows)
            self._book.sent(counters)
            count += len(counters)
        self._book.purge()
        # Last: a config that is refused must not hold up what was counted.
        self._city.update(lambda path: self._call("GET", path, None))
        return count

    def help_later(self, contact: str) -> str:
        """Open a request for help for somebody at the gate; the contact is not kept here. Returns the ticket.

        Raises OfficeUnreachable, OfficeRefused.
        """
        place = str(json.loads(self._book.get("gate") or "{}").get("name", ""))
        asked = {"channel": "gate", "contact": contact, "place": place, "note": "", "unit": None}
        return str(json.loads(self._call("POST", "/v1/help", json.dumps(asked).encode()))["ticket"])

    def enrol(self, code: str) -> str:
        """Exchange a one-time code for a token. Raises OfficeUnreachable, OfficeRefused."""
        answer = self._call("POST", "/v1/devices/enrol", json.dumps({"code": code}).encode())
        return str(json.loads(answer)["token"])

    def _tell(self, rows: list[list[Any]], health: Mapping[str, Any] | None = None) -> dict[str, Any]:
        shifts = json.loads(self._book.get("shifts") or "[]")
        said = {"counters": rows, "shifts": shifts, **({"health": dict(health)} if health else {})}
        answer = json.loads(self._call("POST", COUNTERS_PATH, json.dumps(said).encode()))
        # Ended shifts that the office knows need not be kept here.
        told = {shift["id"] for shift in shifts if shift["ended"] is not None}
        kept = [shift for shift in json.loads(self._book.get("shifts") or "[]") if shift["id"] not in told]
        self._book.put("shifts", json.dumps(kept))
        self._book.put("roster", json.dumps(answer.get("roster", [])))
        self._book.put("gate", json.dumps(answer.get("gate", {})))
        return dict(answer)

    def _call(self, method: str, path: str, body: bytes | None, puzzle: str = "") -> bytes:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if puzzle:
            headers[PUZZLE_HEADER] = puzzle
        if token := self._token():
            headers["Authorization"] = f"Bearer {token}"
        request = Request(self._address + path, body, headers, method=method)  # noqa: S310 - the operator's own address
        try:
            with urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
                return bytes(answer.read(MOST_ANSWER_BYTES))
        except HTTPError as error:
            told = _told(error)
            if not puzzle and (challenge := read_challenge(told)):
                # Many calls came from this network; the answer costs some seconds and lets one through.
                return self._call(method, path, body, solve_for_header(challenge))
            raise OfficeRefused(f"the office answered {error.code} to {path}", _reason(told)) from error
        except (URLError, OSError, ValueError) as error:
            raise OfficeUnreachable("the office cannot be reached; everything is kept here and sent later") from error


def _told(error: HTTPError) -> bytes:
    try:
        return error.read(65_536)
    except OSError:
        return b""


def _reason(answer: bytes) -> str:
    try:
        return str(json.loads(answer)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return ""
