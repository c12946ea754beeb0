# SPDX-License-Identifier: Apache-2.0
"""The parts of the city's public pages that a phone uses: news, recordings, and the form for help.

News is not signed, so it never changes a warning. It is the same for all phones, and every check fetches it. A request
for help is sent only when the owner presses the button; it is in the sent log.
"""

import json
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from bluezone.handset.client import Client
from bluezone.handset.sentlog import REPORT_REFUSED, SentLog
from bluezone.handset.store import Store
from bluezone.protocol.intervals import day_at
from bluezone.protocol.upload.puzzle import PUZZLE_HEADER, read_challenge, solve_for_header
from bluezone.refusal import Refused

FEED = "/news/feed.json"
HELP = "/v1/help"
MOST_FEED_BYTES = 512 * 1024
MOST_ANSWER_BYTES = 8 * 1024
MOST_RECORDING_BYTES = 4 * 1024 * 1024
MOST_ITEMS = 50
MOST_READ = 500
HTTP_CREATED = (200, 201)
HTTP_WRONG = (400, 413, 422)
HTTP_TOO_MANY = 429


class HelpInvalid(Refused):
    """The request for help has no contact, or a text is too long; no ticket was opened."""

    code = "help_invalid"


class TooManyRequests(Refused):
    """Too many requests came from this network; no ticket was opened, and the hotline can be called."""

    code = "help_too_many"


class HelpRefused(Refused):
    """The server opened no ticket for the request; the message contains the status of its answer."""

    code = "server_answer_refused"


@dataclass(frozen=True, slots=True)
class Message:
    """News or a notice. at: Unix seconds, None if unknown. url: address of the same text on the city's site."""

    id: str
    kind: Literal["news", "notice"]
    title: str
    body: str
    at: float | None
    read: bool
    url: str | None = None


class CityPages:
    """News and help of one city."""

    def __init__(self, store: Store, client: Client, sent: SentLog) -> None:
        self._store = store
        self._client = client
        self._sent = sent

    def fetch(self) -> None:
        """Fetch the current news; a failure is ignored, so that the check still counts."""
        try:
            items = json.loads(self._client.get(FEED, MOST_FEED_BYTES))["items"]
            news = [item for item in items if _is_news(item)][:MOST_ITEMS]
        except (Refused, ValueError, KeyError, TypeError):
            return
        self._store.put("news", news)

    def messages(self, language: str) -> list[Message]:
        """Return notices, then news, latest first, in Vietnamese for "vi", else in English.

        The title of a notice is its code.
        """
        read = self.read_ids()
        notices = [_notice(code, read) for code in self.notices()]
        news = [_message(item, language, read) for item in self._store.get("news", [])]
        return notices + sorted(news, key=lambda message: message.at or 0, reverse=True)

    def recording(self, path: str) -> bytes:
        """Fetch a recording of a screen's text, or the list of recordings. path: such as "voice/tay/help.mp3".

        The page fetches all recordings of a language, so that the requests do not reveal which screen is open.
        Raises ServerUnreachable, ServerAnswerRefused.
        """
        return self._client.get(f"/{path}", MOST_RECORDING_BYTES)

    def notices(self) -> list[str]:
        """Return the codes of the phone's own notices, the most serious first."""
        report = REPORT_REFUSED if self._sent.report_refused else None
        return [code for code in (report, self._store.get("log_notice"), self._store.get("notice")) if code]

    def read_ids(self) -> frozenset[str]:
        """Return the ids of the messages and warnings that the owner has read; they never leave the phone."""
        return frozenset(self._store.get("read", []))

    def mark_read(self, name: str) -> None:
        """Note that a message or a warning was read. name: its id."""
        with self._store.transaction():
            read = self._store.get("read", [])
            if name not in read:
                self._store.put("read", [*read, name][-MOST_READ:])

    def request_help(self, contact: str, place: str, note: str, now: float) -> str:
        """Open a ticket and return its number. now: trusted Unix seconds.

        Raises ServerUnreachable, HelpInvalid, TooManyRequests, HelpRefused.
        """
        body = json.dumps({"channel": "app", "contact": contact, "place": place, "note": note, "unit": ""})
        entry = self._sent.log_request("help_asked", now, (day_at(now),))
        try:
            status, answer = self._client.post_json(HELP, body.encode(), MOST_ANSWER_BYTES)
            if status == HTTP_TOO_MANY and (challenge := read_challenge(answer)):
                headers = {PUZZLE_HEADER: solve_for_header(challenge)}
                status, answer = self._client.post_json(HELP, body.encode(), MOST_ANSWER_BYTES, headers)
        except Refused:
            self._sent.log_outcome(entry, "not_reached")
            raise
        self._sent.log_outcome(entry, "accepted" if status in HTTP_CREATED else "refused")
        if status in HTTP_WRONG:
            raise HelpInvalid(f"the server does not take the request: status {status}")
        if status == HTTP_TOO_MANY:
            raise TooManyRequests("too many requests from this network; call the hotline, or try again later")
        ticket = _ticket(answer) if status in HTTP_CREATED else None
        if ticket is None:
            raise HelpRefused(f"{HELP} was answered with status {status} and no ticket")
        return ticket


def _is_news(item: Any) -> bool:
    texts = ("title_vi", "body_vi")
    return isinstance(item, dict) and "id" in item and all(isinstance(item.get(name), str) for name in texts)


def _notice(code: str, read: frozenset[str]) -> Message:
    name = f"notice/{code}"
    return Message(name, "notice", code, "", None, name in read)


def _message(item: dict[str, Any], language: str, read: frozenset[str]) -> Message:
    name = f"news/{item['id']}"
    at = item.get("published_at")
    url = item.get("url")
    suffix = language if language == "vi" else "en"
    title, body = (item.get(f"{part}_{suffix}") or item[f"{part}_vi"] for part in ("title", "body"))
    published = float(at) if isinstance(at, int | float) else None
    return Message(name, "news", title, body, published, name in read, url if _is_web_address(url) else None)


def _is_web_address(url: Any) -> bool:
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _ticket(answer: bytes) -> str | None:
    try:
        ticket = json.loads(answer)["ticket"]
    except (ValueError, KeyError, TypeError):
        return None
    return ticket if isinstance(ticket, str) else None
