# SPDX-License-Identifier: Apache-2.0
"""Acts that take two people, because the account issues codes, releases alerts or makes accounts: making the account,
giving it the role, and letting somebody into it (a new link, the removal of its second factor, the right to sign in).

An administrator asks. An administrator with the same reach confirms; for a health worker, a health supervisor does, if
one reaches the facility. The link is shown to the person who confirms. If no one in the office could confirm, as in a
city that has one administrator, the operator does so at the server (`bluezone manage confirm_act`).
"""

import datetime
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.audit.hash_chain import COMMAND_LINE
from bluezone.authority import recent_access, role_grants
from bluezone.authority.people import accounts
from bluezone.authority.reach import TAKING_TWO, Scope, accounts_in_reach, has_role_over, may_grant
from bluezone.authority.two_persons import ActGone, Lines, SharedAct
from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.scopes import is_within_a_ward
from bluezone.duties.duty import Text
from bluezone.identity import account_links
from bluezone.identity.factors import second_factors
from bluezone.identity.models import Role, RoleGrant, User

_ADMIN = frozenset({Role.ADMIN})
_SUPERVISOR = frozenset({Role.SUPERVISOR})
_RECENTLY_ENDED = datetime.timedelta(days=7)


def needs_two_people(account: User) -> bool:
    """Whether an account has, will have, or had within the last week a role that takes two people to give.

    A role that was just ended can be brought back by the person who ended it.
    """
    since = timezone.localdate() - _RECENTLY_ENDED
    return account.grants.filter(_not_ended(since), role__in=TAKING_TWO).exists()


def reaches_far(account: User) -> bool:
    """Whether an account holds, or will hold, a role that takes two people or reaches beyond a ward."""
    return any(role_reaches_far(grant.role, grant.agency or grant.unit) for grant in _grants(account))


def role_reaches_far(role: str, within: Scope) -> bool:
    """Whether a role takes two people or reaches beyond a ward. To give or end it, prove the second factor again."""
    return role in TAKING_TWO or not is_within_a_ward(within)


def is_supervisor_of(user: User, within: Scope) -> bool:
    """Whether a person is a health supervisor of an agency, a unit or the whole city (None)."""
    return has_role_over(user, _SUPERVISOR, within)


def is_supervised(within: Scope) -> bool:
    """Whether a health supervisor who has signed in before reaches this agency, unit or city."""
    supervisors = User.objects.with_roles(_SUPERVISOR)
    return any(person.has_usable_password() and is_supervisor_of(person, within) for person in supervisors)


def _grants(account: User) -> "QuerySet[RoleGrant]":
    return account.grants.filter(_not_ended(timezone.localdate())).select_related("agency__unit", "unit")


def _not_ended(day: datetime.date) -> Q:
    return Q(valid_to__isnull=True) | Q(valid_to__gt=day)


def role_values(role: str, within: Scope, valid_to: datetime.date | None) -> dict[str, Any]:
    """A role to be given, as the waiting act stores it."""
    return {
        "role": str(role),
        "agency": within.pk if isinstance(within, Agency) else None,
        "unit": within.pk if isinstance(within, AdminUnit) else None,
        "until": str(valid_to) if valid_to else None,
    }


def _within(values: dict[str, Any]) -> Scope:
    if values["agency"]:
        return Agency.objects.get(pk=values["agency"])
    if values["unit"]:
        return AdminUnit.objects.get(pk=values["unit"])
    return None


def _until(values: dict[str, Any]) -> datetime.date | None:
    return datetime.date.fromisoformat(values["until"]) if values["until"] else None


def _role_lines(values: dict[str, Any]) -> list[tuple[Text, Text]]:
    reach = _within(values)
    until = _until(values)
    return [
        (_("Role"), str(Role(values["role"]).label)),
        (_("Area it covers"), str(reach) if reach else _("the whole city")),
        (_("Previous end date"), f"{until:%d/%m/%Y}" if until else _("open")),
    ]


def _account_lines(account: User) -> list[tuple[Text, Text]]:
    grants = RoleGrant.objects.valid_on(timezone.localdate()).filter(user=account).select_related("agency", "unit")
    roles = "; ".join(f"{grant.get_role_display()} ({grant.scope or '·'})" for grant in grants)
    return [
        (_("Sign-in name"), account.username),
        (_("Full name"), account.name),
        (_("Agency"), account.agency),
        (_("Roles"), roles or "–"),
    ]


class _PowerfulAccountAct(SharedAct):
    """An act on an account that has or gets a role that takes two people."""

    roles: ClassVar = _ADMIN | _SUPERVISOR
    by_operator = True

    def may_confirm(self, user: User, values: dict[str, Any]) -> bool:
        """A person who may ask for the act; for health workers a health supervisor, if one reaches the facility."""
        facilities = self.facilities(values)
        if facilities and all(is_supervisor_of(user, facility) for facility in facilities):
            return True
        return self.may_perform(user, values) and not any(is_supervised(facility) for facility in facilities)

    def facilities(self, values: dict[str, Any]) -> list[Scope]:
        """Where the health worker works, if the act is about one; empty for another role."""
        return [_within(values)] if values["role"] == Role.HEALTH_WORKER else []


