# SPDX-License-Identifier: Apache-2.0
"""The anonymous HTTP API under /v1, framework-free: no cookie, no session, no locale, no log line per user.

Source: contracts.md, HTTP; protocol.md section 4 (sizes) and 5 (files). Described for programs in
docs/reference/openapi.yaml.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from bluezone.keyserver import push
from bluezone.keyserver.declarations import DeclarationsClosed, DeclarationsFull, receive
from bluezone.keyserver.gatetokens import sign_tokens
from bluezone.keyserver.health import health, readiness
from bluezone.keyserver.publication import downloads
from bluezone.keyserver.reports.limits import network_of
from bluezone.keyserver.reports.uploads import upload
from bluezone.keyserver.reports.verification import verify1, verify2
from bluezone.keyserver.storage.store import StoreRefused
from bluezone.protocol.declaration import DECLARATION_SIZE
from bluezone.protocol.gate.tokens import TOKENS_SIZE, TokensAnswer, decode_tokens, encode_tokens_answer
from bluezone.protocol.upload import (
    UPLOAD_SIZE,
    VERIFY_SIZE,
    BadRequest,
    KeysRefused,
    Status,
    UploadAnswer,
    Verify1Answer,
    Verify1Request,
    decode_upload,
    decode_verify,
    encode_upload_answer,
    encode_verify1_answer,
    encode_verify2_answer,
)
from bluezone.refusal import Refused

if TYPE_CHECKING:
    from bluezone.keyserver.service import KeyServer

Environ = dict[str, Any]
WsgiApplication = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

PREFIX = "/v1/"
BINARY = "application/octet-stream"
JSON = "application/json"
NO_STORE = "no-store"
RETRY_AFTER_SECONDS = 30

PUZZLE_HEADER = "HTTP_X_BLUEZONE_PUZZLE"

_POSTED = ("/v1/verify", "/v1/upload", "/v1/declarations", "/v1/tokens")
_PUSH_CALLS = ("/v1/push/subscribe", "/v1/push/unsubscribe")
_CONFIG = re.compile(r"/v1/config(?:/([0-9]{1,9}))?")
_LENGTH = re.compile(r"[0-9]{1,18}")
_VENUE_PACKAGE = re.compile(r"/v1/venues/([0-9]{1,9}-[0-9a-f]{32}\.bin)")
_EXPORT = re.compile(r"/v1/exports/([0-9]{1,9}-[0-9a-f]{32}\.zip)")


class BodySizeWrong(Refused):
    """A body of another size than the call has; sizes are fixed so that they tell nothing."""

    code = "body_size_wrong"


class BodyTooLarge(BodySizeWrong):
    """A body larger than the call's size; it was not read."""

    code = "body_too_large"


class NoSuchAddress(Refused):
    """Nothing is served at this address."""

    code = "not_found"


class MethodNotAllowed(Refused):
    """The address exists, but not for this method."""

    code = "method_not_allowed"

    def __init__(self, message: str, allowed: str) -> None:
        super().__init__(message)
        self.allowed = allowed


@dataclass(frozen=True)
class Response:
    """What is answered: status, body, and the headers that differ from one answer to another."""

    status: HTTPStatus
    body: bytes
    headers: tuple[tuple[str, str], ...]


_STATUS_OF: dict[type[Refused], HTTPStatus] = {
    BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    BodySizeWrong: HTTPStatus.BAD_REQUEST,
    MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    NoSuchAddress: HTTPStatus.NOT_FOUND,
    downloads.FileMissing: HTTPStatus.NOT_FOUND,
    DeclarationsClosed: HTTPStatus.NOT_FOUND,
    DeclarationsFull: HTTPStatus.SERVICE_UNAVAILABLE,
    push.PushSubscriptionInvalid: HTTPStatus.BAD_REQUEST,
    push.PushPuzzle: HTTPStatus.TOO_MANY_REQUESTS,
    push.PushFull: HTTPStatus.SERVICE_UNAVAILABLE,
    StoreRefused: HTTPStatus.SERVICE_UNAVAILABLE,
}


