# SPDX-License-Identifier: Apache-2.0
"""Accounts made, changed and deactivated; roles given, ended and delegated for a while, never wider than one's own.

An administrator reaches accounts: those of the whole city, or those all of whose roles lie under the agency or in the
unit that the role of administrator is held for.
"""

import datetime
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bluezone.audit import hash_chain
from bluezone.audit.hash_chain import COMMAND_LINE
from bluezone.audit.models import AuditEntry
from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.scopes import agencies_of, granted, holds_for_the_city, may, units_of
from bluezone.duties.duty import MOST_HITS, Hit
from bluezone.identity.duty import ADMINS
from bluezone.identity.models import Role, RoleGrant, User
from bluezone.identity.signin import make_link
from bluezone.refusal import Refused

Scope = Agency | AdminUnit | None
HEALTH = frozenset({Role.HEALTH_WORKER, Role.SUPERVISOR})
# An administrator who wants one of these makes the account for it; the audit then names who did.
NEVER_DELEGATED = frozenset({Role.ADMIN, *HEALTH})
# Who has such an account issues codes, releases alerts or makes accounts: two people give it, and its link.
TAKING_TWO = frozenset({Role.ADMIN, Role.ISSUER, *HEALTH})
# The health authority is the city's: its supervisors set limits and hold the key of declarations.
GIVEN_BY_THE_CITY = frozenset({Role.SUPERVISOR})
# As long after an account was made or reset, whoever did so may still be the one who signs in with it.
IN_HAND = datetime.timedelta(days=7)
_ADMIN = frozenset({Role.ADMIN})


class RolesNotTogether(Refused):
    """Who makes accounts issues no codes: one person holds only one of the two powers."""

    code = "roles_not_together"


class DelegationRefused(Refused):
    """Not one's own role, one that was itself delegated, one that cannot be, or days outside those of the role."""

    code = "delegation_refused"


class RecentHands(Refused):
    """The account was made or reset within a week by somebody who may still be behind it, and who does not reach as far
    as this role, or may not give it alone.

    by: the sign-in name of that person.
    """

    code = "recent_hands"

    def __init__(self, message: str, by: str) -> None:
        super().__init__(message)
        self.by = by


class LastAdmin(Refused):
    """Without this administrator nobody could make accounts any more."""

    code = "last_admin"


def reaches(admin: User, role: str, within: Scope) -> bool:
    """Whether an administrator may give this role for this agency or unit (None: the whole city)."""
    if role in GIVEN_BY_THE_CITY:
        return holds_for_the_city(admin, _ADMIN)
    return holds_over(admin, _ADMIN, within)


def holds_over(user: User, roles: Iterable[str], within: Scope) -> bool:
    """Whether one of `roles` is held for all of an agency, a unit or the whole city (None)."""
    if within is None:
        return holds_for_the_city(user, roles)
    if isinstance(within, Agency):
        return may(user, roles, agency=within)
    return may(user, roles, unit=within)


def accounts_of(user: User, roles: Iterable[str]) -> QuerySet[User]:
    """The accounts that `roles` of this person reach: every role an account holds or will hold lies within.

    Of an account whose roles have all ended, the ended ones count. A supervisor is reached by the whole city's alone.
    """
    roles = frozenset(roles)
    if holds_for_the_city(user, roles):
        return User.objects.all()
    inside = Q(agency__in=agencies_of(user, roles)) | Q(unit__in=units_of(user, roles))
    inside &= ~Q(role__in=GIVEN_BY_THE_CITY)
    not_ended = Q(valid_to__isnull=True) | Q(valid_to__gt=timezone.localdate())
    now, ever = RoleGrant.objects.filter(not_ended), RoleGrant.objects.all()
    at_work = Q(pk__in=now.filter(inside).values("user")) & ~Q(pk__in=now.exclude(inside).values("user"))
    gone = Q(pk__in=ever.filter(inside).values("user")) & ~Q(pk__in=ever.exclude(inside).values("user"))
    return User.objects.filter(at_work | (gone & ~Q(pk__in=now.values("user"))))


def hands(user: User, now: datetime.datetime) -> frozenset[str]:
    """The sign-in names of everybody who may be behind an account: its own, and whoever made it, made a link for it or
    removed its second factor within a week, and who did so for those.

    What was done on the command line counts for nobody: whoever has the server has every account.
    """
    found, looked_at = {user.username}, set[str]()
    while todo := found - looked_at:
        looked_at |= todo
        handled = AuditEntry.objects.filter(at__gt=now - IN_HAND, subject__in=todo).exclude(actor=COMMAND_LINE)
        handled = handled.filter(
            Q(action__in=("account_made", "link_made")) | Q(action="factor_removed", details__kind="all")
        )
        found |= set(handled.values_list("actor", flat=True))
    return frozenset(found)


