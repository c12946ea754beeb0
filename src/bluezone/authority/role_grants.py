# SPDX-License-Identifier: Apache-2.0
"""Make, change and deactivate accounts; grant, end and delegate roles, never wider than one's own.

An administrator of the whole city reaches every account. An administrator of an agency or a unit reaches the accounts
that have all their roles under that agency or in that unit.
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
from bluezone.directory.scopes import agencies_in_reach, grants_for, has_city_role, has_role, units_in_reach
from bluezone.duties.duty import MOST_HITS, Hit
from bluezone.identity.account_links import make_account_link
from bluezone.identity.duty import ADMINS
from bluezone.identity.models import Role, RoleGrant, User
from bluezone.refusal import Refused

Scope = Agency | AdminUnit | None
HEALTH = frozenset({Role.HEALTH_WORKER, Role.SUPERVISOR})
# An administrator who needs one of these makes an account for it, and the audit names the administrator.
NEVER_DELEGATED = frozenset({Role.ADMIN, *HEALTH})
# Roles that issue codes, release alerts or make accounts: two people must agree to grant such a role, or to make the
# link to an account that has it.
TAKING_TWO = frozenset({Role.ADMIN, Role.ISSUER, *HEALTH})
# The health authority belongs to the city: its supervisors set limits and have the key of declarations.
GIVEN_BY_THE_CITY = frozenset({Role.SUPERVISOR})
# For this long after an account was made or reset, the person who did so may still be the one who signs in with it.
IN_HAND = datetime.timedelta(days=7)
_ADMIN = frozenset({Role.ADMIN})
FIRST_ADMIN_NAME = "admin"


class RolesNotTogether(Refused):
    """A person who makes accounts may not issue codes: no one has both powers."""

    code = "roles_not_together"


class DelegationRefused(Refused):
    """The role cannot be delegated, or not to this person, or not for these days."""

    code = "delegation_refused"


class RecentHands(Refused):
    """Somebody made or reset the account within a week and may still use it. That person does not reach as far as this
    role, or may not grant it alone.

    by: the sign-in name of that person.
    """

    code = "recent_hands"

    def __init__(self, message: str, by: str) -> None:
        super().__init__(message)
        self.by = by


class LastAdmin(Refused):
    """Without this administrator no one could make accounts any more."""

    code = "last_admin"


def may_grant(admin: User, role: str, within: Scope) -> bool:
    """Whether an administrator may give this role for this agency or unit (None: the whole city)."""
    if role in GIVEN_BY_THE_CITY:
        return has_city_role(admin, _ADMIN)
    return has_role_over(admin, _ADMIN, within)


def has_role_over(user: User, roles: Iterable[str], within: Scope) -> bool:
    """Whether the user holds one of `roles` for all of an agency, a unit or the whole city (None)."""
    if within is None:
        return has_city_role(user, roles)
    if isinstance(within, Agency):
        return has_role(user, roles, agency=within)
    return has_role(user, roles, unit=within)


def accounts_in_reach(user: User, roles: Iterable[str]) -> QuerySet[User]:
    """The accounts that `roles` of this person reach: all roles that the account holds or will hold are within reach.

    If all roles of an account have ended, the ended ones count. Only a role for the whole city reaches a supervisor.
    """
    roles = frozenset(roles)
    if has_city_role(user, roles):
        return User.objects.all()
    inside = Q(agency__in=agencies_in_reach(user, roles)) | Q(unit__in=units_in_reach(user, roles))
    inside &= ~Q(role__in=GIVEN_BY_THE_CITY)
    not_ended = Q(valid_to__isnull=True) | Q(valid_to__gt=timezone.localdate())
    current = RoleGrant.objects.filter(not_ended)
    ever = RoleGrant.objects.all()
    in_reach = Q(pk__in=current.filter(inside).values("user")) & ~Q(pk__in=current.exclude(inside).values("user"))
    was_in_reach = Q(pk__in=ever.filter(inside).values("user")) & ~Q(pk__in=ever.exclude(inside).values("user"))
    return User.objects.filter(in_reach | (was_in_reach & ~Q(pk__in=current.values("user"))))


def people_behind(user: User, now: datetime.datetime) -> frozenset[str]:
    """The sign-in names of all people who may be using an account.

    They are its own name, the names of the people who within a week made it, made a link for it or removed its second
    factor, and in turn the people behind those accounts.

    Acts on the command line do not count: the operator of the server can use every account anyway.
    """
    names = {user.username}
    searched: set[str] = set()
    while unsearched := names - searched:
        searched |= unsearched
        entries = AuditEntry.objects.filter(at__gt=now - IN_HAND, subject__in=unsearched).exclude(actor=COMMAND_LINE)
        entries = entries.filter(
            Q(action__in=("account_made", "link_made")) | Q(action="factor_removed", details__kind="all")
        )
        names |= set(entries.values_list("actor", flat=True))
    return frozenset(names)


def refuse_recent_access(account: User, role: str, within: Scope, now: datetime.datetime) -> None:
    """Refuse a role to an account that somebody else made or reset within a week. Raises RecentHands.

    It is refused if the role takes two people, or if it is beyond the reach of that person.
    """
    others = sorted(people_behind(account, now) - {account.username})
    if others and role in TAKING_TWO:
        raise RecentHands(f"{others[0]} made or reset the account within a week; this role takes two people", others[0])
    refuse_narrower_access(account, role, within, now)


def refuse_narrower_access(account: User, role: str, within: Scope, now: datetime.datetime) -> None:
    """Refuse a role beyond the reach of a person who made or reset the account within a week. Raises RecentHands."""
    for name in sorted(people_behind(account, now) - {account.username}):
        other = User.objects.filter(username=name).first()
        if other is None or not may_grant(other, role, within):
            raise RecentHands(f"{name} made or reset the account within a week and does not reach as far", name)


def grant_role(
    actor: str,
    user: User,
    role: str,
    within: Scope,
    valid_from: datetime.date,
    valid_to: datetime.date | None = None,
) -> RoleGrant:
    """Give a role in the whole city (None), under an agency or in a unit. It ends before the day `valid_to`.

    Raises RolesNotTogether for an administrator who would issue codes, or the other way round.
    """
    with transaction.atomic():
        require_separate_powers(user, role, valid_from, valid_to)
        grant = RoleGrant(user=user, role=role, valid_from=valid_from, valid_to=valid_to, **_columns(within))
        grant.save()
        hash_chain.record(actor, "role_given", user.username, **_details(grant))
    return grant


def end_role(actor: str, grant: RoleGrant, today: datetime.date) -> None:
    """End a role, and all delegations of it, from today on.

    Raises LastAdmin if no administrator with a password would be left.
    """
    with transaction.atomic():
        if grant.role == Role.ADMIN:
            require_remaining_admin(grant.user, today, grant)
        grant.valid_to = max(today, grant.valid_from)
        grant.save(update_fields=["valid_to"])
        hash_chain.record(actor, "role_ended", grant.user.username, **_details(grant))


def undo_end(actor: str, grant: RoleGrant, valid_to: datetime.date | None) -> None:
    """Restore a role that was just ended to its earlier end, before the day `valid_to`. Raises RolesNotTogether."""
    with transaction.atomic():
        require_separate_powers(grant.user, grant.role, grant.valid_from, valid_to)
        grant.valid_to = valid_to
        grant.save(update_fields=["valid_to"])
        hash_chain.record(actor, "role_given", grant.user.username, **_details(grant))


def delegate_role(
    grant: RoleGrant, to: User, valid_from: datetime.date, valid_to: datetime.date, today: datetime.date
) -> RoleGrant:
    """Let another person act in the holder's role, with the same reach, from `valid_from` until before `valid_to`.

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
    _refuse_delegation_beyond_reach(grant, to)
    with transaction.atomic():
        delegation = RoleGrant.objects.create(
            user=to,
            role=grant.role,
            agency=grant.agency,
            unit=grant.unit,
            valid_from=valid_from,
            valid_to=valid_to,
            delegated_by=grant,
        )
        hash_chain.record(grant.user.username, "role_delegated", to.username, **_details(delegation))
    return delegation


