# SPDX-License-Identifier: Apache-2.0
"""What an agency does with a directive: receive it, accept it, send it back, report it done, or ask for a change of
it.
"""

import datetime
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Exists, Max, OuterRef
from django.utils import timezone

from bluezone.audit import hash_chain
from bluezone.directory.kinds import AgencyKind, Purpose
from bluezone.directory.models import Agency
from bluezone.identity.acts import GRACE_SECONDS, UNDO_SECONDS, UndoTooLate
from bluezone.identity.models import User
from bluezone.refusal import Refused
from bluezone.rollout.directives.deadlines import begin_periods
from bluezone.rollout.directives.issuance import approval
from bluezone.rollout.directives.models import (
    Assignment,
    ChangeRequest,
    Dispatch,
    DispatchEvent,
    DispatchState,
    EventKind,
    Report,
    ReportState,
    Task,
    TaskParty,
)
from bluezone.rollout.directives.permissions import people_of
from bluezone.rollout.directives.queries import left_assignments, tasks_for, unaware

S = DispatchState
ALLOWED = {
    S.RECEIVED: {S.ARRIVED, S.SENT_BACK, S.HANDED_OVER},
    S.SENT_BACK: {S.ARRIVED, S.RECEIVED},
    S.ASSIGNED: {S.RECEIVED, S.ASSIGNED, S.IN_PROGRESS},
    S.IN_PROGRESS: {S.RECEIVED, S.ASSIGNED},
    # What is to be acted on is reported done, and the issuer accepts that; the rest is only seen.
    S.REPORTED: {S.RECEIVED, S.ASSIGNED, S.IN_PROGRESS},
    S.DONE: {S.RECEIVED, S.ASSIGNED, S.IN_PROGRESS},
}
_ONE_TAP = frozenset({EventKind.RECEIVED, EventKind.IN_PROGRESS, EventKind.DONE})


class ActOutOfOrder(Refused):
    """The act does not follow from the state of the dispatch."""

    code = "act_out_of_order"


class CompletionWithoutReport(Refused):
    """It was to be reported done without a word of what was done, or with a report of a task still owed."""

    code = "completion_without_report"


class DirectiveNotInForce(Refused):
    """The directive was recalled or replaced; nothing is done on it any more."""

    code = "directive_not_in_force"


class NotBelow(Refused):
    """A directive is passed on only to agencies that answer to this one or serve its territory."""

    code = "agency_not_below"


def next_states(dispatch: Dispatch) -> list[str]:
    """The states to which an agency can bring a dispatch now."""
    ends = {S.DONE} if is_accepted_by_issuer(dispatch) else {S.REPORTED}
    return [to.value for to, before in ALLOWED.items() if dispatch.state in before and to not in ends]


def open_it(dispatch: Dispatch, user: User, now: datetime.datetime) -> None:
    """Note that the agency has opened it, the first time only."""
    if Dispatch.objects.filter(pk=dispatch.pk, opened_at=None).update(opened_at=now):
        DispatchEvent.objects.create(dispatch=dispatch, what=EventKind.OPENED, at=now, actor=user)


def move(
    dispatch: Dispatch, to: DispatchState, user: User, now: datetime.datetime, *, note: str = "", assigned_to: str = ""
) -> None:
    """Bring a dispatch to a state; `note` is the reason where it is sent back, and what was done where it is reported.

    Raises ActOutOfOrder, CompletionWithoutReport or DirectiveNotInForce.
    """
    with transaction.atomic():
        locked = _locked(dispatch)
        if locked.state not in ALLOWED[to]:
            raise ActOutOfOrder(f"the dispatch is {locked.state}; {to} follows {', '.join(sorted(ALLOWED[to]))}")
        if to in (S.REPORTED, S.DONE) and (to == S.REPORTED) != is_accepted_by_issuer(locked):
            raise ActOutOfOrder("what is to be acted on is reported to the issuer, and only to them")
        if to == S.REPORTED:
            _refuse_unreported(locked, note)
        before = locked.state
        locked.state, locked.changed_at = to, now
        if to == S.RECEIVED and locked.incoming_number is None:
            _number(locked, now)
            _begin_reports(locked, now)
        if to == S.SENT_BACK:
            locked.reason = note[:300]
        if to == S.ASSIGNED:
            locked.assigned_to = note = assigned_to[:120]
        locked.save()
        DispatchEvent.objects.create(
            dispatch=locked,
            what=EventKind(to.value),
            at=now,
            actor=user,
            before=before,
            note=note[:300],
            seal=locked.directive.seal if to == S.RECEIVED else "",
        )
        if to == S.SENT_BACK:
            subject = f"directive {locked.directive_id}"
            hash_chain.record(user.username, "document_sent_back", subject, now=now, agency=locked.agency.key)
    dispatch.refresh_from_db()


