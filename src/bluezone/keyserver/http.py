# SPDX-License-Identifier: Apache-2.0
"""The anonymous HTTP API under /v1, without a framework: no cookie, no session, no locale, no log of callers.

It also answers the operator's monitor. There is no limit per person, because nothing distinguishes persons. Puzzles
make many gate tokens expensive, but not impossible (a remaining risk, docs/attacks.md row 32).
Source: docs/protocol.md section 7; docs/attacks.md row 43.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from bluezone.keyserver import push
from bluezone.keyserver.declarations import DeclarationsClosed, DeclarationsFull
from bluezone.keyserver.parts.admission import Admission
from bluezone.keyserver.parts.codes import CodesPart
from bluezone.keyserver.parts.health import Health
from bluezone.keyserver.parts.process import Parts
from bluezone.keyserver.publication.downloads import Downloads, FileMissing, Served
from bluezone.keyserver.publication.folder import CHANGING, IMMUTABLE
from bluezone.keyserver.publication.log.publiclog import LogPathMissing, PublicLog, answer_of_log
from bluezone.keyserver.storage.store import StoreRefused
from bluezone.networks import network_of
from bluezone.protocol.declaration import DECLARATION_SIZE
from bluezone.protocol.gate.tokens import TOKENS_SIZE, TokensAnswer, decode_tokens, encode_tokens_answer
from bluezone.protocol.upload import (
    UPLOAD_SIZE,
    VERIFY_SIZE,
    BadRequest,
    KeysRefused,
    SlipRequest,
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

Environ = dict[str, Any]
WsgiApplication = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
Part = TypeVar("Part")

PREFIX = "/v1/"
BINARY = "application/octet-stream"
JSON = "application/json"
NO_STORE = "no-store"
RETRY_AFTER_SECONDS = 30

VERIFY_PATH = "/v1/verify"
TOKENS_PATH = "/v1/tokens"
UPLOAD_PATH = "/v1/upload"
CONFIG_PATH = "/v1/config"
HEALTH_PATH = "/v1/health"
READY_PATH = "/v1/health/ready"
LIVE_PATH = "/v1/health/live"
# The report of a process that runs, whatever it can do.
ALIVE = {"status": "ok", "failing": []}
PUZZLE_HEADER = "HTTP_X_BLUEZONE_PUZZLE"

_LENGTH = re.compile(r"[0-9]{1,18}")


class BodySizeWrong(Refused):
    """The body does not have the size of the call; sizes are fixed so that they reveal nothing."""

    code = "body_size_wrong"


class BodyTooLarge(BodySizeWrong):
    """The body is larger than the call allows; it was not read."""

    code = "body_too_large"


class NoSuchAddress(Refused):
    """Nothing is served at this address."""

    code = "not_found"


class MethodNotAllowed(Refused):
    """The address does not answer this method."""

    code = "method_not_allowed"

    def __init__(self, message: str, allowed: str) -> None:
        super().__init__(message)
        self.allowed = allowed


@dataclass(frozen=True)
class Response:
    """An answer. body: bytes, or the path of a file with them. length: the file's length.

    headers: without those that every answer has.
    """

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
    FileMissing: HTTPStatus.NOT_FOUND,
    LogPathMissing: HTTPStatus.NOT_FOUND,
    DeclarationsClosed: HTTPStatus.NOT_FOUND,
    DeclarationsFull: HTTPStatus.SERVICE_UNAVAILABLE,
    push.PushSubscriptionInvalid: HTTPStatus.BAD_REQUEST,
    push.PushPuzzle: HTTPStatus.TOO_MANY_REQUESTS,
    StoreRefused: HTTPStatus.SERVICE_UNAVAILABLE,
}


def handles(path: str) -> bool:
    """Whether a path belongs to this API rather than to the pages behind it."""
    return path.startswith(PREFIX)


@dataclass(frozen=True)
class Call:
    """One request to the parts of a process. name: the variable part of the path, such as a file's name, or ""."""

    parts: Parts
    environ: Environ
    name: str

    def network(self) -> bytes:
        """The network that the request came from, as `networks.network_of` returns it."""
        forwarded = self.environ.get("HTTP_X_FORWARDED_FOR")
        return network_of(self.environ.get("REMOTE_ADDR", ""), forwarded, self.parts.city.trusted_proxies)

    def puzzle(self) -> str:
        """The solved puzzle in a header, "" if there is none."""
        text: str = self.environ.get(PUZZLE_HEADER, "")
        return text

    @property
    def codes(self) -> CodesPart:
        """The part with the codes."""
        return _require_here(self.parts.codes)

    @property
    def admission(self) -> Admission:
        """The part that admits uploads, declarations and subscriptions."""
        return _require_here(self.parts.admission)

    @property
    def health(self) -> Health:
        """The health of this process."""
        return _require_here(self.parts.health)

    @property
    def log(self) -> PublicLog:
        """The public log."""
        return _require_here(self.parts.log)

    @property
    def downloads(self) -> Downloads:
        """The files that phones fetch."""
        return _require_here(self.parts.pages).downloads


