# SPDX-License-Identifier: Apache-2.0
"""The facility of a health worker: the agency that counts the worker's codes in its limit."""

from collections.abc import Iterable

from django.utils import timezone

from bluezone.directory.models import Agency
from bluezone.healthauthority.duty import CODE_ISSUERS
from bluezone.identity.models import Role, RoleGrant, User, valid_grants

_ISSUERS = frozenset(str(role) for role in CODE_ISSUERS.roles)


def facility_of(worker: User | None) -> Agency | None:
    """The agency that counts a worker's codes in its limit; None for a role in the whole city or in a unit."""
    return _facility_that_counts(valid_grants(worker)) if worker else None


def facilities_of(workers: Iterable[User]) -> dict[int, Agency]:
    """The agency of each worker who has one, by the worker's primary key; one query."""
    grants_by_worker: dict[int, list[RoleGrant]] = {}
    grants = RoleGrant.objects.valid_on(timezone.localdate()).filter(user__in=list(workers), role__in=_ISSUERS)
    for grant in grants.exclude(agency=None).select_related("agency").order_by("pk"):
        grants_by_worker.setdefault(grant.user_id, []).append(grant)
    return {
        pk: agency
        for pk, worker_grants in grants_by_worker.items()
        if (agency := _facility_that_counts(worker_grants)) is not None
    }


def workplace(user: User) -> str:
    """The name of the worker's facility, or else the agency in the account."""
    facility = facility_of(user)
    return facility.name if facility else user.agency


def _facility_that_counts(grants: Iterable[RoleGrant]) -> Agency | None:
    """The agency of the first grant: a health worker's before a supervisor's, and the oldest first."""
    issuing = [grant for grant in grants if grant.role in _ISSUERS and grant.agency is not None]
    first = min(issuing, key=lambda grant: (grant.role != Role.HEALTH_WORKER, grant.pk), default=None)
    return first.agency if first else None


def issuers() -> list[User]:
    """Everybody who may issue codes now."""
    return list(User.objects.with_roles(CODE_ISSUERS.roles))
