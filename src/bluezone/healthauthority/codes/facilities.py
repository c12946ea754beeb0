# SPDX-License-Identifier: Apache-2.0
"""Which agency a health worker works for: the one their role is held in. Codes count toward its limit."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet
from django.utils import timezone

from bluezone.directory.models import Agency
from bluezone.directory.scopes import agencies_of
from bluezone.healthauthority.duty import CODE_ISSUERS, HEALTH_SUPERVISORS
from bluezone.healthauthority.models import IssuedCode
from bluezone.identity.audiences import admits
from bluezone.identity.models import Role, RoleGrant, User
from bluezone.identity.roles import grants_of

_ISSUERS = frozenset(str(role) for role in CODE_ISSUERS.roles)


def facility_of(worker: User | None) -> Agency | None:
    """The agency whose limit a worker's codes count toward; None for a role in the whole city or in a unit."""
    return _chosen(grants_of(worker)) if worker else None


def facilities_of(workers: Iterable[User]) -> dict[int, Agency]:
    """The agency of each worker who has one, by the worker's primary key; one query."""
    held: dict[int, list[RoleGrant]] = {}
    grants = RoleGrant.objects.in_force(timezone.localdate()).filter(user__in=list(workers), role__in=_ISSUERS)
    for grant in grants.exclude(agency=None).select_related("agency").order_by("pk"):
        held.setdefault(grant.user_id, []).append(grant)
    return {pk: agency for pk, grants_held in held.items() if (agency := _chosen(grants_held)) is not None}


def workplace(user: User) -> str:
    """How the worker names where they call from: the facility, or what their account says."""
    facility = facility_of(user)
    return facility.name if facility else user.agency


def oversees(user: User) -> bool:
    """Whether this is a supervisor, who sees others' codes, raises limits and opens declarations."""
    return admits(HEALTH_SUPERVISORS, user)


def codes_seen_by(user: User) -> QuerySet[IssuedCode]:
    """A health worker sees the codes they issued; a supervisor also those of the facilities they answer for."""
    codes = IssuedCode.objects.select_related("worker")
    if not oversees(user):
        return codes.filter(worker=user)
    if any(grant.role == Role.SUPERVISOR and grant.scope is None for grant in grants_of(user)):
        return codes
    return codes.filter(Q(worker=user) | Q(facility__in=agencies_of(user, [Role.SUPERVISOR])))


def _chosen(grants: Iterable[RoleGrant]) -> Agency | None:
    """Of several, the role of a health worker before that of a supervisor, and the older before the newer."""
    issuing = [grant for grant in grants if grant.role in _ISSUERS and grant.agency is not None]
    first = min(issuing, key=lambda grant: (grant.role != Role.HEALTH_WORKER, grant.pk), default=None)
    return first.agency if first else None
