# SPDX-License-Identifier: Apache-2.0
"""Pass whole requests on over Unix sockets, so that the process that faces the Internet needs no store and no key.

A message is framed like the signer's (keyserver/signer/channel.py), with 0 as its first byte. With 1 it has no body,
and the part with the pages describes what they depend on (web/page_variants.py). The body of all others is the length
of the head in four bytes, the head, and the HTTP body. The head is a line, then names and values in turn, separated by
NUL. In a request the line is empty, and the pairs are the textual members of WSGI's environ. In an answer the line is
the status, and the pairs are the headers.
"""

import errno
import io
import json
import logging
import os
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO, cast

from bluezone.city_settings import load_city
from bluezone.keyserver.datafolder import read_city_key
from bluezone.keyserver.http import (
    ALIVE,
    HEALTH_PATH,
    LIVE_PATH,
    PUZZLE_HEADER,
    READY_PATH,
    ROUTES,
    TOKENS_PATH,
    UPLOAD_PATH,
    VERIFY_PATH,
    Application,
    Environ,
    Response,
    answer_at_hand,
    refusal,
    refuse_at_hand,
)
from bluezone.keyserver.parts.pages import open_downloads
from bluezone.keyserver.push import MAX_BODY_BYTES
from bluezone.keyserver.signer.channel import BatchListener, Caller, Listener
from bluezone.keyserver.storage.store import StoreRefused
from bluezone.logs import event_fields
from bluezone.protocol.declaration import DECLARATION_SIZE
from bluezone.protocol.gate.tokens import TOKENS_SIZE
from bluezone.protocol.upload import UPLOAD_SIZE, VERIFY_SIZE
from bluezone.server.front.wsgi import WsgiApplication
from bluezone.shortage import is_shortage
from bluezone.web.page_variants import PageVariants, read_description

logger = logging.getLogger(__name__)

# The same as in web/settings_public.py; _MOST_BYTES adds room for the head.
MAX_PUBLIC_BODY_BYTES = 1024 * 1024
# The first bytes of messages.
_REQUEST = 0
_DESCRIBE = 1
# How long a description of the pages is believed, and how soon the front asks again if it has none. A part that an
# upgrade has not replaced yet may have described the pages of the version before.
DESCRIBED_SECONDS = 60.0
DESCRIBE_AGAIN_SECONDS = 1.0
_HEAD = struct.Struct(">I")
_SEPARATOR = "\0"
_MOST_BYTES = {"codes": 16 * 1024, "admission": 16 * 1024, "pages": MAX_PUBLIC_BODY_BYTES + 512 * 1024}
# Exact sizes of bodies that are passed on; all other bodies of the anonymous API are a few lines of JSON.
_SIZES = {
    VERIFY_PATH: VERIFY_SIZE,
    TOKENS_PATH: TOKENS_SIZE,
    UPLOAD_PATH: UPLOAD_SIZE,
    "/v1/declarations": DECLARATION_SIZE,
}
# The members of environ that a call of the anonymous API may depend on.
_API_MEMBERS = (
    "REQUEST_METHOD", "PATH_INFO", "CONTENT_LENGTH", "REMOTE_ADDR", "HTTP_X_FORWARDED_FOR", PUZZLE_HEADER,
    "HTTP_IF_NONE_MATCH",
)  # fmt: skip
_YEAR_SECONDS = 365 * 86_400
# The largest answers of pages are recordings of bulletins and packages for print.
_MOST_ANSWER_BYTES = 256 * 1024 * 1024
_MOST_CONNECTIONS = 256
# Calls of the anonymous API that go to the process with the codes; all others are answered from the keys store.
_CODES_PATHS = frozenset({VERIFY_PATH, TOKENS_PATH})
LANGUAGE_COOKIE = "bluezone-language"


class PartUnavailable(StoreRefused):
    """The process that should answer the request does not; nothing was stored, and repeating the request is safe."""

    code = "part_away"


def socket_of(run: Path, part: str) -> Path:
    """The socket of a part, in a folder that belongs to its user alone."""
    return run / part / f"{part}.sock"


