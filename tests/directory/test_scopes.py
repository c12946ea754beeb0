# SPDX-License-Identifier: Apache-2.0
"""Where roles reach: city, agency with those under it, unit with all that serves it."""

import datetime

import pytest
from django.test import RequestFactory
from tests.builders.agencies import plant_seed
from tests.builders.office import user

from bluezone.directory import scopes
from bluezone.directory.kinds import UnitKind
from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.scopes import OutsideScope, agencies_in_reach, has_role, units_in_reach
from bluezone.identity.models import Role, cache_grants
from bluezone.web.errors import forbidden

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def places():
    plant_seed()


def wards():
    return AdminUnit.objects.filter(kind__in=[UnitKind.WARD, UnitKind.COMMUNE]).order_by("pk")


def serving(unit):
    return Agency.objects.filter(unit=unit).select_related("unit").first()


def parent_and_child():
    child = Agency.objects.filter(parent__isnull=False).select_related("unit", "parent__unit").first()
    return child.parent, child


@pytest.mark.long
def test_a_role_in_the_city_reaches_everything():
    lan = user("lan", Role.CLERK)

    assert agencies_in_reach(lan, [Role.CLERK]).count() == Agency.objects.count()
    assert units_in_reach(lan, [Role.CLERK]).count() == AdminUnit.objects.count()
    assert all(has_role(lan, [Role.CLERK], agency=agency) for agency in Agency.objects.select_related("unit"))


@pytest.mark.long
def test_a_role_in_a_unit_reaches_it_and_the_agencies_that_serve_it():
    ward, other = wards()[:2]
    lan = user("lan", Role.LEAD, within=ward)

    assert has_role(lan, [Role.LEAD], unit=ward)
    assert has_role(lan, [Role.LEAD], agency=serving(ward))
    assert not has_role(lan, [Role.LEAD], unit=other)
    assert not has_role(lan, [Role.LEAD], agency=serving(other))
    assert not has_role(lan, [Role.LEAD], unit=ward.parent)
    assert set(units_in_reach(lan, [Role.LEAD])) == set(AdminUnit.objects.filter(path__startswith=ward.path))
    assert set(agencies_in_reach(lan, [Role.LEAD])) == set(Agency.objects.filter(unit__path__startswith=ward.path))


@pytest.mark.long
def test_a_role_in_an_agency_reaches_those_that_answer_to_it_and_no_unit():
    parent, child = parent_and_child()
    over, under = user("over", Role.OFFICER, within=parent), user("under", Role.OFFICER, within=child)

    assert has_role(over, [Role.OFFICER], agency=child)
    assert not has_role(under, [Role.OFFICER], agency=parent)
    assert not has_role(over, [Role.OFFICER], unit=parent.unit)
    assert list(units_in_reach(over, [Role.OFFICER])) == []
    assert set(agencies_in_reach(under, [Role.OFFICER])) == set(Agency.objects.filter(path__startswith=child.path))


@pytest.mark.long
def test_another_role_does_not_help():
    lan = user("lan", Role.CLERK)

    assert not has_role(lan, [Role.ISSUER, Role.LEAD])
    assert has_role(lan, [Role.ISSUER, Role.CLERK])
    assert list(agencies_in_reach(lan, [Role.ISSUER])) == []


@pytest.mark.long
def test_what_holds_on_one_day_does_not_hold_on_another():
    lan = user("lan", Role.CLERK)

    assert not has_role(lan, [Role.CLERK], day=datetime.date(2019, 1, 1))


@pytest.mark.long
def test_acting_outside_the_subtree_is_refused_with_a_sentence(settings):
    ward, other = wards()[:2]
    lan = user("lan", Role.LEAD, within=ward)
    scopes.require_role(lan, [Role.LEAD], unit=ward)
    with pytest.raises(OutsideScope) as caught:
        scopes.require_role(lan, [Role.LEAD], unit=other)

    request = RequestFactory().get("/")
    answer = forbidden(request, caught.value)
    assert answer.status_code == 403
    assert caught.value.code == "outside_scope"
    assert "ask an administrator" in answer.content.decode() or "quản trị" in answer.content.decode()


@pytest.mark.long
def test_every_answer_is_one_query_however_many_grants(django_assert_num_queries):
    lan = user("lan", role=None)
    for ward in wards():
        from bluezone.identity.models import RoleGrant

        RoleGrant.objects.create(user=lan, role=Role.LEAD, unit=ward, valid_from=datetime.date(2020, 1, 1))
    ward, agency = wards()[0], serving(wards()[0])
    with django_assert_num_queries(1):
        assert has_role(lan, [Role.LEAD], unit=ward, agency=agency)
    with django_assert_num_queries(2):
        assert list(agencies_in_reach(lan, [Role.LEAD]))
    cache_grants(lan)
    with django_assert_num_queries(0):
        assert has_role(lan, [Role.LEAD], unit=ward, agency=agency)