def _require_here(part: Part | None) -> Part:
    if part is None:
        raise StoreRefused("another process answers this call")
    return part


# Answers a call; raises the refusal.
Answer = Callable[[Call], Response]
# Answers calls that came at the same time. Call the returned functions in order; each returns or raises one answer.
AnswerEach = Callable[[Sequence[Call]], list[Callable[[], Response]]]


def _verify_each(calls: Sequence[Call]) -> list[Callable[[], Response]]:
    """Answer calls that check or redeem a code."""
    requests = [(_read(call, decode_verify, VERIFY_SIZE), call.network()) for call in calls]
    redeeming = [(request, network) for request, network in requests if isinstance(request, Verify2Request)]
    redeemed = iter(calls[0].codes.redemption.redeem_codes(redeeming))

    def answer(request: Any, network: bytes) -> Response:
        if isinstance(request, Verify2Request):
            return _binary(encode_verify2_answer(next(redeemed)()))
        if isinstance(request, SlipRequest):
            return _binary(encode_verify2_answer(calls[0].codes.redemption.use_slip(request, network)))
        if isinstance(request, Verify1Request):
            return _binary(encode_verify1_answer(calls[0].codes.code_checks.check_code(request, network)))
        return _refuse_verify(request)

    return [partial(answer, request, network) for request, network in requests]


def _upload_each(calls: Sequence[Call]) -> list[Callable[[], Response]]:
    """Answer uploads."""
    requests = [(_read(call, decode_upload, UPLOAD_SIZE), call.network()) for call in calls]
    uploads = [(request, network) for request, network in requests if isinstance(request, UploadRequest)]
    stored = iter(calls[0].admission.uploads.accept_uploads(uploads))

    def answer(request: Any) -> Response:
        if isinstance(request, UploadRequest):
            return _binary(encode_upload_answer(next(stored)()))
        return _refuse_upload(request)

    return [partial(answer, request) for request, _ in requests]


def _refuse_verify(refused: Refused) -> Response:
    if isinstance(refused, BadRequest):
        return _binary(encode_verify1_answer(Verify1Answer(status=Status.BAD_REQUEST)))
    return refusal(refused)


def _refuse_upload(refused: Refused) -> Response:
    if isinstance(refused, KeysRefused):
        return _binary(encode_upload_answer(UploadAnswer(status=Status.KEYS_REFUSED)))
    if isinstance(refused, BadRequest):
        return _binary(encode_upload_answer(UploadAnswer(status=Status.BAD_REQUEST)))
    return refusal(refused)


def _refuse_tokens(refused: Refused) -> Response:
    if isinstance(refused, BadRequest):
        return _binary(encode_tokens_answer(TokensAnswer(Status.BAD_REQUEST)))
    return refusal(refused)


def _read(call: Call, decode: Callable[[bytes], Any], size: int) -> Any:
    """The request in a body of `size` bytes, or the refusal."""
    try:
        return decode(_body(call.environ, size))
    except Refused as refused:
        return refused


def _alone(each: AnswerEach, call: Call) -> Response:
    return each([call])[0]()


def _declare(call: Call) -> Response:
    message = _body(call.environ, DECLARATION_SIZE)
    answer = call.admission.declarations.accept_declaration(message, call.network(), call.puzzle())
    return _binary(encode_upload_answer(answer))


def _tokens(call: Call) -> Response:
    request = _read(call, decode_tokens, TOKENS_SIZE)
    if isinstance(request, Refused):
        return _refuse_tokens(request)
    return _binary(encode_tokens_answer(call.codes.sign_tokens(request)))


def _subscribe(call: Call) -> Response:
    body = _body_up_to(call.environ, push.MAX_BODY_BYTES)
    call.admission.push.subscribe(body, call.network(), call.puzzle())
    return _json(push.push_answer())


