# SPDX-License-Identifier: Apache-2.0
"""Write what this office issued, and the states of documents that came from others, as signed edXML files."""

import datetime
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q, QuerySet

from bluezone.audit import hash_chain
from bluezone.directory.models import Agency
from bluezone.identity.models import User
from bluezone.refusal import Refused
from bluezone.rollout.directives.exchange.edxml import (
    Attachment,
    Business,
    BusinessKind,
    Edoc,
    Organisation,
    Replacement,
    ResponseFor,
    Staff,
    StatusCode,
    StatusMessage,
    Trace,
    document_id,
    write_message,
)
from bluezone.rollout.directives.exchange.partners import AgencyWithoutIdentifier, office_signer
from bluezone.rollout.directives.models import (
    Directive,
    DirectiveState,
    Dispatch,
    DispatchEvent,
    EventKind,
    ExchangedFile,
    StoredFile,
    TaskParty,
)
from bluezone.rollout.directives.register import KIND_NAMES

FILE_KINDS = {
    BusinessKind.NEW: ExchangedFile.Kind.EDOC,
    BusinessKind.REVOCATION: ExchangedFile.Kind.REVOCATION,
    BusinessKind.UPDATE: ExchangedFile.Kind.UPDATE,
    BusinessKind.REPLACEMENT: ExchangedFile.Kind.REPLACEMENT,
}


class NothingToWrite(Refused):
    """The directive was never issued, came from another office, or what happened is no state that others are told."""

    code = "nothing_to_write"


@dataclass(frozen=True)
class Written:
    """A file to take away, and its entry in the log."""

    name: str
    content: bytes
    file: ExchangedFile


def organisation(agency: Agency) -> Organisation:
    """An agency as files name it. Raises AgencyWithoutIdentifier."""
    if not agency.edxml_id:
        raise AgencyWithoutIdentifier(f"{agency.key} has no identifier on the document axis")
    above = agency.parent.name if agency.parent else agency.name
    return Organisation(agency.edxml_id, agency.name, above, email=agency.email, telephone=agency.phone)


def id_of(directive: Directive) -> str:
    """The id by which files name a directive. Raises AgencyWithoutIdentifier or NothingToWrite (no number yet)."""
    if directive.date is None or not directive.number:
        raise NothingToWrite("the directive has no number and day yet")
    return document_id(organisation(directive.issuer).id, directive.date, directive.number, directive.notation)


def write_document(dispatch: Dispatch, user: User | None, now: datetime.datetime, *, first: bool = False) -> Written:
    """The directive of a dispatch as the file for its agency; from then on the agency answers by files.

    user: None where it goes over the network. first: as it was issued, whatever has happened since.

    Raises NothingToWrite, AgencyWithoutIdentifier, InvalidEdxml or LargeEdxml.
    """
    directive = dispatch.directive
    if directive.from_file or directive.issued_at is None:
        raise NothingToWrite(f"the directive is {directive.state}")
    business = _business(directive, dispatch, first=first)
    edoc = _edoc(directive, dispatch, business)
    content = write_message(edoc, office_signer(now))
    kind = FILE_KINDS[business.kind]
    with transaction.atomic():
        Dispatch.objects.filter(pk=dispatch.pk).update(by_file=True)
        file = log_written(kind, edoc.document_id, dispatch, content, user, now)
        hash_chain.record(
            _actor(user),
            "edxml_exported",
            f"directive {directive.pk}",
            now=now,
            kind=str(kind),
            to=dispatch.agency.key,
        )
    return Written(file_name(directive, dispatch.agency, kind), content, file)


def _actor(user: User | None) -> str:
    return user.username if user else hash_chain.COMMAND_LINE


def kind_of(directive: Directive, dispatch: Dispatch, *, first: bool = False) -> BusinessKind:
    """Which kind of file the directive is for this agency now; or was when it was issued."""
    if first:
        if not directive.replaces_id:
            return BusinessKind.NEW
        return BusinessKind.REVOCATION if directive.ending == "revoked" else BusinessKind.REPLACEMENT
    if directive.state == DirectiveState.REVOKED:
        return BusinessKind.REVOCATION
    if granted(dispatch):
        return BusinessKind.UPDATE
    return kind_of(directive, dispatch, first=True)


def _business(directive: Directive, dispatch: Dispatch, *, first: bool) -> Business:
    kind = kind_of(directive, dispatch, first=first)
    staff = Staff(department=directive.issuer.name)
    if kind is BusinessKind.NEW:
        return Business(reason="Văn bản điện tử mới", staff=staff)
    if kind is BusinessKind.UPDATE:
        reason = "; ".join(f"Gia hạn nhiệm vụ {one.task.label} đến {one.due:%d/%m/%Y}" for one in granted(dispatch))
        return Business(kind, reason, id_of(directive), staff=staff)
    if not first and directive.state == DirectiveState.REVOKED:
        return Business(kind, directive.revoke_reason, id_of(directive), staff=staff)
    assert directive.replaces is not None
    ended = id_of(directive.replaces)
    if kind is BusinessKind.REVOCATION:
        return Business(kind, directive.code, ended, staff=staff)
    only = (Replacement(ended, (organisation(dispatch.agency).id,)),)
    return Business(kind, directive.code, ended, staff=staff, replacements=only)


