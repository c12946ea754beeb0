# SPDX-License-Identifier: Apache-2.0
"""An in-memory cache of recently made public pages."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, NamedTuple

from bluezone.keyserver.http import HEALTH_PATH, READY_PATH
from bluezone.server.front.static_files import ReadyAnswer
from bluezone.server.front.wsgi import Answer
from bluezone.web.page_variants import PageVariants

# As long as a page's own headers allow.
CACHE_SECONDS = 60.0
# How long a page is cached if the store does not show whether it has changed.
UNSURE_SECONDS = 5.0
# How long an answer about the server's health is shared, whatever it says: a flood costs ten answers a second.
HEALTH_SECONDS = 0.1
HEALTH_PATHS = frozenset({HEALTH_PATH, READY_PATH})
# All addresses without a page are answered as this one.
UNKNOWN_PATH = "/not-found/"
MOST_PAGES = 512
MOST_PAGE_BYTES = 256 * 1024
_VARIES = frozenset({"cookie", "accept-encoding", "accept-language"})


class Key(NamedTuple):
    """All that the answer to a request depends on."""

    path: str
    query: str
    host: str
    scheme: str
    language: str
    offered_language: str
    encoding: str


@dataclass(frozen=True)
class _Page:
    answer: Answer
    made: float
    stamp: Hashable
    etag: str


class PageCache:
    """The page cache of one process.

    variants: returns what pages depend on, None while that is unknown, and then no page is cached. clock: returns
    monotonic seconds.
    """

    def __init__(
        self, variants: Callable[[], PageVariants | None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._variants = variants
        self._clock = clock
        self._pages: OrderedDict[Key, _Page] = OrderedDict()
        self._in_progress: dict[Key, asyncio.Event] = {}
        # Pages that could not be cached last time. Requests do not wait for each other to make one.
        self._uncacheable: OrderedDict[Key, None] = OrderedDict()

    def cache_key(self, scope: Any) -> Key | None:
        """All that the answer to a request depends on; None if the answer must not be cached. scope: RSGI's."""
        headers = scope.headers
        variants = self._variants()
        if variants is None or scope.method not in ("GET", "HEAD") or "authorization" in headers:
            return None
        name, _, language = "; ".join(headers.get_all("cookie")).partition("=")
        if (name and name != variants.language_cookie) or ";" in language:
            return None
        path = scope.path
        query = scope.query_string
        if not variants.addresses.is_known(path):
            path = UNKNOWN_PATH
            query = ""
        elif query:
            query = variants.addresses.read_query(path, query)
        if query is None:
            return None
        encoding = "gzip" if "gzip" in headers.get("accept-encoding", "") else ""
        scheme = "https" if headers.get("x-forwarded-proto", scope.scheme) == "https" else ""
        offered = variants.languages.language_for(headers.get("accept-language", ""))
        return Key(path, query, headers.get("host", ""), scheme, language[:8], offered, encoding)

    async def find(self, key: Key, if_none_match: str, is_get: bool) -> ReadyAnswer | None:
        """A cached page; None if the caller has to make it, and for a GET has to call `finish` afterwards.

        Callers wait for a page that is being made, unless its last answer could not be cached: then each makes its own.
        A HEAD request may use a cached page, but it never waits for one, and its own answer is not cached.
        """
        while (page := self._fresh(key)) is None:
            if not is_get or key in self._uncacheable:
                return None
            making = self._in_progress.get(key)
            if making is None:
                self._in_progress[key] = asyncio.Event()
                return None
            await making.wait()
        age = ("Age", str(int(self._clock() - page.made)))
        if page.etag and page.etag in (tag.strip().removeprefix("W/") for tag in if_none_match.split(",")):
            dropped = ("content-length", "content-type", "content-encoding")
            return ReadyAnswer(
                304, [*(pair for pair in page.answer.headers if pair[0].lower() not in dropped), age], b""
            )
        return ReadyAnswer(page.answer.status, [*page.answer.headers, age], page.answer.body)

    def store_state(self) -> Hashable:
        """The state of the store; call it before a page is made."""
        variants = self._variants()
        return variants.store_state() if variants else None

    def finish(self, key: Key, answer: Answer | None, stamp: Hashable) -> None:
        """Cache a page if that is allowed, and wake the callers that wait for it. answer: None if making it failed."""
        if answer is not None:
            self._remember(key, answer, stamp)
        making = self._in_progress.pop(key, None)
        if making is not None:
            making.set()

    def _remember(self, key: Key, answer: Answer, stamp: Hashable) -> None:
        if not _is_cacheable(key, answer):
            self._uncacheable[key] = None
            _keep_newest(self._uncacheable, key)
            return
        self._uncacheable.pop(key, None)
        etag = next((value for name, value in answer.headers if name.lower() == "etag"), "")
        self._pages[key] = _Page(answer, self._clock(), stamp, etag.removeprefix("W/"))
        _keep_newest(self._pages, key)

    def _fresh(self, key: Key) -> _Page | None:
        page = self._pages.get(key)
        if page is None:
            return None
        age = self._clock() - page.made
        if key.path in HEALTH_PATHS:
            is_fresh = age < HEALTH_SECONDS
        else:
            seconds = UNSURE_SECONDS if page.stamp is None else CACHE_SECONDS
            is_fresh = age < seconds and page.stamp == self.store_state()
        if is_fresh:
            return page
        del self._pages[key]
        return None


def _keep_newest(pages: OrderedDict[Key, Any], newest: Key) -> None:
    pages.move_to_end(newest)
    while len(pages) > MOST_PAGES:
        pages.popitem(last=False)


def _is_cacheable(key: Key, answer: Answer) -> bool:
    if key.path in HEALTH_PATHS:
        return True
    headers = {name.lower(): value for name, value in answer.headers}
    varies = {name.strip().lower() for name in headers.get("vary", "").split(",") if name.strip()}
    is_public = answer.status == 200 and "public" in headers.get("cache-control", "")
    is_unknown = answer.status == 404 and key.path == UNKNOWN_PATH
    return (
        (is_public or is_unknown)
        and "set-cookie" not in headers
        and varies <= _VARIES
        and len(answer.body) <= MOST_PAGE_BYTES
    )
