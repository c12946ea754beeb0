# SPDX-License-Identifier: Apache-2.0
"""Ten seconds to take a one-tap act back, through the pages, wherever one tap changes something."""

import datetime

import pytest
from django.utils import timezone
from tests.builders.agencies import plant_seed
from tests.builders.office import prove_second_factor, user

from bluezone.directory.models import RecipientGroup
from bluezone.identity.models import Role, RoleGrant

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(user("admin", Role.ADMIN))
    return prove_second_factor(client)


def later(client, seconds):
    """The offer of this browser was made so many seconds ago."""
    session = client.session
    session["undo"] = {**session["undo"], "at": timezone.now().timestamp() - seconds}
    session.save()


def take_back(client, onward="/accounts/"):
    return client.post("/undo/", {"next": onward}, follow=True).text


@pytest.mark.long
def test_a_role_ended_by_one_tap_holds_again(admin):
    lan = user("lan", Role.AUDITOR)
    grant = lan.grants.get()
    page = admin.post(f"/accounts/{lan.pk}/roles/{grant.pk}/end/", follow=True).text
    assert "Undo (10 seconds)" in page
    assert "Undone" in take_back(admin)

    grant.refresh_from_db()
    assert grant.valid_to is None
    assert "The ten seconds are over" in take_back(admin), "only once"


def test_after_ten_seconds_the_page_offers_it_no_more_and_a_late_tap_changes_nothing(admin):
    lan = user("lan", Role.AUDITOR)
    admin.post(f"/accounts/{lan.pk}/roles/{lan.grants.get().pk}/end/")
    later(admin, 11)
    assert "Undo (10 seconds)" not in admin.get("/accounts/").text
    later(admin, 16)

    assert "The ten seconds are over" in take_back(admin)
    assert lan.grants.get().valid_to == timezone.localdate()


def test_a_role_changed_since_by_somebody_else_stays_as_it_is(admin):
    lan = user("lan", Role.AUDITOR)
    admin.post(f"/accounts/{lan.pk}/roles/{lan.grants.get().pk}/end/")
    tomorrow = timezone.localdate() + datetime.timedelta(days=1)
    RoleGrant.objects.filter(user=lan).update(valid_to=tomorrow)

    assert "The ten seconds are over" in take_back(admin)
    assert lan.grants.get().valid_to == tomorrow


def test_a_delegation_taken_back_by_one_tap_holds_again(client):
    today = timezone.localdate()
    lan, hoa = user("lan", Role.LEAD), user("hoa", Role.OFFICER)
    passed = RoleGrant.objects.create(
        user=hoa,
        role=Role.LEAD,
        valid_from=today,
        valid_to=today + datetime.timedelta(days=3),
        delegated_by=lan.grants.get(),
    )
    client.force_login(lan)
    client.post(f"/delegations/{passed.pk}/end/")
    client.post("/undo/")
    passed.refresh_from_db()

    assert passed.valid_to == today + datetime.timedelta(days=3)


@pytest.mark.long
def test_an_agency_put_into_a_group_or_taken_out_goes_back(admin):
    plant_seed()
    group = RecipientGroup.objects.order_by("pk").first()
    there = set(group.agencies.values_list("pk", flat=True))
    one = min(there)
    admin.post(f"/recipients/{group.pk}/{one}/remove/")
    assert set(group.agencies.values_list("pk", flat=True)) == there - {one}
    take_back(admin)
    assert set(group.agencies.values_list("pk", flat=True)) == there

    admin.post(f"/recipients/{group.pk}/add/", {"q": "phuong"})
    assert set(group.agencies.values_list("pk", flat=True)) > there
    take_back(admin)
    assert set(group.agencies.values_list("pk", flat=True)) == there


def test_nobody_is_sent_to_another_host_or_takes_back_for_another_browser(admin, client):
    assert admin.post("/undo/", {"next": "https://evil.example/"}).url == "/"
    client.logout()
    assert client.post("/undo/").url.startswith("/sign-in/")