def refuse_recent_hands(account: User, role: str, within: Scope, now: datetime.datetime) -> None:
    """Refuse a role to an account that somebody made or reset within a week, where that person does not reach as far as
    the role, or where the role takes two people. Raises RecentHands.
    """
    others = sorted(hands(account, now) - {account.username})
    if others and role in TAKING_TWO:
        raise RecentHands(f"{others[0]} made or reset the account within a week; this role takes two people", others[0])
    refuse_hands_that_reach_less(account, role, within, now)


def refuse_hands_that_reach_less(account: User, role: str, within: Scope, now: datetime.datetime) -> None:
    """Let no account have a role beyond the reach of whoever made or reset it within a week. Raises RecentHands."""
    for name in sorted(hands(account, now) - {account.username}):
        other = User.objects.filter(username=name).first()
        if other is None or not reaches(other, role, within):
            raise RecentHands(f"{name} made or reset the account within a week and does not reach as far", name)


def give(
    actor: str,
    user: User,
    role: str,
    within: Scope,
    valid_from: datetime.date,
    valid_to: datetime.date | None = None,
) -> RoleGrant:
    """Give a role in the whole city (None), under an agency or in a unit, until before `valid_to`.

    Raises RolesNotTogether for an administrator who would issue codes, or the other way round.
    """
    with transaction.atomic():
        keep_powers_apart(user, role, valid_from, valid_to)
        grant = RoleGrant(user=user, role=role, valid_from=valid_from, valid_to=valid_to, **_columns(within))
        grant.save()
        hash_chain.record(actor, "role_given", user.username, **_details(grant))
    return grant


def end(actor: str, grant: RoleGrant, today: datetime.date) -> None:
    """The role, and whatever was delegated on it, does not hold from today on.

    Raises LastAdmin when no administrator with a password would be left.
    """
    with transaction.atomic():
        if grant.role == Role.ADMIN:
            keep_an_administrator(grant.user, today, grant)
        grant.valid_to = max(today, grant.valid_from)
        grant.save(update_fields=["valid_to"])
        hash_chain.record(actor, "role_ended", grant.user.username, **_details(grant))


def take_end_back(actor: str, grant: RoleGrant, valid_to: datetime.date | None) -> None:
    """Let a role that was just ended hold until before `valid_to`, as it did. Raises RolesNotTogether."""
    with transaction.atomic():
        keep_powers_apart(grant.user, grant.role, grant.valid_from, valid_to)
        grant.valid_to = valid_to
        grant.save(update_fields=["valid_to"])
        hash_chain.record(actor, "role_given", grant.user.username, **_details(grant))


def delegate(
    grant: RoleGrant, to: User, valid_from: datetime.date, valid_to: datetime.date, today: datetime.date
) -> RoleGrant:
    """Let another person act in the holder's role, with the same reach, from a day until before another.

    Raises DelegationRefused, with nothing stored.
    """
    if grant.delegated_by_id is not None:
        raise DelegationRefused("a delegated role is not delegated again")
    if grant.role in NEVER_DELEGATED:
        raise DelegationRefused(f"the role {grant.role} is not delegated; an administrator gives it")
    if to.pk == grant.user_id or not to.is_active:
        raise DelegationRefused("a role is delegated to another person who may sign in")
    if not today <= valid_from < valid_to or valid_from < grant.valid_from:
        raise DelegationRefused(f"days {valid_from} to {valid_to} do not lie ahead of {today} and within the role")
    if grant.valid_to is not None and valid_to > grant.valid_to:
        raise DelegationRefused(f"the role itself ends on {grant.valid_to}")
    _refuse_a_narrower_maker(grant, to)
    with transaction.atomic():
        passed = RoleGrant.objects.create(
            user=to,
            role=grant.role,
            agency=grant.agency,
            unit=grant.unit,
            valid_from=valid_from,
            valid_to=valid_to,
            delegated_by=grant,
        )
        hash_chain.record(grant.user.username, "role_delegated", to.username, **_details(passed))
    return passed


def _refuse_a_narrower_maker(grant: RoleGrant, to: User) -> None:
    try:
        refuse_hands_that_reach_less(to, grant.role, grant.agency or grant.unit, timezone.now())
    except RecentHands as refused:
        raise DelegationRefused(str(refused)) from refused


def keep_an_administrator(user: User, today: datetime.date, grant: RoleGrant | None = None) -> None:
    """Raises LastAdmin when without `grant` (None: without the person) no administrator with a password is left."""
    # One of an agency or a unit alone makes no accounts.
    of_the_city = {"role": Role.ADMIN, "agency": None, "unit": None}
    held = RoleGrant.objects.in_force(today).filter(user__is_active=True, **of_the_city).select_related("user")
    losing = held.filter(user=user)
    others = held.exclude(pk=grant.pk) if grant else held.exclude(user=user)
    if losing.exists() and not any(other.user.has_usable_password() for other in others):
        raise LastAdmin("the last administrator cannot lose the role or be deactivated")


