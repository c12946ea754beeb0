# SPDX-License-Identifier: Apache-2.0
"""Staff reports: report a week and correct it by further versions; ask to open a locked week and answer; the reports
of a demo; the purge.
"""

import datetime
from collections.abc import Sequence
from dataclasses import asdict

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bluezone.audit import hash_chain
from bluezone.directory.duty import STAFF_REPORTERS
from bluezone.directory.models import Agency
from bluezone.directory.scopes import agencies_of, at_the_desk, granted
from bluezone.duties.duty import MOST_MATTERS, Matter, Pile, shorten
from bluezone.identity.acts import UndoTooLate
from bluezone.identity.models import Role, User
from bluezone.identity.signin import demo_office
from bluezone.refusal import Refused
from bluezone.rollout.coverage.api import Week
from bluezone.rollout.staffing.counts import NAMES, StaffCounts
from bluezone.rollout.staffing.models import StaffReport, WeekReopening, WeekRequest
from bluezone.training import practising

REOPENED_DAYS = 3


class PeriodLocked(Refused):
    """The week of the report is locked, and not opened again for this agency."""

    code = "period_locked"


class PeriodNotBegun(Refused):
    """The week of the report is still to come."""

    code = "period_not_begun"


class AgencyOutOfForce(Refused):
    """The agency of the report did not exist in that week."""

    code = "agency_out_of_force"


def record(
    agency: Agency, week: Week, counts: StaffCounts, by: User, now: datetime.datetime, *, training: bool = False
) -> StaffReport:
    """Store the staff numbers of an agency for a week, as a further version if others are stored already.

    The same numbers again change nothing and return the stored version, so that a second tap does no harm.
    training: made in training mode; such a report is in no figure and not in the audit.
    Raises PeriodNotBegun, PeriodLocked, AgencyOutOfForce; nothing is stored then.
    """
    return record_all([(agency, counts)], week, by, now, training=training)[0]


def record_all(
    counted: Sequence[tuple[Agency, StaffCounts]],
    week: Week,
    by: User,
    now: datetime.datetime,
    *,
    training: bool = False,
) -> list[StaffReport]:
    """Like `record`, for several agencies, all or none."""
    today = timezone.localdate(now)
    with transaction.atomic():
        agencies = {agency.pk: agency for agency, _counts in counted}
        # The lock makes two reports for the same agency wait for each other; SQLite has one writer at a time anyway.
        list(Agency.objects.select_for_update().filter(pk__in=agencies).order_by("pk").values_list("pk"))
        check_open(list(agencies.values()), week, today)
        previous = {
            report.agency_id: report
            for report in StaffReport.everything.filter(
                agency__in=agencies, week=week.first_day, training=training, is_current=True
            )
        }
        return [
            _store(agency, previous.get(agency.pk), week, counts, by, now, training=training)
            for agency, counts in counted
        ]


def reopen(agency: Agency, week: Week, reason: str, by: User, now: datetime.datetime) -> WeekReopening:
    """Let an agency report for a locked week again, for REOPENED_DAYS days from today on. reason: not empty."""
    until = timezone.localdate(now) + datetime.timedelta(days=REOPENED_DAYS - 1)
    with transaction.atomic():
        opened = WeekReopening.objects.create(
            agency=agency, week=week.first_day, until=until, reason=reason.strip(), opened_by=by, opened_at=now
        )
        hash_chain.record(by.username, "week_reopened", agency.key, now=now, week=str(week), until=str(until))
    return opened


def check_open(agencies: Sequence[Agency], week: Week, today: datetime.date) -> None:
    """Raise PeriodNotBegun, AgencyOutOfForce or PeriodLocked unless every agency may report for the week today."""
    if today < week.first_day:
        raise PeriodNotBegun(f"week {week} begins on {week.first_day}")
    for agency in agencies:
        if not _existed(agency, week):
            raise AgencyOutOfForce(f"agency {agency.key} was not in force on {week.first_day}")
    if today < week.locks_on:
        return
    reopenings = WeekReopening.objects.filter(agency__in=agencies, week=week.first_day, until__gte=today)
    reopened = set(reopenings.values_list("agency_id", flat=True))
    locked = [agency.key for agency in agencies if agency.pk not in reopened]
    if locked:
        raise PeriodLocked(f"week {week} was locked on {week.locks_on} for {', '.join(locked[:5])}")


def _existed(agency: Agency, week: Week) -> bool:
    has_begun = agency.valid_from is None or agency.valid_from <= week.first_day
    return has_begun and (agency.valid_to is None or agency.valid_to > week.first_day)