def _refuse_delegation_beyond_reach(grant: RoleGrant, to: User) -> None:
    try:
        refuse_narrower_access(to, grant.role, grant.agency or grant.unit, timezone.now())
    except RecentHands as refused:
        raise DelegationRefused(str(refused)) from refused


def require_remaining_admin(user: User, today: datetime.date, grant: RoleGrant | None = None) -> None:
    """Raises LastAdmin if, without `grant` (None: without the person), no administrator with a password is left."""
    # Administrators of an agency or a unit do not count.
    of_the_city = {"role": Role.ADMIN, "agency": None, "unit": None}
    grants = RoleGrant.objects.in_force(today).filter(user__is_active=True, **of_the_city).select_related("user")
    own_grants = grants.filter(user=user)
    others = grants.exclude(pk=grant.pk) if grant else grants.exclude(user=user)
    if own_grants.exists() and not any(other.user.has_usable_password() for other in others):
        raise LastAdmin("the last administrator cannot lose the role or be deactivated")


def require_separate_powers(user: User, role: str, valid_from: datetime.date, valid_to: datetime.date | None) -> None:
    """Raises RolesNotTogether if an administrator would issue codes in these days, or the other way round."""
    incompatible: frozenset[Role] = frozenset()
    if role == Role.ADMIN:
        incompatible = HEALTH
    elif role in HEALTH:
        incompatible = _ADMIN
    not_over_before = Q(valid_to__isnull=True) | Q(valid_to__gt=valid_from)
    starts_before_end = Q(valid_from__lt=valid_to) if valid_to else Q()
    if user.grants.filter(not_over_before, starts_before_end, role__in=incompatible).exists():
        raise RolesNotTogether("an administrator issues no codes, and a person who issues codes makes no accounts")


