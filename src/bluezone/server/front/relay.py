# SPDX-License-Identifier: Apache-2.0
"""Whole requests passed on over a Unix socket: the process that faces the Internet has no store and no key of its own.

Messages are as the signer's (keyserver/signer/channel.py), with 0 as first byte: four bytes that say how long the head
is, the head, and the body. The head is a line and names and values by turns, with a NUL between all: of a request an
empty line and those members of WSGI's environ that are text, of an answer the status and the headers.
"""

import io
import json
import logging
import os
import struct
import sys
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from bluezone.city import load_city
from bluezone.keyserver.http import (
    PUZZLE_HEADER,
    ROUTES,
    UPLOAD_PATH,
    VERIFY_PATH,
    Application,
    Environ,
    Response,
    file_at_hand,
    refusal,
)
from bluezone.keyserver.parts import published_files
from bluezone.keyserver.push import MAX_BODY_BYTES
from bluezone.keyserver.signer.channel import Caller, Gathering, Listener
from bluezone.keyserver.storage.store import StoreRefused
from bluezone.logs import event
from bluezone.protocol.declaration import DECLARATION_SIZE
from bluezone.protocol.gate.tokens import TOKENS_SIZE
from bluezone.protocol.upload import UPLOAD_SIZE, VERIFY_SIZE
from bluezone.server.front.threads import WsgiApplication

logger = logging.getLogger(__name__)

# As the public site's pages take it (web/settings_public.py), and what a head may have beside.
LARGEST_BODY = 1024 * 1024
_HEAD = struct.Struct(">I")
_BETWEEN = "\0"
_MOST_BYTES = {"codes": 16 * 1024, "admission": 16 * 1024, "pages": LARGEST_BODY + 512 * 1024}
# The sizes of bodies that are passed on; what else the anonymous API takes is a few lines of JSON.
_SIZES = {
    VERIFY_PATH: VERIFY_SIZE,
    "/v1/tokens": TOKENS_SIZE,
    UPLOAD_PATH: UPLOAD_SIZE,
    "/v1/declarations": DECLARATION_SIZE,
}
# All that a call of the anonymous API may depend on.
_TOLD = (
    "REQUEST_METHOD", "PATH_INFO", "CONTENT_LENGTH", "REMOTE_ADDR", "HTTP_X_FORWARDED_FOR", PUZZLE_HEADER,
    "HTTP_IF_NONE_MATCH",
)  # fmt: skip
_YEAR_SECONDS = 365 * 86_400
# Sounds of bulletins and packages for print are the largest that a page answers with.
_MOST_ANSWER_BYTES = 256 * 1024 * 1024
_MOST_CONNECTIONS = 256
# Of the anonymous API: what is asked of the process that has the codes; all else of it the keys store answers.
_OF_CODES = frozenset({VERIFY_PATH, "/v1/tokens"})
READY, LIVE = "/v1/health/ready", "/v1/health/live"
HEALTH = "/v1/health"
LANGUAGE_COOKIE = "bluezone-language"


class PartAway(StoreRefused):
    """The process whose part a request is does not answer; nothing was stored, and asking again is safe."""

    code = "part_away"


def socket_of(run: Path, part: str) -> Path:
    """Where a part is asked, in a folder that belongs to its user alone."""
    return run / part / f"{part}.sock"