def _store(
    agency: Agency,
    previous: StaffReport | None,
    week: Week,
    counts: StaffCounts,
    by: User,
    now: datetime.datetime,
    *,
    training: bool,
) -> StaffReport:
    if previous is not None:
        if all(getattr(previous, name) == getattr(counts, name) for name in NAMES):
            return previous
        previous.is_current = False
        previous.save(update_fields=["is_current"])
    report = StaffReport.everything.create(
        agency=agency,
        week=week.first_day,
        version=previous.version + 1 if previous else 1,
        training=training,
        reported_by=by,
        reported_at=now,
        **asdict(counts),
    )
    if not training:
        hash_chain.record(by.username, "staff_reported", agency.key, now=now, week=str(week), version=report.version)
    return report


MOST_DAYS = 31
REQUESTS_AT_ONCE = 10


class WeekNotLocked(Refused):
    """The week is open or still to come; there is nothing to ask for."""

    code = "week_not_locked"


class WeekRequestOpen(Refused):
    """The agency has a request without an answer already."""

    code = "week_request_open"


class WeekRequestAnswered(Refused):
    """Somebody has answered the request already."""

    code = "week_request_answered"


class WeekDayWrong(Refused):
    """The last day of the opening is past, or more than a month ahead."""

    code = "week_day_wrong"


def may_answer(user: User, agency: Agency) -> bool:
    """Whether a user may open a week for an agency: as its administrator, or as a clerk of an office above it."""
    for grant in granted(user, (Role.ADMIN, Role.CLERK)):
        above = grant.agency or grant.unit
        reaches = above is None or agency.is_under(above)
        itself = grant.agency_id == agency.pk or (grant.unit_id is not None and grant.unit_id == agency.unit_id)
        if reaches and (grant.role == Role.ADMIN or not itself):
            return True
    return False


def ask_to_reopen(agency: Agency, week: Week, reason: str, by: User, now: datetime.datetime) -> WeekRequest:
    """Ask to open a locked week again. reason: not empty. Raises WeekNotLocked or WeekRequestOpen."""
    with transaction.atomic():
        # The lock makes two people who ask for the same agency at once wait for each other.
        list(Agency.objects.select_for_update().filter(pk=agency.pk).values_list("pk"))
        try:
            check_open([agency], week, timezone.localdate(now))
        except PeriodLocked:
            pass
        else:
            raise WeekNotLocked(f"week {week} is open")
        if WeekRequest.objects.filter(agency=agency, week=week.first_day, state=WeekRequest.State.OPEN).exists():
            raise WeekRequestOpen("the agency waits for the answer to an earlier request")
        return WeekRequest.objects.create(
            agency=agency, week=week.first_day, reason=reason.strip()[:200], asked_by=by, asked_at=now
        )


def answer_request(
    request: WeekRequest, until: datetime.date | None, text: str, by: User, now: datetime.datetime
) -> WeekReopening | None:
    """Open the week until the end of a day, or decline if `until` is None.

    Raises WeekRequestAnswered or WeekDayWrong.
    """
    today = timezone.localdate(now)
    if until and not today <= until <= today + datetime.timedelta(days=MOST_DAYS):
        raise WeekDayWrong(f"the day is {until}, expected {today} and at most {MOST_DAYS} days more")
    with transaction.atomic():
        stored = WeekRequest.objects.select_for_update(of=("self",)).select_related("agency").get(pk=request.pk)
        if stored.state != WeekRequest.State.OPEN:
            raise WeekRequestAnswered("the request has been answered")
        stored.state = WeekRequest.State.GRANTED if until else WeekRequest.State.DECLINED
        stored.answer = text[:200]
        stored.answered_by = by
        stored.answered_at = now
        stored.save()
        if until is None:
            return None
        opened = WeekReopening.objects.create(
            agency=stored.agency, week=stored.week, until=until, reason=stored.reason, opened_by=by, opened_at=now
        )
        hash_chain.record(
            by.username, "week_reopened", stored.agency.key, now=now, week=str(Week.of(stored.week)), until=str(until)
        )
    return opened


