# SPDX-License-Identifier: Apache-2.0
"""How many codes a worker and a facility may issue in a day, which facility a worker works for, and how a supervisor
raises a limit.

Verification codes: issued to a person or in batches, in training too, within the limits of a day and facility.
"""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from bluezone.audit import hash_chain
from bluezone.directory.models import Agency
from bluezone.directory.scopes import agencies_of, holds_for_the_city
from bluezone.healthauthority.duty import CODE_ISSUERS, HEALTH_SUPERVISORS
from bluezone.healthauthority.models import IssuedCode, QuotaRaise
from bluezone.identity.audiences import admits
from bluezone.identity.models import Role, RoleGrant, User, grants_of
from bluezone.keyserver.service import KeyServer

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
    if holds_for_the_city(user, [Role.SUPERVISOR]):
        return codes
    return codes.filter(Q(worker=user) | Q(facility__in=agencies_of(user, [Role.SUPERVISOR])))


def _chosen(grants: Iterable[RoleGrant]) -> Agency | None:
    """Of several, the role of a health worker before that of a supervisor, and the older before the newer."""
    issuing = [grant for grant in grants if grant.role in _ISSUERS and grant.agency is not None]
    first = min(issuing, key=lambda grant: (grant.role != Role.HEALTH_WORKER, grant.pk), default=None)
    return first.agency if first else None


@dataclass(frozen=True)
class Quota:
    """What a worker may still issue on one local day.

    facility: the agency the worker works for; None for a role in the whole city, which has no such limit.
    *_issued: codes so far, revoked ones too; *_limit: city's setting and what supervisors added.
    """

    facility: Agency | None
    worker_issued: int
    worker_limit: int
    facility_issued: int
    facility_limit: int

    @property
    def left(self) -> int:
        """Codes that may still be issued today, 0 or more."""
        left = self.worker_limit - self.worker_issued
        if self.facility:
            left = min(left, self.facility_limit - self.facility_issued)
        return max(left, 0)

    @property
    def reached(self) -> Literal["worker", "facility"] | None:
        """Which limit stands in the way, if one does."""
        if self.worker_issued >= self.worker_limit:
            return "worker"
        return "facility" if self.left == 0 else None


def quota_of(server: KeyServer, worker: User, now: datetime.datetime) -> Quota:
    """The state of both limits for a worker on the local day of `now`."""
    facility, day = facility_of(worker), timezone.localdate(now)
    today = IssuedCode.objects.filter(issued_at__gte=midnight(now))
    return Quota(
        facility=facility,
        worker_issued=today.filter(worker=worker).count(),
        worker_limit=server.city.quota_per_worker_a_day + _more(worker=worker, day=day),
        facility_issued=today.filter(facility=facility).count() if facility else 0,
        facility_limit=server.city.quota_per_facility_a_day + (_more(facility=facility, day=day) if facility else 0),
    )


def lock_limits(worker: User) -> None:
    """Make requests that count toward the same limits wait for each other until the transaction ends."""
    facility = facility_of(worker)
    # On SQLite the transaction holds everybody already; PostgreSQL needs the row locks, always in the same order, and
    # no key locks, so that codes which refer to the rows may be stored meanwhile.
    if facility:
        list(Agency.objects.select_for_update(no_key=True).filter(pk=facility.pk).values_list("pk"))
    list(User.objects.select_for_update(no_key=True).filter(pk=worker.pk).values_list("pk"))


@transaction.atomic
def raise_for_worker(supervisor: User, worker: User, more: int, reason: str, now: datetime.datetime) -> QuotaRaise:
    """Let a worker issue `more` codes (1..1000) beyond the limit on the local day of `now`; audited."""
    made = QuotaRaise.objects.create(
        worker=worker, day=timezone.localdate(now), more=more, reason=reason, raised_by=supervisor, raised_at=now
    )
    hash_chain.record(supervisor.username, "quota_raised", worker.username, more=more, reason=reason)
    return made


@transaction.atomic
def raise_for_facility(
    supervisor: User, facility: Agency, more: int, reason: str, now: datetime.datetime
) -> QuotaRaise:
    """Let the workers of a facility issue `more` codes together beyond its limit on the local day of `now`; audited."""
    made = QuotaRaise.objects.create(
        facility=facility, day=timezone.localdate(now), more=more, reason=reason, raised_by=supervisor, raised_at=now
    )
    hash_chain.record(supervisor.username, "quota_raised", "", facility=facility.key, more=more, reason=reason)
    return made


def issuers() -> list[User]:
    """Everybody who may issue codes now."""
    return list(User.objects.holding(CODE_ISSUERS.roles))


def quotas_of_all(server: KeyServer, now: datetime.datetime) -> list[tuple[User, Quota]]:
    """The state of the limits of everybody who may issue, in a constant number of queries; most codes first."""
    people, day = issuers(), timezone.localdate(now)
    facilities = facilities_of(people)
    today = IssuedCode.objects.filter(issued_at__gte=midnight(now)).order_by()
    by_worker = dict(today.values_list("worker").annotate(Count("pk")))
    by_facility = dict(today.values_list("facility").annotate(Count("pk")))
    raises = QuotaRaise.objects.filter(day=day).order_by()
    more_by_worker = dict(raises.values_list("worker").annotate(Sum("more")))
    more_by_facility = dict(raises.values_list("facility").annotate(Sum("more")))
    rows = []
    for person in people:
        facility = facilities.get(person.pk)
        number = facility.pk if facility else None
        quota = Quota(
            facility=facility,
            worker_issued=by_worker.get(person.pk, 0),
            worker_limit=server.city.quota_per_worker_a_day + more_by_worker.get(person.pk, 0),
            facility_issued=by_facility.get(number, 0) if facility else 0,
            facility_limit=server.city.quota_per_facility_a_day + (more_by_facility.get(number, 0) if facility else 0),
        )
        rows.append((person, quota))
    return sorted(rows, key=lambda row: -row[1].worker_issued)


def workers_reached(user: User) -> list[User]:
    """Who may issue, of the facilities that a supervisor answers for; everybody for one of the whole city."""
    people = list(issuers())
    if holds_for_the_city(user, [Role.SUPERVISOR]):
        return people
    reached = set(agencies_of(user, [Role.SUPERVISOR]).values_list("pk", flat=True))
    facilities = facilities_of(people)
    return [one for one in people if one.pk in facilities and facilities[one.pk].pk in reached]


def raises_of_today(now: datetime.datetime, user: User) -> list[QuotaRaise]:
    """What was raised for the local day of `now` within a supervisor's reach, newest first."""
    today = QuotaRaise.objects.filter(day=timezone.localdate(now))
    if not holds_for_the_city(user, [Role.SUPERVISOR]):
        facilities = agencies_of(user, [Role.SUPERVISOR])
        today = today.filter(Q(facility__in=facilities) | Q(worker__in=workers_reached(user)))
    return list(today.select_related("worker", "facility", "raised_by"))


def _more(**whose: object) -> int:
    return QuotaRaise.objects.filter(**whose).aggregate(total=Sum("more"))["total"] or 0


def midnight(now: datetime.datetime) -> datetime.datetime:
    """Beginning of the local day."""
    return timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
