# SPDX-License-Identifier: Apache-2.0
"""Daily limits of verification codes for workers and facilities, and how a supervisor raises them."""

import datetime
from dataclasses import dataclass
from typing import Literal

from django.db import transaction
from django.db.models import Count, Q, Sum
from django.utils import timezone

from bluezone.audit import hash_chain
from bluezone.directory.models import Agency
from bluezone.directory.scopes import agencies_in_reach, has_city_role
from bluezone.healthauthority.facilities import facilities_of, facility_of, issuers
from bluezone.healthauthority.models import IssuedCode, QuotaRaise
from bluezone.healthauthority.permissions import issuers_in_reach
from bluezone.identity.models import Role, User
from bluezone.keyserver.service import KeyServer


@dataclass(frozen=True)
class Quota:
    """The limits of a worker on one local day.

    facility: the agency of the worker; None for a role in the whole city, which has no such limit.
    *_issued: codes so far, including revoked ones; *_limit: the city's setting and what supervisors added.
    """

    facility: Agency | None
    worker_issued: int
    worker_limit: int
    facility_issued: int
    facility_limit: int

    @property
    def left(self) -> int:
        """Codes that may still be issued today, 0 or more."""
        remaining = self.worker_limit - self.worker_issued
        if self.facility:
            remaining = min(remaining, self.facility_limit - self.facility_issued)
        return max(remaining, 0)

    @property
    def reached(self) -> Literal["worker", "facility"] | None:
        """The limit that is reached, if any."""
        if self.worker_issued >= self.worker_limit:
            return "worker"
        return "facility" if self.left == 0 else None


def quota_of(server: KeyServer, worker: User, now: datetime.datetime) -> Quota:
    """Both limits for a worker on the local day of `now`."""
    facility = facility_of(worker)
    day = timezone.localdate(now)
    today = IssuedCode.objects.filter(issued_at__gte=start_of_day(now))
    return Quota(
        facility=facility,
        worker_issued=today.filter(worker=worker).count(),
        worker_limit=server.city.quota_per_worker_a_day + _sum_of_raises(worker=worker, day=day),
        facility_issued=today.filter(facility=facility).count() if facility else 0,
        facility_limit=server.city.quota_per_facility_a_day
        + (_sum_of_raises(facility=facility, day=day) if facility else 0),
    )


def lock_limits(worker: User) -> None:
    """Make requests that count toward the same limits wait for each other until the transaction ends."""
    facility = facility_of(worker)
    # On SQLite the transaction excludes others already. PostgreSQL needs row locks, always in the same order, but no
    # key locks, so that codes that refer to the rows can be stored at the same time.
    if facility:
        list(Agency.objects.select_for_update(no_key=True).filter(pk=facility.pk).values_list("pk"))
    list(User.objects.select_for_update(no_key=True).filter(pk=worker.pk).values_list("pk"))


@transaction.atomic
def raise_worker_limit(supervisor: User, worker: User, more: int, reason: str, now: datetime.datetime) -> QuotaRaise:
    """Let a worker issue `more` codes (1..1000) beyond the limit on the local day of `now`; audited."""
    quota_raise = QuotaRaise.objects.create(
        worker=worker, day=timezone.localdate(now), more=more, reason=reason, raised_by=supervisor, raised_at=now
    )
    hash_chain.record(supervisor.username, "quota_raised", worker.username, more=more, reason=reason)
    return quota_raise


@transaction.atomic
def raise_facility_limit(
    supervisor: User, facility: Agency, more: int, reason: str, now: datetime.datetime
) -> QuotaRaise:
    """Let the workers of a facility issue `more` codes together beyond its limit on the local day of `now`; audited."""
    quota_raise = QuotaRaise.objects.create(
        facility=facility, day=timezone.localdate(now), more=more, reason=reason, raised_by=supervisor, raised_at=now
    )
    hash_chain.record(supervisor.username, "quota_raised", "", facility=facility.key, more=more, reason=reason)
    return quota_raise


def quotas_of_all(server: KeyServer, now: datetime.datetime) -> list[tuple[User, Quota]]:
    """The limits of everybody who may issue, in a constant number of queries; most codes first."""
    people = issuers()
    day = timezone.localdate(now)
    facilities = facilities_of(people)
    today = IssuedCode.objects.filter(issued_at__gte=start_of_day(now)).order_by()
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


def raises_of_today(now: datetime.datetime, user: User) -> list[QuotaRaise]:
    """Limits raised for the local day of `now` within a supervisor's reach, newest first."""
    today = QuotaRaise.objects.filter(day=timezone.localdate(now))
    if not has_city_role(user, [Role.SUPERVISOR]):
        facilities = agencies_in_reach(user, [Role.SUPERVISOR])
        today = today.filter(Q(facility__in=facilities) | Q(worker__in=issuers_in_reach(user)))
    return list(today.select_related("worker", "facility", "raised_by"))


def _sum_of_raises(**lookup: object) -> int:
    return QuotaRaise.objects.filter(**lookup).aggregate(total=Sum("more"))["total"] or 0


def start_of_day(now: datetime.datetime) -> datetime.datetime:
    """Beginning of the local day."""
    return timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