def granted(dispatch: Dispatch) -> list[TaskParty]:
    """Tasks for which this agency was given more time."""
    parties = TaskParty.objects.filter(task__directive=dispatch.directive_id, agency=dispatch.agency_id)
    return list(parties.exclude(due=None).select_related("task").order_by("task__position"))


def _edoc(directive: Directive, dispatch: Dispatch, business: Business) -> Edoc:
    assert directive.date is not None
    assert directive.issued_at is not None
    sender = organisation(directive.issuer)
    return Edoc(
        sender=sender,
        recipients=(organisation(dispatch.agency),),
        number=directive.number,
        notation=directive.notation,
        date=directive.date,
        subject=directive.subject,
        place=_place(directive),
        content=directive.subject,
        type_name=KIND_NAMES[directive.kind] or "Văn bản khác",
        type_code=_TYPE_CODES.get(directive.kind, 0),
        signer_authority=" ".join(directive.authority.split()),
        signer_position=directive.signer_position,
        signer_name=directive.signer_name,
        due_date=_due(dispatch),
        priority=_PRIORITIES[directive.priority],
        sphere=directive.campaign.name if directive.campaign else "Liên thông văn bản",
        typist="VT",
        copies=max(1, directive.dispatches.filter(parent=None).count()),
        pages=_pages(directive),
        steering=_steering(directive),
        to_places=tuple(filter(None, map(str.strip, directive.recipients_action.splitlines()))),
        traces=(Trace(sender.id, directive.issued_at.replace(microsecond=0)),),
        business=business,
        # Who recalls a document sends nothing of it again.
        attachments=()
        if business.kind is BusinessKind.REVOCATION and business.document_id == id_of(directive)
        else _attachments(directive),
    )


# Places in the list of Article 7 of Nghị định 30/2020; decree, circular and law are not in it.
_TYPE_CODES = {
    "resolution": 1,
    "decision": 2,
    "instruction": 3,
    "notice": 7,
    "guidance": 8,
    "programme": 9,
    "plan": 10,
    "report": 14,
    "submission": 16,
    "official_letter": 18,
    "telegram": 19,
    "invitation": 23,
}
_PRIORITIES = {"normal": 0, "urgent": 1, "express": 3}
_PLACE = re.compile(r"^\W*(\w[\w .'-]{1,40}?), ngày\b", re.MULTILINE)
_CHARACTERS_A_PAGE = 2500


def _place(directive: Directive) -> str:
    """Where it was issued, as its head says; else the territory of the issuer."""
    found = _PLACE.search(directive.text[:3000])
    return " ".join(found[1].split()) if found else directive.issuer.unit.name