def keep_powers_apart(user: User, role: str, valid_from: datetime.date, valid_to: datetime.date | None) -> None:
    """Raises RolesNotTogether where an administrator would issue codes in these days, or the other way round."""
    apart = HEALTH if role == Role.ADMIN else {Role.ADMIN} if role in HEALTH else frozenset()
    later = Q(valid_to__isnull=True) | Q(valid_to__gt=valid_from)
    before = Q(valid_from__lt=valid_to) if valid_to else Q()
    if user.grants.filter(later, before, role__in=apart).exists():
        raise RolesNotTogether("an administrator issues no codes, and who issues codes makes no accounts")


def _columns(within: Scope) -> dict[str, Scope]:
    return {"agency": within} if isinstance(within, Agency) else {"unit": within}


def _details(grant: RoleGrant) -> dict[str, Any]:
    """What the audit keeps: the role, the key of its scope, and its days."""
    where = grant.agency or grant.unit
    return {
        "role": str(grant.role),
        "within": where.key if where else "city",
        "from": str(grant.valid_from),
        "until": str(grant.valid_to) if grant.valid_to else None,
    }


FIRST_ADMIN_NAME = "admin"


def enter_account(
    actor: str,
    username: str,
    name: str,
    agency: str,
    role: str,
    now: datetime.datetime,
    *,
    within: Scope = None,
    valid_to: datetime.date | None = None,
) -> User:
    """A new account without a password and without a link, holding one role.

    The values come from a valid AccountForm; within: where the role reaches, None for the whole city.
    """
    with transaction.atomic():
        user = User(username=username, name=name, agency=agency)
        user.set_unusable_password()
        user.save()
        hash_chain.record(actor, "account_made", username)
        give(actor, user, role, within, timezone.localdate(now), valid_to)
    return user


def make_account(
    actor: str,
    username: str,
    name: str,
    agency: str,
    role: str,
    now: datetime.datetime,
    *,
    within: Scope = None,
    valid_to: datetime.date | None = None,
) -> tuple[User, str]:
    """A new account as `enter_account` makes it, and the token of its first link."""
    with transaction.atomic():
        user = enter_account(actor, username, name, agency, role, now, within=within, valid_to=valid_to)
        return user, make_link(actor, user, now)


def change_account(actor: str, user: User, name: str, agency: str, is_active: bool) -> None:
    """Store other values of an account; raises LastAdmin when no administrator with a password would be left."""
    with transaction.atomic():
        if not is_active:
            keep_an_administrator(user, timezone.localdate())
        user.name, user.agency, user.is_active = name, agency, is_active
        if not is_active:
            user.email, user.sealed_phone = "", None
        user.save(update_fields=["name", "agency", "is_active", "email", "sealed_phone"])
        if not is_active:
            user.links.all().delete()
        hash_chain.record(actor, "account_changed", user.username, active=is_active)


@dataclass(frozen=True)
class FirstLink:
    """The first administrator's one-time link. token: None where it was given out before and is still good."""

    username: str
    token: str | None


def first_admin_missing(now: datetime.datetime) -> bool:
    """Whether no administrator has a password yet."""
    return not any(admin.has_usable_password() for admin in User.objects.holding([Role.ADMIN], timezone.localdate(now)))


def first_admin_link(now: datetime.datetime) -> FirstLink | None:
    """A link for the first administrator while no administrator has a password yet, else None.

    Called at every start of `serve`, on every host. A link is given out once: until it is used or past its time no
    start makes another. For a link that was lost there is `bluezone manage account_link NAME`.
    """
    if not first_admin_missing(now):
        return None
    admin = User.objects.holding([Role.ADMIN], timezone.localdate(now)).first()
    if admin is None:
        account, token = make_account(COMMAND_LINE, _free_name(), "", "", Role.ADMIN, now)
        return FirstLink(account.username, token)
    if admin.links.filter(expires_at__gt=now).exists():
        return FirstLink(admin.username, None)
    return FirstLink(admin.username, make_link(COMMAND_LINE, admin, now))


def _free_name() -> str:
    taken = User.objects.filter(username=FIRST_ADMIN_NAME).exists()
    return f"{FIRST_ADMIN_NAME}-{secrets.token_hex(2)}" if taken else FIRST_ADMIN_NAME


def search(user: User, words: str) -> list[Hit]:
    """Accounts, for the administrators who reach them."""
    if not granted(user, ADMINS.roles):
        return []
    found = User.objects.matching(words).filter(pk__in=accounts_of(user, ADMINS.roles))
    return [
        Hit(_("Person"), one.name or one.username, reverse("account", args=[one.pk]), one.agency)
        for one in found[:MOST_HITS]
    ]


def open_at(agency: Agency) -> list[str]:
    """How many people hold a role in an agency."""
    held = RoleGrant.objects.in_force(timezone.localdate()).filter(agency=agency, user__is_active=True)
    count = held.values("user").distinct().count()
    text = ngettext("%(count)d person holds a role in it.", "%(count)d people hold a role in it.", count)
    return [text % {"count": count}] if count else []
