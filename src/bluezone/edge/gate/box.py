# SPDX-License-Identifier: Apache-2.0
"""The gate program as a box: its radio for the tablets beside it, which read codes and count in their browsers.

A tablet does not send the code that it read, only what the phone must have said on the air if it runs, and a mark by
which the box sees that the code is new. Question and answer are authentic by the gate's sharing key, which the office
gives to all devices of a gate; neither holds anything that is not on the air in plain. Source: docs/protocol.md section
7, "Boxes".
"""

import hmac
import ipaddress
import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from bluezone.edge.gate.check import GateCheck
from bluezone.protocol.gate import base45
from bluezone.protocol.gate.passes import RESPONSE_LENGTH, SESSION_MARK_LENGTH
from bluezone.refusal import Refused

# The same at every box, because the policy of the tablet's page names it (rollout/gates/public_views.py).
PORT = 8018
ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - asked for by --box
PREFIX = "BZGB:"
PATH = "/box"
MAX_BODY_BYTES = 1024
MAC_LENGTH = 16
SHARE_MAC_LENGTH = 8
MOST_ANSWERS = 2
# A tablet asks four times a second at most; who opens more connections than some tablets need waits.
MOST_AT_ONCE = 16
SECONDS_TO_ASK = 5.0


class BoxAskInvalid(Refused):
    """A question to a box is not of a tablet of its gate, or not in its form; it is not said which."""

    code = "box_ask_invalid"


def mac(key: bytes, label: str, content: bytes, length: int = MAC_LENGTH) -> bytes:
    """What only a device of the gate can have written beside a content. key: the sharing key, 32 bytes."""
    return hmac.digest(key, label.encode() + content, "sha256")[:length]


def box_text(key: bytes, gate: str, host: str) -> str:
    """The QR text by which tablets of a gate join its box. gate: 8 hex digits. host: an address in their network."""
    content = json.dumps({"gate": gate, "host": host}, separators=(",", ":")).encode()
    return PREFIX + base45.encode(content + mac(key, "BZ-GATE-BOX-v1", content, SHARE_MAC_LENGTH))


def own_address(server: str) -> str | None:
    """The address of this machine in the network by which it reaches the city's server; None without a network."""
    parts = urlsplit(server)
    with suppress(OSError, ValueError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        # Nothing is sent: the system only chooses a way.
        probe.connect((parts.hostname or "", parts.port or 443))
        found = str(probe.getsockname()[0])
        return found if ipaddress.ip_address(found).is_private else None
    return None


class Box:
    """What a box answers its tablets; usable from any thread.

    key: the gate's sharing key, None before the first contact with the office. radio_off: why the radio is silent.
    """

    def __init__(self, check: GateCheck, key: Callable[[], bytes | None], radio_off: Callable[[], str | None]) -> None:
        self._check = check
        self._key = key
        self._radio_off = radio_off

    def answer(self, asked: bytes) -> bytes:
        """The answer to a question: its MAC in hex, then JSON {air, radio_off, finding}. Raises BoxAskInvalid.

        asked: the MAC in hex, then JSON {tablet, nonce, answers, mark}; without answers it only asks how things stand.
        """
        key = self._key()
        said, content = asked[: 2 * MAC_LENGTH], asked[2 * MAC_LENGTH :]
        if key is None or not hmac.compare_digest(said, mac(key, "BZ-BOX-ASK-v1", content).hex().encode()):
            raise BoxAskInvalid("this question is not from a tablet of this gate")
        tablet, answers, mark = _read(content)
        finding = self._check.judge_beside(answers, mark, tablet).value if answers else None
        told: dict[str, Any] = {"air": [value.hex() for value in self._check.air()], "radio_off": self._radio_off()}
        content = json.dumps({**told, "finding": finding}).encode()
        # Bound to its question, so that no answer of before can be told again.
        return mac(key, "BZ-BOX-ANSWER-v1", said + content).hex().encode() + content


def _read(content: bytes) -> tuple[int, list[bytes], bytes]:
    """tablet, answers, mark of a question. Raises BoxAskInvalid."""
    try:
        given = json.loads(content)
        tablet, answers = given["tablet"], [bytes.fromhex(one) for one in given["answers"]]
        mark = bytes.fromhex(given["mark"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BoxAskInvalid("the question has not its form") from None
    fits = type(tablet) is int and 0 <= tablet < 2**63 and len(answers) <= MOST_ANSWERS
    if not fits or any(len(one) != RESPONSE_LENGTH for one in answers) or len(mark) not in (0, SESSION_MARK_LENGTH):
        raise BoxAskInvalid("the question has not its form")
    if answers and not mark:
        raise BoxAskInvalid("the question has not its form")
    return tablet, answers, mark


class BoxServer:
    """Lets the tablets of the local network ask a box until `stop`. host: the address to listen on.

    Raises OSError where the port is taken.
    """

    def __init__(self, box: Box, host: str, port: int = PORT) -> None:
        class Handler(_Handler):
            asked = box

        self._server = _Bounded((host, port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Bounded(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, *given: Any) -> None:
        self._places = threading.BoundedSemaphore(MOST_AT_ONCE)
        super().__init__(*given)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._places.acquire(timeout=SECONDS_TO_ASK):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()


class _Handler(BaseHTTPRequestHandler):
    asked: Box
    server_version, sys_version = "Bluezone", ""
    timeout = SECONDS_TO_ASK

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        size = int(length) if length.isascii() and length.isdigit() else 0
        if self.path != PATH or size > MAX_BODY_BYTES:
            self._send(HTTPStatus.NOT_FOUND, b"")
            return
        try:
            self._send(HTTPStatus.OK, self.asked.answer(self.rfile.read(size)))
        except BoxAskInvalid:
            self._send(HTTPStatus.FORBIDDEN, b"")

    def _send(self, status: HTTPStatus, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        # Whoever knows the gate's key may ask, from whichever page; without it no page learns anything.
        self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """No log of who asks."""
