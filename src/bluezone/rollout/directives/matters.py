# SPDX-License-Identifier: Apache-2.0
"""What waits for a person in letters: to sign, number, send, receive, work on, report and answer them; who is behind.

What a person assigned to somebody waits for that person; what an agency got, for those who work in just that agency;
what comes back, for those who work in just the agency that issued it. A constant number of queries each.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bluezone.directory import scopes
from bluezone.directory.kinds import Purpose
from bluezone.directory.models import Agency
from bluezone.duties.duty import MOST_MATTERS, Matter, Pile, shorten
from bluezone.identity.models import Role, User
from bluezone.rollout.directives import deadlines, permissions, queries
from bluezone.rollout.directives.models import (
    Assignment,
    ChangeRequest,
    Deadline,
    Delivery,
    Directive,
    DirectiveState,
    DirectiveStep,
    Dispatch,
    DispatchState,
    EventKind,
    PeriodRequest,
    Priority,
    Report,
    ReportState,
    Step,
    Task,
    TaskParty,
)

DAY = datetime.timedelta(days=1)
# How soon something is done where nobody named a day.
_USUAL = {
    Priority.EXPRESS: datetime.timedelta(0),
    Priority.URGENT: datetime.timedelta(hours=4),
    Priority.NORMAL: DAY,
}
# A draft that its writer has put aside is never the most urgent.
_SOME_DAY = 30 * DAY
# How long another office may take until its letter waits for somebody here; the alert on it waits as long.
CARRIED_WITHIN = datetime.timedelta(hours=4)
# One more than are shown, so that a list says when more wait.
_READ = MOST_MATTERS + 1
_AT_WORK = (DispatchState.RECEIVED, DispatchState.ASSIGNED, DispatchState.IN_PROGRESS)
_SUBJECT = 90


def matters_of(user: User, now: datetime.datetime) -> list[Matter]:
    """What letters wait for from this person. Every menu calls this: nothing is queried for roles they do not have."""
    matters = [*_assigned(user, now)]
    if scopes.grants_for(user, permissions.SIGNERS):
        matters += _to_sign(user)
    if scopes.grants_for(user, permissions.CLERKS):
        matters += [*_to_send(user), *_drafts(user, now), *_come_back(user, now)]
    if scopes.grants_for(user, permissions.HANDLERS):
        matters += [*_incoming(user, now), *_ended(user), *_reports_owed(user, now)]
    return matters


def letter_label(directive: Directive) -> str:
    """A letter's number and subject for a list, cut to _SUBJECT characters."""
    subject = directive.subject if len(directive.subject) <= _SUBJECT else f"{directive.subject[:_SUBJECT]}…"
    return f"{directive.code} · {subject}" if directive.number or directive.notation else subject


def _letters() -> QuerySet[Directive]:
    return Directive.objects.filter(from_file=False).select_related("issuer").defer("text", "proposal")


def _issuing(user: User, roles: Iterable[str]) -> Q:
    return scopes.rows_of_own_agencies(user, roles, "issuer", Q(issuer__isnull=False))


def _usual(directive: Directive, since: datetime.datetime) -> datetime.datetime:
    return since + _USUAL[Priority(directive.priority)]


def _newest_step(what: Step) -> Subquery:
    steps = DirectiveStep.objects.filter(directive=OuterRef("pk"), what=what).order_by()
    return Subquery(steps.values("directive").annotate(at=Max("at")).values("at"))


def _list(name: str, state: str) -> str:
    """The page that lists all letters of a state."""
    return f"{reverse(name)}?{urlencode({'state': state})}"


def _to_sign(user: User) -> list[Matter]:
    found = _letters().filter(_issuing(user, permissions.SIGNERS), state=DirectiveState.SUBMITTED).exclude(made_by=user)
    matters = []
    for one in found.annotate(at=_newest_step(Step.SUBMITTED)).order_by("made_at")[:_READ]:
        by = _usual(one, one.at or one.made_at)
        url = reverse("directive-approve", args=[one.pk])
        matters.append(
            Matter(
                f"sign {one.pk}", letter_label(one), _("Read and confirm"), url, by, Pile.MINE, where=one.issuer.name
            )
        )
    return shorten(matters, _list("directives", DirectiveState.SUBMITTED), found.count)


