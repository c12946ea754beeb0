# SPDX-License-Identifier: Apache-2.0
"""The list of signed-in browsers, and ending them."""

import datetime
import re

import pytest
from django.test import Client, RequestFactory
from tests.builders.office import PASSWORD, user

from bluezone.identity.factors.confirmation import CONFIRMED_KEY, SECOND_FACTOR_SECONDS
from bluezone.identity.models import OfficeSession, Role
from bluezone.identity.signin.sessions import browser_of, purge_minutes

pytestmark = pytest.mark.django_db
ANDROID = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/131.0.0.0 Mobile Safari/537.36"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0"


def signed_in(agent):
    client = Client(headers={"User-Agent": agent, "Accept-Language": "en"})
    client.cookies.load({"bluezone-language": "en"})
    client.post("/sign-in/", {"username": "lan", "password": PASSWORD})
    return client


@pytest.fixture
def phone():
    user("lan", Role.CLERK, factor=False)
    return signed_in(ANDROID)


@pytest.fixture
def desk(phone):
    return signed_in(FIREFOX)


def handles(page):
    return re.findall(r"/sessions/([0-9a-f]{16})/end/", page.text)


@pytest.mark.parametrize(
    ("agent", "words"), [(ANDROID, "Chrome, Android"), (FIREFOX, "Firefox, Windows"), ("curl/8", ""), ("", "")]
)
def test_a_browser_is_named_in_words(agent, words):
    assert browser_of(RequestFactory().get("/", headers={"User-Agent": agent})) == words


def test_the_list_names_both_browsers_and_gives_no_session_away(phone, desk):
    page = desk.get("/sessions/")

    assert "Chrome, Android" in page.text
    assert "Firefox, Windows" in page.text
    assert page.text.count("this one") == 1
    assert not any(session.pk in page.text for session in OfficeSession.objects.all())


def test_one_browser_is_signed_out_from_the_other(phone, desk):
    row = re.search(r"Chrome, Android.*?/sessions/([0-9a-f]{16})/end/", desk.get("/sessions/").text, re.DOTALL)
    desk.post(f"/sessions/{row[1]}/end/")

    assert phone.get("/password/").status_code == 302
    assert desk.get("/password/").status_code == 200


def test_nobody_ends_a_session_of_somebody_else(phone):
    other = Client()
    other.force_login(user("mai", Role.CLERK))
    other.post(f"/sessions/{handles(phone.get('/sessions/'))[0]}/end/")

    assert phone.get("/password/").status_code == 200


def test_signing_out_everywhere_ends_this_one_too(phone, desk):
    assert desk.post("/sessions/end/").url == "/sign-in/"

    assert phone.get("/password/").status_code == 302
    assert desk.get("/password/").status_code == 302
    assert OfficeSession.objects.filter(user__username="lan").count() == 0


def test_a_changed_password_keeps_the_own_row_and_its_browser(desk):
    new = "một câu mới thật dài"
    desk.post("/password/", {"present": PASSWORD, "password": new, "again": new})

    assert "Firefox, Windows" in desk.get("/sessions/").text


@pytest.mark.parametrize(("seconds", "stays"), [(SECOND_FACTOR_SECONDS, True), (SECOND_FACTOR_SECONDS + 1, False)])
def test_a_session_loses_its_proof_when_that_has_expired_though_its_beginning_tells_no_minute(desk, seconds, stays):
    session = desk.session
    session[CONFIRMED_KEY] = 1_800_000_000
    session.save()
    begun_at = OfficeSession.objects.get(pk=session.session_key).begun_at
    purge_minutes(datetime.datetime.fromtimestamp(1_800_000_000 + seconds, datetime.UTC))

    assert (begun_at.minute, begun_at.second) == (0, 0)
    assert (CONFIRMED_KEY in desk.session) == stays
