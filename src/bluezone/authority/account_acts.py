# SPDX-License-Identifier: Apache-2.0
"""What administrators do with accounts only in twos: make an administrator of the city or a health supervisor, and
give the account of one to whoever asks for it (a link, no second factor, the right to sign in).
"""

import datetime
from typing import Any, ClassVar

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.authority import role_grants
from bluezone.authority.role_grants import GIVEN_BY_THE_CITY, Scope, accounts_of, reaches
from bluezone.authority.two_persons import ActGone, Said, SharedAct, is_first_of
from bluezone.directory.models import AdminUnit, Agency
from bluezone.duties.duty import Text
from bluezone.identity import second_factors, signin
from bluezone.identity.models import Role, RoleGrant, User

_ADMIN = frozenset({Role.ADMIN})


def weighs(role: str, within: Scope) -> bool:
    """Whether a role is given by two people: administrator of the whole city, health supervisor."""
    return role in GIVEN_BY_THE_CITY or (role == Role.ADMIN and within is None)


def is_weighty(account: User) -> bool:
    """Whether an account holds, or will hold, a role that is given by two people."""
    held = account.grants.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=timezone.localdate()))
    return any(weighs(grant.role, grant.scope) for grant in held.select_related("agency", "unit"))  # type: ignore[arg-type]


def takes_two(role: str, within: Scope, now: datetime.datetime) -> bool:
    """Whether giving this role takes two people now; the first of its kind in a city that is set up does not."""
    return weighs(role, within) and not is_first_of(role, now)


def reaches_city(account: User) -> bool:
    """Whether an account holds, or will hold, a role for the whole city."""
    held = account.grants.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=timezone.localdate()))
    return held.filter(agency=None, unit=None).exists()


def values_of(role: str, within: Scope, valid_to: datetime.date | None) -> dict[str, Any]:
    """A role to be given, as it is kept."""
    return {
        "role": str(role),
        "agency": within.pk if isinstance(within, Agency) else None,
        "unit": within.pk if isinstance(within, AdminUnit) else None,
        "until": str(valid_to) if valid_to else None,
    }


def _within(values: dict[str, Any]) -> Scope:
    if values["agency"]:
        return Agency.objects.get(pk=values["agency"])
    return AdminUnit.objects.get(pk=values["unit"]) if values["unit"] else None


def _until(values: dict[str, Any]) -> datetime.date | None:
    return datetime.date.fromisoformat(values["until"]) if values["until"] else None


def _said_role(values: dict[str, Any]) -> list[tuple[Text, Text]]:
    reach, until = _within(values), _until(values)
    return [
        (_("Role"), str(Role(values["role"]).label)),
        (_("Where it reaches"), str(reach) if reach else _("the whole city")),
        (_("Until before"), f"{until:%d/%m/%Y}" if until else _("open")),
    ]


def _said_account(account: User) -> list[tuple[Text, Text]]:
    held = RoleGrant.objects.in_force(timezone.localdate()).filter(user=account).select_related("agency", "unit")
    roles = "; ".join(f"{grant.get_role_display()} ({grant.scope or '·'})" for grant in held)
    return [
        (_("Sign-in name"), account.username),
        (_("Full name"), account.name),
        (_("Agency"), account.agency),
        (_("Roles"), roles or "–"),
    ]


class _AboutAccount(SharedAct):
    """About an account that is there: values {"account": its number}."""

    roles: ClassVar = _ADMIN

    def may(self, user: User, values: dict[str, Any]) -> bool:
        """Whoever reaches the account."""
        return accounts_of(user, _ADMIN).filter(pk=values["account"]).exists()

    def said(self, values: dict[str, Any]) -> Said:
        """Whose account it is."""
        return _said_account(self.account(values))

    def account(self, values: dict[str, Any]) -> User:
        """The account; raises ActGone."""
        found = User.objects.filter(pk=values["account"]).first()
        if found is None:
            raise ActGone("the account is not there any more")
        return found


class AccountMade(SharedAct):
    """A new account with such a role; the link is shown to whoever confirms."""

    words = _("Make an account")
    roles: ClassVar = _ADMIN

    def may(self, user: User, values: dict[str, Any]) -> bool:
        """Whoever may give the role."""
        return reaches(user, values["role"], _within(values))

    def said(self, values: dict[str, Any]) -> Said:
        """Who the person is and what they will do."""
        about: list[tuple[Text, Text]] = [
            (_("Sign-in name"), values["username"]),
            (_("Full name"), values["name"]),
            (_("Agency"), values["employer"]),
        ]
        return [*about, *_said_role(values)]

    def do(self, asker: User, second: User, values: dict[str, Any], now: datetime.datetime) -> tuple[User, str]:
        """The account and the token of its link. Raises ActGone where the name is taken meanwhile."""
        if User.objects.filter(username=values["username"]).exists():
            raise ActGone("the sign-in name is taken meanwhile")
        account, _link = role_grants.make_account(
            asker.username, values["username"], values["name"], values["employer"], values["role"], now,
            within=_within(values), valid_to=_until(values),
        )  # fmt: skip
        # Of the link made anew the audit says that the second person has it.
        return account, signin.make_link(second.username, account, now)


class RoleGiven(_AboutAccount):
    """Such a role for an account that is there."""

    words = _("Give a role")

    def may(self, user: User, values: dict[str, Any]) -> bool:
        """Whoever may give the role: one of those that take two is given by those who reach every account."""
        return reaches(user, values["role"], _within(values))

    def said(self, values: dict[str, Any]) -> Said:
        """Whose account, and which role."""
        return [*super().said(values), *[(_("New: %s") % label, text) for label, text in _said_role(values)]]

    def do(self, asker: User, second: User, values: dict[str, Any], now: datetime.datetime) -> None:
        """Raises RolesNotTogether, RecentHands."""
        account, within = self.account(values), _within(values)
        role_grants.refuse_hands_that_reach_less(account, values["role"], within, now)
        role_grants.give(asker.username, account, values["role"], within, timezone.localdate(now), _until(values))


class AccountLinked(_AboutAccount):
    """A one-time link to the account of such a person; it is shown to whoever confirms."""

    words = _("Make a new link")

    def do(self, asker: User, second: User, values: dict[str, Any], now: datetime.datetime) -> tuple[User, str]:
        """The account and the token."""
        account = self.account(values)
        signin.make_link(asker.username, account, now)
        return account, signin.make_link(second.username, account, now)


class AccountFreed(_AboutAccount):
    """The second factor of such a person is removed."""

    words = _("Remove the second factor")

    def do(self, asker: User, second: User, values: dict[str, Any], now: datetime.datetime) -> None:
        """Both are named in the audit: whoever could sign in next is known."""
        account = self.account(values)
        second_factors.remove_all(asker.username, account)
        second_factors.remove_all(second.username, account)


class AccountOpened(_AboutAccount):
    """Such a person who was deactivated may sign in again."""

    words = _("Let a deactivated account sign in again")

    def do(self, asker: User, second: User, values: dict[str, Any], now: datetime.datetime) -> None:
        """Its name and agency stay as they are."""
        account = self.account(values)
        role_grants.change_account(asker.username, account, account.name, account.agency, is_active=True)
