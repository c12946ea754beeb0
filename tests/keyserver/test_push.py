# SPDX-License-Identifier: Apache-2.0
"""Subscriptions: what is taken, what is refused, and that nothing else is kept."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.keyserver import HOUR, call
from tests.builders.pushservice import Browser, base64url

from bluezone.keyserver import push
from bluezone.keyserver.push import PushSubscriptionInvalid, read_subscription
from bluezone.protocol.upload.puzzle import solve

GOOD = "https://updates.push.example.com/wpush/v2/gAAAA"


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
    assert server.push.find(GOOD) == browser.subscription
    assert post(server, "unsubscribe", browser.body()).status == 200
    assert server.push.endpoints() == []


def test_subscribing_again_replaces_the_keys(server):
    first, second = Browser(GOOD), Browser(GOOD)
    for browser in (first, second):
        assert post(server, "subscribe", browser.body()).status == 200

    assert server.push.endpoints() == [GOOD]
    assert server.push.find(GOOD) == second.subscription


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
def test_an_address_that_is_not_of_the_public_internet_is_refused(endpoint):
    with pytest.raises(PushSubscriptionInvalid):
        read_subscription(changed(endpoint=endpoint))


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
        read_subscription(json.dumps(body).encode() if body else changed(**change))


def test_what_browsers_add_themselves_is_accepted():
    assert read_subscription(changed(expirationTime=None)).endpoint == GOOD


@given(body=st.binary(max_size=300) | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps))
def test_any_body_is_read_or_refused(body):
    with pytest.raises(PushSubscriptionInvalid):
        read_subscription(body if isinstance(body, bytes) else body.encode())


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
    answer = (challenge + solve(challenge)).hex()

    assert post(server, "subscribe", browser.body(), HTTP_X_BLUEZONE_PUZZLE=answer).status == 200
    assert post(server, "subscribe", Browser(f"{GOOD}y").body()).status == 429
    assert post(server, "subscribe", Browser(f"{GOOD}z").body(), remote="198.51.100.9").status == 200
    clock.pass_by(HOUR)
    assert post(server, "subscribe", Browser(f"{GOOD}y").body()).status == 200


def test_a_full_table_is_said_and_keeps_what_it_has(server, monkeypatch):
    monkeypatch.setattr(push, "MOST_HELD", 1)
    post(server, "subscribe", Browser(GOOD).body())
    full = post(server, "subscribe", Browser(f"{GOOD}2").body())

    assert (full.status, json.loads(full.body)["error"]["code"]) == (503, "push_full")
    assert server.push.endpoints() == [GOOD]
