# SPDX-License-Identifier: Apache-2.0
"""Pages that are kept: made once for all who ask the same, never for who might be told something else."""

import asyncio

import pytest
from django.core.wsgi import get_wsgi_application
from tests.builders.rsgi import Headers, Inline, Protocol, Scope, ask

from bluezone.server.front.entry import Entry
from bluezone.server.front.pages import CACHE_SECONDS, MOST_PAGES, UNSURE_SECONDS, PageCache
from bluezone.server.metrics.measured_application import MeasuredApplication, public_route
from bluezone.server.metrics.meters import Meters
from bluezone.web import settings_public
from bluezone.web.page_variants import PageAddresses, PageLanguages, PageVariants

COOKIE = "bluezone-language"


class World:
    """The store's state and the time, as a test moves them."""

    def __init__(self):
        self.state, self.now = 1, 1000.0


@pytest.fixture
def world():
    return World()


class Origin:
    """A callable that counts how often it is asked; what it says of its answer is the test's."""

    def __init__(self, *headers, status="200 OK"):
        self.headers, self.status, self.asked = list(headers), status, 0

    def __call__(self, environ, start):
        self.asked += 1
        start(self.status, [("Content-Type", "text/html"), *self.headers])
        return [f"page {self.asked}".encode()]


def front(origin, world, threads=None, described=True):
    addresses = PageAddresses({"": None, "other": None, "<int:number>": None, "news/": ("page",)})
    languages = PageLanguages(frozenset({"vi", "en"}), "vi")
    variants = PageVariants(COOKIE, lambda: world.state, addresses, languages)
    pages = PageCache(lambda: variants if described else None, lambda: world.now)
    measured = MeasuredApplication(origin, Meters.make(1).row(0), public_route)
    threads = threads or Inline()
    return Entry(measured, lambda path, headers: None, threads, threads, lambda path: False, 65_536, pages=pages)


PUBLIC = ("Cache-Control", "public, max-age=60")


def test_a_page_is_made_once_and_says_how_old_it_is(world):
    origin = Origin(PUBLIC, ("Vary", "Cookie, Accept-Encoding, Accept-Language"))
    entry = front(origin, world)
    first = ask(entry, "/")
    world.now += 7
    again = ask(entry, "/", cookie=f"{COOKIE}=vi"), ask(entry, "/", cookie=f"{COOKIE}=vi"), ask(entry, "/")

    assert "age" not in first.headers
    assert again[2].content == first.content == b"page 1"
    assert again[2].headers["age"] == "7"
    assert again[0].content == again[1].content == b"page 2", "another language is another page"
    assert origin.asked == 2


@pytest.mark.parametrize(
    "headers",
    [{"cookie": "session=1"}, {"cookie": f"{COOKIE}=vi; session=1"}, {"cookie": "a=1; b=2"}, {"authorization": "x"}],
)
def test_who_has_a_session_or_a_password_is_always_answered_anew(world, headers):
    origin = Origin(PUBLIC)
    entry = front(origin, world)
    ask(entry, "/")

    assert [ask(entry, "/", **headers).content for _ in range(2)] == [b"page 2", b"page 3"]


@pytest.mark.parametrize(
    "origin",
    [
        Origin(),
        Origin(("Cache-Control", "no-store")),
        Origin(("Cache-Control", "private, max-age=60")),
        Origin(PUBLIC, ("Set-Cookie", "a=1")),
        Origin(PUBLIC, ("Vary", "User-Agent")),
        Origin(PUBLIC, status="404 Not Found"),
    ],
)
def test_an_answer_that_is_not_for_everybody_is_not_kept(world, origin):
    entry = front(origin, world)

    assert ask(entry, "/").content != ask(entry, "/").content


def test_a_query_a_post_another_host_and_another_scheme_are_not_the_same_page(world):
    origin = Origin(PUBLIC)
    entry = front(origin, world)
    asked = [
        ask(entry, "/"), ask(entry, "/?page=2"), ask(entry, "/?page=2"), ask(entry, "/", "POST", b"x"),
        ask(entry, "/", host="elsewhere"), ask(entry, "/", x_forwarded_proto="https"), ask(entry, "/other"),
        ask(entry, "/", accept_encoding="gzip"), ask(entry, "/", accept_language="en"),
    ]  # fmt: skip

    assert len({answer.content for answer in asked}) == len(asked)
    assert ask(entry, "/").content == b"page 1"


def test_all_addresses_without_a_page_have_one_not_found_that_names_none_of_them(world):
    origin = Origin(status="404 Not Found")
    seen = []
    entry = front(lambda environ, start: seen.append(environ) or origin(environ, start), world)
    answers = [ask(entry, path) for path in ("/unknown-secret", "/unknown/2?token=1", "/unknown/3")]

    assert [answer.status for answer in answers] == [404] * 3
    assert {answer.content for answer in answers} == {b"page 1"}
    assert (seen[0]["PATH_INFO"], seen[0]["QUERY_STRING"]) == ("/not-found/", "")
    # A page that is only missing now may be there in a moment.
    assert ask(entry, "/other").content != ask(entry, "/other").content


def test_nothing_is_shared_while_it_is_unknown_what_pages_depend_on(world):
    entry = front(Origin(PUBLIC), world, described=False)

    assert ask(entry, "/").content != ask(entry, "/").content


def test_a_page_depends_on_the_part_of_a_query_that_it_reads(world):
    entry = front(Origin(PUBLIC), world)

    assert ask(entry, "/news/?page=2").content == ask(entry, "/news/?page=2").content == b"page 1"
    assert ask(entry, "/news/?page=3").content == b"page 2"
    assert ask(entry, "/other?page=3").content != ask(entry, "/other?page=3").content