def waits_to_be_known(dispatch: Dispatch) -> bool:
    """Whether the letter has ended at the agency, which is to confirm that it knows; not where it is to answer that."""
    return unaware(Dispatch.objects.filter(pk=dispatch.pk)).exists() and not waits_for_answer(dispatch)


def acknowledge_end(dispatch: Dispatch, user: User, now: datetime.datetime) -> None:
    """Receive the recall or replacement of a letter: the agency knows. Its state stays. Raises ActOutOfOrder."""
    with transaction.atomic():
        locked = Dispatch.objects.select_for_update(of=("self",)).select_related("directive").get(pk=dispatch.pk)
        if not waits_to_be_known(locked):
            raise ActOutOfOrder("no recall or replacement waits to be acknowledged")
        DispatchEvent.objects.create(dispatch=locked, what=EventKind.RECEIVED, at=now, actor=user, before=locked.state)


def _begin_reports(dispatch: Dispatch, now: datetime.datetime) -> None:
    """What is reported each week or month is owed from the day on which the agency receives the letter."""
    every = (Task.Every.WEEK, Task.Every.MONTH)
    owed = TaskParty.objects.filter(
        task__directive=dispatch.directive_id, task__report_every__in=every, agency=dispatch.agency_id
    )
    for party in owed.select_related("task"):
        begin_periods(party, timezone.localdate(now))


def is_accepted_by_issuer(dispatch: Dispatch) -> bool:
    """Whether its completion is reported and accepted: what is to be acted on, of a document of this office."""
    return dispatch.purpose == Purpose.ACTION and not dispatch.directive.from_file


def _refuse_unreported(dispatch: Dispatch, text: str) -> None:
    """A report says what was done; one that a task asks for once must have been made."""
    if not text.strip():
        raise CompletionWithoutReport("nothing says what was done")
    owed = TaskParty.objects.filter(
        task__directive=dispatch.directive_id,
        task__report_every=Task.Every.ONCE,
        agency=dispatch.agency_id,
        role=TaskParty.Role.LEAD,
    )
    made = Report.objects.filter(task=OuterRef("task"), agency=dispatch.agency_id).exclude(state=ReportState.RETURNED)
    if owed.filter(~Exists(made)).exists():
        raise CompletionWithoutReport("a task asks for a report that is not made")


def accept_completion(dispatch: Dispatch, user: User, now: datetime.datetime) -> None:
    """Accept for the issuer that an agency is done. Raises ActOutOfOrder or DirectiveNotInForce."""
    _answer_completion(dispatch, S.DONE, EventKind.DONE, "", user, now)


def reopen_completion(dispatch: Dispatch, reason: str, user: User, now: datetime.datetime) -> None:
    """Say for the issuer what is still to be done. Raises ActOutOfOrder or DirectiveNotInForce."""
    _answer_completion(dispatch, S.IN_PROGRESS, EventKind.REOPENED, reason, user, now)


