# SPDX-License-Identifier: Apache-2.0
"""Giving, ending and delegating roles, and what the database itself refuses."""

import datetime

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from tests.builders.coverage import unit
from tests.builders.devices import agency
from tests.builders.office import user

from bluezone.audit import hash_chain
from bluezone.authority import reach, role_grants
from bluezone.authority.role_grants import DelegationRefused, LastAdmin, RolesNotTogether
from bluezone.identity.models import AuditEntry, Role, RoleGrant, User, valid_grants, valid_roles

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


@pytest.fixture
def today():
    return timezone.localdate()


@pytest.fixture
def issuer():
    return user("issuer", Role.ISSUER)


def delegated(issuer, to, today, first=0, until=3):
    return role_grants.delegate_role(issuer.grants.get(), to, today + first * DAY, today + until * DAY, today)


def test_a_role_holds_from_its_first_day_until_before_its_end(today):
    lan = user("lan", role=None)
    role_grants.grant_role("root", lan, Role.CLERK, None, today, today + 2 * DAY)

    assert [valid_roles(lan, today + days * DAY) for days in (-1, 0, 1, 2)] == [set(), {"clerk"}, {"clerk"}, set()]
    assert AuditEntry.objects.get().details["role"] == "clerk"


def test_an_ended_role_is_gone_today(today):
    lan = user("lan", Role.CLERK)
    role_grants.revoke_role("root", lan.grants.get(), today)

    assert valid_roles(lan) == set()


def test_a_deactivated_account_holds_nothing(today):
    lan = user("lan", Role.CLERK, is_active=False)

    assert valid_roles(lan) == set()


@pytest.mark.parametrize(("first", "second"), [(Role.ADMIN, Role.HEALTH_WORKER), (Role.SUPERVISOR, Role.ADMIN)])
def test_who_makes_accounts_issues_no_codes(today, first, second):
    lan = user("lan", first)

    with pytest.raises(RolesNotTogether):
        role_grants.grant_role("root", lan, second, None, today)
    assert valid_roles(lan) == {first}


def test_one_after_the_other_is_allowed(today):
    lan, _other = user("lan", Role.ADMIN), user("root", Role.ADMIN)
    role_grants.revoke_role("root", lan.grants.get(), today)
    role_grants.grant_role("root", lan, Role.HEALTH_WORKER, None, today)

    assert valid_roles(lan) == {Role.HEALTH_WORKER}


def test_whoever_administers_one_agency_is_no_other_administrator_to_go_on_with(today):
    root, of_a_ward = user("root", Role.ADMIN), user("of-a-ward", Role.ADMIN, agency())

    with pytest.raises(LastAdmin):
        role_grants.revoke_role("root", root.grants.get(), today)
    root.set_unusable_password()
    root.save()
    role_grants.revoke_role("root", of_a_ward.grants.get(), today)


def test_the_last_administrator_keeps_the_role(today):
    root = user("root", Role.ADMIN)
    with pytest.raises(LastAdmin):
        role_grants.revoke_role("root", root.grants.get(), today)
    user("second", Role.ADMIN)

    role_grants.revoke_role("root", root.grants.get(), today)


def test_whoever_administers_a_unit_reaches_the_accounts_within_it_and_no_others():
    province = unit("Tỉnh Bắc Kạn", "province")
    here, beside = unit("Sông Cầu", parent=province), unit("Đức Xuân", parent=province)
    admin = user("admin", Role.ADMIN, here)
    for name, within in (("here", here), ("beside", beside), ("above", province), ("both", here)):
        user(name, Role.OFFICER, within)
    role_grants.grant_role("root", User.objects.get(username="both"), Role.CLERK, beside, timezone.localdate())

    assert {one.username for one in reach.accounts_in_reach(admin, [Role.ADMIN])} == {"admin", "here"}


def test_a_delegation_holds_on_its_days_and_says_whose_role_it_is(today, issuer):
    lan = user("lan", Role.CLERK)
    delegated(issuer, lan, today, first=1, until=3)

    assert [Role.ISSUER in valid_roles(lan, today + days * DAY) for days in range(4)] == [False, True, True, False]
    acting = next(grant for grant in valid_grants(lan, today + DAY) if grant.role == Role.ISSUER)
    assert acting.delegated_by.user == issuer
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.subject) == ("issuer", "role_delegated", "lan")