def handles(path: str) -> bool:
    """Tell whether a path belongs to this API rather than to the pages behind it."""
    return path.startswith(PREFIX)


class Application:
    """The WSGI callable of one key server."""

    def __init__(self, server: "KeyServer") -> None:
        self._server = server

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            response = self._answer(environ)
        except Refused as refused:
            response = _refusal(refused)
        head = [*response.headers, ("Content-Length", str(len(response.body))), ("X-Content-Type-Options", "nosniff")]
        start_response(f"{response.status.value} {response.status.phrase}", head)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else response.body]

    def _answer(self, environ: Environ) -> Response:
        path, method = environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"]
        if path in _POSTED:
            if method != "POST":
                raise MethodNotAllowed(f"{method} is not answered here, only POST", "POST")
            return self._post(environ, path)
        if path in _PUSH_CALLS:
            if method != "POST":
                raise MethodNotAllowed(f"{method} is not answered here, only POST", "POST")
            return self._push(environ, path)
        fetch = self._fetch(path)
        if method not in ("GET", "HEAD"):
            raise MethodNotAllowed(f"{method} is not answered here, only GET", "GET, HEAD")
        return fetch(environ)

    def _network(self, environ: Environ) -> bytes:
        forwarded = environ.get("HTTP_X_FORWARDED_FOR")
        return network_of(environ.get("REMOTE_ADDR", ""), forwarded, self._server.city.trusted_proxies)

    def _push(self, environ: Environ, path: str) -> Response:
        body = _body_up_to(environ, push.MAX_BODY_BYTES)
        if path == "/v1/push/subscribe":
            push.subscribe(self._server, body, self._network(environ), environ.get(PUZZLE_HEADER, ""))
        else:
            push.unsubscribe(self._server, body)
        head = (("Content-Type", JSON), ("Cache-Control", NO_STORE))
        return Response(HTTPStatus.OK, json.dumps(push.answer()).encode(), head)

    def _post(self, environ: Environ, path: str) -> Response:
        network = self._network(environ)
        if path == "/v1/verify":
            body = self._verify(_body(environ, VERIFY_SIZE), network)
        elif path == "/v1/declarations":
            message, puzzle = _body(environ, DECLARATION_SIZE), environ.get(PUZZLE_HEADER, "")
            body = encode_upload_answer(receive(self._server, message, network, puzzle))
        elif path == "/v1/tokens":
            body = self._tokens(_body(environ, TOKENS_SIZE))
        else:
            body = self._upload(_body(environ, UPLOAD_SIZE), network)
        # no-transform: a proxy that compressed answers would make their sizes tell them apart.
        return Response(HTTPStatus.OK, body, (("Content-Type", BINARY), ("Cache-Control", f"{NO_STORE}, no-transform")))

    def _verify(self, body: bytes, network: bytes) -> bytes:
        try:
            request = decode_verify(body)
        except BadRequest:
            return encode_verify1_answer(Verify1Answer(status=Status.BAD_REQUEST))
        if isinstance(request, Verify1Request):
            return encode_verify1_answer(verify1(self._server, request, network))
        return encode_verify2_answer(verify2(self._server, request, network))

    def _upload(self, body: bytes, network: bytes) -> bytes:
        try:
            answer = upload(self._server, decode_upload(body), network)
        except KeysRefused:
            answer = UploadAnswer(status=Status.KEYS_REFUSED)
        except BadRequest:
            answer = UploadAnswer(status=Status.BAD_REQUEST)
        return encode_upload_answer(answer)

    def _tokens(self, body: bytes) -> bytes:
        try:
            answer = sign_tokens(self._server, decode_tokens(body))
        except BadRequest:
            answer = TokensAnswer(Status.BAD_REQUEST)
        return encode_tokens_answer(answer)

    def _fetch(self, path: str) -> Callable[[Environ], Response]:
        """Find what serves a path, before the method is looked at; raises NoSuchAddress."""
        if path == "/v1/health":
            return lambda _environ: _told(health(self._server))
        if path == "/v1/health/ready":
            return lambda _environ: _told(readiness(self._server))
        if path == "/v1/health/live":
            return lambda _environ: _told({"status": "ok", "failing": []})
        if path == "/v1/exports/index.json":
            return lambda environ: self._file(environ, downloads.index(self._server))
        if match := _CONFIG.fullmatch(path):
            number = int(match[1]) if match[1] else None
            return lambda environ: self._file(environ, downloads.config(self._server, number))
        if path == "/v1/venues/index.json":
            return lambda environ: self._file(environ, downloads.venues_index(self._server))
        if match := _EXPORT.fullmatch(path):
            name = match[1]
            return lambda environ: self._file(environ, downloads.export(self._server, name))
        if match := _VENUE_PACKAGE.fullmatch(path):
            name = match[1]
            return lambda environ: self._file(environ, downloads.venue_package(self._server, name))
        raise NoSuchAddress("nothing is served at this address")

    def _file(self, environ: Environ, served: downloads.Served) -> Response:
        headers = (
            ("Content-Type", served.media_type),
            ("Cache-Control", served.cache_control),
            ("ETag", served.etag),
        )
        if served.etag in [tag.strip() for tag in environ.get("HTTP_IF_NONE_MATCH", "").split(",")]:
            return Response(HTTPStatus.NOT_MODIFIED, b"", headers)
        return Response(HTTPStatus.OK, served.content, headers)