def _to_send(user: User) -> list[Matter]:
    found = _letters().filter(_issuing(user, permissions.CLERKS), state=DirectiveState.APPROVED)
    matters = []
    for one in found.order_by("approved_at")[:_READ]:
        act = _("Send") if one.number and one.date else _("Set its number and day")
        by = _usual(one, one.approved_at or one.made_at)
        url = reverse("directive", args=[one.pk])
        matters.append(
            Matter(
                f"send {one.pk} {bool(one.number)}", letter_label(one), act, url, by, Pile.AGENCY, where=one.issuer.name
            )
        )
    return shorten(matters, _list("directives", DirectiveState.APPROVED), found.count)


def _drafts(user: User, now: datetime.datetime) -> list[Matter]:
    """The person's own drafts; and those that a signer has returned, which any clerk of the office can correct."""
    annotated = _letters().annotate(returned=_newest_step(Step.RETURNED), submitted=_newest_step(Step.SUBMITTED))
    returned = Q(returned__gte=F("submitted"))
    found = annotated.filter(
        _issuing(user, permissions.CLERKS) & Q(made_by=user) | _issuing(user, [Role.CLERK]) & returned,
        state=DirectiveState.DRAFT,
    )
    matters = []
    for one in found.order_by(F("returned").desc(nulls_last=True), "-made_at")[:_READ]:
        came_back = bool(one.returned and one.submitted and one.returned >= one.submitted)
        pile = Pile.MINE if one.made_by_id == user.pk else Pile.AGENCY
        act = _("Correct it") if came_back else _("Continue writing")
        by = _usual(one, one.returned) if came_back else now + _SOME_DAY
        url = reverse("directive" if came_back else "directive-change", args=[one.pk])
        matters.append(
            Matter(f"draft {one.pk} {one.returned}", letter_label(one), act, url, by, pile, where=one.issuer.name)
        )
    return shorten(matters, _list("directives", DirectiveState.DRAFT), found.count)


def _assigned(user: User, now: datetime.datetime) -> list[Matter]:
    """What was given to this person by name."""
    found = Assignment.objects.filter(
        account=user, dispatch__directive__state=DirectiveState.ISSUED, dispatch__state__in=_AT_WORK
    ).select_related("task", "dispatch__directive", "dispatch__agency")
    matters = []
    for one in found.defer("dispatch__directive__text", "dispatch__directive__proposal")[:_READ]:
        deadline = Deadline(one.due) if one.due else one.task.deadline if one.task else None
        directive = one.dispatch.directive
        by = deadline.moment if deadline else _usual(directive, one.made_at)
        what = f"{letter_label(directive)} · {one.task.label}" if one.task else letter_label(directive)
        url = reverse("inbox-one", args=[one.dispatch_id])
        matters.append(
            Matter(
                f"assignment {one.pk}", what, _("Work on it"), url, by, Pile.MINE, deadline is not None,
                one.dispatch.agency.name,
            )
        )  # fmt: skip
    return shorten(matters, _list("inbox", "open"), found.count)


def _desk(user: User) -> Q:
    return scopes.rows_of_own_agencies(user, permissions.HANDLERS, "agency", Q(agency=F("directive__issuer")))