def _columns(within: Scope) -> dict[str, Scope]:
    return {"agency": within} if isinstance(within, Agency) else {"unit": within}


def _details(grant: RoleGrant) -> dict[str, Any]:
    """The details of the audit entry: the role, the key of its scope, and its days."""
    where = grant.agency or grant.unit
    return {
        "role": str(grant.role),
        "within": where.key if where else "city",
        "from": str(grant.valid_from),
        "until": str(grant.valid_to) if grant.valid_to else None,
    }


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
    """A new account with one role, without a password and without a link.

    The values come from a valid AccountForm; within: the reach of the role, None for the whole city.
    """
    with transaction.atomic():
        user = User(username=username, name=name, agency=agency)
        user.set_unusable_password()
        user.save()
        hash_chain.record(actor, "account_made", username)
        grant_role(actor, user, role, within, timezone.localdate(now), valid_to)
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
        return user, make_account_link(actor, user, now)


def change_account(actor: str, user: User, name: str, agency: str, is_active: bool) -> None:
    """Store new values of an account; raises LastAdmin if no administrator with a password would be left."""
    with transaction.atomic():
        if not is_active:
            require_remaining_admin(user, timezone.localdate())
        user.name = name
        user.agency = agency
        user.is_active = is_active
        if not is_active:
            user.email = ""
            user.sealed_phone = None
        user.save(update_fields=["name", "agency", "is_active", "email", "sealed_phone"])
        if not is_active:
            user.links.all().delete()
        hash_chain.record(actor, "account_changed", user.username, active=is_active)


@dataclass(frozen=True)
class FirstLink:
    """The first administrator's one-time link. token: None if it was shown before and is still valid."""

    username: str
    token: str | None


def is_first_admin_missing(now: datetime.datetime) -> bool:
    """Whether no administrator has a password yet."""
    return not any(
        admin.has_usable_password() for admin in User.objects.with_roles([Role.ADMIN], timezone.localdate(now))
    )


def first_admin_link(now: datetime.datetime) -> FirstLink | None:
    """A link for the first administrator while no administrator has a password yet, else None.

    Called at every start of `serve`, on every host. A link is given out once: no start makes another until it has been
    used or has expired. To replace a lost link, use `bluezone manage account_link NAME`.
    """
    if not is_first_admin_missing(now):
        return None
    admin = User.objects.with_roles([Role.ADMIN], timezone.localdate(now)).first()
    if admin is None:
        account, token = make_account(COMMAND_LINE, _free_name(), "", "", Role.ADMIN, now)
        return FirstLink(account.username, token)
    if admin.links.filter(expires_at__gt=now).exists():
        return FirstLink(admin.username, None)
    return FirstLink(admin.username, make_account_link(COMMAND_LINE, admin, now))


def _free_name() -> str:
    if User.objects.filter(username=FIRST_ADMIN_NAME).exists():
        return f"{FIRST_ADMIN_NAME}-{secrets.token_hex(2)}"
    return FIRST_ADMIN_NAME


def search(user: User, words: str) -> list[Hit]:
    """Accounts that match these words, for the administrators who reach them."""
    if not grants_for(user, ADMINS.roles):
        return []
    accounts = User.objects.matching(words).filter(pk__in=accounts_in_reach(user, ADMINS.roles))
    return [
        Hit(_("Person"), account.name or account.username, reverse("account", args=[account.pk]), account.agency)
        for account in accounts[:MOST_HITS]
    ]


def count_people_at(agency: Agency) -> list[str]:
    """How many people hold a role in an agency."""
    grants = RoleGrant.objects.in_force(timezone.localdate()).filter(agency=agency, user__is_active=True)
    count = grants.values("user").distinct().count()
    text = ngettext("%(count)d person has a role in it.", "%(count)d people have a role in it.", count)
    return [text % {"count": count}] if count else []