def _unsubscribe(call: Call) -> Response:
    call.admission.push.unsubscribe(_body_up_to(call.environ, push.MAX_BODY_BYTES))
    return _json(push.push_answer())


def _health(call: Call) -> Response:
    return _report(call.health.report())


def _ready(call: Call) -> Response:
    return _report(call.health.readiness())


def _live(_call: Call) -> Response:
    return _report(ALIVE)


def _log(call: Call) -> Response:
    content, immutable = answer_of_log(call.log, call.name)
    kind = BINARY if call.name.startswith("tile/") else "text/plain; charset=utf-8"
    caching = IMMUTABLE if immutable else CHANGING
    return Response(HTTPStatus.OK, content, (("Content-Type", kind), ("Cache-Control", caching)))


def _config(downloads: Downloads, number: str) -> Served:
    return downloads.config(int(number) if number else None)


def _exports_index(downloads: Downloads, _name: str) -> Served:
    return downloads.index()


def _export(downloads: Downloads, name: str) -> Served:
    return downloads.export(name)


def _venues_index(downloads: Downloads, _name: str) -> Served:
    return downloads.venues_index()


def _venue_package(downloads: Downloads, name: str) -> Served:
    return downloads.venue_package(name)


def _download(find: Callable[[Downloads, str], Served], call: Call) -> Response:
    return _file(find(call.downloads, call.name), call.environ.get("HTTP_IF_NONE_MATCH", ""))


# Patterns of paths; the group in a pattern is the `name` of the call.
FILES: tuple[tuple[re.Pattern[str], Callable[[Downloads, str], Served]], ...] = (
    (re.compile(rf"{CONFIG_PATH}(?:/([0-9]{{1,9}}))?"), _config),
    (re.compile(r"/v1/exports/index\.json"), _exports_index),
    (re.compile(r"/v1/exports/([0-9]{1,9}-[0-9a-f]{32}\.zip)"), _export),
    (re.compile(r"/v1/venues/index\.json"), _venues_index),
    (re.compile(r"/v1/venues/([0-9]{1,9}-[0-9a-f]{32}\.bin)"), _venue_package),
)
# Method, pattern of the path, and the function that answers.
ROUTES: tuple[tuple[str, re.Pattern[str], Answer], ...] = (
    *(("GET", pattern, partial(_download, find)) for pattern, find in FILES),
    ("GET", re.compile(r"/v1/log/([a-z0-9./]{1,160})"), _log),
    ("POST", re.compile(VERIFY_PATH), partial(_alone, _verify_each)),
    ("POST", re.compile(UPLOAD_PATH), partial(_alone, _upload_each)),
    ("POST", re.compile(r"/v1/declarations"), _declare),
    ("POST", re.compile(TOKENS_PATH), _tokens),
    ("POST", re.compile(r"/v1/push/subscribe"), _subscribe),
    ("POST", re.compile(r"/v1/push/unsubscribe"), _unsubscribe),
    ("GET", re.compile(HEALTH_PATH), _health),
    ("GET", re.compile(READY_PATH), _ready),
    ("GET", re.compile(LIVE_PATH), _live),
)


def answer_at_hand(downloads: Downloads, path: str, if_none_match: str) -> Response | None:
    """The answer to a GET that needs no store and no waiting; None for other paths and for files in a bucket."""
    if path == LIVE_PATH:
        return _report(ALIVE)
    if downloads.folder is None and not path.startswith(CONFIG_PATH):
        return None
    return file_of(downloads, path, if_none_match)


# Calls with bodies of one size: that size, the function that reads the body, and the answer to what it refuses.
_FIXED: Mapping[str, tuple[int, Callable[[bytes], Any], Callable[[Refused], Response]]] = {
    VERIFY_PATH: (VERIFY_SIZE, decode_verify, _refuse_verify),
    UPLOAD_PATH: (UPLOAD_SIZE, decode_upload, _refuse_upload),
    TOKENS_PATH: (TOKENS_SIZE, decode_tokens, _refuse_tokens),
}


