# SPDX-License-Identifier: Apache-2.0
"""Which accounts an administrator reaches, and which roles they may grant: never wider than their own.

An administrator of the whole city reaches every account. An administrator of an agency or a unit reaches the accounts
that have all their roles under that agency or in that unit.
"""

from collections.abc import Iterable

from django.db.models import Q, QuerySet
from django.utils import timezone

from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.scopes import agencies_in_reach, has_city_role, has_role, units_in_reach
from bluezone.identity.models import Role, RoleGrant, User

Scope = Agency | AdminUnit | None
# The health authority belongs to the city: its supervisors set limits and have the key of declarations.
GIVEN_BY_THE_CITY = frozenset({Role.SUPERVISOR})
ADMIN_ROLES = frozenset({Role.ADMIN})
HEALTH = frozenset({Role.HEALTH_WORKER, Role.SUPERVISOR})
# Roles that issue codes, release alerts or make accounts: two people must agree to grant such a role, or to make the
# link to an account that has it.
TAKING_TWO = frozenset({Role.ADMIN, Role.ISSUER, *HEALTH})


def may_grant(admin: User, role: str, within: Scope) -> bool:
    """Whether an administrator may give this role for this agency or unit (None: the whole city)."""
    if role in GIVEN_BY_THE_CITY:
        return has_city_role(admin, ADMIN_ROLES)
    return has_role_over(admin, ADMIN_ROLES, within)


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