def _incoming(user: User, now: datetime.datetime) -> list[Matter]:
    """What the agency has got and nobody has received, or given to anybody who can still act there."""
    parties = TaskParty.objects.filter(task__directive=OuterRef("directive"), agency=OuterRef("agency"))
    first = parties.filter(task__due__isnull=False).order_by("task__due", F("task__due_time").asc(nulls_last=True))
    left = queries.left_assignments(timezone.localdate(now)).filter(dispatch=OuterRef("pk"))
    found = (
        Dispatch.objects.annotate(is_left=Exists(left))
        .filter(
            _desk(user),
            Q(state=DispatchState.ARRIVED)
            | Q(state=DispatchState.RECEIVED, purpose=Purpose.ACTION, assignments=None)
            | Q(state__in=_AT_WORK, is_left=True),
            directive__state=DirectiveState.ISSUED,
            by_file=False,
        )
        .annotate(due=Subquery(first.values("task__due")[:1]), hour=Subquery(first.values("task__due_time")[:1]))
    )
    shown = found.select_related("directive", "agency").defer("directive__text", "directive__proposal")
    matters = []
    for one in shown.order_by(F("due").asc(nulls_last=True), "arrived_at")[:_READ]:
        arrived = one.state == DispatchState.ARRIVED
        act = _("Receive") if arrived else _("Assign or begin")
        if one.is_left:
            act = _("Assign it to someone else")
        by = _usual(one.directive, one.arrived_at)
        deadline = Deadline(one.due, one.hour).moment if one.due else None
        stated = deadline is not None and deadline <= by
        key = f"dispatch {one.pk} {'left' if one.is_left else one.state}"
        until = deadline if deadline is not None and stated else by
        url = reverse("inbox-one", args=[one.pk])
        matters.append(Matter(key, letter_label(one.directive), act, url, until, Pile.AGENCY, stated, one.agency.name))
    return shorten(matters, _list("inbox", "open"), found.count)


def _ended(user: User) -> list[Matter]:
    """Letters of the agency that were recalled or replaced, and of which nobody there has confirmed to know."""
    own = Assignment.objects.filter(dispatch=OuterRef("pk"), account=user)
    found = queries.unaware(Dispatch.objects.filter(_desk(user))).annotate(is_own=Exists(own))
    shown = found.select_related("directive", "agency").defer("directive__text", "directive__proposal")
    matters = []
    for one in shown.order_by("ended_at", "pk")[:_READ]:
        what = f"{letter_label(one.directive)} · {EventKind(one.end).label}"
        url = reverse("inbox-one", args=[one.pk])
        matters.append(
            Matter(
                f"ended {one.pk} {one.end}", what, _("Confirm that we have seen this"), url, one.ended_at,
                Pile.MINE if one.is_own else Pile.AGENCY, where=one.agency.name,
            )
        )  # fmt: skip
    return shorten(matters, reverse("inbox"), found.count)


def _reports_owed(user: User, now: datetime.datetime) -> list[Matter]:
    """The oldest report that the agency owes on each task that it leads: of a period that is open and has begun."""
    today = timezone.localdate(now)
    desk = scopes.rows_of_own_agencies(user, permissions.HANDLERS, "agency", Q(agency=F("task__directive__issuer")))
    reports = Report.objects.filter(desk).exclude(state=ReportState.RETURNED)
    standing = Dispatch.objects.filter(directive=OuterRef("task__directive"), agency=OuterRef("agency"))
    found = (
        TaskParty.objects.filter(
            desk,
            Exists(standing.filter(state__in=_AT_WORK)),
            task__directive__state=DirectiveState.ISSUED,
            role=TaskParty.Role.LEAD,
            task__report_from__lte=today,
        )
        .exclude(task__report_every=Task.Every.NEVER)
        .exclude(
            Exists(reports.filter(task=OuterRef("task"), agency=OuterRef("agency"))),
            task__report_every=Task.Every.ONCE,
        )
        .select_related("task__directive", "agency")
        .defer("task__directive__text", "task__directive__proposal")
    )
    # Of what is reported again and again the last two periods are looked at.
    made = set(reports.filter(period__gte=today - 100 * DAY).order_by().values_list("task", "agency", "period"))
    matters = []
    for party in found.order_by("pk"):
        for period in deadlines.periods_of(party.task, today, party)[-2:]:
            if (party.task_id, party.agency_id, period.first) in made or not period.is_open(today):
                continue
            url = f"{reverse('task-report', args=[party.pk])}?period={period.first}"
            matters.append(
                Matter(
                    f"report {party.pk} {period.first}", f"{letter_label(party.task.directive)} · {party.task.label}",
                    _("Report"), url, period.due.moment if period.due else now + 7 * DAY, Pile.AGENCY,
                    period.due is not None, party.agency.name,
                )
            )  # fmt: skip
            break
    return shorten(_by_urgency(matters), _list("inbox", "open"))


def _by_urgency(matters: Iterable[Matter]) -> list[Matter]:
    return sorted(matters, key=lambda matter: (matter.by, matter.key))