class _ExistingAccountAct(_PowerfulAccountAct):
    """An act on an account that exists: values {"account": its number}."""

    def may_perform(self, user: User, values: dict[str, Any]) -> bool:
        """Whether the person reaches the account."""
        return accounts_in_reach(user, _ADMIN).filter(pk=values["account"]).exists()

    def facilities(self, values: dict[str, Any]) -> list[Scope]:
        """The facilities of an account that issues codes; empty if it also has another role that takes two people."""
        since = timezone.localdate() - _RECENTLY_ENDED
        ours = self.account(values).grants.filter(_not_ended(since), role__in=TAKING_TWO)
        grants = list(ours.select_related("agency__unit", "unit"))
        if any(grant.role != Role.HEALTH_WORKER for grant in grants):
            return []
        return [grant.agency or grant.unit for grant in grants]

    def describe(self, values: dict[str, Any]) -> Lines:
        """The person and the roles of the account."""
        return _account_lines(self.account(values))

    def account(self, values: dict[str, Any]) -> User:
        """The account; raises ActGone."""
        account = User.objects.filter(pk=values["account"]).first()
        if account is None:
            raise ActGone("the account no longer exists")
        return account


class AccountCreation(_PowerfulAccountAct):
    """A new account with a role that takes two people; the link is shown to the person who confirms."""

    title = _("Create an account")

    def may_perform(self, user: User, values: dict[str, Any]) -> bool:
        """Whether the person may give the role."""
        return may_grant(user, values["role"], _within(values))

    def describe(self, values: dict[str, Any]) -> Lines:
        """Who the person is and what they will do."""
        about: list[tuple[Text, Text]] = [
            (_("Sign-in name"), values["username"]),
            (_("Full name"), values["name"]),
            (_("Agency"), values["employer"]),
        ]
        return [*about, *_role_lines(values)]

    def perform(
        self, asker: User, second: User | None, values: dict[str, Any], now: datetime.datetime
    ) -> tuple[User, str]:
        """The account and the token of its link. Raises ActGone if the name has been taken in the meantime."""
        if User.objects.filter(username=values["username"]).exists():
            raise ActGone("the sign-in name has been taken in the meantime")
        # If the operator confirms, the asker never sees the link, so the audit does not name them as the maker.
        account = accounts.create_account(
            asker.username if second else COMMAND_LINE, values["username"], values["name"], values["employer"],
            values["role"], now, within=_within(values), valid_to=_until(values),
        )  # fmt: skip
        return account, account_links.issue_account_link(_name_of(second), account, now)


class RoleGranting(_ExistingAccountAct):
    """A role that takes two people, for an account that exists."""

    title = _("Give a role")

    def may_perform(self, user: User, values: dict[str, Any]) -> bool:
        """Whether the person reaches the account and may give the role."""
        return may_grant(user, values["role"], _within(values)) and super().may_perform(user, values)

    def facilities(self, values: dict[str, Any]) -> list[Scope]:
        """The facility of the role that is given."""
        return _PowerfulAccountAct.facilities(self, values)

    def describe(self, values: dict[str, Any]) -> Lines:
        """The account, and the new role."""
        return [*super().describe(values), *[(_("New: %s") % label, text) for label, text in _role_lines(values)]]

    def perform(self, asker: User, second: User | None, values: dict[str, Any], now: datetime.datetime) -> None:
        """Raises RolesNotTogether, RecentHands."""
        account = self.account(values)
        within = _within(values)
        recent_access.refuse_recent_access(account, values["role"], within, now)
        role_grants.grant_role(asker.username, account, values["role"], within, timezone.localdate(now), _until(values))


class LinkIssuance(_ExistingAccountAct):
    """A one-time link to the account; it is shown to the person who confirms."""

    title = _("Create a new link")

    def perform(
        self, asker: User, second: User | None, values: dict[str, Any], now: datetime.datetime
    ) -> tuple[User, str]:
        """The account and the token."""
        account = self.account(values)
        if second:
            account_links.issue_account_link(asker.username, account, now)
        return account, account_links.issue_account_link(_name_of(second), account, now)


class SecondFactorRemoval(_ExistingAccountAct):
    """The second factor of the account is removed."""

    title = _("Remove the second factor")

    def perform(self, asker: User, second: User | None, values: dict[str, Any], now: datetime.datetime) -> None:
        """The audit names both people, because either of them could sign in next."""
        account = self.account(values)
        if second:
            second_factors.remove_second_factor(asker.username, account)
        second_factors.remove_second_factor(_name_of(second), account)


class AccountReactivation(_ExistingAccountAct):
    """The person, who was deactivated, may sign in again."""

    title = _("Let a deactivated account sign in again")

    def perform(self, asker: User, second: User | None, values: dict[str, Any], now: datetime.datetime) -> None:
        """Its name and agency stay as they are."""
        account = self.account(values)
        accounts.change_account(asker.username, account, account.name, account.agency, is_active=True)


def _name_of(second: User | None) -> str:
    """The name of the second person in the audit; None: the operator's shell."""
    return second.username if second else COMMAND_LINE
