# SPDX-License-Identifier: Apache-2.0
"""Sign-in: right passwords come in, guesses are slowed down, and nothing that was typed is kept."""

import datetime
import time
from dataclasses import replace

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone
from tests.builders.office import PASSWORD, user

from bluezone.identity.models import SignInFailure
from bluezone.identity.signin import attempts
from bluezone.identity.signin.attempts import (
    SignInLocked,
    SignInPuzzle,
    SignInRefused,
    network_of,
    remember_device,
    sign_in,
)
from bluezone.protocol.upload import puzzle
from bluezone.protocol.upload.puzzle import solve_puzzle
from bluezone.refusal import Refused

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture(autouse=True)
def one_hour(monkeypatch):
    """What was tried is forgotten as the hour turns: it does not, while a test tries."""
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)


def attempt(password, username="lan", address="203.0.113.5", now=NOW, browser=None, answer=""):
    """browser: cookies of one in which accounts came in before; they are added to it."""
    request = RequestFactory().post("/sign-in/", REMOTE_ADDR=address)
    request.COOKIES.update(browser or {})
    found = sign_in(request, username, password, now, answer)
    if browser is not None:
        response = HttpResponse()
        remember_device(request, response, found)
        browser.update({name: morsel.value for name, morsel in response.cookies.items()})
    return found


def fail(times, **where):
    """So many wrong passwords, with an answer to each puzzle that is asked for."""
    for _ in range(times):
        with pytest.raises(SignInRefused):
            solving("wrong", **where)


def solving(password, **where):
    """As a browser does: it answers each puzzle, also the rare one whose answer the server takes for an earlier one."""
    answer = ""
    while True:
        try:
            return attempt(password, answer=answer, **where)
        except SignInPuzzle as asked:
            answer = (asked.challenge + solve_puzzle(asked.challenge)).hex()


@pytest.fixture
def cheap_puzzles(monkeypatch):
    """Puzzles of no bits, where a test is not about their work."""
    monkeypatch.setattr(puzzle, "PUZZLE_BITS", 0)


def test_the_right_password_comes_in_whatever_the_case_of_the_name():
    lan = user("lan")

    assert attempt(PASSWORD) == lan
    assert attempt(PASSWORD, username=" Lan ") == lan


def test_wrong_password_unknown_name_and_deactivated_account_are_refused_alike():
    user("lan")
    user("hoa", is_active=False)
    said = set()
    for name, password in (("lan", "wrong"), ("nobody", PASSWORD), ("hoa", PASSWORD)):
        with pytest.raises(SignInRefused) as refused:
            attempt(password, username=name)
        said.add(refused.value.message)

    assert len(said) == 1


def test_in_an_own_browser_five_failures_wait_a_quarter_of_an_hour_or_go_on_as_a_stranger(cheap_puzzles):
    user("lan")
    browser = {}
    attempt(PASSWORD, browser=browser)
    fail(5, browser=browser)
    fail(10, browser=browser)

    with pytest.raises(SignInPuzzle):
        attempt(PASSWORD, browser=browser)
    assert attempt(PASSWORD, browser=browser, now=NOW + datetime.timedelta(minutes=15)).username == "lan"


@pytest.mark.long
def test_strangers_behind_the_same_address_never_keep_out_a_browser_that_is_known(cheap_puzzles):
    user("lan")
    browser = {}
    attempt(PASSWORD, browser=browser)
    for n in range(31):
        fail(1, username=f"name{n}")
    fail(100)

    assert attempt(PASSWORD, browser=browser).username == "lan"


def test_strangers_at_one_address_cost_an_unknown_browser_a_puzzle_and_no_more():
    user("lan")
    fail(10, username="somebody")

    with pytest.raises(SignInPuzzle) as asked:
        attempt(PASSWORD)
    assert (
        attempt(PASSWORD, answer=(asked.value.challenge + solve_puzzle(asked.value.challenge)).hex()).username == "lan"
    )
    assert attempt(PASSWORD, address="198.51.100.9").username == "lan"


def test_a_flood_that_solves_no_puzzle_counts_for_nothing():
    user("lan")
    fail(10, username="somebody")
    for _ in range(80):
        with pytest.raises(SignInPuzzle):
            attempt("wrong", username="somebody")

    assert attempt(PASSWORD, address="198.51.100.9").username == "lan", "nobody elsewhere is asked for a puzzle"
    assert sum(attempts._limits()._tally._missed(time.time())[1:]) == 11


