# SPDX-License-Identifier: Apache-2.0
"""Static files, and public pages that were made a moment ago, kept in memory for whoever asks for the same."""

import asyncio
import mimetypes
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bluezone.server.front.threads import Answer

Headers = Sequence[tuple[str, str]]
KEPT = "max-age=31536000, immutable"
NOTHING = b"not found"


@dataclass(frozen=True)
class Sent:
    """What is sent: some bytes, or a file of this machine."""

    status: int
    headers: Headers
    content: bytes | Path


class StaticFiles:
    """The files below a folder, all known by name beforehand. prefix: their address, which changes with any of them."""

    def __init__(self, folder: Path, prefix: str) -> None:
        self._folder, self.prefix = folder, prefix

    @cached_property
    def _known(self) -> dict[str, Sent]:
        files = (path for path in self._folder.rglob("*") if path.is_file())
        return {self.prefix + path.relative_to(self._folder).as_posix(): _sent(path) for path in files}

    def find(self, path: str) -> Sent | None:
        """What is sent at an address; None where it is not below the prefix."""
        if not path.startswith(self.prefix):
            return None
        return self._known.get(path) or Sent(404, [("Content-Type", "text/plain")], NOTHING)


def _sent(path: Path) -> Sent:
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    length = str(path.stat().st_size)
    return Sent(200, [("Content-Type", kind), ("Content-Length", length), ("Cache-Control", KEPT)], path)


# As long as a page says that it may be kept.
KEPT_SECONDS = 60.0
# Where nobody can tell whether the store has changed.
UNSURE_SECONDS = 5.0
MOST_PAGES = 512
MOST_BYTES = 256 * 1024
_VARIES = frozenset({"cookie", "accept-encoding", "accept-language"})

Key = tuple[str, ...]


@dataclass(frozen=True)
class _Page:
    answer: Answer
    made: float
    stamp: Hashable
    etag: str


class Pages:
    """What one process keeps.

    language_cookie: the one cookie that a request may carry. stamp: changes when the store does, None where that cannot
    be told. speaks: the language that an answer is in by its Accept-Language, where no cookie chooses one.
    clock: monotonic seconds.
    """

    def __init__(
        self, language_cookie: str, stamp: Callable[[], Hashable], speaks: Callable[[str], str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._cookie, self._stamp, self._speaks, self._clock = language_cookie, stamp, speaks, clock
        self._kept: OrderedDict[Key, _Page] = OrderedDict()
        self._making: dict[Key, asyncio.Event] = {}
        # Pages whose last answer could not be kept: waiting for the next one would be waiting in vain.
        self._unkept: OrderedDict[Key, None] = OrderedDict()

    def key(self, scope: Any) -> Key | None:
        """What the answer to a request may depend on; None where nothing is kept for it. scope: of RSGI."""
        headers = scope.headers
        if scope.method not in ("GET", "HEAD") or scope.query_string or "authorization" in headers:
            return None
        name, _, language = "; ".join(headers.get_all("cookie")).partition("=")
        if (name and name != self._cookie) or ";" in language:
            return None
        packed = "gzip" if "gzip" in headers.get("accept-encoding", "") else ""
        secure = "https" if headers.get("x-forwarded-proto", scope.scheme) == "https" else ""
        offered = self._speaks(headers.get("accept-language", ""))
        return scope.path, headers.get("host", ""), secure, language[:8], offered, packed

    async def find(self, key: Key, if_none_match: str, is_get: bool) -> Sent | None:
        """A page that may be sent again; None where the caller has to make it, and after a GET to report `done`.

        Callers wait for a page that is being made, unless its last answer could not be kept: then each makes its own,
        in the fair line of the threads. So does a HEAD, whose answer is never kept.
        """
        while (found := self._fresh(key)) is None:
            if not is_get or key in self._unkept:
                return None
            making = self._making.get(key)
            if making is None:
                self._making[key] = asyncio.Event()
                return None
            await making.wait()
        age = ("Age", str(int(self._clock() - found.made)))
        if found.etag and found.etag in (tag.strip().removeprefix("W/") for tag in if_none_match.split(",")):
            dropped = ("content-length", "content-type", "content-encoding")
            return Sent(304, [*(pair for pair in found.answer.headers if pair[0].lower() not in dropped), age], b"")
        return Sent(200, [*found.answer.headers, age], found.answer.body)

    def stamp(self) -> Hashable:
        """The state of the store, to be asked before a page is made."""
        return self._stamp()

    def done(self, key: Key, answer: Answer | None, stamp: Hashable) -> None:
        """A page was made, or could not be (None): keep it if it may be kept, and let those go on who wait for it."""
        if answer is not None:
            self._remember(key, answer, stamp)
        making = self._making.pop(key, None)
        if making is not None:
            making.set()

    def _remember(self, key: Key, answer: Answer, stamp: Hashable) -> None:
        if not _may_be_kept(answer):
            self._unkept[key] = None
            _keep_newest(self._unkept, key)
            return
        self._unkept.pop(key, None)
        etag = next((value for name, value in answer.headers if name.lower() == "etag"), "")
        self._kept[key] = _Page(answer, self._clock(), stamp, etag.removeprefix("W/"))
        _keep_newest(self._kept, key)

    def _fresh(self, key: Key) -> _Page | None:
        page = self._kept.get(key)
        if page is None:
            return None
        seconds = UNSURE_SECONDS if page.stamp is None else KEPT_SECONDS
        if self._clock() - page.made < seconds and page.stamp == self._stamp():
            return page
        del self._kept[key]
        return None


def _keep_newest(pages: OrderedDict[Key, Any], newest: Key) -> None:
    pages.move_to_end(newest)
    while len(pages) > MOST_PAGES:
        pages.popitem(last=False)


def _may_be_kept(answer: Answer) -> bool:
    said = {name.lower(): value for name, value in answer.headers}
    varies = {name.strip().lower() for name in said.get("vary", "").split(",") if name.strip()}
    return (
        answer.status == 200
        and "public" in said.get("cache-control", "")
        and "set-cookie" not in said
        and varies <= _VARIES
        and len(answer.body) <= MOST_BYTES
    )
