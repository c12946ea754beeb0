# SPDX-License-Identifier: Apache-2.0
"""Subscriptions: what is taken, what is refused, and that nothing else is kept."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.keyserver import HOUR, call
from tests.builders.pushservice import Browser, base64url

from bluezone.city_settings import PUSH_SERVICES
from bluezone.keyserver import push
from bluezone.keyserver.push import PushSubscriptionInvalid, read_subscription
from bluezone.protocol.upload.puzzle import solve_puzzle

GOOD = "https://updates.push.services.mozilla.com/wpush/v2/gAAAA"


def changed(**changes):
    told = json.loads(Browser(GOOD).body())
    told.update({name: value for name, value in changes.items() if name not in ("p256dh", "auth")})
    told["keys"].update({name: value for name, value in changes.items() if name in ("p256dh", "auth")})
    return json.dumps(told).encode()


def post(server, path, body, **environ):
    return call(server, "POST", f"/v1/push/{path}", body, **environ)


def test_a_browser_subscribes_and_unsubscribes(server):
    browser = Browser(GOOD)

    assert post(server, "subscribe", browser.body()).status == 200
    assert server.push.find_subscription(GOOD) == browser.subscription
    assert post(server, "unsubscribe", browser.body()).status == 200
    assert server.push.endpoints() == []


def test_subscribing_again_replaces_the_keys(server):
    first, second = Browser(GOOD), Browser(GOOD)
    for browser in (first, second):
        assert post(server, "subscribe", browser.body()).status == 200

    assert server.push.endpoints() == [GOOD]
    assert server.push.find_subscription(GOOD) == second.subscription


def test_only_who_knows_the_secret_unsubscribes_and_the_answer_says_nothing(server):
    browser, other = Browser(GOOD), Browser(GOOD)
    post(server, "subscribe", browser.body())
    wrong = post(server, "unsubscribe", other.body())
    assert server.push.endpoints() == [GOOD]
    right = post(server, "unsubscribe", browser.body())
    absent = post(server, "unsubscribe", browser.body())

    assert (wrong.status, wrong.body) == (right.status, right.body) == (absent.status, absent.body)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://updates.push.example.com/a",
        "https://127.0.0.1/a",
        "https://10.0.0.1/a",
        "https://[::1]/a",
        "https://[::ffff:10.0.0.1]/a",
        "https://2130706433/a",
        "https://0x7f.1/a",
        "https://127.1/a",
        "https://localhost/a",
        "https://push.localhost/a",
        "https://printer.local/a",
        "https://metadata.google.internal/a",
        "https://push/a",
        "https://push.example.com:8443/a",
        "https://push.example.com:22/a",
        "https://user@push.example.com/a",
        "https://user:password@push.example.com/a",
        "https://push.example.com/a#b",
        "https://push.example.com\\@127.0.0.1/a",
        "https://push.example.com/a b",
        "https://push.example.com/é",
        "https://push.éxample.com/a",
        "https://push.example.com\r\nHost: x/",
        "https://push..example.com/a",
        "https://-push.example.com/a",
        "https://push.example.com./a",
        "https://push.example.com:99999/a",
        "https://push.example.com/" + "a" * 500,
        "ftp://push.example.com/a",
        "file:///etc/passwd",
        "",
        17,
        None,
    ],
)
def test_an_address_that_is_no_plain_https_address_of_a_push_service_is_refused(endpoint):
    with pytest.raises(PushSubscriptionInvalid):
        read_subscription(changed(endpoint=endpoint), (*PUSH_SERVICES, "*.example.com"))


@pytest.mark.parametrize(
    "change",
    [
        {"p256dh": base64url(bytes(65))},
        {"p256dh": base64url(b"\x04" + bytes(64))},
        {"p256dh": base64url(bytes(64))},
        {"p256dh": "!"},
        {"auth": base64url(bytes(15))},
        {"auth": 5},
        {"keys": []},
        {"name": "Nguyễn Văn A"},
    ],
)
def test_keys_that_are_none_are_refused(change):
    body = json.loads(Browser(GOOD).body()) | change if set(change) & {"keys", "name"} else None
    with pytest.raises(PushSubscriptionInvalid):
        read_subscription(json.dumps(body).encode() if body else changed(**change), PUSH_SERVICES)


def test_what_browsers_add_themselves_is_accepted():
    assert read_subscription(changed(expirationTime=None), PUSH_SERVICES).endpoint == GOOD


@given(body=st.binary(max_size=300) | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps))
def test_any_body_is_read_or_refused(body):
    with pytest.raises(PushSubscriptionInvalid):
        read_subscription(body if isinstance(body, bytes) else body.encode(), PUSH_SERVICES)


def test_refusals_have_the_shape_of_all_others(server):
    for body, status, code in (
        (b"{}", 400, "push_subscription_invalid"),
        (b"", 400, "body_size_wrong"),
        (b"x" * 3000, 413, "body_too_large"),
    ):
        answered = post(server, "subscribe", body)
        assert (answered.status, json.loads(answered.body)["error"]["code"]) == (status, code)
    assert call(server, "GET", "/v1/push/subscribe").status == 405


def test_after_many_from_one_network_a_puzzle_comes_before_each(server, clock):
    for number in range(10):
        assert post(server, "subscribe", Browser(f"{GOOD}{number}").body()).status == 200
    browser = Browser(f"{GOOD}x")
    asked = post(server, "subscribe", browser.body())
    assert (asked.status, json.loads(asked.body)["error"]["code"]) == (429, "puzzle_required")
    challenge = bytes.fromhex(json.loads(asked.body)["error"]["challenge"])
    answer = (challenge + solve_puzzle(challenge)).hex()

    assert post(server, "subscribe", browser.body(), HTTP_X_BLUEZONE_PUZZLE=answer).status == 200
    assert post(server, "subscribe", Browser(f"{GOOD}y").body()).status == 429
    assert post(server, "subscribe", Browser(f"{GOOD}z").body(), remote="198.51.100.9").status == 200
    clock.pass_by(HOUR)
    assert post(server, "subscribe", Browser(f"{GOOD}y").body()).status == 200


@pytest.mark.parametrize(
    ("host", "taken"),
    [
        ("fcm.googleapis.com", True),
        ("updates.push.services.mozilla.com", True),
        ("sg2p.notify.windows.com", True),
        ("web.push.apple.com", True),
        ("push.victim.example", False),
        ("push.services.mozilla.com", False),
        ("evilpush.apple.com.victim.example", False),
        ("evil-fcm.googleapis.com", False),
        ("xpush.apple.com", False),
    ],
)
def test_only_push_services_that_the_city_lists_are_ever_called(server, host, taken):
    browser = Browser(f"https://{host}/a")
    answered = post(server, "subscribe", browser.body())

    assert (answered.status == 200) is taken
    assert server.push.endpoints() == ([browser.endpoint] if taken else [])


def test_a_service_that_the_city_lists_no_more_is_not_called_either(server):
    browser = Browser("https://push.gone.example/a")
    server.keys_store.write(lambda transaction: push.store_subscription(transaction, browser.subscription, 0))

    assert server.push.endpoints() == []


def test_a_flood_of_addresses_drives_out_itself_and_not_the_browsers_of_the_city(server, clock, monkeypatch):
    monkeypatch.setattr(push, "MOST_SUBSCRIPTIONS", 20)
    monkeypatch.setattr(push, "DELETED_TOGETHER", 2)
    real = [f"{GOOD}/real{number}" for number in range(10)]
    for number, endpoint in enumerate(real):
        post(server, "subscribe", Browser(endpoint).body(), remote=f"198.51.100.{number}")
    server.push.note_proven(real)
    for number in range(60):
        clock.pass_by(2)
        made_up = post(server, "subscribe", Browser(f"{GOOD}/{number}").body(), remote=f"203.0.113.{number}")
        assert made_up.status == 200, "there is always room"

    assert set(real) <= set(server.push.endpoints())
    assert len(server.push.endpoints()) <= 20


def test_of_those_that_nothing_is_known_of_the_oldest_make_room(server, clock, monkeypatch):
    monkeypatch.setattr(push, "MOST_SUBSCRIPTIONS", 3)
    monkeypatch.setattr(push, "DELETED_TOGETHER", 1)
    for number in range(4):
        post(server, "subscribe", Browser(f"{GOOD}{number}").body())
        clock.pass_by(28 * 24 * HOUR)

    assert sorted(server.push.endpoints()) == [f"{GOOD}{number}" for number in (1, 2, 3)]


@pytest.mark.long
def test_what_nobody_renews_is_forgotten_after_three_months_and_what_is_renewed_stays(server, clock):
    for name in ("left", "kept"):
        post(server, "subscribe", Browser(f"{GOOD}/{name}").body())
    for _ in range(4):
        clock.pass_by(28 * 24 * HOUR)
        post(server, "subscribe", Browser(f"{GOOD}/kept").body())
        server.tick()

    assert server.push.endpoints() == [f"{GOOD}/kept"]
