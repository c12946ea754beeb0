# SPDX-License-Identifier: Apache-2.0
"""A document of another office that came as an edXML file: into the inbox of whom it is for, recalled, updated; and
what another office says of one it got from here.
"""

import datetime
import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone

from bluezone.audit import hash_chain
from bluezone.directory.kinds import Purpose
from bluezone.directory.models import Agency
from bluezone.identity.models import User
from bluezone.letters.letter import Letter
from bluezone.letters.proposal import PartyRole, Proposal
from bluezone.letters.reader import propose
from bluezone.refusal import Refused
from bluezone.rollout.directives import queries
from bluezone.rollout.directives.exchange.edxml import Edoc, InvalidEdxml, StatusCode, StatusMessage
from bluezone.rollout.directives.issuance import approval
from bluezone.rollout.directives.issuance.addressees import Directory
from bluezone.rollout.directives.issuance.attachments import store
from bluezone.rollout.directives.models import (
    Directive,
    DirectiveState,
    Dispatch,
    DispatchEvent,
    DispatchState,
    EventKind,
    ExchangedFile,
    Kind,
    Priority,
    StoredFile,
    Task,
    TaskParty,
)
from bluezone.rollout.directives.register import KIND_NAMES

_LONGEST_NUMBER, _LONGEST_NOTATION = 12, 40
_PRIORITIES = {1: Priority.URGENT, 2: Priority.URGENT, 3: Priority.EXPRESS}
_KIND_BY_NAME = {name.lower(): kind for kind, name in KIND_NAMES.items() if name}


class DocumentUnknown(Refused):
    """The file is about a document that never came here, or is not one of the file's sender."""

    code = "edxml_document_unknown"


class DocumentDiffers(Refused):
    """A document of this number and day is here already and says something else."""

    code = "edxml_document_differs"


class ExchangeRepeated(Refused):
    """The file was read in before, or says of a document what is known of it already."""

    code = "edxml_repeated"


def known(sender: Agency, about: str) -> Directive | None:
    """The document of this sender that files call `about`."""
    organ_id, _, rest = about.partition(",")
    day, _, code = rest.partition(",")
    try:
        date = datetime.datetime.strptime(day, "%Y/%m/%d").replace(tzinfo=datetime.UTC).date()
    except ValueError:
        return None
    if organ_id != sender.edxml_id:
        return None
    of_the_day = Directive.objects.filter(issuer=sender, from_file=True, date=date).defer("text", "proposal")
    return next((one for one in of_the_day if one.code == code), None)


@dataclass(frozen=True)
class Read:
    """What a letter says, and whom names stand for."""

    letter: Proposal
    directory: Directory


def read(letters: Sequence[Letter], now: datetime.datetime) -> Read | None:
    """What the first file that can be read as a letter says; call it before the transaction, for it takes long."""
    for one in letters:
        try:
            return Read(propose(one.read().text), Directory.of(timezone.localdate(now)))
        except Refused:
            continue
    return None


def bring_in(
    edoc: Edoc,
    letters: Sequence[Letter],
    said: Read | None,
    sender: Agency,
    recipients: Sequence[Agency],
    user: User | None,
    now: datetime.datetime,
) -> list[Dispatch]:
    """Store a document with its files and put it into the inboxes of its recipients; call within a transaction.

    letters: the document's files, opened, in their order. said: what `read` made of them. user: None where it came
    over the network. A document that came for another agency of this office before is put into further inboxes.
    Raises InvalidEdxml and what `Letter.check` refuses.
    """
    if len(edoc.number) > _LONGEST_NUMBER or len(edoc.notation) > _LONGEST_NOTATION:
        raise InvalidEdxml("number or notation of the document is longer than any is")
    if here := known(sender, edoc.document_id):
        _set_tasks(here, said, edoc, recipients)
        return approval.dispatch(here, [(agency, Purpose.ACTION) for agency in recipients], user, now)
    directive = Directive.objects.create(
        kind=Kind(_KIND_BY_NAME.get(edoc.type_name.lower(), Kind.OTHER)),
        number=edoc.number,
        notation=edoc.notation,
        date=edoc.date,
        subject=edoc.subject[:500],
        issuer=sender,
        signer_name=edoc.signer_name[:80],
        signer_position=edoc.signer_position[:120],
        authority=edoc.signer_authority[:300],
        priority=_PRIORITIES.get(edoc.priority, Priority.NORMAL),
        from_file=True,
        state=DirectiveState.ISSUED,
        made_by=user,
        made_at=now,
        issued_at=now,
    )
    files = keep_files(edoc, letters)
    if files:
        directive.original = files[0]
        directive.attachments.set(files[1:])
    directive.text = said.letter.text if said else edoc.content
    directive.save(update_fields=["original", "text"])
    _set_tasks(directive, said, edoc, recipients)
    return approval.dispatch(directive, [(agency, Purpose.ACTION) for agency in recipients], user, now)


