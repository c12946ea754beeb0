# SPDX-License-Identifier: Apache-2.0
"""Accounts made, changed and deactivated; roles given, ended and delegated for a while, never wider than one's own."""

import datetime
import secrets
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from bluezone.audit import hash_chain
from bluezone.audit.hash_chain import COMMAND_LINE
from bluezone.directory.models import AdminUnit, Agency
from bluezone.identity.models import Role, RoleGrant, User
from bluezone.identity.signin import make_link
from bluezone.refusal import Refused

Scope = Agency | AdminUnit | None
HEALTH = frozenset({Role.HEALTH_WORKER, Role.SUPERVISOR})
# An administrator who wants one of these makes the account for it; the audit then names who did.
NEVER_DELEGATED = frozenset({Role.ADMIN, *HEALTH})


class RolesNotTogether(Refused):
    """Who makes accounts issues no codes: one person holds only one of the two powers."""

    code = "roles_not_together"


class DelegationRefused(Refused):
    """Not one's own role, one that was itself delegated, one that cannot be, or days outside those of the role."""

    code = "delegation_refused"


class LastAdmin(Refused):
    """Without this administrator nobody could make accounts any more."""

    code = "last_admin"


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
        _keep_powers_apart(user, role, valid_from, valid_to)
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
        _keep_powers_apart(grant.user, grant.role, grant.valid_from, valid_to)
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


def keep_an_administrator(user: User, today: datetime.date, grant: RoleGrant | None = None) -> None:
    """Raises LastAdmin when without `grant` (None: without the person) no administrator with a password is left."""
    # One of an agency or a unit alone makes no accounts.
    of_the_city = {"role": Role.ADMIN, "agency": None, "unit": None}
    held = RoleGrant.objects.in_force(today).filter(user__is_active=True, **of_the_city).select_related("user")
    losing = held.filter(user=user)
    others = held.exclude(pk=grant.pk) if grant else held.exclude(user=user)
    if losing.exists() and not any(other.user.has_usable_password() for other in others):
        raise LastAdmin("the last administrator cannot lose the role or be deactivated")


def _keep_powers_apart(user: User, role: str, valid_from: datetime.date, valid_to: datetime.date | None) -> None:
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
    """A new account without a password, holding one role, and the token of its first link.

    The values come from a valid AccountForm; within: where the role reaches, None for the whole city.
    """
    with transaction.atomic():
        user = User(username=username, name=name, agency=agency)
        user.set_unusable_password()
        user.save()
        hash_chain.record(actor, "account_made", username)
        give(actor, user, role, within, timezone.localdate(now), valid_to)
        return user, make_link(actor, user, now)


def change_account(actor: str, user: User, name: str, agency: str, is_active: bool) -> None:
    """Store other values of an account; raises LastAdmin when no administrator with a password would be left."""
    with transaction.atomic():
        if not is_active:
            keep_an_administrator(user, timezone.localdate())
        user.name, user.agency, user.is_active = name, agency, is_active
        if not is_active:
            user.email = ""
        user.save(update_fields=["name", "agency", "is_active", "email"])
        if not is_active:
            user.links.all().delete()
        hash_chain.record(actor, "account_changed", user.username, active=is_active)


def first_admin_token(now: datetime.datetime) -> str | None:
    """A link for the first administrator while no administrator has a password yet, else None.

    Called at every start of `serve`: a link that was lost or has expired is replaced by starting again.
    """
    admins = User.objects.holding([Role.ADMIN], timezone.localdate(now))
    if any(admin.has_usable_password() for admin in admins):
        return None
    admin = admins.first()
    if admin is None:
        return make_account(COMMAND_LINE, _free_name(), "", "", Role.ADMIN, now)[1]
    return make_link(COMMAND_LINE, admin, now)


def _free_name() -> str:
    taken = User.objects.filter(username=FIRST_ADMIN_NAME).exists()
    return f"{FIRST_ADMIN_NAME}-{secrets.token_hex(2)}" if taken else FIRST_ADMIN_NAME
