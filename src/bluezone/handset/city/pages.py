# SPDX-License-Identifier: Apache-2.0
"""What the city's public pages offer a phone besides signed files: news to read, and a way to ask for help.

News is not signed, so it never changes a warning. It is the same for everybody, and is fetched at every check, whatever
the check found. A request for help is sent only when its owner presses the button, and is in the list of what was sent.
"""

import json
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from bluezone.handset.client import Client
from bluezone.handset.sentlog import REPORT_REFUSED, SentLog
from bluezone.handset.store import Store
from bluezone.protocol.intervals import day_at
from bluezone.protocol.upload.puzzle import PUZZLE_HEADER, answer_to, challenge_in
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


class HelpNotTaken(Refused):
    """The server did not open a ticket for the request; the message says with which status it answered."""

    code = "server_answer_refused"


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to read. at: Unix seconds, None if unknown. url: on this city's site, to read it there."""

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
        """Fetch the current news; a check counts even when that fails."""
        try:
            items = json.loads(self._client.get(FEED, MOST_FEED_BYTES))["items"]
            kept = [item for item in items if _is_news(item)][:MOST_ITEMS]
        except (Refused, ValueError, KeyError, TypeError):
            return
        self._store.put("news", kept)

    def messages(self, language: str) -> list[Message]:
        """Notices, and news in Vietnamese for "vi", else in English, latest first. A notice's title is its code."""
        read = self.read_ids()
        told = [_notice(code, read) for code in self.notices()]
        news = [_message(item, language, read) for item in self._store.get("news", [])]
        return told + sorted(news, key=lambda message: message.at or 0, reverse=True)

    def recording(self, path: str) -> bytes:
        """A screen as the city had it read, or the list of those; kept nowhere here. path: "voice/tay/help.mp3".

        The page fetches every recording of a language, so that which screen is open is not told.
        Raises ServerUnreachable, ServerAnswerRefused.
        """
        return self._client.get(f"/{path}", MOST_RECORDING_BYTES)

    def notices(self) -> list[str]:
        """The phone's own notices, as codes, the most serious first."""
        refused = [REPORT_REFUSED] if self._sent.report_refused else []
        return [*refused, *filter(None, [self._store.get("log_notice"), self._store.get("notice")])]

    def read_ids(self) -> frozenset[str]:
        """What the owner has read; it never leaves the phone."""
        return frozenset(self._store.get("read", []))

    def mark_read(self, name: str) -> None:
        """Note that a message or a warning was read."""
        with self._store.transaction():
            read = self._store.get("read", [])
            if name not in read:
                self._store.put("read", [*read, name][-MOST_READ:])

    def ask_for_help(self, contact: str, place: str, note: str, now: float) -> str:
        """Open a ticket and return its number. now: trusted Unix seconds.

        Raises ServerUnreachable, HelpInvalid, TooManyRequests, HelpNotTaken.
        """
        body = json.dumps({"channel": "app", "contact": contact, "place": place, "note": note, "unit": ""})
        entry = self._sent.about_to_send("help_asked", now, (day_at(now),))
        try:
            status, answer = self._client.post_json(HELP, body.encode(), MOST_ANSWER_BYTES)
            if status == HTTP_TOO_MANY and (challenge := challenge_in(answer)):
                headers = {PUZZLE_HEADER: answer_to(challenge)}
                status, answer = self._client.post_json(HELP, body.encode(), MOST_ANSWER_BYTES, headers)
        except Refused:
            self._sent.ended(entry, "not_reached")
            raise
        self._sent.ended(entry, "accepted" if status in HTTP_CREATED else "refused")
        if status in HTTP_WRONG:
            raise HelpInvalid(f"the server does not take the request: status {status}")
        if status == HTTP_TOO_MANY:
            raise TooManyRequests("too many requests from this network; call the hotline, or try again later")
        ticket = _ticket(answer) if status in HTTP_CREATED else None
        if ticket is None:
            raise HelpNotTaken(f"{HELP} was answered with status {status} and no ticket")
        return ticket


def _is_news(item: Any) -> bool:
    texts = ("title_vi", "body_vi")
    return isinstance(item, dict) and "id" in item and all(isinstance(item.get(name), str) for name in texts)


def _notice(code: str, read: frozenset[str]) -> Message:
    name = f"notice/{code}"
    return Message(name, "notice", code, "", None, name in read)


def _message(item: dict[str, Any], language: str, read: frozenset[str]) -> Message:
    name, at, url = f"news/{item['id']}", item.get("published_at"), item.get("url")
    written = language if language == "vi" else "en"
    title, body = (item.get(f"{part}_{written}") or item[f"{part}_vi"] for part in ("title", "body"))
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
