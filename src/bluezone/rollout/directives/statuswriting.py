# SPDX-License-Identifier: Apache-2.0
"""Write the states of documents that came from another office as signed edXML files for their senders."""

import datetime

from django.db import transaction
from django.db.models import QuerySet

from bluezone.accounts import auditing
from bluezone.accounts.models import Act, User
from bluezone.rollout.directives.edxml import ResponseFor, Staff, StatusCode, StatusMessage, write_message
from bluezone.rollout.directives.exchangekeys import office_signer
from bluezone.rollout.directives.exchangewriting import (
    NothingToWrite,
    Written,
    file_name,
    id_of,
    log_written,
    organisation,
)
from bluezone.rollout.directives.models import DispatchEvent, ExchangedFile, Happening

_STATUSES = {
    Happening.ARRIVED: StatusCode.ARRIVED,
    Happening.SENT_AGAIN: StatusCode.ARRIVED,
    Happening.SENT_BACK: StatusCode.SENT_BACK,
    Happening.RECEIVED: StatusCode.RECEIVED,
    Happening.ASSIGNED: StatusCode.ASSIGNED,
    Happening.IN_PROGRESS: StatusCode.IN_PROGRESS,
    Happening.DONE: StatusCode.DONE,
    Happening.AGREED: StatusCode.AGREED,
    Happening.DECLINED: StatusCode.DECLINED,
}
# What a tap that was taken back leads to again.
_STANDING = {
    "arrived": StatusCode.ARRIVED,
    "sent_back": StatusCode.SENT_BACK,
    "received": StatusCode.RECEIVED,
    "assigned": StatusCode.ASSIGNED,
    "in_progress": StatusCode.IN_PROGRESS,
    "done": StatusCode.DONE,
}


def status_of(event: DispatchEvent) -> StatusCode | None:
    """The state that an event is for the document's sender, None where it concerns nobody else."""
    if event.what == Happening.UNDONE:
        # `before` of the undoing is the tap that was taken back; the state again is that of the act before it.
        last = event.dispatch.events.filter(pk__lt=event.pk, what=event.before).order_by("-pk").first()
        return _STANDING.get(last.before) if last else None
    return _STATUSES.get(Happening(event.what))


def to_tell() -> QuerySet[DispatchEvent]:
    """Events on documents of other offices that their senders are told of and no file was written for, oldest first."""
    whats = [*_STATUSES, Happening.UNDONE]
    found: QuerySet[DispatchEvent] = (
        DispatchEvent.objects.filter(dispatch__directive__from_file=True, dispatch__parent=None, what__in=whats)
        .filter(status_file=None)
        .select_related("dispatch__directive__issuer", "dispatch__agency__unit")
        .order_by("pk")
    )
    return found


def write_status(event: DispatchEvent, user: User, now: datetime.datetime) -> Written:
    """The state that an event brought about, as the file for the document's sender; the same bytes each time.

    Raises NothingToWrite, AgencyWithoutIdentifier.
    """
    dispatch, directive = event.dispatch, event.dispatch.directive
    status = status_of(event)
    if not directive.from_file or dispatch.parent_id or status is None or directive.date is None:
        raise NothingToWrite("this is no state that the sender of the document is told")
    name = f"{status.value}-{file_name(directive, dispatch.agency, ExchangedFile.Kind.STATUS)}"
    with transaction.atomic():
        held = DispatchEvent.objects.select_for_update(of=("self",)).get(pk=event.pk)
        written = ExchangedFile.objects.filter(event=held).first()
        if written and written.content is not None:
            return Written(name, bytes(written.content))
        message = _status_message(event, status)
        content = write_message(message, office_signer(now))
        about = message.response_for.document_id
        log_written(ExchangedFile.Kind.STATUS, about, dispatch, content, user, now, event, message)
        auditing.record(
            user.username,
            Act.EDXML_EXPORTED,
            f"directive {directive.pk}",
            now=now,
            kind="status",
            status=status.value,
            to=directive.issuer.key,
        )
    return Written(name, content)


def _status_message(event: DispatchEvent, status: StatusCode) -> StatusMessage:
    directive, agency = event.dispatch.directive, event.dispatch.agency
    assert directive.date is not None
    return StatusMessage(
        ResponseFor(organisation(directive.issuer).id, directive.code, directive.date, id_of(directive)),
        organisation(agency),
        status,
        event.at.replace(microsecond=0),
        event.note,
        Staff(department=agency.name, name=event.actor.name if event.actor else ""),
    )
