# SPDX-License-Identifier: Apache-2.0
"""Messages to browsers, opened by a push service that shares no code with the sender."""

import contextlib
import socket
import threading

import aiohttp
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.builders.keyserver import Clock, open_server
from tests.builders.pushservice import Browser, push_service

from bluezone.keyserver import push
from bluezone.messaging import webpush as webpush_provider
from bluezone.messaging.announcer import MESSAGE, Announcer, Outcome, announce_until_stopped
from bluezone.messaging.webpush import WebPushProvider
from bluezone.server.worker import make_announcer

PRIVATE = ec.generate_private_key(ec.SECP256R1())
CONTACT = "https://bluezone.example"
HOUR = 3600


@pytest.fixture
def service():
    with push_service() as made:
        yield made


@pytest.fixture
def provider():
    """One that may call this machine, where the push service of the test is."""
    return WebPushProvider(PRIVATE, CONTACT, aiohttp.TCPConnector)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def server(tmp_path, clock, monkeypatch):
    monkeypatch.delenv("BLUEZONE_DATABASE_URL", raising=False)
    made = open_server(tmp_path, clock, push_services=("127.0.0.1",))
    yield made
    made.close()


def subscribed(server, *browsers):
    for browser in browsers:
        server.keys_store.write(
            lambda transaction, b=browser: push.store_subscription(
                transaction, b.subscription, push.period_at(server.clock())
            )
        )


def test_only_the_subscribed_browser_opens_the_message_and_knows_who_sent_it(service, provider):
    browser = service.browser("a")
    assert provider.send([browser.subscription], MESSAGE) == [Outcome.SENT]
    (received,) = service.received
    point, claims = received.sender()

    assert browser.opened(received.body) == MESSAGE.encode()
    assert received.headers["content-encoding"] == "aes128gcm"
    assert point == PRIVATE.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert (claims["sub"], claims["aud"]) == (CONTACT, service.url)
    with pytest.raises(InvalidTag):
        service.browser("a").opened(received.body)


def test_each_message_is_signed_for_its_own_push_service(provider):
    with push_service() as first, push_service() as second:
        for service in (first, second):
            provider.send([service.browser("a").subscription], MESSAGE)
        audiences = [service.received[0].sender()[1]["aud"] for service in (first, second)]

    assert audiences == [first.url, second.url]


def test_the_message_names_no_disease_and_nobody(server):
    told = MESSAGE.lower()

    assert len(MESSAGE) < 40
    for word in ("covid", "risk", "nguy", "f0", server.city.name_vi.lower()):
        assert word not in told


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, "SENT"),
        (201, "SENT"),
        (299, "SENT"),
        (300, "FAILED"),
        (404, "GONE"),
        (410, "GONE"),
        (400, "FAILED"),
        (429, "FAILED"),
        (500, "FAILED"),
        (302, "FAILED"),
    ],
)
def test_what_became_of_a_message_is_told_apart(service, provider, status, outcome):
    service.status["/a"] = status

    assert provider.send([service.browser("a").subscription], MESSAGE) == [Outcome[outcome]]
    assert len(service.received) == 1, "a redirect is not followed"


def test_a_push_service_that_is_not_there_is_no_reason_to_stop(provider):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

    assert provider.send([Browser(f"http://127.0.0.1:{port}/a").subscription], MESSAGE) == [Outcome.FAILED]


def test_a_name_that_leads_into_this_network_is_not_called():
    reached = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept():
            connection, _ = listening.accept()
            if connection.recv(1):
                reached.set()
            connection.close()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        port = listening.getsockname()[1]
        outcomes = WebPushProvider(PRIVATE, CONTACT).send([Browser(f"https://localhost:{port}/").subscription], MESSAGE)
        # Ends the thread where, as hoped, nobody called.
        socket.create_connection(("127.0.0.1", port)).close()
        thread.join()

    assert outcomes == [Outcome.FAILED]
    assert not reached.is_set()


class Dripping:
    """A push service that begins its answer and then sends a byte now and then, until `ended` is set."""

    def __init__(self):
        self.ended = threading.Event()
        self.reached = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listening.getsockname()[1]}/slow"
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_error):
        self.ended.set()
        self._thread.join()
        self._listening.close()

    def _serve(self):
        connection, _ = self._listening.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 201 Created\r\nX: ")
            self.reached.set()
            while not self.ended.wait(0.05):
                connection.sendall(b"a")


@pytest.mark.long
def test_a_service_that_never_ends_its_answer_costs_its_deadline_and_no_more():
    provider = WebPushProvider(PRIVATE, CONTACT, aiohttp.TCPConnector, deadline_seconds=0.5)
    with Dripping() as slow:
        outcomes = provider.send([Browser(slow.endpoint).subscription], MESSAGE)

    assert outcomes == [Outcome.FAILED]


def test_one_that_is_slow_delays_nobody_else(service, provider):
    with Dripping() as slow:
        # Ends only once the other has been told.
        service.on_message = slow.ended.set
        outcomes = provider.send([Browser(slow.endpoint).subscription, service.browser("a").subscription], MESSAGE)

    assert slow.reached.is_set()
    assert outcomes == [Outcome.FAILED, Outcome.SENT]


