# SPDX-License-Identifier: Apache-2.0
"""The anonymous HTTP API under /v1, framework-free: no cookie, no session, no locale, no log of who called; and the
answers for the operator's monitor.

There is no limit per person, because nothing tells persons apart: a puzzle makes many tokens dear, not impossible
(residual, docs/attacks.md row 32). Source: docs/protocol.md section 7; docs/attacks.md row 43.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from bluezone.keyserver import push
from bluezone.keyserver.declarations import DeclarationsClosed, DeclarationsFull
from bluezone.keyserver.health import health, readiness
from bluezone.keyserver.keyfolder import WeekKeyRing
from bluezone.keyserver.publication import downloads
from bluezone.keyserver.publication.folder import CHANGING, IMMUTABLE
from bluezone.keyserver.publication.publiclog import LogPathMissing, answer_of_log
from bluezone.keyserver.reports.limits import Limits
from bluezone.keyserver.service import KeyServer
from bluezone.keyserver.storage.store import AbsentStore, StoreRefused
from bluezone.networks import network_of
from bluezone.protocol.declaration import DECLARATION_SIZE
from bluezone.protocol.gate.tokens import TOKENS_SIZE, TokensAnswer, TokensRequest, decode_tokens, encode_tokens_answer
from bluezone.protocol.intervals import SECONDS_PER_WEEK, week_start
from bluezone.protocol.upload import (
    UPLOAD_SIZE,
    VERIFY_SIZE,
    BadRequest,
    KeysRefused,
    Status,
    UploadAnswer,
    UploadRequest,
    Verify1Answer,
    Verify1Request,
    Verify2Request,
    decode_upload,
    decode_verify,
    encode_upload_answer,
    encode_verify1_answer,
    encode_verify2_answer,
)
from bluezone.refusal import Refused


def sign_tokens(request: TokensRequest, week_keys: WeekKeyRing, limits: Limits, now: float) -> TokensAnswer:
    """Sign a batch with a gate key of this week or the next; each call costs a puzzle.

    The next week's too, so that a browser has its tokens before the Monday on which it needs them. now: Unix seconds.
    """
    challenge = limits.challenge_always(request.challenge, request.nonce)
    if challenge is not None:
        return TokensAnswer(Status.PUZZLE_REQUIRED, challenge=challenge)
    key = week_keys.find(request.kid)
    start = week_start(now)
    if key is None or key.purpose != "gate" or key.use_from not in (start, start + SECONDS_PER_WEEK):
        return TokensAnswer(Status.KID_REFUSED)
    if any(int.from_bytes(blinded, "big") >= key.n for blinded in request.blinded):
        return TokensAnswer(Status.BAD_REQUEST)
    return TokensAnswer(Status.OK, request.kid, tuple(week_keys.blind_sign(request.kid, request.blinded)))


Environ = dict[str, Any]
WsgiApplication = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

PREFIX = "/v1/"
BINARY = "application/octet-stream"
JSON = "application/json"
NO_STORE = "no-store"
RETRY_AFTER_SECONDS = 30

VERIFY_PATH, UPLOAD_PATH = "/v1/verify", "/v1/upload"
PUZZLE_HEADER = "HTTP_X_BLUEZONE_PUZZLE"

_LENGTH = re.compile(r"[0-9]{1,18}")


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
    """What is answered: status, body or the file that holds it, and the headers, but for what every answer has."""

    status: HTTPStatus
    body: bytes | Path
    headers: tuple[tuple[str, str], ...]
    length: int | None = None

    @property
    def head(self) -> list[tuple[str, str]]:
        """All headers."""
        length = len(self.body) if isinstance(self.body, bytes) else self.length
        return [*self.headers, ("Content-Length", str(length)), ("X-Content-Type-Options", "nosniff")]


_STATUS_OF: dict[type[Refused], HTTPStatus] = {
    BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    BodySizeWrong: HTTPStatus.BAD_REQUEST,
    MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    NoSuchAddress: HTTPStatus.NOT_FOUND,
    downloads.FileMissing: HTTPStatus.NOT_FOUND,
    LogPathMissing: HTTPStatus.NOT_FOUND,
    DeclarationsClosed: HTTPStatus.NOT_FOUND,
    DeclarationsFull: HTTPStatus.SERVICE_UNAVAILABLE,
    push.PushSubscriptionInvalid: HTTPStatus.BAD_REQUEST,
    push.PushPuzzle: HTTPStatus.TOO_MANY_REQUESTS,
    StoreRefused: HTTPStatus.SERVICE_UNAVAILABLE,
}


def handles(path: str) -> bool:
    """Tell whether a path belongs to this API rather than to the pages behind it."""
    return path.startswith(PREFIX)


@dataclass(frozen=True)
class Call:
    """One request: what the server of the city is asked, and by whom. name: what the path names, "" where nothing."""

    server: KeyServer
    environ: Environ
    name: str

    def network(self) -> bytes:
        """The network it came from, as `networks.network_of` returns it."""
        forwarded = self.environ.get("HTTP_X_FORWARDED_FOR")
        return network_of(self.environ.get("REMOTE_ADDR", ""), forwarded, self.server.city.trusted_proxies)

    def puzzle(self) -> str:
        """The solved puzzle of a header, "" without one."""
        text: str = self.environ.get(PUZZLE_HEADER, "")
        return text


def _verify_each(calls: Sequence[Call]) -> list[Callable[[], Response]]:
    """Answers to codes that come at the same time, to be called in order; each returns or raises its own."""
    verification = calls[0].server.verification
    read = [(_read(call, decode_verify, VERIFY_SIZE), call.network()) for call in calls]
    used = verification.verify2_each([(asked, network) for asked, network in read if isinstance(asked, Verify2Request)])
    taken = iter(used)

    def answer(asked: Any, network: bytes) -> Response:
        if isinstance(asked, Verify2Request):
            return _binary(encode_verify2_answer(next(taken)()))
        if isinstance(asked, Verify1Request):
            return _binary(encode_verify1_answer(verification.verify1(asked, network)))
        if isinstance(asked, BadRequest):
            return _binary(encode_verify1_answer(Verify1Answer(status=Status.BAD_REQUEST)))
        raise asked

    return [partial(answer, asked, network) for asked, network in read]


def _upload_each(calls: Sequence[Call]) -> list[Callable[[], Response]]:
    """Answers to what is uploaded at the same time, to be called in order; each returns or raises its own."""
    read = [(_read(call, decode_upload, UPLOAD_SIZE), call.network()) for call in calls]
    come = [(asked, network) for asked, network in read if isinstance(asked, UploadRequest)]
    taken = iter(calls[0].server.uploads.take_each(come))

    def answer(asked: Any) -> Response:
        if isinstance(asked, UploadRequest):
            return _binary(encode_upload_answer(next(taken)()))
        if isinstance(asked, (BadRequest, KeysRefused)):
            status = Status.KEYS_REFUSED if isinstance(asked, KeysRefused) else Status.BAD_REQUEST
            return _binary(encode_upload_answer(UploadAnswer(status=status)))
        raise asked

    return [partial(answer, asked) for asked, _ in read]


def _read(call: Call, decode: Callable[[bytes], Any], size: int) -> Any:
    """What a body of one size says, or what it is refused with."""
    try:
        return decode(_body(call.environ, size))
    except Refused as refused:
        return refused


def _alone(each: Callable[[Sequence[Call]], list[Callable[[], Response]]], call: Call) -> Response:
    return each([call])[0]()


def _declare(call: Call) -> Response:
    message = _body(call.environ, DECLARATION_SIZE)
    return _binary(encode_upload_answer(call.server.declarations.receive(message, call.network(), call.puzzle())))


def _tokens(call: Call) -> Response:
    server = call.server
    try:
        request = decode_tokens(_body(call.environ, TOKENS_SIZE))
        answer = sign_tokens(request, server.secrets.week_keys, server.limits, server.clock())
    except BadRequest:
        answer = TokensAnswer(Status.BAD_REQUEST)
    return _binary(encode_tokens_answer(answer))


def _subscribe(call: Call) -> Response:
    body = _body_up_to(call.environ, push.MAX_BODY_BYTES)
    call.server.push.subscribe(body, call.network(), call.puzzle())
    return _json(push.answer())


def _unsubscribe(call: Call) -> Response:
    call.server.push.unsubscribe(_body_up_to(call.environ, push.MAX_BODY_BYTES))
    return _json(push.answer())


def _health(call: Call) -> Response:
    server = call.server
    ready, held = readiness(server.codes_store, server.keys_store), (server.held(), server.signer_problem())
    now, period = int(server.clock()), server.city.publish_period_seconds
    facts = (server.indexes, server.configs, now, server.ticked_at(), held, server.keys_store, period)
    return _report(health(ready, *facts))


def _ready(call: Call) -> Response:
    codes, keys = call.server.codes_store, call.server.keys_store
    # Where certifying is all that this process does, it does nothing without a signer.
    return _report(readiness(codes, keys, call.server.signer_problem() if isinstance(keys, AbsentStore) else None))


def _live(_call: Call) -> Response:
    return _report({"status": "ok", "failing": []})


def _config(call: Call) -> Response:
    return _file(call, call.server.downloads.config(int(call.name) if call.name else None))


def _exports_index(call: Call) -> Response:
    return _file(call, call.server.downloads.index())


def _export(call: Call) -> Response:
    return _file(call, call.server.downloads.export(call.name))


def _venues_index(call: Call) -> Response:
    return _file(call, call.server.downloads.venues_index())


def _venue_package(call: Call) -> Response:
    return _file(call, call.server.downloads.venue_package(call.name))


def _log(call: Call) -> Response:
    content, immutable = answer_of_log(call.server.public_log, call.name)
    kind = BINARY if call.name.startswith("tile/") else "text/plain; charset=utf-8"
    kept = IMMUTABLE if immutable else CHANGING
    return Response(HTTPStatus.OK, content, (("Content-Type", kind), ("Cache-Control", kept)))


Route = tuple[str, re.Pattern[str], Callable[[Call], Response]]


def _routes(*routes: tuple[str, str, Callable[[Call], Response]]) -> tuple[Route, ...]:
    return tuple((method, re.compile(path), answer) for method, path, answer in routes)


# What is served: method, path, and what answers. What a path holds in brackets is the `name` of the call.
FILES = _routes(
    ("GET", r"/v1/config(?:/([0-9]{1,9}))?", _config),
    ("GET", r"/v1/exports/index\.json", _exports_index),
    ("GET", r"/v1/exports/([0-9]{1,9}-[0-9a-f]{32}\.zip)", _export),
    ("GET", r"/v1/venues/index\.json", _venues_index),
    ("GET", r"/v1/venues/([0-9]{1,9}-[0-9a-f]{32}\.bin)", _venue_package),
)
ROUTES = FILES + _routes(
    ("GET", r"/v1/log/([a-z0-9./]{1,160})", _log),
    ("POST", VERIFY_PATH, partial(_alone, _verify_each)),
    ("POST", UPLOAD_PATH, partial(_alone, _upload_each)),
    ("POST", r"/v1/declarations", _declare),
    ("POST", r"/v1/tokens", _tokens),
    ("POST", r"/v1/push/subscribe", _subscribe),
    ("POST", r"/v1/push/unsubscribe", _unsubscribe),
    ("GET", r"/v1/health", _health),
    ("GET", r"/v1/health/ready", _ready),
    ("GET", r"/v1/health/live", _live),
)


def file_at_hand(server: KeyServer, path: str, if_none_match: str) -> Response | None:
    """What GET of a file answers, without waiting for anything; None for other paths and for files in a bucket."""
    return None if server.downloads.folder is None else file_of(server, path, if_none_match)


def file_of(server: KeyServer, path: str, if_none_match: str = "") -> Response | None:
    """What GET of a file answers, wherever it lies; None for other paths."""
    if not handles(path):
        return None
    for _, pattern, answer in FILES:
        if match := pattern.fullmatch(path):
            environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "HTTP_IF_NONE_MATCH": if_none_match}
            try:
                return answer(Call(server, environ, "".join(match.groups(""))))
            except Refused as refused:
                return refusal(refused)
    return None


class Application:
    """The WSGI callable of one key server."""

    def __init__(self, server: KeyServer) -> None:
        self._server = server

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            response = self._answer(environ)
        except Refused as refused:
            response = refusal(refused)
        start_response(f"{response.status.value} {response.status.phrase}", response.head)
        if environ["REQUEST_METHOD"] == "HEAD":
            return [b""]
        return [response.body if isinstance(response.body, bytes) else response.body.read_bytes()]

    @property
    def gathers_reports(self) -> bool:
        """Whether the stores commit together what comes at the same time: PostgreSQL does that by itself."""
        return "postgresql" not in (self._server.codes_store.dialect, self._server.keys_store.dialect)

    def report_each(self, environs: Sequence[Environ]) -> list[Response]:
        """Answer calls of reports that came at the same time, each as if it had come alone."""
        made: dict[int, Response] = {}
        for path, each in ((VERIFY_PATH, _verify_each), (UPLOAD_PATH, _upload_each)):
            places = [at for at, environ in enumerate(environs) if environ["PATH_INFO"] == path]
            answers = each([Call(self._server, environs[at], "") for at in places]) if places else []
            for at, answer in zip(places, answers, strict=True):
                try:
                    made[at] = answer()
                except Refused as refused:
                    made[at] = refusal(refused)
        return [made[at] for at in range(len(environs))]

    def _answer(self, environ: Environ) -> Response:
        path, method = environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"]
        for served, pattern, answer in ROUTES:
            if match := pattern.fullmatch(path):
                allowed = ("GET", "HEAD") if served == "GET" else (served,)
                if method not in allowed:
                    raise MethodNotAllowed(f"{method} is not answered here, only {served}", ", ".join(allowed))
                return answer(Call(self._server, environ, "".join(match.groups(""))))
        raise NoSuchAddress("nothing is served at this address")


def _binary(body: bytes) -> Response:
    # no-transform: a proxy that compressed answers would make their sizes tell them apart.
    return Response(HTTPStatus.OK, body, (("Content-Type", BINARY), ("Cache-Control", f"{NO_STORE}, no-transform")))


def _json(members: dict[str, Any]) -> Response:
    head = (("Content-Type", JSON), ("Cache-Control", NO_STORE))
    return Response(HTTPStatus.OK, json.dumps(members).encode(), head)


def _file(call: Call, served: downloads.Served) -> Response:
    headers = (
        ("Content-Type", served.media_type),
        ("Cache-Control", served.cache_control),
        ("ETag", served.etag),
    )
    if served.etag in [tag.strip() for tag in call.environ.get("HTTP_IF_NONE_MATCH", "").split(",")]:
        return Response(HTTPStatus.NOT_MODIFIED, b"", headers)
    return Response(HTTPStatus.OK, served.content, headers, served.size)


def _report(report: dict[str, Any]) -> Response:
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


def refusal(refused: Refused) -> Response:
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
