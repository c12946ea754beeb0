# SPDX-License-Identifier: Apache-2.0
"""One mail a day to a person: what waits at the agency, which agencies below it are behind, and to whom it goes. Never
one an event.
"""

import datetime
from collections import defaultdict
from collections.abc import Mapping

from django.conf import settings
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bluezone.directory.models import Agency
from bluezone.identity.models import RoleGrant
from bluezone.messaging.email.outbox import queue_digest
from bluezone.networks import origin_of
from bluezone.refusal import Refused
from bluezone.rollout.directives.deadlines import ESCALATE_HOURS, REMIND_HOURS
from bluezone.rollout.directives.models import (
    ChangeRequest,
    Directive,
    DirectiveState,
    Dispatch,
    DispatchEvent,
    DispatchState,
    EventKind,
    PeriodRequest,
    TaskParty,
)
from bluezone.rollout.directives.permissions import HANDLERS, SIGNERS
from bluezone.rollout.directives.queries import unaware

Sections = list[tuple[str, list[str]]]


def sections_by_address(lines: Mapping[int, list[str]], day: datetime.date) -> dict[str, Sections]:
    """For each address the name and the lines of every agency it is for, in a constant number of queries.

    lines: by primary key of the agency.
    """
    agencies = list(Agency.objects.filter(pk__in=[pk for pk, own in lines.items() if own]).order_by("path"))
    found: dict[str, Sections] = defaultdict(list)
    people = _people(agencies, day)
    for agency in agencies:
        own = people.get(agency.pk, {})
        addresses = {address for address in own.values() if address}
        if not own or not all(own.values()):
            addresses.add(agency.email)
        for address in sorted(addresses - {""}):
            found[address].append((agency.name, lines[agency.pk]))
    return found


def _people(agencies: list[Agency], day: datetime.date) -> dict[int, dict[int, str]]:
    """By agency: who works there, by account, with the own address or "".

    A role given for an agency counts for that one, a role in a unit for the agencies that serve just that unit, and a
    role in the whole city for the agencies that issue directives. Who wants no mail is left out.
    """
    issuers = set(Directive.objects.filter(state=DirectiveState.ISSUED).values_list("issuer", flat=True))
    grants = RoleGrant.objects.valid_on(day).filter(role__in=[*HANDLERS, *SIGNERS], user__is_active=True)
    grants = grants.exclude(user__notice_choice__mail=False)
    by_agency: dict[int, dict[int, str]] = defaultdict(dict)
    by_unit: dict[int, dict[int, str]] = defaultdict(dict)
    everywhere: dict[int, str] = {}
    for grant in grants.select_related("user"):
        if grant.agency_id:
            held = by_agency[grant.agency_id]
        elif grant.unit_id:
            held = by_unit[grant.unit_id]
        else:
            held = everywhere
        held[grant.user_id] = grant.user.email.lower()
    return {
        one.pk: {
            **by_agency.get(one.pk, {}),
            **by_unit.get(one.unit_id, {}),
            **(everywhere if one.pk in issuers else {}),
        }
        for one in agencies
    }


# Local hour from which the digest of a day goes out, and how many days ahead it speaks of.
FROM_HOUR = 8
DAYS_AHEAD = 2
_MOST_LINES = 20
_Lines = dict[int, list[str]]


def queue_daily(now: datetime.datetime) -> int:
    """Queue the digests of the day, from FROM_HOUR on; how many. Safe to repeat: nobody gets two a day."""
    local = timezone.localtime(now)
    if settings.SMTP is None or local.hour < FROM_HOUR:
        return 0
    with translation.override("vi"):
        waiting, told = _not_received(now)
        _ended(waiting)
        _due(waiting, local.date())
        _asked(waiting)
        queued = _queue(waiting, local.date(), now)
    _note(told, now)
    return queued


def _not_received(now: datetime.datetime) -> tuple[_Lines, list[tuple[int, EventKind]]]:
    """Lines by agency, and what to note in the log of each dispatch."""
    lines: _Lines = defaultdict(list)
    told: list[tuple[int, EventKind]] = []
    old = Dispatch.objects.filter(
        state=DispatchState.ARRIVED,
        purpose="action",
        directive__state=DirectiveState.ISSUED,
        arrived_at__lte=now - datetime.timedelta(hours=REMIND_HOURS),
    ).select_related("agency__parent", "directive")
    for one in old.defer("directive__text", "directive__proposal"):
        lines[one.agency_id].append(_("%(code)s has not been received yet.") % {"code": one.directive.code})
        told.append((one.pk, EventKind.REMINDED))
        above = one.agency.parent_id or one.directive.issuer_id
        if now - one.arrived_at >= datetime.timedelta(hours=ESCALATE_HOURS) and above != one.agency_id:
            lines[above].append(
                _("%(agency)s has not received %(code)s. Call %(phone)s.")
                % {"code": one.directive.code, **_whom(one.agency)}
            )
            told.append((one.pk, EventKind.ESCALATED))
    return lines, told


