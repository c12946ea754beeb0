# SPDX-License-Identifier: Apache-2.0
"""Row 40: other pages in the browser, rebinding names and other local users at the agent's page."""

import http.client
import re

import pytest
from tests.builders.drawn import remove_random_words
from tests.builders.handset import city_with_phones

from bluezone.handset.page.api import LocalPage


@pytest.fixture
def city(tmp_path):
    with city_with_phones(tmp_path) as made:
        yield made


@pytest.fixture
def page(city):
    local = LocalPage(city[1].new("phone"))
    local.start()
    yield local
    local.stop()


def ask(page, method, path, headers, body=""):
    host, port = page.origin.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=120)
    connection.request(method, page.base + path, body, headers)
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response.status, dict(response.getheaders()), text


def signed_in(page) -> dict[str, str]:
    return {"Cookie": f"bluezone_token={page.token}", "Origin": page.origin}


FOREIGN = [
    ("a foreign origin", {"Origin": "https://evil.example"}),
    ("an opaque origin", {"Origin": "null"}),
    ("another port's origin", {"Origin": "http://127.0.0.1:1"}),
    ("no origin", {"Origin": None}),
    ("a rebound host", {"Host": "evil.example"}),
    ("a rebound host with our port", {"Host": "evil.example:{port}"}),
    ("no token", {"Cookie": ""}),
    ("another token", {"Cookie": "bluezone_token=guess"}),
]


@pytest.mark.parametrize("path", ["api/check", "api/prepareReport", "api/sendReport", "api/setLanguage", "api/erase"])
def test_row_40_whoever_is_not_the_owner_s_browser_gets_403_and_changes_nothing(city, page, path):
    for what, change in FOREIGN:
        headers = {**signed_in(page), "Content-Type": "application/json"}
        headers |= {name: value.format(port=page.origin.rsplit(":", 1)[1]) if value else value
                    for name, value in change.items()}  # fmt: skip
        sent = {name: value for name, value in headers.items() if value is not None}
        status, answered, _ = ask(page, "POST", path, sent, '{"code": "en", "consent": true}')
        assert status == 403, what
        assert "Access-Control-Allow-Origin" not in answered
        assert city[0].requests == [], what
        assert page.handset.sent_log.all() == []
        assert page.api.language == "vi", what
        assert not page.api.erased, what


@pytest.mark.parametrize(
    "path",
    ["", "status.json", "app.css", "main.js", "words/vi.js", "api/state", "api/diary", "api/visits", "api/sentLog"],
)
def test_row_40_nothing_is_read_without_the_token_or_across_origins(page, path):
    assert ask(page, "GET", path, {})[0] == 403
    assert ask(page, "GET", path, {**signed_in(page), "Origin": "https://evil.example"})[0] == 403
    assert ask(page, "GET", path, {**signed_in(page), "Host": "evil.example"})[0] == 403
    status, headers, _ = ask(page, "GET", path, {"Cookie": f"bluezone_token={page.token}"})
    assert status == 200
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert not any(name.lower().startswith("access-control") for name in headers)


def test_row_40_the_printed_address_signs_in_with_a_strict_cookie_that_no_other_path_is_sent(page):
    status, headers, _ = ask(page, "GET", f"?token={page.token}", {})
    assert status == 303
    assert headers["Location"] == page.base
    cookie = headers["Set-Cookie"]
    assert cookie.startswith(f"bluezone_token={page.token}; Path={page.base};")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


def test_row_40_the_page_listens_on_this_machine_only(page):
    assert page.origin.startswith("http://127.0.0.1:")
    assert page._server.server_address[0] == "127.0.0.1"


def test_row_40_the_owner_s_own_browser_may_check(city, page):
    headers = {**signed_in(page), "Content-Type": "application/json"}
    assert ask(page, "POST", "api/check", headers, "{}")[0] == 200
    assert [path for path, _ in city[0].requests][:2] == ["/v1/config", "/v1/exports/index.json"]


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data", ""])
def test_row_40_a_form_of_another_page_is_no_call_even_with_cookie_and_origin(city, page, kind):
    status, _, _ = ask(page, "POST", "api/check", {**signed_in(page), "Content-Type": kind}, "{}")
    assert status == 400
    assert city[0].requests == []


def test_row_40_the_page_runs_no_inline_script_or_style_and_asks_no_other_host(page):
    _, headers, text = ask(page, "GET", "", {"Cookie": f"bluezone_token={page.token}"})
    policy = headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "http" not in remove_random_words(policy)
    assert b"<style" not in text
    assert "http" not in remove_random_words(text.decode()).replace("http-equiv", "")
    assert re.findall(rb"<script(?![^>]*\bsrc=)", text) == []


def test_row_40_a_page_of_another_address_answers_to_that_address_alone(city):
    """The warned phone of `demo --lan`: the token is asked for there as well."""
    page = LocalPage(city[1].new("phone"), host="127.0.0.2")
    page.start()
    try:
        port = page.origin.rsplit(":", 1)[1]
        assert ask(page, "GET", "api/state", {})[0] == 403
        assert ask(page, "GET", "api/state", signed_in(page))[0] == 200
        for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"evil.example:{port}"):
            assert ask(page, "GET", "api/state", {**signed_in(page), "Host": host})[0] == 403, host
    finally:
        page.stop()