def test_health_is_shared_for_a_moment_whatever_it_says(world):
    origin = Origin(("Cache-Control", "no-store"), status="503 Service Unavailable")
    entry = front(origin, world)
    answers = [ask(entry, "/v1/health") for _ in range(5)]
    world.now += 0.2
    later = ask(entry, "/v1/health")

    assert [(answer.status, answer.content) for answer in answers] == [(503, b"page 1")] * 5
    assert later.content == b"page 2"


def test_a_page_is_made_anew_when_the_store_changes_and_after_a_minute_anyway(world):
    entry = front(Origin(PUBLIC), world)
    seen = [ask(entry, "/").content]
    world.state = 2
    seen.append(ask(entry, "/").content)
    world.now += CACHE_SECONDS - 0.1
    seen.append(ask(entry, "/").content)
    world.now += 0.2
    seen.append(ask(entry, "/").content)

    assert seen == [b"page 1", b"page 2", b"page 2", b"page 3"]


def test_where_nobody_can_tell_a_change_it_is_made_anew_after_some_seconds(world):
    world.state = None
    entry = front(Origin(PUBLIC), world)
    seen = [ask(entry, "/").content, ask(entry, "/").content]
    world.now += UNSURE_SECONDS
    seen.append(ask(entry, "/").content)

    assert seen == [b"page 1", b"page 1", b"page 2"]


def test_who_has_it_already_is_told_so(world):
    entry = front(Origin(PUBLIC, ("ETag", '"abc"')), world)
    ask(entry, "/")
    answer = ask(entry, "/", if_none_match='W/"abc", "d"')

    assert (answer.status, answer.content) == (304, b"")
    assert answer.headers["etag"] == '"abc"'
    assert ask(entry, "/", if_none_match='"d"').status == 200


@pytest.mark.long
def test_no_more_pages_are_kept_than_the_bound(world):
    origin = Origin(PUBLIC)
    entry = front(origin, world)
    for number in range(MOST_PAGES + 10):
        ask(entry, f"/{number}")
    ask(entry, f"/{MOST_PAGES + 9}")
    assert origin.asked == MOST_PAGES + 10
    ask(entry, "/0")

    assert origin.asked == MOST_PAGES + 11


class Later:
    """Threads that do their work when the test lets them."""

    def __init__(self):
        self.waiting = []

    def add(self, work, network):
        self.waiting.append(work)
        return 0


def test_a_crowd_that_asks_for_a_page_which_is_being_made_waits_for_that_one(world):
    origin, threads = Origin(PUBLIC), Later()
    entry = front(origin, world, threads)
    protocols = [Protocol() for _ in range(50)]

    async def crowd():
        asked = [
            asyncio.ensure_future(entry.__rsgi__(Scope("GET", "/", Headers(host="localhost")), protocol))
            for protocol in protocols
        ]
        while not threads.waiting:
            await asyncio.sleep(0)
        threads.waiting.pop()()
        await asyncio.gather(*asked)

    asyncio.run(crowd())

    assert origin.asked == 1
    assert {protocol.content for protocol in protocols} == {b"page 1"}


@pytest.mark.parametrize(("method", "headers"), [("GET", []), ("HEAD", [PUBLIC])])
def test_a_crowd_does_not_wait_for_an_answer_that_cannot_be_kept(world, method, headers):
    origin, threads = Origin(*headers), Later()
    entry = front(origin, world, threads)
    protocols = [Protocol() for _ in range(50)]

    async def crowd():
        asked = [
            asyncio.ensure_future(entry.__rsgi__(Scope(method, "/", Headers(host="localhost")), protocol))
            for protocol in protocols
        ]
        while not threads.waiting:
            await asyncio.sleep(0)
        threads.waiting.pop(0)()
        # The first answer has shown that none is kept: all others are in the line of the threads at once.
        while len(threads.waiting) < len(protocols) - 1:
            await asyncio.sleep(0)
        for work in threads.waiting:
            work()
        await asyncio.gather(*asked)

    asyncio.run(asyncio.wait_for(crowd(), 60))

    assert origin.asked == len(protocols)


def test_a_page_that_could_not_be_kept_once_is_kept_as_soon_as_it_can_be(world):
    origin = Origin(PUBLIC, status="404 Not Found")
    entry = front(origin, world)
    ask(entry, "/")
    origin.status = "200 OK"

    assert [ask(entry, "/").content for _ in range(2)] == [b"page 2", b"page 2"]


def test_a_page_that_fails_is_tried_again_by_the_next_who_asks(world):
    def fails(environ, start):
        raise ValueError

    entry = front(fails, world)

    assert [ask(entry, "/").status for _ in range(2)] == [500, 500]


@pytest.mark.long
@pytest.mark.django_db
def test_the_landing_page_asks_the_store_once_for_a_whole_crowd(
    settings, server, world, django_assert_num_queries, django_assert_max_num_queries
):
    for name in ("ROOT_URLCONF", "MIDDLEWARE", "TEMPLATES", "CONTENT_SECURITY_POLICY"):
        setattr(settings, name, getattr(settings_public, name))
    settings.ALLOWED_HOSTS = ["localhost"]
    entry = front(get_wsgi_application(), world)
    with django_assert_max_num_queries(5) as first:
        made = ask(entry, "/")
    assert made.status == 200
    assert len(first) > 0
    with django_assert_num_queries(0):
        again = [ask(entry, "/") for _ in range(20)]

    assert {answer.content for answer in again} == {made.content}
