# SPDX-License-Identifier: Apache-2.0
"""The letter to look at: under way in training mode, removed with a trace, and nothing real is touched."""

import pytest
from django.apps import apps
from django.utils import timezone
from tests.builders.office import prove_second_factor, user

from bluezone.audit.models import AuditEntry
from bluezone.directory.models import Agency
from bluezone.firstday import trials
from bluezone.firstday.checklist import build_checklist
from bluezone.firstday.city_pack import city_pack
from bluezone.firstday.city_setup import DEMO_KEYS, DemoCityInUse, set_up, usual_offices
from bluezone.firstday.invitations import seats_on
from bluezone.identity.demo_account import demo_account
from bluezone.identity.models import Role
from bluezone.rollout.directives.models import Directive, Dispatch

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def ward():
    place = city_pack().places["01840"]
    return set_up("quan", place, usual_offices(place)).issuer


@pytest.mark.long
def test_one_act_plants_a_letter_under_way_that_no_real_page_sees(ward):
    assert trials.plant_demo("quan", NOW)

    assert not Directive.objects.exists()
    assert Dispatch.everything.filter(training=True).count() == 32
    assert len(set(Dispatch.everything.values_list("state", flat=True))) > 2
    assert not trials.is_practised()
    assert not trials.plant_demo("quan", NOW)


@pytest.mark.long
def test_it_goes_with_a_trace_and_what_is_real_stays(ward):
    real = Directive.objects.create(issuer=ward, made_by=demo_account(), subject="Văn bản thật")
    trials.plant_demo("quan", NOW)
    trials.remove_demo("quan", NOW)

    assert list(Directive.everything.all()) == [real]
    assert not Dispatch.everything.exists()
    assert list(
        AuditEntry.objects.filter(action__startswith="demo_").order_by("number").values_list("action", flat=True)
    ) == ["demo_planted", "demo_removed"]


def everything_stored():
    """The rows of every table, without those that say that something was done or is to be read anew."""
    kept = {"AuditEntry", "DirectoryState", "Session"}
    return {
        model.__name__: sorted(map(str, model._base_manager.values_list("pk", flat=True)))
        for model in apps.get_models()
        if model.__name__ not in kept and not model._meta.proxy
    }


@pytest.mark.long
def test_of_the_demo_city_nothing_is_left(client):
    client.force_login(user("quan", Role.ADMIN))
    prove_second_factor(client)
    before = everything_stored()

    client.post("/first-day/demo/", {"city": "1"})
    assert Agency.objects.filter(key__startswith=DEMO_KEYS).count() > 20
    assert Dispatch.everything.filter(training=True).exists()
    assert "demo" in {step.name for step in build_checklist(NOW).failing}
    client.post("/first-day/demo/", {"remove": "1"})

    assert everything_stored() == before
    assert "demo" not in {step.name for step in build_checklist(NOW).steps}


@pytest.mark.long
def test_the_demo_city_is_no_city_of_ones_own(ward):
    seats = seats_on(timezone.localdate(NOW)).count
    trials.plant_demo_city("quan", NOW)

    assert seats_on(timezone.localdate(NOW)).count == seats
    assert {step.name: step.state for step in build_checklist(NOW).steps}["directory"].startswith("33 ")


@pytest.mark.long
def test_a_demo_city_with_an_account_in_it_is_not_removed():
    trials.plant_demo_city("quan", NOW)
    user("lan", Role.CLERK, within=Agency.objects.get(key=f"{DEMO_KEYS}ubnd"))
    count = Agency.objects.count()

    with pytest.raises(DemoCityInUse):
        trials.remove_demo("quan", NOW)
    assert Agency.objects.count() == count


def test_without_agencies_of_today_nothing_is_planted():
    assert not trials.plant_demo("quan", NOW)
    assert not Directive.everything.exists()
