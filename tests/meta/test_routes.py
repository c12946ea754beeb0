# SPDX-License-Identifier: Apache-2.0
"""Every page has said who may open it, and the server holds it to that."""

import re

import pytest
from django.contrib.auth import SESSION_KEY
from django.test import Client
from django.urls import clear_url_caches, set_urlconf
from tests.builders.office import data_folder, furnished_folder, plain_refusals, quick_passwords, server, user

from bluezone.duties.duty import Audience
from bluezone.identity.audiences import admits, every_route
from bluezone.identity.duty import ACCOUNT_HOLDERS, DEVICES, EVERYONE
from bluezone.identity.models import Role
from bluezone.training import TRAINING_KEY

__all__ = ["data_folder", "furnished_folder", "plain_refusals", "quick_passwords", "server"]

ORIGINS = ["bluezone.web.urls_office", "bluezone.web.urls_public"]
ROUTES = [(origin, address, who) for origin in ORIGINS for address, who in every_route(origin)]
OFFICE = [(address, who) for origin, address, who in ROUTES if origin == ORIGINS[0]]


def test_every_route_declares_an_audience():
    assert [(origin, address) for origin, address, who in ROUTES if not isinstance(who, Audience)] == []
    assert all(any(origin == its for its, _address, _who in ROUTES) for origin in ORIGINS)


def test_the_public_origin_has_pages_for_everyone_and_calls_of_devices_and_no_others():
    audiences = {(address.startswith("/v1/"), who) for origin, address, who in ROUTES if origin == ORIGINS[1]}

    assert audiences == {(False, EVERYONE), (True, EVERYONE), (True, DEVICES)}


def test_a_route_without_an_audience_stops_the_start(settings):
    from bluezone.identity.audiences import check_every_route

    assert check_every_route() == []
    settings.ROOT_URLCONF = "tests.meta.undeclared_urls"
    clear_url_caches()
    set_urlconf(None)

    assert [error.id for error in check_every_route()] == ["bluezone.E001"]


def filled(address):
    """An address with something in each of its holes."""
    return re.sub(r"<int:\w+>", "1", re.sub(r"<str:\w+>", "vi", address))


@pytest.mark.long
@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post"])
def test_without_an_account_only_pages_for_everyone_open(server, method):
    wrong = []
    for address, who in OFFICE:
        answer = getattr(Client(), method)(filled(address))
        # The second step of signing in leads back to the first, which is no page of its own that would be opened.
        to_sign_in = answer.status_code == 302 and answer.url.startswith("/sign-in/")
        led_away = to_sign_in and not address.startswith("/sign-in/")
        if led_away != (who is not EVERYONE and answer.status_code != 405):
            wrong.append((address, answer.status_code))

    assert wrong == []


class Walker:
    """Somebody who holds one role, and what is wrong with the answers to a walk through the pages."""

    def __init__(self, role):
        self.role, self.client, self.wrong = role, Client(), []
        self.user = user(role.replace("_", "-"), role)

    def leave(self):
        """Stop practising, which some page has begun: who practises is refused more than the role is."""
        if TRAINING_KEY in self.client.session:
            self.client = Client()

    def open(self, address, who):
        """Read a page and press its button: 403 for whoever is not of its audience, and for nobody else."""
        for method in ("get", "post"):
            if SESSION_KEY not in self.client.session:  # some page signed the account out
                self.client.force_login(self.user)
            status = getattr(self.client, method)(filled(address)).status_code
            refused = who != EVERYONE and self.role not in who.roles
            if (status == 403) != (refused and status != 405):
                self.wrong.append((self.role, method, address, status))


@pytest.mark.long
@pytest.mark.django_db
def test_every_page_opens_for_a_role_of_its_audience_and_not_for_one_of_the_others(server, plain_refusals):
    """Each page is tried by one of both kinds, the next page by the next role; the slow test below tries them all."""
    user("somebody", Role.AUDITOR)  # account 1 and grant 1, which the addresses name
    walkers = [Walker(role) for role in Role]
    for number, (address, who) in enumerate(OFFICE):
        admitted = [one for one in walkers if who == EVERYONE or one.role in who.roles]
        others = [one for one in walkers if one not in admitted]
        for some in (admitted, others):
            if some:
                some[number % len(some)].open(address, who)
                some[number % len(some)].leave()

    assert [line for one in walkers for line in one.wrong] == []


@pytest.mark.long
@pytest.mark.django_db
def test_a_role_belongs_to_the_audiences_that_name_it_and_to_no_others():
    for role in Role:
        lan = user(role.replace("_", "-"), role)
        for who in {who for _address, who in OFFICE} - {EVERYONE, ACCOUNT_HOLDERS}:
            assert admits(who, lan) == (role in who.roles), (role, who)


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("role", list(Role))
def test_a_role_opens_the_pages_of_its_audience_and_no_others(server, plain_refusals, role):
    walker = Walker(role)
    for address, who in OFFICE:
        walker.open(address, who)

    assert walker.wrong == []


@pytest.mark.long
@pytest.mark.django_db
def test_whoever_holds_no_role_opens_nothing_but_their_own_account(client, server, plain_refusals):
    lan, opened = user("lan", role=None), []
    for address, who in OFFICE:
        if SESSION_KEY not in client.session:
            client.force_login(lan)
        if client.get(filled(address)).status_code not in (403, 405) and who is not EVERYONE:
            opened.append(who)

    assert set(opened) == {ACCOUNT_HOLDERS}
