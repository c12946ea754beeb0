# SPDX-License-Identifier: Apache-2.0
"""How many codes a worker and a facility may issue in a day, and how a supervisor raises that for the day.

The limits are against misuse of an account, not against the outbreak: whoever meets one must have a way on.
"""

import datetime
from dataclasses import dataclass
from typing import Literal

from django.db import transaction
from django.db.models import Count, Sum
from django.utils import timezone

from bluezone.audit import hash_chain
from bluezone.directory.models import Agency
from bluezone.healthauthority.codes.facilities import facilities_of, facility_of
from bluezone.healthauthority.duty import CODE_ISSUERS
from bluezone.healthauthority.models import IssuedCode, QuotaRaise
from bluezone.identity.models import User
from bluezone.keyserver.service import KeyServer


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
    today = IssuedCode.objects.filter(issued_at__gte=_midnight(now))
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
    today = IssuedCode.objects.filter(issued_at__gte=_midnight(now)).order_by()
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


def raises_of_today(now: datetime.datetime) -> list[QuotaRaise]:
    """What was raised for the local day of `now`, newest first."""
    today = QuotaRaise.objects.filter(day=timezone.localdate(now))
    return list(today.select_related("worker", "facility", "raised_by"))


def _more(**whose: object) -> int:
    return QuotaRaise.objects.filter(**whose).aggregate(total=Sum("more"))["total"] or 0


def _midnight(now: datetime.datetime) -> datetime.datetime:
    return timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