class Relay:
    """A client of one part, usable from any thread: each thread has its own connection. path: the part's socket."""

    def __init__(self, path: Path, part: str) -> None:
        self._part = part
        self._caller = Caller(path, _MOST_ANSWER_BYTES)

    def describe_pages(self) -> bytes:
        """What the part with the pages says that they depend on. Raises PartUnavailable."""
        try:
            return self._caller.exchange(_DESCRIBE, b"")[1]
        except OSError as error:
            raise self._unavailable(error) from None

    def request(self, environ: Environ, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        """Status, headers and body of the answer. Raises PartUnavailable."""
        repeatable = self._part != "pages" or environ["REQUEST_METHOD"] in ("GET", "HEAD")
        try:
            pairs = [(name, value) for name, value in environ.items() if type(value) is str]
            _, answer = self._caller.exchange(_REQUEST, _pack("", pairs, body), repeatable)
            status, headers, content = _unpack(answer)
            return int(status), headers, content
        except (OSError, ValueError) as error:
            raise self._unavailable(error) from None

    def _unavailable(self, error: Exception) -> PartUnavailable:
        reason = getattr(error, "strerror", None) or type(error).__name__
        return PartUnavailable(f"the {self._part} process does not answer: {reason}")


def _pack(line: str, pairs: Iterable[tuple[str, str]], body: bytes) -> bytes:
    """Encode a message. Raises ValueError if a text of the head contains a NUL; no valid header does."""
    texts = [line]
    for pair in pairs:
        texts += pair
    head = _SEPARATOR.join(texts)
    if head.count(_SEPARATOR) != len(texts) - 1:
        raise ValueError("a NUL in a head")
    head_bytes = head.encode(errors="surrogatepass")
    return _HEAD.pack(len(head_bytes)) + head_bytes + body


def _unpack(message: bytes) -> tuple[str, list[tuple[str, str]], bytes]:
    """Line, pairs and body of a message. Raises ValueError."""
    if len(message) < _HEAD.size:
        raise ValueError("no head")
    end = _HEAD.size + _HEAD.unpack_from(message)[0]
    line, *texts = message[_HEAD.size : end].decode(errors="surrogatepass").split(_SEPARATOR)
    return line, list(zip(texts[::2], texts[1::2], strict=True)), message[end:]


class Front:
    """The public origin as a WSGI callable that sends files itself and passes everything else on.

    folder: the data folder, from which it sends the published files. run: the folder with the sockets of the parts.
    for_pages: returns whether the part with the pages answers a path of the API.
    """

    largest_body = MAX_PUBLIC_BODY_BYTES

    def __init__(self, folder: Path, run: Path, for_pages: Callable[[str], bool]) -> None:
        self._folder = folder
        self._city = load_city(folder)
        self._downloads = open_downloads(folder)
        self._parts = {part: Relay(socket_of(run, part), part) for part in _MOST_BYTES}
        self._for_pages = for_pages
        self._variants: PageVariants | None = None
        threading.Thread(target=self._learn_pages, daemon=True).start()

    def shared_pages(self) -> PageVariants | None:
        """What the public pages depend on besides their address; None until their part has described it."""
        return self._variants

    def _learn_pages(self) -> None:
        while True:
            seconds = DESCRIBE_AGAIN_SECONDS
            with suppress(PartUnavailable, ValueError):
                description = self._parts["pages"].describe_pages()
                # The front has no store, so it cannot see whether a page has changed.
                self._variants = read_description(description, LANGUAGE_COOKIE, lambda: None)
                seconds = DESCRIBED_SECONDS
            time.sleep(seconds)

    def city_key(self) -> bytes:
        """The city's public key, 32 bytes, with which phones are set up. Raises CityKeyMissing."""
        return read_city_key(self._folder)

    @property
    def trusted_proxies(self) -> tuple[str, ...]:
        """The proxies that are trusted to set X-Forwarded-For."""
        return self._city.trusted_proxies

    @property
    def common_headers(self) -> list[tuple[str, str]]:
        """Headers of every answer: keeps a browser on HTTPS, if the settings say so (web/settings.py)."""
        if os.environ.get("BLUEZONE_TLS") not in ("1", "own"):
            return []
        return [("Strict-Transport-Security", f"max-age={_YEAR_SECONDS}")]

    def at_hand(self, path: str, headers: Mapping[str, str]) -> Response | None:
        """The answer to a GET that needs no waiting: a published file, liveness. headers: by names in lower case."""
        return answer_at_hand(self._downloads, path, headers.get("if-none-match", ""))

    def refuse_at_hand(self, path: str, body: BinaryIO, length: int, _network: Callable[[], bytes]) -> Response | None:
        """The answer to a POST that is refused without a part; None if it has to be passed on. length: in bytes."""
        return refuse_at_hand(path, body, length)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        try:
            status, headers, body = self._answer(path, environ)
        except PartUnavailable as refused:
            logger.warning("%s: %s", refused.code, refused.message, extra=event_fields("part_away", code=refused.code))
            response = refusal(refused)
            assert isinstance(response.body, bytes)
            status = response.status
            headers = response.head
            body = response.body
        start_response(f"{int(status)} {HTTPStatus(status).phrase}", headers)
        return [body]

    def _answer(self, path: str, environ: Environ) -> tuple[int, list[tuple[str, str]], bytes]:
        if path == LIVE_PATH:
            head = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
            return HTTPStatus.OK, head, json.dumps(ALIVE).encode()
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if 0 < length <= MAX_PUBLIC_BODY_BYTES else b""
        fixed = path in _SIZES
        if not fixed and (self._for_pages(path) or not any(pattern.fullmatch(path) for _, pattern, _ in ROUTES)):
            return self._parts["pages"].request(environ, body)
        reduced = {name: environ[name] for name in _API_MEMBERS if name in environ}
        if path in (HEALTH_PATH, READY_PATH):
            return self._health(reduced)
        # A body of the wrong size is not passed on; the part refuses it by the announced length.
        fits = len(body) == _SIZES[path] if fixed else len(body) <= MAX_BODY_BYTES
        return self._parts["codes" if path in _CODES_PATHS else "admission"].request(reduced, body if fits else b"")

    def _health(self, environ: Environ) -> tuple[int, list[tuple[str, str]], bytes]:
        """The health of the parts together; a part that does not answer is failing."""
        status, headers, body = self._parts["admission"].request(environ, b"")
        report = json.loads(body)
        try:
            readiness = {**environ, "PATH_INFO": READY_PATH, "REQUEST_METHOD": "GET"}
            _, _, codes = self._parts["codes"].request(readiness, b"")
            failing = json.loads(codes)["failing"]
        except PartUnavailable as refused:
            failing = [refused.code]
        if not failing or environ["REQUEST_METHOD"] == "HEAD":
            return status, headers, body
        report["failing"] += [code for code in failing if code not in report["failing"]]
        content = json.dumps({**report, "status": "failing"}).encode()
        replaced = ("content-length", "retry-after")
        head = [(name, value) for name, value in headers if name.lower() not in replaced]
        head += [("Content-Length", str(len(content))), ("Retry-After", "30")]
        return HTTPStatus.SERVICE_UNAVAILABLE, head, content


def part_server(path: Path, part: str, allowed: frozenset[int], application: WsgiApplication) -> Listener:
    """The server of one part. path: its socket. allowed: uids of the users who may connect."""
    answers = _Answers(part, application)
    most = _MOST_BYTES[part]

    def longest(first: int) -> int:
        return {_REQUEST: most, _DESCRIBE: 0 if part == "pages" else -1}.get(first, -1)

    arguments = (path, allowed, _MOST_CONNECTIONS, longest, answers.answer, answers.note_refused)
    if isinstance(application, Application) and application.gathers_reports:
        return BatchListener(*arguments, answers.answer_reports)
    return Listener(*arguments)


class _Answers:
    """The answers of a part. application: makes them."""

    def __init__(self, part: str, application: Any) -> None:
        self._part = part
        self._application = application

    def note_refused(self, uid: int) -> None:
        extra = event_fields("part_peer_refused", part=self._part, uid=uid)
        logger.warning("%s: a connection of user %d was refused", self._part, uid, extra=extra)

    def answer_reports(self, messages: list[tuple[int, bytes]]) -> list[tuple[int, bytes] | None]:
        """Answers to the calls of reports among messages that arrived together; None for all other messages."""
        assert isinstance(self._application, Application)
        answers: list[tuple[int, bytes] | None] = [None] * len(messages)
        try:
            environs = [_environ(packed) for _, packed in messages]
            positions = [index for index, environ in enumerate(environs) if _is_report(environ)]
            responses = self._application.report_each([environs[at] for at in positions])
            for position, response in zip(positions, responses, strict=True):
                answers[position] = 0, _pack(str(response.status.value), response.head, cast(bytes, response.body))
            return answers
        except Exception:
            # All are then answered separately, so that only the faulty one fails. Answering a report again is safe.
            return [None] * len(messages)

    def answer(self, first: int, packed: bytes, _uid: int) -> tuple[int, bytes]:
        """The answer to one message. Raises ValueError if the message is malformed."""
        if first == _DESCRIBE:
            return 0, self._application.describe_pages()
        environ = _environ(packed)
        heads: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            heads[:] = [(status[:3], headers)]

        try:
            chunks = self._application(environ, start_response)
            try:
                content = b"".join(chunks)
            finally:
                close = getattr(chunks, "close", None)
                if close:
                    close()
        except Exception as error:
            if is_shortage(error):
                # The connection ends, and the front answers "later".
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE)) from None
            logger.exception("an answer failed", extra=event_fields("answer_failed", route=self._part))
            heads = [("500", [("Content-Length", "0")])]
            content = b""
        return 0, _pack(*heads[0], content)


def _is_report(environ: Environ) -> bool:
    """Whether a request is part of a report: a code, or keys."""
    return environ.get("PATH_INFO") in (VERIFY_PATH, UPLOAD_PATH) and environ["REQUEST_METHOD"] == "POST"


def _environ(packed: bytes) -> Environ:
    """WSGI's environ of a request that was passed on. Raises ValueError."""
    _, head, body = _unpack(packed)
    return {
        **dict(head),
        "wsgi.version": (1, 0),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
