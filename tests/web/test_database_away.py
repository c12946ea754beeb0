# SPDX-License-Identifier: Apache-2.0
"""A real `serve` whose PostgreSQL goes away: devices and pages are told so, and to ask again."""

import json
import urllib.error
import urllib.request

import pytest
from tests.builders.relay import relayed_postgresql
from tests.builders.serving import serving

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(600)]

KEY = {"Idempotency-Key": "a-key-of-this-test"}
HELP = {"contact": "0912 345 678", "place": "Nà Mày", "note": "", "unit": "", "channel": "app"}
DEVICES = [
    ("POST", "/v1/help", HELP),
    ("GET", "/v1/devices/self", None),
    ("POST", "/v1/gates/counters", {}),
    ("POST", "/v1/canvass/sync", {}),
]


@pytest.fixture(scope="module")
def away(tmp_path_factory):
    """A server that has answered before its database went, and the relay behind which it is."""
    with relayed_postgresql() as (relay, address):
        folder = tmp_path_factory.mktemp("away") / "data"
        with serving(folder, environment={"BLUEZONE_DATABASE_URL": address}) as served:
            assert asked(f"{served.public}/v1/devices/self", "GET", None)[0] == 401
            relay.lose_server()
            yield served, relay


def asked(url, method, body, language="vi"):
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {'a' * 43}",
        "Cookie": f"bluezone-language={language}; bluezone-session={'a' * 32}",
        **KEY,
    }
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=120) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers, answer.read().decode()


@pytest.mark.parametrize(("method", "path", "body"), DEVICES)
def test_a_device_is_told_to_ask_again(away, method, path, body):
    served, _ = away
    status, headers, text = asked(f"{served.public}{path}", method, body)

    assert (status, json.loads(text)["error"]["code"]) == (503, "office_unavailable")
    assert int(headers["Retry-After"]) > 0
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("vi", "Hệ thống đang bận, chưa ghi được"), ("en", "The service is busy; nothing was stored")],
)
def test_an_official_sees_a_page_that_says_so(away, language, sentence):
    served, _ = away
    status, headers, text = asked(f"{served.office}/codes/", "GET", None, language)

    assert status == 503
    assert int(headers["Retry-After"]) > 0
    assert sentence in text


def test_when_it_is_back_all_goes_on_by_itself(away):
    served, relay = away
    relay.find_server()

    assert asked(f"{served.public}/v1/devices/self", "GET", None)[0] == 401
    assert asked(f"{served.office}/sign-in/", "GET", None)[0] == 200