def further(here: Directive, edoc: Edoc, letters: Sequence[Letter], recipients: Sequence[Agency]) -> list[Agency]:
    """Those of the recipients of a document that came before who do not have it yet.

    Raises DocumentDiffers where what came is another document, ExchangeRepeated where all have it.
    """
    have = set(here.attachments.values_list("sha256", flat=True))
    have |= {here.original.sha256} if here.original else set()
    came = {hashlib.sha256(letter.data).hexdigest() for letter in letters}
    # What an update brought later is not of the document as it was sent.
    if not came <= have or (edoc.subject[:500], edoc.signer_name[:80]) != (here.subject, here.signer_name):
        raise DocumentDiffers("a document of this number and day came before and is another")
    got = set(here.dispatches.values_list("agency_id", flat=True))
    missing = [one for one in recipients if one.pk not in got]
    if not missing or not here.in_force:
        raise ExchangeRepeated("the document came before")
    return missing


def keep_files(edoc: Edoc, letters: Sequence[Letter]) -> list[StoredFile]:
    """Store a document's files; their kind is told by content, never by what the file says. Raises what it refuses."""
    return [store(letter, one.name) for one, letter in zip(edoc.attachments, letters, strict=True)]


def end(
    directive: Directive,
    what: EventKind,
    note: str,
    agencies: Sequence[Agency],
    user: User | None,
    now: datetime.datetime,
) -> None:
    """Recall or replace a document that came earlier; call within a transaction. Raises ExchangeRepeated.

    agencies: of this office for which it ends; where another one still has it, it ends for these alone.
    """
    locked = Directive.objects.select_for_update().get(pk=directive.pk)
    if locked.state != DirectiveState.ISSUED:
        raise ExchangeRepeated(f"the document is {locked.state} already")
    standing = locked.dispatches.filter(parent=None).exclude(state=DispatchState.RECALLED)
    if standing.exclude(agency__in=agencies).exists():
        _end_for(standing.filter(agency__in=agencies), what, note, user, now)
        return
    if what is EventKind.REVOKED:
        locked.revoke_reason = note[:300] or "–"
    approval.end_directive(locked, what, note, user, now)


def _end_for(
    dispatches: QuerySet[Dispatch], what: EventKind, note: str, user: User | None, now: datetime.datetime
) -> None:
    gone = list(dispatches)
    if not gone:
        raise ExchangeRepeated("these agencies have the document no more")
    Dispatch.objects.filter(pk__in=[one.pk for one in gone]).update(
        state=DispatchState.RECALLED, changed_at=now, reason=note[:300]
    )
    DispatchEvent.objects.bulk_create(
        [DispatchEvent(dispatch=one, what=what, at=now, actor=user, before=one.state, note=note[:300]) for one in gone]
    )


def update(
    directive: Directive,
    edoc: Edoc,
    letters: Sequence[Letter],
    agencies: Sequence[Agency],
    user: User | None,
    now: datetime.datetime,
) -> None:
    """Give the tasks of a document at these agencies their later day and keep its new files; call within a transaction.

    Raises DocumentUnknown for a document that is not in force, and what `Letter.check` refuses.
    """
    if not directive.in_force:
        raise DocumentUnknown(f"the document is {directive.state}, so nothing of it is updated")
    if edoc.due_date:
        parties = TaskParty.objects.filter(task__directive=directive, agency__in=agencies)
        for party in parties.select_related("task"):
            due = party.due or party.task.due
            if due is None or due < edoc.due_date:
                TaskParty.objects.filter(pk=party.pk).update(due=edoc.due_date)
    have = set(directive.attachments.values_list("sha256", flat=True))
    if directive.original:
        have.add(directive.original.sha256)
    directive.attachments.add(*(one for one in keep_files(edoc, letters) if one.sha256 not in have))
    note = edoc.business.reason[:300]
    DispatchEvent.objects.bulk_create(
        [
            DispatchEvent(dispatch_id=pk, what=EventKind.UPDATED, at=now, actor=user, note=note)
            for pk in directive.dispatches.filter(agency__in=agencies).values_list("pk", flat=True)
        ]
    )


def record(directive: Directive, user: User | None, now: datetime.datetime, kind: str, digest: str) -> None:
    """Note in the audit that a file was read in."""
    actor = user.username if user else hash_chain.NETWORK
    hash_chain.record(actor, "edxml_imported", f"directive {directive.pk}", now=now, kind=kind, signed_sha256=digest)