def _answer_completion(
    dispatch: Dispatch, to: DispatchState, what: EventKind, note: str, user: User, now: datetime.datetime
) -> None:
    with transaction.atomic():
        locked = _locked(dispatch)
        if locked.state != S.REPORTED:
            raise ActOutOfOrder(f"the dispatch is {locked.state}, expected reported")
        locked.state, locked.changed_at = to, now
        locked.save(update_fields=["state", "changed_at"])
        DispatchEvent.objects.create(dispatch=locked, what=what, at=now, actor=user, before=S.REPORTED, note=note[:300])
        act = "completion_accepted" if to == S.DONE else "completion_reopened"
        subject = f"directive {locked.directive_id}"
        hash_chain.record(user.username, act, subject, now=now, agency=locked.agency.key)
    dispatch.refresh_from_db()


class AssigneeWrong(Refused):
    """The account does not work at this agency, or its own day is after the day of the letter."""

    code = "assignee_wrong"


def assign(
    dispatch: Dispatch,
    account: User,
    task: Task | None,
    due: datetime.date | None,
    user: User,
    now: datetime.datetime,
) -> Assignment:
    """Give a document, or one task of it, to a person of the agency with an own day; again changes the day.

    Who had the same and cannot act any more has it no longer.
    Raises AssigneeWrong, ActOutOfOrder or DirectiveNotInForce.
    """
    with transaction.atomic():
        locked = _locked(dispatch)
        if not people_of(locked.agency).filter(pk=account.pk).exists():
            raise AssigneeWrong("the account does not work at this agency")
        parties = [one for one in tasks_for(locked) if task is None or one.task_id == task.pk]
        if task is not None and not parties:
            raise NotAParty("the task does not name this agency")
        days = [one.deadline.day for one in parties if one.deadline]
        if due and days and due > max(days):
            raise AssigneeWrong(f"the letter's own day is {max(days)}")
        left = left_assignments(timezone.localdate(now)).filter(dispatch=locked)
        Assignment.objects.filter(pk__in=[one.pk for one in left if task is None or one.task_id == task.pk]).delete()
        made, _new = Assignment.objects.update_or_create(
            dispatch=locked, task=task, account=account, defaults={"due": due, "made_by": user, "made_at": now}
        )
        assigned = locked.assignments.select_related("account").order_by("account__name", "account")
        names = list(dict.fromkeys(one.account.name for one in assigned))
        move(locked, S.ASSIGNED, user, now, assigned_to=", ".join(names)[:120])
    dispatch.refresh_from_db()
    return made


def answer_recall(dispatch: Dispatch, agrees: bool, user: User, now: datetime.datetime) -> None:
    """Agree or not to a recall or update that came from another office (15, 16); once for each.

    Raises ActOutOfOrder where nothing waits for an answer.
    """
    with transaction.atomic():
        locked = Dispatch.objects.select_for_update(of=("self",)).select_related("directive").get(pk=dispatch.pk)
        if not waits_for_answer(locked):
            raise ActOutOfOrder("no recall or update waits for an answer")
        what = EventKind.AGREED if agrees else EventKind.DECLINED
        DispatchEvent.objects.create(dispatch=locked, what=what, at=now, actor=user, before=locked.state)


def waits_for_answer(dispatch: Dispatch) -> bool:
    """Whether a recall or update of another office is the last such thing, with no answer after it."""
    if not dispatch.directive.from_file or dispatch.parent_id:
        return False
    whats = (EventKind.REVOKED, EventKind.UPDATED, EventKind.AGREED, EventKind.DECLINED)
    last = dispatch.events.filter(what__in=whats).order_by("-pk").first()
    return last is not None and last.what in (EventKind.REVOKED, EventKind.UPDATED)


def undo(dispatch: Dispatch, user: User, now: datetime.datetime) -> None:
    """Take back one's own last tap within ten seconds. The running number stays, so that the register has no gap."""
    with transaction.atomic():
        locked = _locked(dispatch)
        last = locked.events.order_by("-pk").first()
        late = last is None or (now - last.at).total_seconds() > UNDO_SECONDS + GRACE_SECONDS
        if last is None or late or last.actor_id != user.pk or not _is_one_tap(last):
            raise UndoTooLate("the last act is not one that can still be taken back")
        locked.state, locked.changed_at = last.before, now
        locked.save(update_fields=["state", "changed_at"])
        DispatchEvent.objects.create(
            dispatch=locked, what=EventKind.UNDONE, at=now, actor=user, before=last.what, note=last.what
        )
    dispatch.refresh_from_db()


