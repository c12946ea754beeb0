# SPDX-License-Identifier: Apache-2.0
"""The gate sends the office its counters and fetches its roster whenever there is a network; nothing waits for that.

Counters are totals, so a batch that is sent twice counts once. The first call is always empty: its answer gives the
time, so that counters which a wrong clock put into the wrong day are moved before they are sent.
"""

import json
import logging
import threading
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from bluezone.edge.gate.book import GateBook
from bluezone.edge.gate.city import GateCity
from bluezone.refusal import Refused

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

    def run(self) -> int:
        """Send everything that is unsent; returns how many counters went. Raises OfficeUnreachable, OfficeRefused."""
        with self._lock:
            return self._run()

    def _run(self) -> int:
        moved = self._city.take_server_time(float(self._tell([])["server_time"]))
        if moved:
            count = self._book.shift_buckets(moved)
            logger.warning("the clock was wrong by %.0f s; %d counters moved", moved, count)
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

    def _tell(self, rows: list[list[Any]]) -> dict[str, Any]:
        shifts = json.loads(self._book.get("shifts") or "[]")
        answer = json.loads(
            self._call("POST", COUNTERS_PATH, json.dumps({"counters": rows, "shifts": shifts}).encode())
        )
        # Ended shifts that the office knows need not be kept here.
        told = {shift["id"] for shift in shifts if shift["ended"] is not None}
        kept = [shift for shift in json.loads(self._book.get("shifts") or "[]") if shift["id"] not in told]
        self._book.put("shifts", json.dumps(kept))
        self._book.put("roster", json.dumps(answer.get("roster", [])))
        self._book.put("gate", json.dumps(answer.get("gate", {})))
        return dict(answer)

    def _call(self, method: str, path: str, body: bytes | None) -> bytes:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if token := self._token():
            headers["Authorization"] = f"Bearer {token}"
        request = Request(self._address + path, body, headers, method=method)  # noqa: S310 - the operator's own address
        try:
            with urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
                return bytes(answer.read(MOST_ANSWER_BYTES))
        except HTTPError as error:
            raise OfficeRefused(f"the office answered {error.code} to {path}", _reason(error)) from error
        except (URLError, OSError, ValueError) as error:
            raise OfficeUnreachable("the office cannot be reached; everything is kept here and sent later") from error


def _reason(error: HTTPError) -> str:
    try:
        return str(json.loads(error.read(65_536))["error"]["code"])
    except (ValueError, KeyError, TypeError, OSError):
        return ""
