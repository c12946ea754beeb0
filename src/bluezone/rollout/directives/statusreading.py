# SPDX-License-Identifier: Apache-2.0
"""What another office says has become of a document it got from this one."""

import datetime

from bluezone.accounts.models import User
from bluezone.agencies.models import Agency
from bluezone.rollout.directives.arriving import DocumentUnknown
from bluezone.rollout.directives.edxml import StatusCode, StatusMessage
from bluezone.rollout.directives.models import (
    Directive,
    Dispatch,
    DispatchEvent,
    DispatchState,
    ExchangedFile,
    Happening,
)

_STATES = {
    StatusCode.ARRIVED: DispatchState.ARRIVED,
    StatusCode.SENT_BACK: DispatchState.SENT_BACK,
    StatusCode.RECEIVED: DispatchState.RECEIVED,
    StatusCode.ASSIGNED: DispatchState.ASSIGNED,
    StatusCode.IN_PROGRESS: DispatchState.IN_PROGRESS,
    StatusCode.DONE: DispatchState.DONE,
}


def concerned(message: StatusMessage, sender: Agency) -> Dispatch:
    """The dispatch to `sender` of the document that a state is about. Raises DocumentUnknown."""
    about = message.response_for
    issued = Directive.objects.filter(
        issuer__edxml_id=about.organ_id, date=about.date, from_file=False, issued_at__isnull=False
    ).select_related("issuer__unit")
    for directive in issued:
        if f"{about.organ_id},{directive.date:%Y/%m/%d},{directive.code}" == about.document_id:
            dispatch: Dispatch | None = (
                directive.dispatches.filter(agency=sender).select_related("agency__unit").first()
            )
            if dispatch is None:
                break
            dispatch.directive = directive
            return dispatch
    raise DocumentUnknown("no document of this office with this number and day went to the file's sender")


def is_stale(dispatch: Dispatch, message: StatusMessage) -> bool:
    """Whether a state said later is known already; of two said in the same second the further one counts.

    What was said to be later than when it was read in counts as of then: a partner's wrong clock must not silence it.
    """
    known = ExchangedFile.objects.filter(
        direction=ExchangedFile.Direction.IN, kind=ExchangedFile.Kind.STATUS, dispatch=dispatch
    ).values_list("said_at", "at", "status")
    newest = max(((min(said_at, at), status) for said_at, at, status in known if said_at), default=None)
    return newest is not None and (message.timestamp, message.status.value) < newest


def believe(dispatch: Dispatch, message: StatusMessage, user: User, now: datetime.datetime) -> None:
    """Move a dispatch to the state that its agency tells; call within a transaction.

    A stale one, and an answer to a recall or update, is put into the log and moves nothing.
    """
    held = Dispatch.objects.select_for_update(of=("self",)).get(pk=dispatch.pk)
    state = _STATES.get(message.status)
    before = held.state
    held.by_file = True
    if state and not is_stale(held, message):
        held.state, held.changed_at = state, now
        if state not in (DispatchState.ARRIVED, DispatchState.SENT_BACK):
            held.received_at = held.received_at or message.timestamp
        if state == DispatchState.SENT_BACK:
            held.reason = message.description[:300] or "–"
        if state == DispatchState.ASSIGNED:
            held.assigned_to = (message.description or message.staff.name or message.sender.name)[:120]
    held.save()
    note = " ".join(filter(None, [message.status.value, message.description]))[:300]
    DispatchEvent.objects.create(
        dispatch=held, what=Happening.STATUS_READ, at=now, actor=user, before=before, note=note
    )