def may_undo(dispatch: Dispatch, user: User, now: datetime.datetime) -> bool:
    """Whether the page offers to take the last tap back."""
    last = dispatch.events.order_by("-pk").first()
    fresh = last is not None and (now - last.at).total_seconds() <= UNDO_SECONDS
    return bool(last and fresh and last.actor_id == user.pk and _is_one_tap(last))


def _is_one_tap(event: DispatchEvent) -> bool:
    """Whether the event moved a letter on by one tap; that an agency knows of a recall moves nothing."""
    return event.what in _ONE_TAP and event.before != S.RECALLED


def pass_on(dispatch: Dispatch, agencies: Iterable[Agency], user: User, now: datetime.datetime) -> list[Dispatch]:
    """Send a received directive on to agencies below this one. Raises NotBelow, ActOutOfOrder, DirectiveNotInForce."""
    with transaction.atomic():
        locked = _locked(dispatch)
        if locked.state in (S.ARRIVED, S.SENT_BACK, S.HANDED_OVER, S.RECALLED, S.HANDED_ON):
            raise ActOutOfOrder("the directive must be received before it is passed on")
        chosen = list(agencies)
        if any(not is_below(agency, locked.agency) for agency in chosen):
            raise NotBelow("an agency is not below this one")
        purpose = Purpose(locked.purpose)
        made = approval.dispatch(locked.directive, [(agency, purpose) for agency in chosen], user, now, parent=locked)
        names = ", ".join(one.agency.name for one in made)
        DispatchEvent.objects.create(dispatch=locked, what=EventKind.PASSED_ON, at=now, actor=user, note=names[:300])
    return made


def is_below(agency: Agency, top: Agency) -> bool:
    """Whether an agency answers to `top`; or serves a part of its territory, where that is a People's Committee."""
    governs = top.kind == AgencyKind.COMMITTEE
    inside = governs and agency.unit.path.startswith(top.unit.path) and agency.unit_id != top.unit_id
    return agency.pk != top.pk and (agency.is_under(top) or inside or _same_ward(agency, top))


def _same_ward(agency: Agency, top: Agency) -> bool:
    """A People's Committee of a ward directs the schools and health station of its territory."""
    return top.kind == "committee" and agency.kind != "committee" and agency.unit_id == top.unit_id


def _locked(dispatch: Dispatch) -> Dispatch:
    locked = (
        Dispatch.objects.select_for_update(of=("self",)).select_related("directive", "agency__unit").get(pk=dispatch.pk)
    )
    if not locked.directive.in_force:
        raise DirectiveNotInForce(f"the directive is {locked.directive.state}")
    return locked


def _number(dispatch: Dispatch, now: datetime.datetime) -> None:
    year = timezone.localtime(now).year
    # Two clerks of one agency at the same moment: the agency's row is the queue.
    Agency.objects.select_for_update().get(pk=dispatch.agency_id)
    last = Dispatch.objects.filter(agency=dispatch.agency_id, incoming_year=year).aggregate(
        last=Max("incoming_number")
    )["last"]
    dispatch.received_at, dispatch.incoming_year, dispatch.incoming_number = now, year, (last or 0) + 1


class NotAParty(Refused):
    """The agency is not one that this task names."""

    code = "not_a_party"


class IssuedElsewhere(Refused):
    """The document is of another office, which does not read requests here."""

    code = "issued_elsewhere"


class ExtensionNotLater(Refused):
    """More time was asked for until a day that is not after the present one."""

    code = "extension_not_later"


class RequestOpen(Refused):
    """The agency has asked already and has no answer yet."""

    code = "request_open"


class RequestAnswered(Refused):
    """Somebody has answered the request before."""

    code = "request_answered"


