# SPDX-License-Identifier: Apache-2.0
"""What whoever opens the demo finds at work, and that no real office can be turned into one."""

import datetime

import pytest
from django.utils import timezone
from tests.builders.agencies import plant_seed as seeded
from tests.builders.directives import person
from tests.builders.office import data_folder, furnished_folder, server

from bluezone.authority.people.first_admin import first_admin_link
from bluezone.directory.models import AdminUnit, Agency
from bluezone.identity.account_links import find_linked_account
from bluezone.identity.models import Role
from bluezone.rollout.directives.models import Dispatch, DispatchState
from bluezone.rollout.staffing.models import StaffReport
from bluezone.web.management.commands import plant_demo

__all__ = ["data_folder", "furnished_folder", "server"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def planted(server):
    seeded()
    first_admin_link(timezone.now())
    return plant_demo.plant(timezone.now())


@pytest.mark.long
def test_the_letter_is_under_way_at_different_stages_and_last_weeks_staff_is_reported(planted):
    stages = set(Dispatch.objects.values_list("state", flat=True))

    assert planted.document == "458/UBND-VP"
    apart = {DispatchState.REPORTED, DispatchState.HANDED_OVER, DispatchState.HANDED_ON, DispatchState.RECALLED}
    assert stages == set(DispatchState.values) - apart
    assert Agency.objects.valid_on(timezone.localdate()).count() == 32
    assert not AdminUnit.objects.filter(valid_from__gte=datetime.date(2025, 1, 1)).exists()
    assert StaffReport.objects.values("week").distinct().count() == 3


@pytest.mark.long
def test_the_first_administrator_looks_around_in_the_whole_city_and_issues_no_code(planted):
    admin = plant_demo.User.objects.get(username="admin")
    nurse = find_linked_account(planted.health_token, timezone.now())

    assert {Role.ADMIN, Role.LEADER, Role.ISSUER, Role.CLERK} <= set(admin.grants.values_list("role", flat=True))
    assert set(nurse.grants.values_list("role", flat=True)) == {Role.HEALTH_WORKER, Role.SUPERVISOR}


def test_an_office_where_somebody_works_is_left_as_it_is(server):
    seeded()
    person("clerk", "clerk")
    ended = Agency.objects.exclude(valid_to=None).count()

    with pytest.raises(plant_demo.DemoRefused):
        plant_demo.plant(timezone.now())
    assert Agency.objects.exclude(valid_to=None).count() == ended > 0