def _told(report: dict[str, Any]) -> Response:
    headers = [("Content-Type", JSON), ("Cache-Control", NO_STORE)]
    status = HTTPStatus.OK
    if report["status"] != "ok":
        status = HTTPStatus.SERVICE_UNAVAILABLE
        headers.append(("Retry-After", str(RETRY_AFTER_SECONDS)))
    return Response(status, json.dumps(report).encode(), tuple(headers))


def _body(environ: Environ, size: int) -> bytes:
    """Read a body that must have exactly `size` bytes; raises BodySizeWrong or BodyTooLarge."""
    text = environ.get("CONTENT_LENGTH") or ""
    declared = int(text) if _LENGTH.fullmatch(text) else None
    if declared is not None and declared > size:
        raise BodyTooLarge(f"the body has {declared} bytes, expected {size}")
    # One byte more than allowed shows that a body without a declared length is too long.
    wanted = size + 1 if declared is None else declared
    body = b""
    while len(body) < wanted and (chunk := environ["wsgi.input"].read(wanted - len(body))):
        body += chunk
    if len(body) > size:
        raise BodyTooLarge(f"the body has over {size} bytes")
    if len(body) < size:
        raise BodySizeWrong(f"the body has {len(body)} bytes, expected {size}")
    return body


def _body_up_to(environ: Environ, most: int) -> bytes:
    """Read a body of 1 to `most` bytes, its length declared; raises BodySizeWrong or BodyTooLarge."""
    text = environ.get("CONTENT_LENGTH") or ""
    if not _LENGTH.fullmatch(text) or int(text) == 0:
        raise BodySizeWrong(f"the body has no declared length, expected 1 to {most} bytes")
    if int(text) > most:
        raise BodyTooLarge(f"the body has {int(text)} bytes, expected at most {most}")
    return _body(environ, int(text))


def _refusal(refused: Refused) -> Response:
    kinds = (kind for kind in type(refused).__mro__ if kind in _STATUS_OF)
    kind = next(kinds, None)
    status = HTTPStatus.INTERNAL_SERVER_ERROR if kind is None else _STATUS_OF[kind]
    headers = [("Content-Type", JSON), ("Cache-Control", NO_STORE)]
    if isinstance(refused, MethodNotAllowed):
        headers.append(("Allow", refused.allowed))
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append(("Retry-After", str(RETRY_AFTER_SECONDS)))
    told = {"code": refused.code, "message": refused.message}
    if isinstance(refused, push.PushPuzzle):
        told["challenge"] = refused.challenge.hex()
    return Response(status, json.dumps({"error": told}).encode(), tuple(headers))
