# SPDX-License-Identifier: Apache-2.0
"""Every page has said who may open it, and the server holds it to that."""

import re

import pytest
from django.contrib.auth import SESSION_KEY
from django.test import Client
from django.urls import clear_url_caches, set_urlconf
from tests.builders.office import data_folder, furnished_folder, quick_passwords, server, user

from bluezone.duties.duty import Audience
from bluezone.identity.audiences import every_route
from bluezone.identity.duty import ACCOUNT_HOLDERS, DEVICES, EVERYONE
from bluezone.identity.models import Role

__all__ = ["data_folder", "furnished_folder", "quick_passwords", "server"]

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


@pytest.mark.long
@pytest.mark.django_db
@pytest.mark.parametrize("role", list(Role))
def test_a_role_opens_the_pages_of_its_audience_and_no_others(client, server, role):
    wrong = []
    lan = user("lan", role)
    client.force_login(lan)
    for address, who in OFFICE:
        for method in ("get", "post"):
            if SESSION_KEY not in client.session:  # some page signed the account out
                client.force_login(lan)
            status = getattr(client, method)(filled(address)).status_code
            refused = who != EVERYONE and role not in who.roles
            if (status == 403) != (refused and status != 405):
                wrong.append((method, address, status))

    assert wrong == []


@pytest.mark.long
@pytest.mark.django_db
def test_whoever_holds_no_role_opens_nothing_but_their_own_account(client, server):
    lan, opened = user("lan", role=None), []
    for address, who in OFFICE:
        client.force_login(lan)
        if client.get(filled(address)).status_code not in (403, 405) and who is not EVERYONE:
            opened.append(who)

    assert set(opened) == {ACCOUNT_HOLDERS}
