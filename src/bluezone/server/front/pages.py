# SPDX-License-Identifier: Apache-2.0
"""Public pages that were made a moment ago, kept in memory for whoever asks for the same.

Only what is the same for everybody is kept: an answer that says `public`, to a request without a query, a password or
any cookie but the choice of language. A page is made anew when the store has changed, and after a minute anyway; `Age`
tells other caches how old it is, so that nobody sees a page that is older than it says.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from bluezone.server.front.files import Sent
from bluezone.server.front.wsgi import Answer

# As long as a page says that it may be kept.
KEPT_SECONDS = 60.0
# Where nobody can tell whether the store has changed.
UNSURE_SECONDS = 5.0
MOST_PAGES = 512
MOST_BYTES = 256 * 1024
_VARIES = frozenset({"cookie", "accept-encoding"})

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
    be told. clock: monotonic seconds.
    """

    def __init__(
        self, language_cookie: str, stamp: Callable[[], Hashable], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._cookie, self._stamp, self._clock = language_cookie, stamp, clock
        self._kept: OrderedDict[Key, _Page] = OrderedDict()
        self._making: dict[Key, asyncio.Event] = {}

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
        return scope.path, headers.get("host", ""), secure, language[:8], packed

    async def find(self, key: Key, if_none_match: str) -> Sent | None:
        """A page that may be sent again; None where the caller has to make it, and to say `done` afterwards."""
        while (found := self._fresh(key)) is None:
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
        """A page was made, or could not be: keep it if it may be kept, and let those go on who wait for it."""
        if answer is not None and _may_be_kept(answer):
            etag = next((value for name, value in answer.headers if name.lower() == "etag"), "")
            self._kept[key] = _Page(answer, self._clock(), stamp, etag.removeprefix("W/"))
            self._kept.move_to_end(key)
            while len(self._kept) > MOST_PAGES:
                self._kept.popitem(last=False)
        self._making.pop(key).set()

    def _fresh(self, key: Key) -> _Page | None:
        page = self._kept.get(key)
        if page is None:
            return None
        seconds = UNSURE_SECONDS if page.stamp is None else KEPT_SECONDS
        if self._clock() - page.made < seconds and page.stamp == self._stamp():
            return page
        del self._kept[key]
        return None


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
