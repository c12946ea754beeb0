# SPDX-License-Identifier: Apache-2.0
"""What takes two people with accounts that issue codes, release alerts or make accounts: making one, giving the role,
and opening the account of one to whoever wants it (a link, no second factor, the right to sign in).

An administrator asks. An administrator who reaches as far confirms; of a health worker a health supervisor, where one
reaches the facility. The link is shown to the person who confirms. Where nobody in the office could confirm, as in a
city that has one administrator, the operator does at the server (`bluezone manage confirm_act`).
"""

import datetime
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.audit.hash_chain import COMMAND_LINE
from bluezone.authority import role_grants
from bluezone.authority.role_grants import TAKING_TWO, Scope, accounts_of, holds_over, reaches
from bluezone.authority.two_persons import ActGone, Said, SharedAct
from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.scopes import lies_in_a_ward
from bluezone.duties.duty import Text
from bluezone.identity import second_factors, signin
from bluezone.identity.models import Role, RoleGrant, User

_ADMIN = frozenset({Role.ADMIN})
_SUPERVISOR = frozenset({Role.SUPERVISOR})
_NOT_LONG_OVER = datetime.timedelta(days=7)


def is_weighty(account: User) -> bool:
    """Whether an account holds, will hold, or held within a week a role that is given by two people.

    A role that was just ended can be brought back by the person who ended it.
    """
    since = timezone.localdate() - _NOT_LONG_OVER
    return account.grants.filter(_not_ended(since), role__in=TAKING_TWO).exists()


def reaches_far(account: User) -> bool:
    """Whether an account holds, or will hold, a role that takes two people or reaches beyond a ward."""
    return any(goes_far(grant.role, grant.agency or grant.unit) for grant in _grants(account))


def goes_far(role: str, within: Scope) -> bool:
    """Whether a role takes two people or reaches beyond a ward: who gives or takes it proves the second factor anew."""
    return role in TAKING_TWO or not lies_in_a_ward(within)


def supervises(user: User, within: Scope) -> bool:
    """Whether a person is health supervisor of an agency, a unit or the whole city (None)."""
    return holds_over(user, _SUPERVISOR, within)


def is_supervised(within: Scope) -> bool:
    """Whether there is a health supervisor who has come in and reaches this far."""
    chiefs = User.objects.holding(_SUPERVISOR)
    return any(chief.has_usable_password() and supervises(chief, within) for chief in chiefs)


def _grants(account: User) -> "QuerySet[RoleGrant]":
    return account.grants.filter(_not_ended(timezone.localdate())).select_related("agency__unit", "unit")


def _not_ended(day: datetime.date) -> Q:
    return Q(valid_to__isnull=True) | Q(valid_to__gt=day)


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


class _OfPower(SharedAct):
    """About an account that has or gets such a role."""

    roles: ClassVar = _ADMIN | _SUPERVISOR
    by_operator = True

    def may_confirm(self, user: User, values: dict[str, Any]) -> bool:
        """Those who may ask for it; of health workers the health supervisors, where one reaches the facility."""
        facilities = self.facilities(values)
        if facilities and all(supervises(user, facility) for facility in facilities):
            return True
        return self.may(user, values) and not any(is_supervised(facility) for facility in facilities)

    def facilities(self, values: dict[str, Any]) -> list[Scope]:
        """Where a health worker works whom the act is about; empty where it is about another role."""
        return [_within(values)] if values["role"] == Role.HEALTH_WORKER else []


