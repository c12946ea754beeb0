# SPDX-License-Identifier: Apache-2.0
"""Grant, revoke and delegate roles.

The caller checks that the administrator reaches the account and may grant the role (reach.py, recent_access.py).
"""

import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import ngettext

from bluezone.audit import hash_chain
from bluezone.authority.reach import ADMIN_ROLES, HEALTH, Scope
from bluezone.authority.recent_access import RecentHands, refuse_narrower_access
from bluezone.directory.models import Agency
from bluezone.identity.models import Role, RoleGrant, User
from bluezone.refusal import Refused

# An administrator who needs one of these makes an account for it, and the audit names the administrator.
NEVER_DELEGATED = frozenset({Role.ADMIN, *HEALTH})


class RolesNotTogether(Refused):
    """A person who makes accounts may not issue codes: no one has both powers."""

    code = "roles_not_together"


class DelegationRefused(Refused):
    """The role cannot be delegated, or not to this person, or not for these days."""

    code = "delegation_refused"


class LastAdmin(Refused):
    """Without this administrator no one could make accounts any more."""

    code = "last_admin"


def grant_role(
    actor: str,
    user: User,
    role: str,
    within: Scope,
    valid_from: datetime.date,
    valid_to: datetime.date | None = None,
) -> RoleGrant:
    """Grant a role in the whole city (None), under an agency or in a unit. It ends before the day `valid_to`.

    Raises RolesNotTogether for an administrator who would issue codes, or the other way round.
    """
    with transaction.atomic():
        require_separate_powers(user, role, valid_from, valid_to)
        grant = RoleGrant(user=user, role=role, valid_from=valid_from, valid_to=valid_to, **_scope_fields(within))
        grant.save()
        hash_chain.record(actor, "role_given", user.username, **_details(grant))
    return grant


def revoke_role(actor: str, grant: RoleGrant, today: datetime.date) -> None:
    """Revoke a role, and all delegations of it, from today on.

    Raises LastAdmin if no administrator with a password would be left.
    """
    with transaction.atomic():
        if grant.role == Role.ADMIN:
            require_remaining_admin(grant.user, today, grant)
        grant.valid_to = max(today, grant.valid_from)
        grant.save(update_fields=["valid_to"])
        hash_chain.record(actor, "role_ended", grant.user.username, **_details(grant))


def undo_role_revocation(actor: str, grant: RoleGrant, valid_to: datetime.date | None) -> None:
    """Restore a role that was just revoked to its previous end, before the day `valid_to`. Raises RolesNotTogether."""
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
    grants = RoleGrant.objects.valid_on(today).filter(user__is_active=True, **of_the_city).select_related("user")
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
        incompatible = ADMIN_ROLES
    not_over_before = Q(valid_to__isnull=True) | Q(valid_to__gt=valid_from)
    starts_before_end = Q(valid_from__lt=valid_to) if valid_to else Q()
    if user.grants.filter(not_over_before, starts_before_end, role__in=incompatible).exists():
        raise RolesNotTogether("an administrator issues no codes, and a person who issues codes makes no accounts")


def _scope_fields(within: Scope) -> dict[str, Scope]:
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


def people_count_sentences(agency: Agency) -> list[str]:
    """One sentence with the number of people who hold a role in an agency; no sentence for 0."""
    grants = RoleGrant.objects.valid_on(timezone.localdate()).filter(agency=agency, user__is_active=True)
    count = grants.values("user").distinct().count()
    text = ngettext("%(count)d person has a role in it.", "%(count)d people have a role in it.", count)
    return [text % {"count": count}] if count else []
