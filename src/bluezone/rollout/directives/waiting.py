# SPDX-License-Identifier: Apache-2.0
"""What letters wait for: a signature, a number, to be sent, received, worked on, reported, answered; who is behind; and
letters found by their words.

What a person assigned to somebody waits for that person; what an agency got, for those who work in just that agency;
what comes back, for those who work in just the agency that issued it. A constant number of queries each.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bluezone.directory import scopes
from bluezone.directory.kinds import Purpose
from bluezone.directory.models import Agency
from bluezone.duties.duty import MOST_HITS, MOST_MATTERS, Hit, Matter, Pile
from bluezone.identity.models import User
from bluezone.rollout.directives import queries
from bluezone.rollout.directives.models import (
    Assignment,
    Campaign,
    ChangeRequest,
    Deadline,
    Delivery,
    Directive,
    DirectiveState,
    DirectiveStep,
    Dispatch,
    DispatchState,
    PeriodRequest,
    Priority,
    Report,
    ReportState,
    Step,
    Task,
    TaskParty,
)
from bluezone.vietnamese.spelling import holds

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
# Of letters that were sent, the newest so many are looked at for what comes back.
_LETTERS_SENT = 60
# So many tasks of an agency are looked at for reports that are owed.
_TASKS = 200
_AT_WORK = (DispatchState.RECEIVED, DispatchState.ASSIGNED, DispatchState.IN_PROGRESS)
_SUBJECT = 90


def waiting(user: User, now: datetime.datetime) -> list[Matter]:
    """What letters wait for from this person; for roles that they do not hold nothing is asked, as every menu asks."""
    found = [*_assigned(user, now)]
    if scopes.granted(user, queries.SIGNERS):
        found += _to_sign(user)
    if scopes.granted(user, queries.CLERKS):
        found += [*_to_send(user), *_drafts(user, now), *_come_back(user, now)]
    if scopes.granted(user, queries.HANDLERS):
        found += [*_incoming(user), *_reports_owed(user, now)]
    return found


def _name(directive: Directive) -> str:
    subject = directive.subject if len(directive.subject) <= _SUBJECT else f"{directive.subject[:_SUBJECT]}…"
    return f"{directive.code} · {subject}" if directive.number or directive.notation else subject


def _letters() -> QuerySet[Directive]:
    return Directive.objects.filter(from_file=False).select_related("issuer").defer("text", "proposal")


def _issuing(user: User, roles: Iterable[str]) -> Q:
    return scopes.at_the_desk(user, roles, "issuer", Q(issuer__isnull=False))


def _usual(directive: Directive, since: datetime.datetime) -> datetime.datetime:
    return since + _USUAL[Priority(directive.priority)]


def _newest_step(what: Step) -> Subquery:
    steps = DirectiveStep.objects.filter(directive=OuterRef("pk"), what=what).order_by()
    return Subquery(steps.values("directive").annotate(at=Max("at")).values("at"))


def _to_sign(user: User) -> Iterator[Matter]:
    found = _letters().filter(_issuing(user, queries.SIGNERS), state=DirectiveState.SUBMITTED)
    for one in found.exclude(made_by=user).annotate(at=_newest_step(Step.SUBMITTED)).order_by("made_at")[:MOST_MATTERS]:
        by = _usual(one, one.at or one.made_at)
        url = reverse("directive-approve", args=[one.pk])
        yield Matter(f"sign {one.pk}", _name(one), _("Read and confirm"), url, by, Pile.MINE, where=one.issuer.name)


def _to_send(user: User) -> Iterator[Matter]:
    found = _letters().filter(_issuing(user, queries.CLERKS), state=DirectiveState.APPROVED)
    for one in found.order_by("approved_at")[:MOST_MATTERS]:
        act = _("Send") if one.number and one.date else _("Give it a number and a day")
        by, url = _usual(one, one.approved_at or one.made_at), reverse("directive", args=[one.pk])
        yield Matter(f"send {one.pk} {bool(one.number)}", _name(one), act, url, by, Pile.AGENCY, where=one.issuer.name)


def _drafts(user: User, now: datetime.datetime) -> Iterator[Matter]:
    found = _letters().filter(_issuing(user, queries.CLERKS), state=DirectiveState.DRAFT, made_by=user)
    annotated = found.annotate(returned=_newest_step(Step.RETURNED), stored=_newest_step(Step.STORED))
    for one in annotated.order_by(F("returned").desc(nulls_last=True), "-made_at")[:MOST_MATTERS]:
        came_back = one.returned is not None and (one.stored is None or one.returned >= one.stored)
        act = _("Correct it") if came_back else _("Go on writing")
        by = _usual(one, one.returned) if came_back else now + _SOME_DAY
        url = reverse("directive" if came_back else "directive-change", args=[one.pk])
        yield Matter(f"draft {one.pk} {one.returned}", _name(one), act, url, by, Pile.MINE, where=one.issuer.name)


def _assigned(user: User, now: datetime.datetime) -> Iterator[Matter]:
    """What was given to this person by name."""
    found = Assignment.objects.filter(
        account=user, dispatch__directive__state=DirectiveState.ISSUED, dispatch__state__in=_AT_WORK
    ).select_related("task", "dispatch__directive", "dispatch__agency")
    for one in found.defer("dispatch__directive__text", "dispatch__directive__proposal")[:MOST_MATTERS]:
        deadline = Deadline(one.due) if one.due else one.task.deadline if one.task else None
        directive = one.dispatch.directive
        by = deadline.moment if deadline else _usual(directive, one.made_at)
        what = f"{_name(directive)} · {one.task.label}" if one.task else _name(directive)
        url = reverse("inbox-one", args=[one.dispatch_id])
        yield Matter(
            f"assignment {one.pk}", what, _("Work on it"), url, by, Pile.MINE, deadline is not None,
            one.dispatch.agency.name,
        )  # fmt: skip


def _desk(user: User) -> Q:
    return scopes.at_the_desk(user, queries.HANDLERS, "agency", Q(agency=F("directive__issuer")))


def _incoming(user: User) -> Iterator[Matter]:
    """What the agency has got and nobody has received, or given to anybody."""
    due = TaskParty.objects.filter(task__directive=OuterRef("directive"), agency=OuterRef("agency")).order_by()
    found = Dispatch.objects.filter(
        _desk(user),
        Q(state=DispatchState.ARRIVED) | Q(state=DispatchState.RECEIVED, purpose=Purpose.ACTION, assignments=None),
        directive__state=DirectiveState.ISSUED,
        by_file=False,
    ).annotate(due=Subquery(due.values("agency").annotate(first=Min("task__due")).values("first")))
    shown = found.select_related("directive", "agency").defer("directive__text", "directive__proposal")
    for one in shown.order_by(F("due").asc(nulls_last=True), "arrived_at")[:MOST_MATTERS]:
        arrived = one.state == DispatchState.ARRIVED
        act = _("Receive") if arrived else _("Assign or begin")
        by = _usual(one.directive, one.arrived_at)
        stated = one.due is not None and Deadline(one.due).moment <= by
        yield Matter(
            f"dispatch {one.pk} {one.state}", _name(one.directive), act, reverse("inbox-one", args=[one.pk]),
            Deadline(one.due).moment if stated else by, Pile.AGENCY, stated, one.agency.name,
        )  # fmt: skip


def _reports_owed(user: User, now: datetime.datetime) -> Iterator[Matter]:
    """The oldest report that the agency owes on each task: of a period that is open and has begun."""
    today = timezone.localdate(now)
    standing = Dispatch.objects.filter(directive=OuterRef("task__directive"), agency=OuterRef("agency"))
    found = (
        TaskParty.objects.filter(
            scopes.at_the_desk(user, queries.HANDLERS, "agency", Q(agency=F("task__directive__issuer"))),
            Exists(standing.filter(state__in=_AT_WORK)),
            task__directive__state=DirectiveState.ISSUED,
            task__report_from__lte=today,
        )
        .exclude(task__report_every=Task.Every.NEVER)
        .select_related("task__directive", "agency")
        .defer("task__directive__text", "task__directive__proposal")
    )
    parties = list(found.order_by(F("task__due").asc(nulls_last=True), "-task__report_from", "pk")[:_TASKS])
    made = set(
        Report.objects.filter(
            task__in={one.task_id for one in parties},
            agency__in={one.agency_id for one in parties},
        )
        # Of what is reported again and again the last two periods are looked at.
        .filter(Q(period__gte=today - 100 * DAY) | Q(task__report_every=Task.Every.ONCE))
        .exclude(state=ReportState.RETURNED)
        .order_by()
        .values_list("task", "agency", "period")
    )
    for party in parties:
        for period in queries.periods_of(party.task, today, party)[-2:]:
            if (party.task_id, party.agency_id, period.first) in made or not period.is_open(today):
                continue
            url = f"{reverse('task-report', args=[party.pk])}?period={period.first}"
            yield Matter(
                f"report {party.pk} {period.first}", f"{_name(party.task.directive)} · {party.task.label}",
                _("Report"), url, period.due.moment if period.due else now + 7 * DAY, Pile.AGENCY,
                period.due is not None, party.agency.name,
            )  # fmt: skip
            break


def _come_back(user: User, now: datetime.datetime) -> Iterator[Matter]:
    """What agencies ask, answer and owe about letters that were sent from here."""
    found = _letters().filter(_issuing(user, queries.CLERKS), state=DirectiveState.ISSUED)
    letters = {one.pk: one for one in found.order_by("-issued_at", "-pk")[:_LETTERS_SENT]}
    if not letters:
        return
    yield from _asked(letters)
    yield from _standing(letters, now)
    yield from _undelivered(letters, now)
    submitted = Report.objects.filter(task=OuterRef("pk"), state=ReportState.SUBMITTED)
    unread = Task.objects.filter(Exists(submitted), directive__in=letters).order_by()
    for pk in unread.values_list("directive", flat=True).distinct():
        url = reverse("directive-progress", args=[pk])
        yield Matter(f"check {pk}", _name(letters[pk]), _("Check the reports"), url, now + 7 * DAY, Pile.SENT)


def _asked(letters: dict[int, Directive]) -> Iterator[Matter]:
    """Requests without an answer, one line a letter."""
    waiting: dict[int, list[datetime.datetime]] = defaultdict(list)
    asked = ChangeRequest.objects.filter(state=ChangeRequest.State.OPEN, task__directive__in=letters)
    opened = PeriodRequest.objects.filter(state=PeriodRequest.State.OPEN, task__directive__in=letters)
    for rows in (asked, opened):
        for pk, at in rows.order_by().values_list("task__directive").annotate(first=Min("asked_at")):
            waiting[pk].append(at)
    for pk, moments in waiting.items():
        by, url = min(moments) + DAY, reverse("directive", args=[pk])
        yield Matter(f"asked {pk} {min(moments)}", _name(letters[pk]), _("Answer the requests"), url, by, Pile.SENT)


def _undelivered(letters: dict[int, Directive], now: datetime.datetime) -> Iterator[Matter]:
    """What another office refused, or has not taken for hours, one line a letter."""
    late = Delivery.overdue(now - CARRIED_WITHIN) | Delivery.objects.filter(state=Delivery.State.REFUSED)
    for pk, since in (
        late.filter(dispatch__directive__in=letters)
        .order_by()
        .values_list("dispatch__directive")
        .annotate(since=Min("made_at"))
    ):
        what = _("another office has not taken it")
        by, url = since + CARRIED_WITHIN, reverse("directive-exchange")
        yield Matter(f"carried {pk} {since}", f"{_name(letters[pk])} · {what}", _("Read why"), url, by, Pile.SENT)


def _standing(letters: dict[int, Directive], now: datetime.datetime) -> Iterator[Matter]:
    """What was sent back or reported done, and who is behind, one line a letter and kind."""
    open_ones = (DispatchState.ARRIVED, DispatchState.SENT_BACK, DispatchState.REPORTED, *_AT_WORK)
    counted = Dispatch.objects.filter(directive__in=letters, state__in=open_ones, purpose=Purpose.ACTION).order_by()
    by_state: dict[int, dict[str, tuple[int, datetime.datetime]]] = defaultdict(dict)
    for pk, state, count, since in counted.values_list("directive", "state").annotate(
        count=Count("pk"), since=Min("changed_at")
    ):
        by_state[pk][state] = (count, since)
    dues = dict(
        Task.objects.filter(directive__in=letters, due__isnull=False)
        .order_by()
        .values_list("directive")
        .annotate(first=Min("due"))
    )
    for pk, states in by_state.items():
        name, url = _name(letters[pk]), reverse("directive", args=[pk])
        if DispatchState.SENT_BACK in states:
            count, since = states[DispatchState.SENT_BACK]
            what = ngettext("%(count)d agency has sent it back", "%(count)d agencies have sent it back", count)
            what = f"{name} · {what % {'count': count}}"
            yield Matter(f"back {pk} {since}", what, _("Read the reasons"), url, since + DAY, Pile.SENT)
        if DispatchState.REPORTED in states:
            count, since = states[DispatchState.REPORTED]
            what = ngettext("%(count)d agency reports it done", "%(count)d agencies report it done", count)
            what = f"{name} · {what % {'count': count}}"
            yield Matter(
                f"done {pk} {since}", what, _("Accept it, or say what is missing"), url, since + DAY, Pile.SENT
            )
        yield from _behind(pk, name, states, dues.get(pk), now)


def _behind(
    pk: int,
    name: str,
    states: dict[str, tuple[int, datetime.datetime]],
    due: datetime.date | None,
    now: datetime.datetime,
) -> Iterator[Matter]:
    url = reverse("directive-late", args=[pk])
    if due is not None and Deadline(due).moment <= now:
        count = sum(states[state][0] for state in (DispatchState.ARRIVED, *_AT_WORK) if state in states)
        if count:
            what = ngettext("%(count)d agency is not done", "%(count)d agencies are not done", count)
            what = f"{name} · {what % {'count': count}}"
            yield Matter(f"late {pk}", what, _("Call them"), url, Deadline(due).moment, Pile.SENT, stated=True)
        return
    count, since = states.get(DispatchState.ARRIVED, (0, now))
    by = since + datetime.timedelta(hours=queries.REMIND_HOURS)
    if count and by <= now:
        what = ngettext("%(count)d agency has not received it", "%(count)d agencies have not received it", count)
        yield Matter(f"unread {pk}", f"{name} · {what % {'count': count}}", _("Call them"), url, by, Pile.SENT)


def search(user: User, words: str) -> list[Hit]:
    """Letters that the person's agencies issued or got, and campaigns, by number, subject or name."""
    issued = queries.directives(scopes.agencies_of(user, queries.READERS), words)
    hits = [
        Hit(_("Letter"), _name(one), reverse("directive", args=[one.pk]), one.get_state_display())
        for one in issued[:MOST_HITS]
    ]
    got = Dispatch.objects.filter(agency__in=queries.read_agencies(user))
    for word in words.split():
        got = got.filter(directive__folded__contains=word)
    own = {hit.url for hit in hits}
    for one in got.select_related("directive", "agency").defer("directive__text", "directive__proposal")[:MOST_HITS]:
        if reverse("directive", args=[one.directive_id]) not in own:
            url = reverse("inbox-one", args=[one.pk])
            hits.append(Hit(_("Incoming letter"), _name(one.directive), url, one.agency.name))
    campaigns = Campaign.objects.filter(owner__in=queries.read_agencies(user)).order_by("-made_at")[:2000]
    named = [one for one in campaigns if holds(one.name, words)][:MOST_HITS]
    return [
        *hits[:MOST_HITS],
        *(Hit(_("Campaign"), one.name, reverse("campaign", args=[one.pk]), one.basis) for one in named),
    ]


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
        text = ngettext("%(count)d letter of its own is not sent.", "%(count)d letters of its own are not sent.", count)
        said.append(text % {"count": count})
    return said