@dataclass(frozen=True)
class _Open:
    """Something open about a letter that was sent, before the letter's name is read.

    letter: its primary key. note: what is open, after the name.
    """

    key: str
    letter: int
    note: str
    act: str
    url: str
    by: datetime.datetime
    stated: bool = False


def _come_back(user: User, now: datetime.datetime) -> list[Matter]:
    """What agencies ask, answer and owe about letters that were sent from here, however long ago."""
    sent = Directive.objects.filter(
        _issuing(user, permissions.CLERKS), from_file=False, state=DirectiveState.ISSUED
    ).order_by()
    kinds = [
        _requested(sent),
        *_standing(sent, now),
        _not_knowing(user),
        _undelivered(sent, now),
        _to_check(sent, now),
    ]
    ordered = [sorted(kind, key=lambda line: (line.by, line.key)) for kind in kinds]
    named = _letters().in_bulk({line.letter for kind in ordered for line in kind[:_READ]})
    matters = []
    for kind in ordered:
        lines = [_line(line, named[line.letter]) for line in kind[:_READ]]
        matters += shorten(lines, _list("directives", DirectiveState.ISSUED), kind.__len__)
    return matters


def _line(line: _Open, letter: Directive) -> Matter:
    what = f"{letter_label(letter)} · {line.note}" if line.note else letter_label(letter)
    return Matter(line.key, what, line.act, line.url, line.by, Pile.SENT, line.stated)


def _requested(sent: QuerySet[Directive]) -> list[_Open]:
    """Requests without an answer, one line a letter."""
    moments: dict[int, list[datetime.datetime]] = defaultdict(list)
    changes = ChangeRequest.objects.filter(state=ChangeRequest.State.OPEN, task__directive__in=sent)
    periods = PeriodRequest.objects.filter(state=PeriodRequest.State.OPEN, task__directive__in=sent)
    for rows in (changes, periods):
        for pk, at in rows.order_by().values_list("task__directive").annotate(first=Min("asked_at")):
            moments[pk].append(at)
    return [
        _Open(
            f"asked {pk} {min(asked)}", pk, "", _("Answer the requests"), reverse("directive", args=[pk]),
            min(asked) + DAY,
        )
        for pk, asked in moments.items()
    ]  # fmt: skip


def _not_knowing(user: User) -> list[_Open]:
    """Who has not confirmed to know that a letter was recalled or replaced, one line a letter."""
    own = scopes.rows_of_own_agencies(user, permissions.CLERKS, "directive__issuer", Q(directive__issuer__isnull=False))
    dispatches = Dispatch.objects.filter(own, directive__from_file=False).order_by()
    moments: dict[int, list[datetime.datetime]] = defaultdict(list)
    for pk, at in queries.unaware(dispatches).values_list("directive", "ended_at"):
        moments[pk].append(at)
    lines = []
    for pk, ended in moments.items():
        note = ngettext(
            "%(count)d agency has not confirmed the recall or replacement",
            "%(count)d agencies have not confirmed the recall or replacement",
            len(ended),
        ) % {"count": len(ended)}
        url = reverse("directive-late", args=[pk])
        lines.append(_Open(f"unaware {pk} {min(ended)}", pk, note, _("Call them"), url, min(ended) + DAY))
    return lines


def _to_check(sent: QuerySet[Directive], now: datetime.datetime) -> list[_Open]:
    """Reports that wait to be checked, one line a letter."""
    submitted = Report.objects.filter(state=ReportState.SUBMITTED, task__directive__in=sent).order_by()
    by = now + 7 * DAY
    return [
        _Open(f"check {pk}", pk, "", _("Check the reports"), reverse("directive-progress", args=[pk]), by)
        for pk in submitted.values_list("task__directive", flat=True).distinct()
    ]


def _undelivered(sent: QuerySet[Directive], now: datetime.datetime) -> list[_Open]:
    """What another office refused, or has not taken for hours, one line a letter."""
    late = Delivery.overdue(now - CARRIED_WITHIN) | Delivery.objects.filter(state=Delivery.State.REFUSED)
    rows = late.filter(dispatch__directive__in=sent).order_by().values_list("dispatch__directive")
    note = _("another office has not accepted it")
    url = reverse("directive-exchange")
    return [
        _Open(f"carried {pk} {since}", pk, note, _("Read why"), url, since + CARRIED_WITHIN)
        for pk, since in rows.annotate(since=Min("made_at"))
    ]