def test_a_service_that_is_down_is_not_tried_for_everybody(provider, monkeypatch):
    monkeypatch.setattr(webpush_provider, "AT_ONCE", 1)
    with push_service() as down, push_service() as well:
        down.status.update({f"/{number}": 500 for number in range(40)})
        browsers = [down.browser(str(number)) for number in range(40)] + [well.browser("a")]
        outcomes = provider.send([browser.subscription for browser in browsers], MESSAGE)

    assert outcomes == [Outcome.FAILED] * 40 + [Outcome.SENT]
    assert len(down.received) == webpush_provider.PATIENCE


@pytest.mark.long
def test_a_new_export_file_is_told_to_everybody_once_each_after_a_delay_of_its_own(server, service, provider, clock):
    browsers = [service.browser(str(number)) for number in range(8)]
    subscribed(server, *browsers)
    server.tick()
    announcer = Announcer(server, provider)
    assert announcer.send_due(clock.now) == 0
    clock.pass_by(2 * HOUR)
    server.tick()
    published = clock.now
    moments = {}
    for _ in range(1800 // 5 + 1):
        before = len(service.received)
        announcer.send_due(clock.now)
        for received in service.received[before:]:
            moments[received.path] = clock.now - published
        clock.pass_by(5)
    assert announcer.send_due(clock.now) == 0

    assert sorted(moments) == [f"/{number}" for number in range(8)]
    assert len(service.received) == 8
    # Eight of 361 moments fall on two by chance once in 10 million million draws.
    assert len(set(moments.values())) > 2
    assert max(moments.values()) <= 1805
    assert all(browser.opened(_of(service, browser)) == MESSAGE.encode() for browser in browsers)


def _of(service, browser):
    return next(received.body for received in service.received if browser.endpoint.endswith(received.path))


@pytest.mark.long
def test_what_is_gone_is_forgotten_and_what_failed_stays(server, service, provider, clock):
    gone, failing = service.browser("gone"), service.browser("failing")
    subscribed(server, gone, failing)
    service.status.update({"/gone": 410, "/failing": 500})
    server.tick()
    announcer = Announcer(server, provider, lambda _: 0.0)
    announcer.send_due(clock.now)
    clock.pass_by(2 * HOUR)
    server.tick()
    announcer.send_due(clock.now)

    assert server.push.endpoints() == [failing.endpoint]


@pytest.mark.long
def test_who_unsubscribed_meanwhile_is_told_nothing(server, service, provider, clock):
    browser = service.browser("a")
    subscribed(server, browser)
    server.tick()
    announcer = Announcer(server, provider, lambda longest: longest)
    announcer.send_due(clock.now)
    clock.pass_by(2 * HOUR)
    server.tick()
    announcer.send_due(clock.now)
    server.push.delete_subscriptions([browser.endpoint])
    clock.pass_by(HOUR)

    assert announcer.send_due(clock.now) == 0
    assert service.received == []


@pytest.mark.long
def test_a_batch_is_small(server, service, provider, clock, monkeypatch):
    monkeypatch.setattr("bluezone.messaging.announcer.BATCH", 3)
    subscribed(server, *(service.browser(str(number)) for number in range(7)))
    server.tick()
    announcer = Announcer(server, provider, lambda _: 0.0)
    announcer.send_due(clock.now)
    clock.pass_by(2 * HOUR)
    server.tick()

    assert [announcer.send_due(clock.now) for _ in range(4)] == [3, 3, 1, 0]


class Rounds:
    """Stops after so many rounds, without a pause."""

    def __init__(self, rounds):
        self.left = rounds

    def wait(self, _seconds):
        self.left -= 1
        return self.left < 0


class FailsOnce(Announcer):
    """Announces nothing but that it was asked, and fails at the first time as no provider should."""

    def __init__(self):
        self.asked = 0

    def send_due(self, now):
        self.asked += 1
        if self.asked == 1:
            raise ValueError("an answer that nobody thought of")


def test_an_error_in_one_round_does_not_end_the_later_ones(server):
    announcer = FailsOnce()
    announce_until_stopped(Rounds(3), server, announcer)

    assert announcer.asked == 3


def test_the_key_in_the_config_is_the_one_that_signs_and_only_the_service_may_read_it(server, service, clock):
    provider = WebPushProvider(server.secrets.push_key, CONTACT, aiohttp.TCPConnector)
    provider.send([service.browser("a").subscription], MESSAGE)
    point, _ = service.received[0].sender()
    path = server.data_dir / "keys" / "vapid-p256.pem"

    assert server.secrets.push_public == _text(point)
    assert path.stat().st_mode & 0o777 == 0o600


def _text(point):
    from tests.builders.pushservice import base64url

    return base64url(point)


@pytest.mark.long
def test_the_workers_announcer_calls_with_the_citys_key_and_in_its_name(server, service, clock):
    subscribed(server, service.browser("a"))
    server.tick()
    announcer = make_announcer(server)
    announcer.send_due(clock.now)
    clock.pass_by(2 * HOUR)
    server.tick()
    announcer.send_due(clock.now)
    clock.pass_by(server.city.push_delay_seconds)

    assert announcer.send_due(clock.now) == 1
    point, claims = service.received[0].sender()
    assert server.secrets.push_public == _text(point)
    assert (server.city.public_host, claims["sub"]) == ("localhost:8000", "https://localhost")
