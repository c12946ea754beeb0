# SPDX-License-Identifier: Apache-2.0
"""News and help of a city's pages, from a server of this test that answers as it is told to."""

import http.server
import json
import threading

import pytest

from bluezone.handset.city.pages import CityPages, HelpInvalid, HelpRefused, TooManyRequests
from bluezone.handset.client import Client, InvalidServerAddress, ServerAnswerRefused, ServerUnreachable
from bluezone.handset.sentlog import SentLog
from bluezone.handset.store import Store


class Site:
    """Answers each request with the next of `answers`, (status, bytes), and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers, self.asked = [], []
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                site.asked.append((self.path, body, self.headers.get("X-Bluezone-Puzzle")))
                status, answer = site.answers.pop(0)
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_POST = do_GET  # noqa: N815 - as http.server names it

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def site():
    made = Site()
    threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def store(tmp_path):
    opened = Store.open(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def pages(store, site):
    return CityPages(store, Client(site.address), SentLog(store))


def item(number, **more):
    return {"id": number, "title_vi": f"Tin {number}", "body_vi": "Nội dung", **more}


def test_news_is_read_in_the_reader_s_language_latest_first(pages, site):
    told = [
        item(1, published_at=100, title_en="News 1", url="https://city.vn/1"),
        item(2, published_at=300, url="javascript:alert(1)"),
        item(3),
        item(4, published_at="soon", url="https://"),
        {"id": 5, "title_vi": "kein Text"},
        {"title_vi": "x", "body_vi": "y"},
        "nothing",
    ]
    site.answers = [(200, json.dumps({"items": told}).encode())]
    pages.fetch()
    english = pages.messages("en")

    assert [(one.id, one.title, one.at, one.url) for one in english] == [
        ("news/2", "Tin 2", 300.0, None),
        ("news/1", "News 1", 100.0, "https://city.vn/1"),
        ("news/3", "Tin 3", None, None),
        ("news/4", "Tin 4", None, None),
    ]
    assert [one.title for one in pages.messages("vi")][1] == "Tin 1"


def test_fifty_items_are_kept_and_what_cannot_be_read_changes_nothing(pages, site):
    site.answers = [(200, json.dumps({"items": [item(number) for number in range(51)]}).encode())]
    pages.fetch()
    assert len(pages.messages("vi")) == 50
    site.answers = [(500, b""), (200, b"no JSON"), (200, b"{}"), (200, b"[]"), (200, b'{"items": 7}')]
    for _ in range(5):
        pages.fetch()
    assert len(pages.messages("vi")) == 50


def test_a_notice_stands_above_the_news_and_what_was_read_is_remembered_to_a_limit(pages, store):
    store.put("news", [item(1)])
    store.put("notice", "handset_store_damaged")
    SentLog(store).note_report_refused(True)
    assert [one.kind for one in pages.messages("vi")] == ["notice", "notice", "news"]
    assert pages.messages("vi")[1].title == "handset_store_damaged"

    for name in ("news/1", "news/1", *(f"old/{number}" for number in range(499))):
        pages.mark_read(name)
    assert (len(pages.read_ids()), "news/1" in pages.read_ids()) == (500, True)
    assert [one.read for one in pages.messages("vi")] == [False, False, True]
    pages.mark_read("old/499")
    assert (len(pages.read_ids()), "news/1" in pages.read_ids()) == (500, False)


def asked(pages):
    return pages.request_help("0912 345 678", "Tổ 5", "máy cũ", 1_795_608_000.0)


@pytest.mark.parametrize("status", [200, 201])
def test_a_request_for_help_becomes_a_ticket_and_is_in_the_list_of_what_was_sent(pages, site, store, status):
    site.answers = [(status, b'{"ticket": "A-17"}')]

    assert asked(pages) == "A-17"
    assert json.loads(site.asked[0][1]) == {
        "channel": "app", "contact": "0912 345 678", "place": "Tổ 5", "note": "máy cũ", "unit": "",
    }  # fmt: skip
    (sent,) = SentLog(store).all()
    assert (sent.kind, sent.outcome, sent.days) == ("help_asked", "accepted", (20782,))


@pytest.mark.parametrize(
    ("status", "answer", "refusal"),
    [
        (400, b"", HelpInvalid),
        (413, b"", HelpInvalid),
        (422, b"", HelpInvalid),
        (429, b"", TooManyRequests),
        (500, b"", HelpRefused),
        (201, b"no JSON", HelpRefused),
        (201, b'{"ticket": 17}', HelpRefused),
    ],
)
def test_a_request_that_is_not_taken_says_why(pages, site, store, status, answer, refusal):
    site.answers = [(status, answer)]
    with pytest.raises(refusal):
        asked(pages)

    assert SentLog(store).all()[0].outcome == ("accepted" if status == 201 else "refused")


def test_a_puzzle_is_solved_once(pages, site):
    challenge = json.dumps({"error": {"challenge": "00" * 32}}).encode()
    site.answers = [(429, challenge), (201, b'{"ticket": "A-18"}')]

    assert asked(pages) == "A-18"
    assert [solved and solved[:64] for _path, _body, solved in site.asked] == [None, "00" * 32]
    site.answers = [(429, challenge), (429, challenge)]
    with pytest.raises(TooManyRequests):
        asked(pages)


def test_a_server_that_is_not_there_is_noted(pages, site, store):
    site.server.server_close()
    with pytest.raises(ServerUnreachable):
        asked(pages)

    assert SentLog(store).all()[0].outcome == "not_reached"


def test_an_answer_is_read_up_to_its_bound(site):
    client = Client(site.address)
    site.answers = [(200, b"x" * 10), (200, b"x" * 11), (404, b"x" * 11)]

    assert client.get("/a", 10) == b"x" * 10
    with pytest.raises(ServerAnswerRefused, match="over 10 bytes"):
        client.get("/a", 10)
    with pytest.raises(ServerAnswerRefused, match="status 404"):
        client.get("/a", 10)


@pytest.mark.parametrize(
    "address", ["ftp://h", "https://", "http://h/path", "http://h:70000", "h", "https://" + "a" * 70]
)
def test_what_is_no_address_of_a_server_is_refused(address):
    with pytest.raises(InvalidServerAddress):
        Client(address)