def _whom(agency: Agency) -> dict[str, str]:
    """An agency that is behind and the number to call."""
    return {"agency": agency.name, "phone": agency.phone or _("(no number entered)")}


def _ended(lines: _Lines) -> None:
    """Add letters that were recalled or replaced, where nobody has confirmed to know."""
    ended = unaware(Dispatch.objects.all()).select_related("directive")
    for one in ended.defer("directive__text", "directive__proposal").order_by("pk"):
        text = _("%(code)s was recalled or replaced. Confirm that you have seen this.")
        lines[one.agency_id].append(text % {"code": one.directive.code})


def _due(lines: _Lines, today: datetime.date) -> None:
    """Add tasks that are due within DAYS_AHEAD days or overdue, at agencies that are not done."""
    limit = today + datetime.timedelta(days=DAYS_AHEAD)
    parties = TaskParty.objects.filter(
        Q(due__lte=limit) | Q(due__isnull=True, task__due__lte=limit), task__directive__state=DirectiveState.ISSUED
    ).select_related("task__directive", "agency")
    done = set(
        Dispatch.objects.filter(state=DispatchState.DONE, directive__state=DirectiveState.ISSUED).values_list(
            "directive", "agency"
        )
    )
    for party in parties.defer("task__directive__text", "task__directive__proposal"):
        due = party.due or party.task.due
        if due and (party.task.directive_id, party.agency_id) not in done:
            values = {"label": party.task.label, "code": party.task.directive.code, "day": f"{due.day}/{due.month}"}
            text = _("Task %(label)s of %(code)s was due on %(day)s.") if due < today else ""
            lines[party.agency_id].append((text or _("Task %(label)s of %(code)s is due on %(day)s.")) % values)
            above = party.agency.parent_id or party.task.directive.issuer_id
            if (today - due).days >= ESCALATE_HOURS // 24 and above != party.agency_id:
                upward = _("%(agency)s is late with task %(label)s of %(code)s. Call %(phone)s.")
                lines[above].append(upward % {**values, **_whom(party.agency)})


def _asked(lines: _Lines) -> None:
    """Add what agencies ask of the issuer and nobody has answered."""
    waiting: dict[tuple[int, str], int] = defaultdict(int)
    for asked in (
        ChangeRequest.objects.filter(state=ChangeRequest.State.OPEN),
        PeriodRequest.objects.filter(state=PeriodRequest.State.OPEN),
    ):
        in_force = asked.filter(task__directive__state=DirectiveState.ISSUED).select_related("task__directive")
        for one in in_force.defer("task__directive__text", "task__directive__proposal"):
            waiting[one.task.directive.issuer_id, one.task.directive.code] += 1
    for (issuer, code), count in waiting.items():
        text = ngettext(
            "%(count)d request about %(code)s is waiting for an answer.",
            "%(count)d requests about %(code)s are waiting for an answer.",
            count,
        )
        lines[issuer].append(text % {"count": count, "code": code})


def _queue(lines: _Lines, day: datetime.date, now: datetime.datetime) -> int:
    """One mail to each address, with what waits at every agency it is for."""
    queued = 0
    office = origin_of(settings.CITY.office_host if settings.CITY else "", tls=settings.TLS)
    for address, sections in sections_by_address(lines, day).items():
        count = sum(len(own) for _name, own in sections)
        subject = ngettext(
            "Bluezone: %(count)d matter is waiting", "Bluezone: %(count)d matters are waiting", count
        ) % {"count": count}
        text: list[str] = []
        for name, own in sections:
            text += [name, "", *(f"- {line}" for line in own[:_MOST_LINES])]
            left = len(own) - _MOST_LINES
            if left > 0:
                text.append("- " + ngettext("and %(left)s more", "and %(left)s more", left) % {"left": left})
            text.append("")
        text.append(_("Sign in: %(office)s/") % {"office": office})
        try:
            queued += queue_digest(address, day, subject, "\n".join(text), now=now)
        except Refused:
            continue  # an address that is none; the directory's page shows it
    return queued


def _note(told: list[tuple[int, EventKind]], now: datetime.datetime) -> None:
    """Write each kind of reminder into a dispatch's log once."""
    known = set(
        DispatchEvent.objects.filter(
            dispatch__in=[pk for pk, _what in told], what__in=(EventKind.REMINDED, EventKind.ESCALATED)
        ).values_list("dispatch", "what")
    )
    DispatchEvent.objects.bulk_create(
        [DispatchEvent(dispatch_id=pk, what=what, at=now) for pk, what in told if (pk, what.value) not in known],
        batch_size=500,
    )