def test_a_delegation_ends_with_the_role_it_rests_on(today, issuer):
    lan = user("lan", role=None)
    delegated(issuer, lan, today)
    assert valid_roles(lan) == {Role.ISSUER}

    role_grants.revoke_role("root", issuer.grants.get(), today)

    assert valid_roles(lan) == set()


def test_a_delegated_role_is_not_delegated_again(today, issuer):
    lan, hoa = user("lan", role=None), user("hoa", role=None)
    passed = delegated(issuer, lan, today)

    with pytest.raises(DelegationRefused):
        role_grants.delegate_role(passed, hoa, today, today + DAY, today)
    with pytest.raises(IntegrityError, match="not delegated again"), transaction.atomic():
        RoleGrant.objects.create(
            user=hoa, role=Role.ISSUER, valid_from=today, valid_to=today + DAY, delegated_by=passed
        )
    assert valid_roles(hoa) == set()


@pytest.mark.parametrize("role", [Role.ADMIN, Role.HEALTH_WORKER, Role.SUPERVISOR])
def test_the_power_over_accounts_and_codes_is_not_delegated(today, role):
    with pytest.raises(DelegationRefused):
        delegated(user("mai", role), user("lan", role=None), today)


@pytest.mark.parametrize(("first", "until"), [(-1, 2), (2, 2), (3, 1)])
def test_days_behind_or_backwards_are_refused(today, issuer, first, until):
    with pytest.raises(DelegationRefused):
        delegated(issuer, user("lan"), today, first, until)


def test_a_delegation_stays_within_the_days_of_the_role(today):
    mai = user("mai", role=None)
    role_grants.grant_role("root", mai, Role.LEAD, None, today, today + 2 * DAY)

    with pytest.raises(DelegationRefused):
        delegated(mai, user("lan"), today, until=3)
    assert delegated(mai, user("hoa"), today, until=2)


def test_a_role_goes_to_no_account_that_a_narrower_hand_has_just_opened(today, issuer):
    """An administrator of one agency would otherwise sign for the whole city in the name of an account of theirs."""
    ward, now = agency(), timezone.now()
    maker = user("of-a-ward", Role.ADMIN, ward)
    lan, minh = (user(name, Role.CLERK, ward) for name in ("lan", "minh"))
    hash_chain.record(maker.username, "link_made", lan.username, now=now)
    hash_chain.record(maker.username, "link_made", minh.username, now=now - 8 * DAY)
    with pytest.raises(DelegationRefused):
        delegated(issuer, lan, today)
    delegated(issuer, minh, today)

    assert [Role.ISSUER in valid_roles(one) for one in (lan, minh)] == [False, True]


def test_a_role_is_not_delegated_to_oneself_or_to_the_deactivated(today, issuer):
    for to in (issuer, user("lan", is_active=False)):
        with pytest.raises(DelegationRefused):
            delegated(issuer, to, today)


@pytest.mark.parametrize(
    "wrong",
    [
        {"role": "emperor"},
        {"valid_to": datetime.date(2019, 12, 31)},
        {"delegated": True},
        {"both": True},
    ],
    ids=["unknown role", "ends before it begins", "delegation without end", "agency and unit"],
)
def test_the_database_refuses(issuer, wrong):
    from tests.builders.agencies import plant_seed

    from bluezone.directory.models import AdminUnit, Agency

    values = {"user": user("lan", role=None), "role": Role.CLERK, "valid_from": datetime.date(2020, 1, 1)}
    if wrong.pop("delegated", False):
        values["delegated_by"] = issuer.grants.get()
    if wrong.pop("both", False):
        plant_seed()
        values |= {"agency": Agency.objects.first(), "unit": AdminUnit.objects.first()}
    with pytest.raises(IntegrityError), transaction.atomic():
        RoleGrant.objects.create(**values | wrong)
