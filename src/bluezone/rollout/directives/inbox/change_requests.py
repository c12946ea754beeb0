# SPDX-License-Identifier: Apache-2.0
"""An agency asks for a change of a task or for more time (đề nghị điều chỉnh, gia hạn), and the issuer answers."""

import datetime

from django.db import transaction

from bluezone.directory.models import Agency
from bluezone.identity.acts import UndoTooLate
from bluezone.identity.models import User
from bluezone.refusal import Refused
from bluezone.rollout.directives.models import ChangeRequest, Task, TaskParty


class NotAParty(Refused):
    """The agency is not one that this task names."""

    code = "not_a_party"


class IssuedElsewhere(Refused):
    """The document is of another office, which does not read requests here."""

    code = "issued_elsewhere"


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
    """Store a request. Raises NotAParty, RequestOpen or IssuedElsewhere."""
    if task.directive.from_file:
        raise IssuedElsewhere("the document is another office's; it is asked by letter or telephone")
    with transaction.atomic():
        if not TaskParty.objects.select_for_update().filter(task=task, agency=agency).exists():
            raise NotAParty("the task does not name this agency")
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