def _standing(sent: QuerySet[Directive], now: datetime.datetime) -> tuple[list[_Open], list[_Open], list[_Open]]:
    """What was sent back, what was reported done, and who is behind: one line a letter and kind."""
    open_ones = (DispatchState.ARRIVED, DispatchState.SENT_BACK, DispatchState.REPORTED, *_AT_WORK)
    counted = Dispatch.objects.filter(directive__in=sent, state__in=open_ones, purpose=Purpose.ACTION).order_by()
    by_state: dict[int, dict[str, tuple[int, datetime.datetime]]] = defaultdict(dict)
    for pk, state, count, since in counted.values_list("directive", "state").annotate(
        count=Count("pk"), since=Min("changed_at")
    ):
        by_state[pk][state] = (count, since)
    tasks = Task.objects.filter(directive__in=sent, due__lte=timezone.localdate(now)).order_by()
    dues: dict[int, datetime.datetime] = {}
    for pk, day, hour in tasks.values_list("directive", "due", "due_time").distinct():
        if day is None:
            continue
        moment = Deadline(day, hour).moment
        dues[pk] = min(moment, dues.get(pk, moment))
    sent_back: list[_Open] = []
    done: list[_Open] = []
    behind: list[_Open] = []
    for pk, states in by_state.items():
        url = reverse("directive", args=[pk])
        if DispatchState.SENT_BACK in states:
            count, since = states[DispatchState.SENT_BACK]
            note = ngettext("%(count)d agency has sent it back", "%(count)d agencies have sent it back", count)
            note %= {"count": count}
            sent_back.append(_Open(f"back {pk} {since}", pk, note, _("Read the reasons"), url, since + DAY))
        if DispatchState.REPORTED in states:
            count, since = states[DispatchState.REPORTED]
            note = ngettext("%(count)d agency reports it done", "%(count)d agencies report it done", count)
            note %= {"count": count}
            act = _("Accept it, or say what is missing")
            done.append(_Open(f"done {pk} {since}", pk, note, act, url, since + DAY))
        if late := _behind(pk, states, dues.get(pk), now):
            behind.append(late)
    return sent_back, done, behind


def _behind(
    pk: int,
    states: dict[str, tuple[int, datetime.datetime]],
    due: datetime.datetime | None,
    now: datetime.datetime,
) -> _Open | None:
    """Who is past the day of a letter, or has not received it for a day; None where nobody is."""
    url = reverse("directive-late", args=[pk])
    if due is not None and due <= now:
        count = sum(states[state][0] for state in (DispatchState.ARRIVED, *_AT_WORK) if state in states)
        if not count:
            return None
        note = ngettext("%(count)d agency is not done", "%(count)d agencies are not done", count)
        note %= {"count": count}
        return _Open(f"late {pk}", pk, note, _("Call them"), url, due, stated=True)
    count, since = states.get(DispatchState.ARRIVED, (0, now))
    by = since + datetime.timedelta(hours=deadlines.REMIND_HOURS)
    if not count or by > now:
        return None
    note = ngettext("%(count)d agency has not received it", "%(count)d agencies have not received it", count)
    return _Open(f"unread {pk}", pk, note % {"count": count}, _("Call them"), url, by)


def open_at(agency: Agency) -> list[str]:
    """What letters leave open at an agency."""
    got = Dispatch.objects.filter(agency=agency, directive__state=DirectiveState.ISSUED).exclude(
        state__in=(DispatchState.DONE, *queries.GONE)
    )
    written = Directive.objects.filter(
        issuer=agency, state__in=(DirectiveState.DRAFT, DirectiveState.SUBMITTED, DirectiveState.APPROVED)
    )
    said = []
    if count := got.count():
        text = ngettext("%(count)d letter is not done.", "%(count)d letters are not done.", count)
        said.append(text % {"count": count})
    if count := written.count():
        text = ngettext(
            "%(count)d of its own letters is not sent.", "%(count)d of its own letters are not sent.", count
        )
        said.append(text % {"count": count})
    return said
