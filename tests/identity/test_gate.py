# SPDX-License-Identifier: Apache-2.0
"""The gate that every page is called through: one that forgets to ask stores nothing and shows nothing."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.test import RequestFactory
from tests.builders.office import user

from bluezone.audit import hash_chain
from bluezone.directory.scopes import require_city_role
from bluezone.identity.audiences import ReachNotQueried, audience, every_view
from bluezone.identity.duty import ADMINS, DEVICES, EVERYONE
from bluezone.identity.models import AuditEntry, Role
from bluezone.identity.objects import Ownership, check_every_object, every_right, touches

pytestmark = pytest.mark.django_db


def call(view, **named):
    """Call a view as an administrator of the city would."""
    request = RequestFactory().post("/")
    request.user = user("root", Role.ADMIN)
    return view(request, **named)


def test_a_view_that_does_not_ask_stores_nothing():
    @audience(ADMINS)
    @touches(Ownership.CITY)
    def forgets(request):
        hash_chain.record("root", "link_made", "x")
        return HttpResponse("done")

    with pytest.raises(ReachNotQueried):
        call(forgets)
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("whose", "named"), [(Ownership.CITY, {}), (Ownership.REACHED, {}), (Ownership.AGENCY, {"pk": 1})]
)
def test_a_view_that_does_not_ask_shows_nothing(whose, named):
    @audience(ADMINS)
    @touches(whose)
    def forgets(request, pk=0):
        return HttpResponse("a secret")

    with pytest.raises(ReachNotQueried):
        call(forgets, **named)


def test_a_view_that_asks_first_does_its_work():
    @audience(ADMINS)
    @touches(Ownership.CITY)
    def asks(request):
        require_city_role(request.user, [Role.ADMIN])
        hash_chain.record("root", "link_made", "x")
        return HttpResponse("done")

    assert call(asks).content == b"done"
    assert AuditEntry.objects.count() == 1


def test_what_one_view_asked_does_not_count_for_the_next():
    @audience(ADMINS)
    @touches(Ownership.REACHED)
    def asks(request):
        require_city_role(request.user, [Role.ADMIN])
        return HttpResponse("done")

    @audience(ADMINS)
    @touches(Ownership.REACHED)
    def forgets(request):
        return HttpResponse("a secret")

    request = RequestFactory().get("/")
    request.user = user("root", Role.ADMIN)
    asks(request)
    with pytest.raises(ReachNotQueried):
        forgets(request)


def test_a_view_that_has_not_said_what_it_touches_lets_nobody_in():
    @audience(ADMINS)
    def silent(request):
        return HttpResponse("open")

    with pytest.raises(PermissionDenied):
        call(silent)


def test_whoever_is_not_signed_in_is_led_to_the_door():
    @audience(ADMINS)
    @touches(Ownership.CITY)
    def page(request):
        return HttpResponse("open")

    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    assert page(request).url.startswith("/sign-in/")


def test_every_address_of_the_office_says_what_it_touches():
    office = "bluezone.web.urls_office"
    open_to_all = [1 for _, _, view in every_view(office) if view.audience in (EVERYONE, DEVICES)]

    assert check_every_object() == []
    assert len(list(every_right(office))) + len(open_to_all) == len(list(every_view(office)))