def refuse_at_hand(
    path: str,
    body: BinaryIO,
    length: int,
    challenge_for: Callable[[bytes, bytes], bytes | None] = lambda _challenge, _nonce: None,
) -> Response | None:
    """The answer to a POST that is refused whatever the stores contain; None for all others, the body not read.

    length: the announced one of the body, in bytes. challenge_for: takes challenge and nonce of an upload, returns the
    challenge that has to be solved first, None if there is none or if only a thread can know.
    """
    if path not in _FIXED:
        return None
    size, decode, refuse = _FIXED[path]
    try:
        request = decode(_body({"CONTENT_LENGTH": str(length), "wsgi.input": body}, size))
    except Refused as refused:
        return refuse(refused)
    body.seek(0)
    challenge = challenge_for(request.challenge, request.nonce) if path == UPLOAD_PATH else None
    if challenge is None:
        return None
    return _binary(encode_upload_answer(UploadAnswer(status=Status.PUZZLE_REQUIRED, challenge=challenge)))


def is_file(path: str) -> bool:
    """Whether a path is that of a file that phones fetch."""
    return any(pattern.fullmatch(path) for pattern, _ in FILES)


def file_of(downloads: Downloads, path: str, if_none_match: str = "") -> Response | None:
    """The answer to GET of a file, wherever it is; None for other paths."""
    if not handles(path):
        return None
    for pattern, find in FILES:
        if match := pattern.fullmatch(path):
            try:
                return _file(find(downloads, "".join(match.groups(""))), if_none_match)
            except Refused as refused:
                return refusal(refused)
    return None


class Application:
    """The WSGI application of the parts of one process."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

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
        """Whether simultaneous reports are answered together, with one commit. PostgreSQL groups commits itself."""
        reporting = (self._parts.codes, self._parts.admission)
        return all(part.store.dialect != "postgresql" for part in reporting if part)

    def report_each(self, environs: Sequence[Environ]) -> list[Response]:
        """Answer calls of reports that came at the same time; each gets the same answer as if it had come alone."""
        responses: dict[int, Response] = {}
        for path, each in ((VERIFY_PATH, _verify_each), (UPLOAD_PATH, _upload_each)):
            places = [place for place, environ in enumerate(environs) if environ["PATH_INFO"] == path]
            answers = each([Call(self._parts, environs[place], "") for place in places]) if places else []
            for place, answer in zip(places, answers, strict=True):
                try:
                    responses[place] = answer()
                except Refused as refused:
                    responses[place] = refusal(refused)
        return [responses[place] for place in range(len(environs))]

    def _answer(self, environ: Environ) -> Response:
        path = environ.get("PATH_INFO", "")
        method = environ["REQUEST_METHOD"]
        for expected, pattern, answer in ROUTES:
            if match := pattern.fullmatch(path):
                allowed = ("GET", "HEAD") if expected == "GET" else (expected,)
                if method not in allowed:
                    raise MethodNotAllowed(f"{method} is not answered here, only {expected}", ", ".join(allowed))
                return answer(Call(self._parts, environ, "".join(match.groups(""))))
        raise NoSuchAddress("nothing is served at this address")


def _binary(body: bytes) -> Response:
    # no-transform: if a proxy compressed answers, their sizes would distinguish them.
    return Response(HTTPStatus.OK, body, (("Content-Type", BINARY), ("Cache-Control", f"{NO_STORE}, no-transform")))


def _json(members: dict[str, Any]) -> Response:
    head = (("Content-Type", JSON), ("Cache-Control", NO_STORE))
    return Response(HTTPStatus.OK, json.dumps(members).encode(), head)


def _file(served: Served, if_none_match: str) -> Response:
    headers = (
        ("Content-Type", served.media_type),
        ("Cache-Control", served.cache_control),
        ("ETag", served.etag),
    )
    if served.etag in [tag.strip() for tag in if_none_match.split(",")]:
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
    expected = size + 1 if declared is None else declared
    body = b""
    while len(body) < expected and (chunk := environ["wsgi.input"].read(expected - len(body))):
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
    """The answer to a call that was refused."""
    kinds = (kind for kind in type(refused).__mro__ if kind in _STATUS_OF)
    kind = next(kinds, None)
    status = HTTPStatus.INTERNAL_SERVER_ERROR if kind is None else _STATUS_OF[kind]
    headers = [("Content-Type", JSON), ("Cache-Control", NO_STORE)]
    if isinstance(refused, MethodNotAllowed):
        headers.append(("Allow", refused.allowed))
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append(("Retry-After", str(RETRY_AFTER_SECONDS)))
    error = {"code": refused.code, "message": refused.message}
    if isinstance(refused, push.PushPuzzle):
        error["challenge"] = refused.challenge.hex()
    return Response(status, json.dumps({"error": error}).encode(), tuple(headers))