def test_guesses_at_one_name_from_everywhere_are_bounded_and_a_known_browser_comes_in(cheap_puzzles):
    user("lan")
    browser = {}
    attempt(PASSWORD, browser=browser, address="192.0.2.1")
    fail(attempts.ACCOUNT_LIMIT)

    with pytest.raises(SignInLocked) as locked:
        solving(PASSWORD)
    assert locked.value.until == NOW + datetime.timedelta(minutes=15)
    assert attempt(PASSWORD, browser=browser, address="192.0.2.1").username == "lan"


def test_the_cookie_of_one_account_is_no_known_browser_of_another(cheap_puzzles):
    user("lan")
    user("hoa")
    browser = {}
    attempt(PASSWORD, username="hoa", browser=browser)
    fail(attempts.ACCOUNT_LIMIT)

    with pytest.raises(SignInLocked):
        solving(PASSWORD, browser=browser)


@pytest.mark.long
def test_a_shared_computer_is_known_to_everybody_who_came_in_with_it(cheap_puzzles):
    names = ["lan", "hoa", "binh"]
    browser = {}
    for name in names:
        user(name)
        attempt(PASSWORD, username=name, browser=browser)
    for name in names:
        fail(attempts.ACCOUNT_LIMIT, username=name)

    assert [attempt(PASSWORD, username=name, browser=browser).username for name in names] == names


def test_a_cookie_that_somebody_made_up_is_none(cheap_puzzles):
    user("lan")
    browser = {}
    attempt(PASSWORD, browser=browser)
    ((name, value),) = browser.items()
    fail(attempts.ACCOUNT_LIMIT)

    with pytest.raises(SignInLocked):
        solving(PASSWORD, browser={name: value[:-1] + ("A" if value[-1] != "A" else "B")})


def test_of_twelve_passwords_at_once_five_are_looked_at(monkeypatch):
    """All twelve are claimed before the first is judged, as when they come at once."""
    user("lan")
    browser = {}
    attempt(PASSWORD, browser=browser)
    refused = []

    def judged_after_the_others(*_request, **_given):
        if SignInFailure.objects.exclude(address=attempts._keyed_hash("strangers", "")).count() < 5:
            try:
                attempt("wrong", browser=dict(browser))
            except Refused as one:
                refused.append(one.code)

    monkeypatch.setattr(attempts, "authenticate", judged_after_the_others)
    with pytest.raises(SignInRefused):
        attempt("wrong", browser=dict(browser))
    account = attempts._keyed_hash("account", "lan")
    (own,) = set(SignInFailure.objects.values_list("address", flat=True))

    assert refused == ["sign_in_refused"] * 4
    with pytest.raises(SignInLocked):
        attempts.count_attempt(account, own, attempts.PAIR_LIMIT, NOW)
    assert SignInFailure.objects.count() == 5


def test_a_success_in_an_own_browser_forgets_the_failures_before_it():
    user("lan")
    browser = {}
    for _ in range(2):
        attempt(PASSWORD, browser=browser)
        fail(4, browser=browser)

    assert attempt(PASSWORD, browser=browser).username == "lan"


def test_neither_name_nor_address_is_stored():
    fail(1, username="mysecretname", address="203.0.113.77")
    row = str(list(SignInFailure.objects.values()))

    assert "mysecretname" not in row
    assert "203.0.113" not in row


def test_an_address_behind_a_proxy_is_believed_only_from_a_trusted_one(settings):
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.2", HTTP_X_FORWARDED_FOR="6.6.6.6, 198.51.100.9")
    assert network_of(request) == bytes([10, 0, 0, 2]).hex()

    settings.CITY = replace(settings.CITY, trusted_proxies=("10.0.0.0/8",))
    assert network_of(request) == bytes([198, 51, 100, 9]).hex()


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("2001:db8:1:2ff:3::4", "20010db8000102"),
        ("203.0.113.5", "cb007105"),
        ("::ffff:203.0.113.5", "cb007105"),
        ("", "00000000"),
        ("x", "00000000"),
    ],
)
def test_an_address_counts_as_its_network(address, network):
    assert network_of(RequestFactory().get("/", REMOTE_ADDR=address)) == network
