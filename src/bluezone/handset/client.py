# SPDX-License-Identifier: Apache-2.0
"""The phone's calls to its server. Each uses a new connection, so that the server cannot link two calls of a phone.

There are no cookies, no TLS session resumption (each call has a new TLS context), no redirects, and no headers that
distinguish phones. Source: docs/protocol.md section 4.
"""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from bluezone.refusal import Refused

# The longest wait for the next byte of an answer.
TIMEOUT_SECONDS = 30.0
# The longest duration of a whole call.
CALL_SECONDS = 600.0
MAX_SIGNED_BYTES = 2 * 1024 * 1024
MAX_EXPORT_BYTES = 32 * 1024 * 1024


class ServerUnreachable(Refused):
    """The server cannot be reached, or took too long; the phone keeps everything and tries again."""

    code = "offline"


class ServerAnswerRefused(Refused):
    """The server answered with an error status, with too many bytes, or not in HTTP."""

    code = "server_answer_refused"


class InvalidServerAddress(Refused):
    """The server's address is not `http(s)://host[:port]`."""

    code = "server_address_invalid"


class Client:
    """Makes calls to one server.

    address:      `https://host[:port]`; plain http is for a local server.
    timeout_seconds: longest wait for the next byte.
    most_seconds: limit for all calls together, counted from now; None for CALL_SECONDS for each call.
    most_bytes:   limit for all answers together; None for only the limit of each call.
    tls_context:  makes the TLS context of a call.
    tls:          whether calls use TLS.
    """

    def __init__(
        self, address: str, *, timeout_seconds: float = TIMEOUT_SECONDS, most_seconds: float | None = None,
        most_bytes: int | None = None, tls_context: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:  # fmt: skip
        refused = InvalidServerAddress(f"server is {address!r}, expected https://host or http://host:port")
        try:
            parts = urlsplit(address)
            port = parts.port
            (parts.hostname or "").encode("idna")
        except ValueError:
            raise refused from None
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
            raise refused
        self.tls = parts.scheme == "https"
        self._host = parts.hostname
        self._port = port
        self._timeout_seconds = timeout_seconds
        self._ends_at = None if most_seconds is None else time.monotonic() + most_seconds
        self._bytes_left = most_bytes
        self._tls_context = tls_context
        # Unix seconds of the last answer by the server's clock; None if it has no date.
        self.answered_at: float | None = None

    @property
    def is_out_of_time(self) -> bool:
        """Whether the calls have used up their time."""
        return self._ends_at is not None and time.monotonic() >= self._ends_at

    def get(self, path: str, most_bytes: int = MAX_SIGNED_BYTES) -> bytes:
        """Fetch a file of at most `most_bytes`. Raises ServerUnreachable, ServerAnswerRefused."""
        return self._require_ok(*self._call("GET", path, None, most_bytes), f"GET {path}")

    def post(self, path: str, body: bytes, most_bytes: int, headers: Mapping[str, str] | None = None) -> bytes:
        """Send a body of bytes and return the answer. headers: in addition to those of every call.

        Raises ServerUnreachable, ServerAnswerRefused.
        """
        all_headers = {"Content-Type": "application/octet-stream", **(headers or {})}
        return self._require_ok(*self._call("POST", path, body, most_bytes, all_headers), f"POST {path}")

    def post_json(
        self, path: str, body: bytes, most_bytes: int, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Send a JSON object and return the status and the answer. Raises as `post`, but not for an error status."""
        return self._call("POST", path, body, most_bytes, {"Content-Type": "application/json", **(headers or {})})

    @staticmethod
    def _require_ok(status: int, data: bytes, what: str) -> bytes:
        if status != http.client.OK:
            raise ServerAnswerRefused(f"{what} was answered with status {status}, expected 200")
        return data

    def _call(
        self, method: str, path: str, body: bytes | None, most_bytes: int,
        extra_headers: Mapping[str, str] | None = None,
    ) -> tuple[int, bytes]:  # fmt: skip
        headers = {"Connection": "close", **(extra_headers or {})}
        most_bytes = most_bytes if self._bytes_left is None else min(most_bytes, self._bytes_left)
        connection = self._connection()
        try:
            connection.connect()
            with _time_limit(connection.sock, self._seconds_left()) as timed_out:
                connection.request(method, path, body, headers)
                response = connection.getresponse()
                data = response.read(most_bytes + 1)
        except (TimeoutError, OSError) as error:
            raise ServerUnreachable(f"{self._host} cannot be reached: {error}") from error
        except http.client.HTTPException as error:
            raise ServerAnswerRefused(f"{self._host} does not speak HTTP: {type(error).__name__}") from error
        finally:
            connection.close()
        if timed_out.is_set():
            raise ServerUnreachable(f"{self._host} took too long to answer {method} {path}")
        self.answered_at = _time_of_answer(response)
        if self._bytes_left is not None:
            self._bytes_left -= min(len(data), self._bytes_left)
        if response.status == http.client.OK and len(data) > most_bytes:
            raise ServerAnswerRefused(f"{method} {path} was answered with over {most_bytes} bytes")
        return response.status, data

    def _connection(self) -> http.client.HTTPConnection:
        if self.tls:
            context = self._tls_context()
            return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout_seconds, context=context)
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_seconds)

    def _seconds_left(self) -> float:
        if self._ends_at is None:
            return CALL_SECONDS
        return max(self._ends_at - time.monotonic(), 0.0)


def _time_of_answer(response: http.client.HTTPResponse) -> float | None:
    """When an answer was given, Unix seconds: its date, and its age where a cache had it (RFC 9110 and RFC 9111)."""
    try:
        made = parsedate_to_datetime(response.getheader("Date", ""))
        return made.timestamp() + int(response.getheader("Age", "0"))
    except ValueError:
        return None


@contextmanager
def _time_limit(connection: socket.socket, seconds: float) -> Iterator[threading.Event]:
    """Shut down a connection after some seconds, even if the server still sends a byte now and then.

    Yields an event that is set if the connection was shut down.
    """
    timed_out = threading.Event()

    def cut() -> None:
        timed_out.set()
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield timed_out
    finally:
        timer.cancel()