def ask(
    task: Task,
    agency: Agency,
    kind: str,
    reason: str,
    user: User,
    now: datetime.datetime,
    until: datetime.date | None = None,
) -> ChangeRequest:
    """Store a request. Raises NotAParty, ExtensionNotLater, RequestOpen or IssuedElsewhere."""
    if task.directive.from_file:
        raise IssuedElsewhere("the document is another office's; it is asked by letter or telephone")
    with transaction.atomic():
        parties = TaskParty.objects.select_for_update(of=("self",)).select_related("task")
        party = parties.filter(task=task, agency=agency).first()
        if party is None:
            raise NotAParty("the task does not name this agency")
        if kind == ChangeRequest.Kind.EXTENSION and not _is_later(until, party, now):
            raise ExtensionNotLater(f"{until} is not after the current day")
        if ChangeRequest.objects.filter(task=task, agency=agency, kind=kind, state="open").exists():
            raise RequestOpen("the agency waits for the answer to an earlier request")
        return ChangeRequest.objects.create(
            task=task,
            agency=agency,
            kind=kind,
            until=until if kind == ChangeRequest.Kind.EXTENSION else None,
            reason=reason,
            asked_by=user,
            asked_at=now,
        )


def _is_later(until: datetime.date | None, party: TaskParty, now: datetime.datetime) -> bool:
    present = party.deadline
    return until is not None and until >= timezone.localdate(now) and (present is None or until > present.day)


def withdraw(request: ChangeRequest, user: User, now: datetime.datetime) -> None:
    """Take a request back for the agency that asked, so that it can ask again. Raises RequestAnswered."""
    with transaction.atomic():
        locked = ChangeRequest.objects.select_for_update().get(pk=request.pk)
        if locked.state != ChangeRequest.State.OPEN:
            raise RequestAnswered("the request has been answered")
        locked.state, locked.answered_by, locked.answered_at = ChangeRequest.State.WITHDRAWN, user, now
        locked.save(update_fields=["state", "answered_by", "answered_at"])
    request.refresh_from_db()


def answer(
    request: ChangeRequest, granted: bool, text: str, user: User, now: datetime.datetime
) -> datetime.date | None:
    """Answer a request; more time that is granted moves the due day of this agency alone.

    Returns the day that was the agency's own until then, for taking the answer back. Raises RequestAnswered.
    """
    with transaction.atomic():
        locked = ChangeRequest.objects.select_for_update().get(pk=request.pk)
        if locked.state != ChangeRequest.State.OPEN:
            raise RequestAnswered("the request has been answered")
        locked.state = ChangeRequest.State.GRANTED if granted else ChangeRequest.State.DECLINED
        locked.answer, locked.answered_by, locked.answered_at = text[:300], user, now
        locked.save()
        party = TaskParty.objects.get(task=locked.task_id, agency=locked.agency_id)
        if granted and locked.until:
            TaskParty.objects.filter(pk=party.pk).update(due=locked.until)
    request.refresh_from_db()
    return party.due


def take_answer_back(request: int, due: datetime.date | None, user: User) -> None:
    """Let a request wait again that the person has just answered; due: what `answer` returned. Raises UndoTooLate."""
    with transaction.atomic():
        locked = ChangeRequest.objects.select_for_update().get(pk=request)
        party = TaskParty.objects.select_for_update().get(task=locked.task_id, agency=locked.agency_id)
        granted = locked.state == ChangeRequest.State.GRANTED
        if locked.answered_by_id != user.pk or (granted and locked.until and party.due != locked.until):
            raise UndoTooLate("the request or the day was changed since")
        asked = ChangeRequest.objects.filter(task=locked.task_id, agency=locked.agency_id, kind=locked.kind)
        if asked.filter(state=ChangeRequest.State.OPEN).exists():
            raise UndoTooLate("the agency has asked again since")
        if granted and locked.until:
            TaskParty.objects.filter(pk=party.pk).update(due=due)
        locked.state, locked.answer, locked.answered_by, locked.answered_at = ChangeRequest.State.OPEN, "", None, None
        locked.save()