def withdraw_answer(request: int, opened: int | None, user: User, now: datetime.datetime) -> None:
    """Withdraw the user's answer to a request, which then waits again. opened: its WeekReopening, if there is one.

    Raises UndoTooLate if the agency has reported or asked again since.
    """
    with transaction.atomic():
        stored = WeekRequest.objects.select_for_update(of=("self",)).select_related("agency").get(pk=request)
        agency_and_week = {"agency": stored.agency_id, "week": stored.week}
        if stored.answered_by_id != user.pk or WeekRequest.objects.filter(state="open", **agency_and_week).exists():
            raise UndoTooLate("the request was changed since, or the agency has asked again")
        if StaffReport.objects.filter(reported_at__gte=stored.answered_at, **agency_and_week).exists():
            raise UndoTooLate("the agency has reported since")
        if opened is not None:
            WeekReopening.objects.filter(pk=opened, **agency_and_week).delete()
            week = str(Week.of(stored.week))
            hash_chain.record(user.username, "week_reopened", stored.agency.key, now=now, week=week, taken_back=True)
        stored.state = WeekRequest.State.OPEN
        stored.answer = ""
        stored.answered_by = None
        stored.answered_at = None
        stored.save()


def latest(agency: Agency, week: Week) -> WeekRequest | None:
    """The newest request of an agency for a week."""
    return WeekRequest.objects.filter(agency=agency, week=week.first_day).first()


def open_requests(user: User) -> list[WeekRequest]:
    """The oldest requests that this user may answer: at most REQUESTS_AT_ONCE, and one more if there are more."""
    reached = agencies_of(user, [Role.ADMIN, Role.CLERK])
    waiting_requests = WeekRequest.objects.filter(state=WeekRequest.State.OPEN, agency__in=reached)
    requests = waiting_requests.select_related("agency__unit", "asked_by").order_by("asked_at", "pk")[:100]
    return [request for request in requests if may_answer(user, request.agency)][: REQUESTS_AT_ONCE + 1]


_DAY = datetime.timedelta(days=1)
_WEEKS = 3


def plant(now: datetime.datetime) -> None:
    """Store three weeks of reports for a demo, a little better each week; some agencies have not reported yet."""
    office = demo_office()
    for weeks_ago in reversed(range(_WEEKS)):
        then = now - 7 * weeks_ago * _DAY
        week = Week.of(timezone.localdate(then))
        late = 4 if weeks_ago == 0 else 9
        for number, agency in enumerate(Agency.objects.order_by("pk")):
            if number % late == 3:
                continue
            staff = 24 + 7 * (number % 6)
            phones = staff - 3 - number % 4
            running = phones * (72 - 14 * weeks_ago - 3 * (number % 5)) // 100
            counts = StaffCounts(
                staff=staff, with_smartphone=phones, running=running, web_edition=number % 3, reminded=phones - running
            )
            record(agency, week, counts, office, then)


TRAINING_LIFE = datetime.timedelta(days=7)


def purge(now: datetime.datetime) -> None:
    """Delete the reports made in training mode more than a week ago."""
    StaffReport.everything.filter(training=True, reported_at__lte=now - TRAINING_LIFE).delete()


def waiting(user: User, now: datetime.datetime) -> list[Matter]:
    """Matters of a user: staff reports owed for this week or the last, and requests to open a locked week."""
    today = timezone.localdate(now)
    roles = STAFF_REPORTERS.roles - {Role.ADMIN}
    matters: list[Matter] = []
    if granted(user, roles):
        for week in (Week.of(today).previous, Week.of(today)):
            if today < week.locks_on:
                matters += _owed(user, roles, week)
    requests = open_requests(user) if granted(user, [Role.ADMIN, Role.CLERK]) else []
    if requests:
        what = ngettext("%(count)d request to open a week", "%(count)d requests to open a week", len(requests))
        what %= {"count": len(requests)}
        by = requests[0].asked_at + _DAY
        matters.append(Matter(f"weeks {requests[0].pk}", what, _("Answer"), reverse("staff"), by, Pile.SENT))
    return matters


def _owed(user: User, roles: frozenset[str], week: Week) -> list[Matter]:
    """The staff reports of an open week that the agencies of a user owe."""
    sent = StaffReport.everything.filter(week=week.first_day, is_current=True, training=practising())
    owing = Agency.objects.in_force(week.first_day).filter(at_the_desk(user, roles, ""))
    owing = owing.exclude(pk__in=sent.values("agency"))
    by = timezone.make_aware(datetime.datetime.combine(week.due + _DAY, datetime.time()))
    matters = []
    for agency in owing.order_by("name")[: MOST_MATTERS + 1]:
        key = f"staff {agency.pk} {week}"
        what = _("Staff report, week %(week)s") % {"week": week}
        url = f"{reverse('staff-report', args=[agency.pk])}?week={week}"
        matters.append(Matter(key, what, _("Report"), url, by, Pile.AGENCY, stated=True, where=agency.name))
    return shorten(matters, f"{reverse('staff')}?week={week}", owing.count)