class _AboutAccount(_OfPower):
    """About an account that is there: values {"account": its number}."""

    def may(self, user: User, values: dict[str, Any]) -> bool:
        """Whoever reaches the account."""
        return accounts_of(user, _ADMIN).filter(pk=values["account"]).exists()

    def facilities(self, values: dict[str, Any]) -> list[Scope]:
        """Of an account that issues codes and has no other such role."""
        since = timezone.localdate() - _NOT_LONG_OVER
        held = self.account(values).grants.filter(_not_ended(since), role__in=TAKING_TWO)
        found = list(held.select_related("agency__unit", "unit"))
        return (
            [grant.agency or grant.unit for grant in found]
            if all(one.role == Role.HEALTH_WORKER for one in found)
            else []
        )

    def said(self, values: dict[str, Any]) -> Said:
        """Whose account it is."""
        return _said_account(self.account(values))

    def account(self, values: dict[str, Any]) -> User:
        """The account; raises ActGone."""
        found = User.objects.filter(pk=values["account"]).first()
        if found is None:
            raise ActGone("the account is not there any more")
        return found


class AccountMade(_OfPower):
    """A new account with such a role; the link is shown to the person who confirms."""

    words = _("Make an account")

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

    def do(self, asker: User, second: User | None, values: dict[str, Any], now: datetime.datetime) -> tuple[User, str]:
        """The account and the token of its link. Raises ActGone where the name is taken meanwhile."""
        if User.objects.filter(username=values["username"]).exists():
            raise ActGone("the sign-in name is taken meanwhile")
        # Of an account that the operator has handed out, the asker never had the link: no hand of theirs is on it.
        account = role_grants.enter_account(
            asker.username if second else COMMAND_LINE, values["username"], values["name"], values["employer"],
            values["role"], now, within=_within(values), valid_to=_until(values),
        )  # fmt: skip
        return account, signin.make_link(_name_of(second), account, now)


class RoleGiven(_AboutAccount):
    """Such a role for an account that is there."""

    words = _("Give a role")

    def may(self, user: User, values: dict[str, Any]) -> bool:
        """Whoever reaches the account and may give the role."""
        return reaches(user, values["role"], _within(values)) and super().may(user, values)

    def facilities(self, values: dict[str, Any]) -> list[Scope]:
        """Of the role that is given."""
        return _OfPower.facilities(self, values)

    def said(self, values: dict[str, Any]) -> Said:
        """Whose account, and which role."""
        return [*super().said(values), *[(_("New: %s") % label, text) for label, text in _said_role(values)]]

    def do(self, asker: User, second: User | None, values: dict[str, Any], now: datetime.datetime) -> None:
        """Raises RolesNotTogether, RecentHands."""
        account, within = self.account(values), _within(values)
        role_grants.refuse_recent_hands(account, values["role"], within, now)
        role_grants.give(asker.username, account, values["role"], within, timezone.localdate(now), _until(values))


class AccountLinked(_AboutAccount):
    """A one-time link to the account of such a person; it is shown to the person who confirms."""

    words = _("Make a new link")

    def do(self, asker: User, second: User | None, values: dict[str, Any], now: datetime.datetime) -> tuple[User, str]:
        """The account and the token."""
        account = self.account(values)
        if second:
            signin.make_link(asker.username, account, now)
        return account, signin.make_link(_name_of(second), account, now)


class AccountFreed(_AboutAccount):
    """The second factor of such a person is removed."""

    words = _("Remove the second factor")

    def do(self, asker: User, second: User | None, values: dict[str, Any], now: datetime.datetime) -> None:
        """Both are named in the audit: whoever could sign in next is known."""
        account = self.account(values)
        if second:
            second_factors.remove_all(asker.username, account)
        second_factors.remove_all(_name_of(second), account)


class AccountOpened(_AboutAccount):
    """Such a person who was deactivated may sign in again."""

    words = _("Let a deactivated account sign in again")

    def do(self, asker: User, second: User | None, values: dict[str, Any], now: datetime.datetime) -> None:
        """Its name and agency stay as they are."""
        account = self.account(values)
        role_grants.change_account(asker.username, account, account.name, account.agency, is_active=True)


def _name_of(second: User | None) -> str:
    """Whom the audit names as the second person; None: the operator's shell."""
    return second.username if second else COMMAND_LINE