def _pages(directive: Directive) -> int:
    """About how many pages the letter has, at least one: a file is not opened to count them."""
    return max(1, -(-len(directive.text) // _CHARACTERS_A_PAGE))


def _steering(directive: Directive) -> int:
    """0 where nothing is asked for, 1 where something is to be done, 2 where it is reported on."""
    every = list(directive.tasks.values_list("report_every", flat=True))
    return 2 if any(every) else int(bool(every))


def _due(dispatch: Dispatch) -> datetime.date | None:
    """The first day on which something is due of this agency."""
    parties = TaskParty.objects.filter(task__directive=dispatch.directive_id, agency=dispatch.agency_id)
    days = [
        one.due or one.task.due
        for one in parties.filter(Q(due__isnull=False) | Q(task__due__isnull=False)).select_related("task")
    ]
    return min((day for day in days if day), default=None)


def _attachments(directive: Directive) -> tuple[Attachment, ...]:
    """The original, or the text where it was pasted, and the files that go with it."""
    files: Sequence[StoredFile] = [
        *(one for one in (directive.signed_copy, directive.original) if one),
        *directive.attachments.order_by("pk"),
    ]
    made = [Attachment(one.name, one.content_type.split(";")[0], bytes(one.content)) for one in files]
    if directive.original is None and directive.signed_copy is None and directive.text:
        name = f"{directive.number}-{directive.notation}.txt".replace("/", "-")
        made.insert(0, Attachment(name, "text/plain", directive.text.encode()))
    return tuple(made)


def log_written(
    kind: ExchangedFile.Kind,
    about: str,
    dispatch: Dispatch,
    content: bytes,
    user: User | None,
    now: datetime.datetime,
    event: DispatchEvent | None = None,
    message: StatusMessage | None = None,
) -> ExchangedFile:
    """Note that a file was written; a status with its bytes."""
    to_issuer = message is not None and dispatch.directive.from_file
    made: ExchangedFile = ExchangedFile.objects.create(
        direction=ExchangedFile.Direction.OUT,
        kind=kind,
        status=message.status.value if message else "",
        sha256=hashlib.sha256(content).hexdigest(),
        document_id=about[:160],
        partner=dispatch.directive.issuer if to_issuer else dispatch.agency,
        directive=dispatch.directive,
        dispatch=dispatch,
        event=event,
        said_at=message.timestamp if message else None,
        content=content if message else None,
        user=user,
        at=now,
    )
    return made


def file_name(directive: Directive, agency: Agency, kind: ExchangedFile.Kind) -> str:
    """A name that says which document, to or from whom, and what of it."""
    day = f"{directive.date:%Y%m%d}" if directive.date else ""
    plain = "-".join(filter(None, [directive.number, directive.notation, day, agency.key, str(kind)]))
    return "".join(sign if sign.isalnum() or sign in "-." else "-" for sign in plain)[:120] + ".edxml"


_STATUSES = {
    EventKind.ARRIVED: StatusCode.ARRIVED,
    EventKind.SENT_AGAIN: StatusCode.ARRIVED,
    EventKind.SENT_BACK: StatusCode.SENT_BACK,
    EventKind.RECEIVED: StatusCode.RECEIVED,
    EventKind.ASSIGNED: StatusCode.ASSIGNED,
    EventKind.IN_PROGRESS: StatusCode.IN_PROGRESS,
    EventKind.DONE: StatusCode.DONE,
    EventKind.AGREED: StatusCode.AGREED,
    EventKind.DECLINED: StatusCode.DECLINED,
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
    """The state that an event is for the other office, None where it concerns nobody else.

    A document of ours that is recalled from one agency is the only one that its issuer tells of.
    """
    if not event.dispatch.directive.from_file:
        return StatusCode.RECALLED if event.what == EventKind.RECALLED else None
    if event.what == EventKind.UNDONE:
        # `before` of the undoing is the tap that was taken back; the state again is that of the act before it.
        last = event.dispatch.events.filter(pk__lt=event.pk, what=event.before).order_by("-pk").first()
        return _STANDING.get(last.before) if last else None
    return _STATUSES.get(EventKind(event.what))


def to_tell() -> QuerySet[DispatchEvent]:
    """Events on documents of other offices that their senders are told of and no file was written for, oldest first."""
    whats = [*_STATUSES, EventKind.UNDONE]
    found: QuerySet[DispatchEvent] = (
        DispatchEvent.objects.filter(dispatch__directive__from_file=True, dispatch__parent=None, what__in=whats)
        .filter(status_file=None)
        .select_related("dispatch__directive__issuer", "dispatch__agency__unit")
        .order_by("pk")
    )
    return found


def write_status(event: DispatchEvent, user: User | None, now: datetime.datetime) -> Written:
    """The state that an event brought about, as the file for the other office; the same bytes each time.

    Raises NothingToWrite, AgencyWithoutIdentifier.
    """
    dispatch, directive = event.dispatch, event.dispatch.directive
    status = status_of(event)
    if dispatch.parent_id or status is None or directive.date is None:
        raise NothingToWrite("this is not a state that another office is informed of")
    name = f"{status.value}-{file_name(directive, dispatch.agency, ExchangedFile.Kind.STATUS)}"
    with transaction.atomic():
        locked = DispatchEvent.objects.select_for_update(of=("self",)).get(pk=event.pk)
        written = ExchangedFile.objects.filter(event=locked).first()
        if written and written.content is not None:
            return Written(name, bytes(written.content), written)
        message = _status_message(event, status)
        content = write_message(message, office_signer(now))
        about = message.response_for.document_id
        file = log_written(ExchangedFile.Kind.STATUS, about, dispatch, content, user, now, event, message)
        hash_chain.record(
            _actor(user),
            "edxml_exported",
            f"directive {directive.pk}",
            now=now,
            kind="status",
            status=status.value,
            to=(directive.issuer if directive.from_file else dispatch.agency).key,
        )
    return Written(name, content, file)


def _status_message(event: DispatchEvent, status: StatusCode) -> StatusMessage:
    directive, agency = event.dispatch.directive, event.dispatch.agency
    assert directive.date is not None
    ours = agency if directive.from_file else directive.issuer
    return StatusMessage(
        ResponseFor(organisation(directive.issuer).id, directive.code, directive.date, id_of(directive)),
        organisation(ours),
        status,
        event.at.replace(microsecond=0),
        event.note,
        Staff(department=ours.name, name=event.actor.name if event.actor else ""),
        None if directive.from_file else organisation(agency),
    )
