# SPDX-License-Identifier: Apache-2.0
"""Sign-in: right passwords come in, guesses are slowed down, and nothing that was typed is kept."""

import datetime
from dataclasses import replace

import pytest
from django.test import RequestFactory
from django.utils import timezone
from tests.builders.office import PASSWORD, user

from bluezone.identity import signin
from bluezone.identity.models import SignInFailure
from bluezone.identity.signin import SignInLocked, SignInRefused, network_of, sign_in

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def attempt(password, username="lan", address="203.0.113.5", now=NOW):
    return sign_in(RequestFactory().post("/sign-in/", REMOTE_ADDR=address), username, password, now)


def fail(times, **where):
    for _ in range(times):
        with pytest.raises(SignInRefused):
            attempt("wrong", **where)


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


def test_after_five_failures_even_the_right_password_waits_fifteen_minutes():
    user("lan")
    fail(5)

    with pytest.raises(SignInLocked) as locked:
        attempt(PASSWORD, now=NOW + datetime.timedelta(minutes=14))
    assert locked.value.until == NOW + datetime.timedelta(minutes=15)
    assert attempt(PASSWORD, now=NOW + datetime.timedelta(minutes=15)).username == "lan"


def test_a_stranger_elsewhere_does_not_lock_the_owner_out():
    user("lan")
    fail(5, address="198.51.100.9")

    assert attempt(PASSWORD, address="203.0.113.5").username == "lan"


def test_one_address_that_tries_many_names_is_locked_for_all():
    user("lan")
    for n in range(signin.ADDRESS_LIMIT):
        fail(1, username=f"name{n}")

    with pytest.raises(SignInLocked):
        attempt(PASSWORD)
    assert attempt(PASSWORD, address="198.51.100.9").username == "lan"


def test_guesses_at_one_name_from_everywhere_are_bounded():
    user("lan")
    for n in range(signin.ACCOUNT_LIMIT):
        fail(1, address=f"198.51.{n // 200}.{n % 200 + 1}")

    with pytest.raises(SignInLocked):
        attempt(PASSWORD)


def test_a_success_forgets_the_failures_before_it():
    user("lan")
    fail(4)
    attempt(PASSWORD)
    fail(4)

    assert attempt(PASSWORD).username == "lan"


def test_neither_name_nor_address_is_stored():
    fail(1, username="mysecretname", address="203.0.113.77")
    row = str(list(SignInFailure.objects.values()))

    assert "mysecretname" not in row
    assert "203.0.113" not in row


def test_an_address_behind_a_proxy_is_believed_only_from_a_trusted_one(settings):
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.2", HTTP_X_FORWARDED_FOR="6.6.6.6, 198.51.100.9")
    assert network_of(request) == "10.0.0.2"

    settings.CITY = replace(settings.CITY, trusted_proxies=("10.0.0.0/8",))
    assert network_of(request) == "198.51.100.9"


@pytest.mark.parametrize(
    ("address", "network"),
    [("2001:db8:1:2ff:3::4", "2001:db8:1:200::/56"), ("203.0.113.5", "203.0.113.5"), ("", "unknown"), ("x", "unknown")],
)
def test_an_address_counts_as_its_network(address, network):
    assert network_of(RequestFactory().get("/", REMOTE_ADDR=address)) == network
