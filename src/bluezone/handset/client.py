# SPDX-License-Identifier: Apache-2.0
"""How the phone talks to its server: a new connection for each call, and nothing that would link two calls.

No cookie, no kept connection, no session resumption (a fresh TLS context each time), no redirect followed,
no header that distinguishes phones. Source: docs/protocol.md section 4.
"""

import http.client
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from bluezone.refusal import Refused

TIMEOUT_SECONDS = 30.0
MAX_SIGNED_BYTES = 2 * 1024 * 1024
MAX_EXPORT_BYTES = 32 * 1024 * 1024


class ServerUnreachable(Refused):
    """No connection to the server; everything on the phone is kept and tried again."""

    code = "offline"


class ServerAnswerRefused(Refused):
    """The server answered with an error, with too many bytes, or not in HTTP."""

    code = "server_answer_refused"


class InvalidServerAddress(Refused):
    """The server's address is not `http(s)://host[:port]`."""

    code = "server_address_invalid"


class Client:
    """The server as the phone sees it. address: `https://host[:port]`; plain http is for a local server.

    tls: whether it is asked over TLS.
    """

    def __init__(self, address: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
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
        self._host, self._port = parts.hostname, port
        self._timeout_seconds = timeout_seconds

    def get(self, path: str, most_bytes: int = MAX_SIGNED_BYTES) -> bytes:
        """Fetch a file of at most `most_bytes`. Raises ServerUnreachable, ServerAnswerRefused."""
        return self._taken(*self._call("GET", path, None, most_bytes), f"GET {path}")

    def post(self, path: str, body: bytes, most_bytes: int, headers: Mapping[str, str] | None = None) -> bytes:
        """Send one message and return the answer; headers: beside those of every call.

        Raises ServerUnreachable, ServerAnswerRefused.
        """
        told = {"Content-Type": "application/octet-stream", **(headers or {})}
        return self._taken(*self._call("POST", path, body, most_bytes, told), f"POST {path}")

    def post_json(
        self, path: str, body: bytes, most_bytes: int, more: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Send a JSON object; returns the status, whatever it is, and the answer. more: headers. Raises as `post`."""
        return self._call("POST", path, body, most_bytes, {"Content-Type": "application/json", **(more or {})})

    @staticmethod
    def _taken(status: int, data: bytes, what: str) -> bytes:
        if status != http.client.OK:
            raise ServerAnswerRefused(f"{what} was answered with status {status}, expected 200")
        return data

    def _call(
        self, method: str, path: str, body: bytes | None, most_bytes: int, more: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        headers = {"Connection": "close", **(more or {})}
        connection = self._connection()
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            data = response.read(most_bytes + 1)
        except (TimeoutError, OSError) as error:
            raise ServerUnreachable(f"{self._host} cannot be reached: {error}") from error
        except http.client.HTTPException as error:
            raise ServerAnswerRefused(f"{self._host} does not speak HTTP: {type(error).__name__}") from error
        finally:
            connection.close()
        if response.status == http.client.OK and len(data) > most_bytes:
            raise ServerAnswerRefused(f"{method} {path} was answered with over {most_bytes} bytes")
        return response.status, data

    def _connection(self) -> http.client.HTTPConnection:
        if self.tls:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout_seconds, context=context)
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_seconds)