class Relay:
    """One part, asked from any thread: each thread has a connection of its own. path: of its socket."""

    def __init__(self, path: Path, part: str) -> None:
        self._part = part
        self._caller = Caller(path, _MOST_ANSWER_BYTES)

    def ask(self, environ: Environ, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        """Status, headers and body of the answer. Raises PartAway."""
        repeatable = self._part != "pages" or environ["REQUEST_METHOD"] in ("GET", "HEAD")
        try:
            told = [(name, value) for name, value in environ.items() if type(value) is str]
            _, answer = self._caller.exchange(0, _packed("", told, body), repeatable)
            status, headers, content = _unpacked(answer)
            return int(status), headers, content
        except (OSError, ValueError) as error:
            said = getattr(error, "strerror", None) or type(error).__name__
            raise PartAway(f"the {self._part} process does not answer: {said}") from None


def _packed(line: str, pairs: Iterable[tuple[str, str]], body: bytes) -> bytes:
    """A message. Raises ValueError where a text of the head has a NUL, which no header has."""
    texts = [line]
    for pair in pairs:
        texts += pair
    head = _BETWEEN.join(texts)
    if head.count(_BETWEEN) != len(texts) - 1:
        raise ValueError("a NUL in a head")
    packed = head.encode(errors="surrogatepass")
    return _HEAD.pack(len(packed)) + packed + body


def _unpacked(packed: bytes) -> tuple[str, list[tuple[str, str]], bytes]:
    """Line, pairs and body of a message. Raises ValueError."""
    if len(packed) < _HEAD.size:
        raise ValueError("no head")
    end = _HEAD.size + _HEAD.unpack_from(packed)[0]
    line, *texts = packed[_HEAD.size : end].decode(errors="surrogatepass").split(_BETWEEN)
    return line, list(zip(texts[::2], texts[1::2], strict=True)), packed[end:]


class Front:
    """The public origin as a WSGI callable that answers files itself and passes everything else on.

    folder: the data folder, of which it reads what is published; run: where the parts are asked.
    """

    # Nothing is kept here, and pages know which language a header asks for.
    same_for_all: tuple[str, Callable[[], Any], Callable[[str], str]] = (LANGUAGE_COOKIE, lambda: None, str)
    largest_body = LARGEST_BODY

    def __init__(self, folder: Path, run: Path, passed_by: Callable[[str], bool]) -> None:
        self._city = load_city(folder)
        self._files = SimpleNamespace(downloads=published_files(folder))
        self._parts = {part: Relay(socket_of(run, part), part) for part in _MOST_BYTES}
        self._passed_by = passed_by

    @property
    def trusted_proxies(self) -> tuple[str, ...]:
        """Whose X-Forwarded-For is believed."""
        return self._city.trusted_proxies

    @property
    def always(self) -> list[tuple[str, str]]:
        """Headers of every answer: what keeps a browser on HTTPS, where the settings have it (web/settings.py)."""
        kept = os.environ.get("BLUEZONE_TLS") in ("1", "own")
        return [("Strict-Transport-Security", f"max-age={_YEAR_SECONDS}")] if kept else []

    def at_hand(self, path: str, headers: Mapping[str, str]) -> Response | None:
        """What can be answered to GET without waiting: published files. headers: by names in lower case."""
        return file_at_hand(self._files, path, headers.get("if-none-match", ""))  # type: ignore[arg-type]

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        try:
            status, headers, body = self._answer(path, environ)
        except PartAway as refused:
            logger.warning("%s: %s", refused.code, refused.message, extra=event("part_away", code=refused.code))
            told = refusal(refused)
            assert isinstance(told.body, bytes)
            status, headers, body = told.status, told.head, told.body
        start_response(f"{int(status)} {HTTPStatus(status).phrase}", headers)
        return [body]

    def _answer(self, path: str, environ: Environ) -> tuple[int, list[tuple[str, str]], bytes]:
        if path == LIVE:
            head = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
            return HTTPStatus.OK, head, json.dumps({"status": "ok", "failing": []}).encode()
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if 0 < length <= LARGEST_BODY else b""
        fixed = path in _SIZES
        if not fixed and (self._passed_by(path) or not any(pattern.fullmatch(path) for _, pattern, _ in ROUTES)):
            return self._parts["pages"].ask(environ, body)
        told = {name: environ[name] for name in _TOLD if name in environ}
        if path in (HEALTH, READY):
            return self._health(told)
        # What has not the size of its call is refused there by the length that was announced.
        passed = len(body) == _SIZES[path] if fixed else len(body) <= MAX_BODY_BYTES
        return self._parts["codes" if path in _OF_CODES else "admission"].ask(told, body if passed else b"")

    def _health(self, environ: Environ) -> tuple[int, list[tuple[str, str]], bytes]:
        """What the parts say of themselves, together: whoever does not answer is failing."""
        status, headers, body = self._parts["admission"].ask(environ, b"")
        told, failing = json.loads(body), []
        try:
            _, _, codes = self._parts["codes"].ask({**environ, "PATH_INFO": READY, "REQUEST_METHOD": "GET"}, b"")
            failing = json.loads(codes)["failing"]
        except PartAway as refused:
            failing = [refused.code]
        if not failing or environ["REQUEST_METHOD"] == "HEAD":
            return status, headers, body
        told["failing"] += [code for code in failing if code not in told["failing"]]
        content = json.dumps({**told, "status": "failing"}).encode()
        kept = [(name, value) for name, value in headers if name.lower() not in ("content-length", "retry-after")]
        length = ("Content-Length", str(len(content)))
        return HTTPStatus.SERVICE_UNAVAILABLE, [*kept, length, ("Retry-After", "30")], content


def part_server(path: Path, part: str, allowed: frozenset[int], application: WsgiApplication) -> Listener:
    """One part on its socket. path: of it; allowed: the users who may ask, by uid; application: what answers."""
    answers, most = _Answers(part, application), _MOST_BYTES[part]

    def longest(first: int) -> int:
        return -1 if first else most

    told = (path, allowed, _MOST_CONNECTIONS, longest, answers.answer, answers.note_refused)
    if isinstance(application, Application) and application.gathers_reports:
        return Gathering(*told, answers.answer_reports)
    return Listener(*told)


class _Answers:
    """What a part answers. application: what makes the answers."""

    def __init__(self, part: str, application: WsgiApplication) -> None:
        self._part, self._application = part, application

    def note_refused(self, uid: int) -> None:
        said = event("part_peer_refused", part=self._part, uid=uid)
        logger.warning("%s: a connection of user %d was refused", self._part, uid, extra=said)

    def answer_reports(self, come: list[tuple[int, bytes]]) -> list[tuple[int, bytes] | None]:
        """Answers to the calls of reports among what came at the same time."""
        assert isinstance(self._application, Application)
        answers: list[tuple[int, bytes] | None] = [None] * len(come)
        try:
            environs = [_environ(packed) for _, packed in come]
            places = [at for at, environ in enumerate(environs) if _is_report(environ)]
            told = self._application.report_each([environs[at] for at in places])
            for at, response in zip(places, told, strict=True):
                answers[at] = 0, _packed(str(response.status.value), response.head, cast(bytes, response.body))
            return answers
        except Exception:
            # Each is answered by itself then, so that what fails here fails alone; each of them may come twice.
            return [None] * len(come)

    def answer(self, _first: int, packed: bytes, _uid: int) -> tuple[int, bytes]:
        """The answer to one request. Raises ValueError where the message is none."""
        environ = _environ(packed)
        told: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            told[:] = [(status[:3], headers)]

        try:
            found = self._application(environ, start_response)
            try:
                content = b"".join(found)
            finally:
                close = getattr(found, "close", None)
                if close:
                    close()
        except Exception:
            logger.exception("an answer failed", extra=event("answer_failed", route=self._part))
            told, content = [("500", [("Content-Length", "0")])], b""
        return 0, _packed(*told[0], content)


def _is_report(environ: Environ) -> bool:
    """Whether a request is of a report: a code, or keys."""
    return environ.get("PATH_INFO") in (VERIFY_PATH, UPLOAD_PATH) and environ["REQUEST_METHOD"] == "POST"


def _environ(packed: bytes) -> Environ:
    """WSGI's environ of a request that was passed on. Raises ValueError."""
    _, head, body = _unpacked(packed)
    return {
        **dict(head),
        "wsgi.version": (1, 0),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
