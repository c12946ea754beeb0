# SPDX-License-Identifier: Apache-2.0
"""What all pages have in common: headers, language, error pages."""

import re
import sqlite3
import uuid

import pytest
from django.test import Client
from tests.builders.office import local_today, user

from bluezone.web import settings_public

pytestmark = pytest.mark.django_db


@pytest.fixture
def public(settings, server):
    """The public origin's pages, with the settings they run under."""
    for name in ("ROOT_URLCONF", "MIDDLEWARE", "TEMPLATES"):
        setattr(settings, name, getattr(settings_public, name))
    return Client()


@pytest.fixture
def office(client, server):
    client.force_login(user())
    return client


def test_pages_allow_no_script_or_style_but_our_files(office):
    answer = office.get("/codes/")
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))

    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"


@pytest.mark.parametrize("address", ["/codes/", "/codes/new/", "/password/", "/sign-in/", "/nothing/"])
def test_no_page_carries_inline_script_style_or_another_site(office, address):
    text = office.get(address).text

    assert re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text) == []
    assert re.findall(r"(?:src|href)=\"(?:https?:)?//", text) == []


def test_office_pages_are_kept_by_no_cache(office):
    for address in ("/codes/", "/sign-in/", "/nothing/"):
        assert office.get(address).headers["Cache-Control"] == "no-store"


def test_other_headers_that_browsers_obey(office):
    headers = office.get("/codes/").headers

    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in headers, "plain http here"


def test_the_page_is_vietnamese_whatever_the_browser_asks_for_until_the_reader_switches(client):
    first = client.get("/sign-in/", HTTP_ACCEPT_LANGUAGE="en-US,en")
    assert '<html lang="vi">' in first.text
    assert "Đăng nhập" in first.text

    switched = client.get("/language/en/?next=/sign-in/")
    assert switched.url == "/sign-in/"
    assert client.get("/sign-in/").headers["Content-Language"] == "en"
    client.get("/language/vi/?next=/sign-in/")
    assert "Đăng nhập" in client.get("/sign-in/").text


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", ""])
def test_the_language_switch_leads_to_no_other_site(client, back):
    assert client.get("/language/en/", {"next": back}).url == "/"


def test_an_unknown_language_changes_nothing(client):
    client.get("/language/xx/")

    assert "bluezone-language" not in client.cookies
    client.cookies.load({"bluezone-language": "../../etc"})
    assert client.get("/sign-in/").headers["Content-Language"] == "vi"


def test_an_unknown_address_is_told_in_words(client):
    answer = client.get("/nothing/")

    assert answer.status_code == 404
    assert "Không có trang này" in answer.text


def test_a_form_without_its_token_is_refused_in_words(server):
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post("/sign-in/", {"username": "lan", "password": "x"})

    assert answer.status_code == 403
    assert "Biểu mẫu không còn hiệu lực" in answer.text


def test_a_failure_is_a_page_without_details_and_a_log_without_the_path(client, server, caplog):
    client.force_login(user())
    with sqlite3.connect(server.data_dir / "codes.sqlite3") as store:
        store.execute("ALTER TABLE credential RENAME TO lost")
    client.raise_request_exception = False
    order = {"case_class": "confirmed", "onset": local_today().isoformat(), "form_id": uuid.uuid4()}
    answer = client.post("/codes/new/?page=1", order)

    assert answer.status_code == 500
    assert "chưa ghi được" in answer.text
    assert "credential" not in answer.text
    assert [record.getMessage() for record in caplog.records if record.name == "django.request"] == ["a page failed"]


def test_a_host_that_is_not_ours_is_refused(client, settings):
    assert client.get("/sign-in/", headers={"host": "evil.example"}).status_code == 400


def test_the_public_origin_has_no_page_of_the_office(public):
    for address in ("/sign-in/", "/codes/", "/accounts/", "/audit/", "/start/x/"):
        assert public.get(address).status_code == 404