def _set_tasks(directive: Directive, said: Read | None, edoc: Edoc, recipients: Sequence[Agency]) -> None:
    """Store the clauses that name a recipient or nobody, as read; where none does, the document as one task for each.

    Nothing is reported on here: the office that asks for reports is another.
    """
    parties: list[TaskParty] = []
    for position, proposed in enumerate(said.letter.tasks if said else ()):
        leads = _agencies(said, proposed.names(PartyRole.LEAD))
        others = _agencies(said, proposed.names(PartyRole.COOPERATING)) - leads
        # A clause that names nobody whom the directory knows may be meant for all: better shown than missed.
        named = leads | others or {one.pk for one in recipients}
        ours = [one for one in recipients if one.pk in named]
        if not ours:
            continue
        text = "\n".join([proposed.text.value, *(f"- {point.value}" for point in proposed.points)])
        task, made = Task.objects.get_or_create(
            directive=directive,
            position=position,
            defaults={
                "label": proposed.label[:20],
                "text": unicodedata.normalize("NFC", text)[:8000],
                "due": edoc.due_date,
                "lead_names": "\n".join(one.name for one in ours if one.pk not in others),
                "cooperating_names": "\n".join(one.name for one in ours if one.pk in others),
            },
        )
        if not made:
            _name_further(task, ours, others)
        role = TaskParty.Role
        parties += [
            TaskParty(task=task, agency=one, role=role.COOPERATING if one.pk in others else role.LEAD) for one in ours
        ]
    if not parties:
        names = "\n".join(one.name for one in recipients)
        values = {"label": "1", "text": edoc.subject, "due": edoc.due_date, "lead_names": names}
        task, made = Task.objects.get_or_create(directive=directive, position=0, defaults=values)
        if not made:
            _name_further(task, recipients, set())
        parties = [TaskParty(task=task, agency=one) for one in recipients]
    TaskParty.objects.bulk_create(parties)


def _name_further(task: Task, agencies: Sequence[Agency], cooperating: set[int]) -> None:
    """Write agencies that got the document later into a task that names others already."""
    for field, of_role in (("lead_names", False), ("cooperating_names", True)):
        names = [one.name for one in agencies if (one.pk in cooperating) == of_role]
        setattr(task, field, "\n".join(filter(None, [getattr(task, field), *names])))
    task.save(update_fields=["lead_names", "cooperating_names"])


def _agencies(said: Read | None, names: Sequence[str]) -> set[int]:
    if said is None:
        return set()
    found, _unknown = said.directory.known(names)
    return {one.pk for one in said.directory.expand("\n".join(found))}


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
    """Whether a state moves nothing: one said later is known already, or nobody there has the document any more.

    Of two said in the same second the further one counts. What was said to be later than when it was read in counts as
    of then: a partner's wrong clock must not silence it.
    """
    if dispatch.state in queries.GONE or not dispatch.directive.in_force:
        return True
    known = ExchangedFile.objects.filter(
        direction=ExchangedFile.Direction.IN, kind=ExchangedFile.Kind.STATUS, dispatch=dispatch
    ).values_list("said_at", "at", "status")
    newest = max(((min(said_at, at), status) for said_at, at, status in known if said_at), default=None)
    return newest is not None and (message.timestamp, message.status.value) < newest


def believe(dispatch: Dispatch, message: StatusMessage, user: User | None, now: datetime.datetime) -> None:
    """Move a dispatch to the state that its agency tells; call within a transaction.

    A stale one, and an answer to a recall or update, is put into the log and moves nothing.
    """
    found = Dispatch.objects.select_for_update(of=("self",)).select_related("directive")
    locked = found.get(pk=dispatch.pk)
    state = _STATES.get(message.status)
    before = locked.state
    locked.by_file = True
    if state and not is_stale(locked, message):
        locked.state, locked.changed_at = state, now
        if state not in (DispatchState.ARRIVED, DispatchState.SENT_BACK):
            locked.received_at = locked.received_at or message.timestamp
        if state == DispatchState.SENT_BACK:
            locked.reason = message.description[:300] or "–"
        if state == DispatchState.ASSIGNED:
            locked.assigned_to = (message.description or message.staff.name or message.sender.name)[:120]
    locked.save()
    note = " ".join(filter(None, [message.status.value, message.description]))[:300]
    DispatchEvent.objects.create(
        dispatch=locked, what=EventKind.STATUS_READ, at=now, actor=user, before=before, note=note
    )
