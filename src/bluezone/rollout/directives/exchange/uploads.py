# SPDX-License-Identifier: Apache-2.0
"""An edXML file on its way in: kept aside, looked at, then done exactly as it was shown or not at all; one that came
over the network is done at once.

What a file may do is decided by its signature alone: who signed it is found among the certificates held, and a document
is recalled, replaced or updated, and a state believed, only by the agency it belongs to. A file that came before is
known by what was signed, however it is packed. A state that was said before the newest one known is kept and moves
nothing.
"""

import datetime
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from bluezone.directory.models import Agency
from bluezone.directory.queries import day_to_show
from bluezone.identity.models import User
from bluezone.letters.letter import Letter
from bluezone.refusal import Refused
from bluezone.rollout.directives import permissions
from bluezone.rollout.directives.exchange import arrivals, partners
from bluezone.rollout.directives.exchange.arrivals import DocumentUnknown, ExchangeRepeated
from bluezone.rollout.directives.exchange.edxml import (
    BusinessKind,
    Edoc,
    LargeEdxml,
    SignedMessage,
    StatusCode,
    StatusMessage,
    read_signed,
)
from bluezone.rollout.directives.exchange.partners import fingerprint
from bluezone.rollout.directives.models import Directive, Dispatch, EventKind, ExchangedFile, ExchangeImport

# A letter of 10 MB in base64 with what is around it; web.settings.MAX_BODY_BYTES leaves room for the form.
LARGEST_FILE = 15 * 1024 * 1024
_KINDS = {
    BusinessKind.NEW: ExchangedFile.Kind.EDOC,
    BusinessKind.REVOCATION: ExchangedFile.Kind.REVOCATION,
    BusinessKind.UPDATE: ExchangedFile.Kind.UPDATE,
    BusinessKind.REPLACEMENT: ExchangedFile.Kind.REPLACEMENT,
}


class NotForUs(Refused):
    """The file is for agencies of another office, or for agencies that the person does not work for."""

    code = "edxml_not_for_us"


@dataclass(frozen=True)
class Look:
    """What a file is and would do, before anything of it is stored.

    kind: of file. sender: the agency whose certificate proves it. recipients: agencies here that get it.
    target: the document it acts on, where it is known here. dispatch: whose state it tells of.
    digest: SHA-256 of what was signed; the answer to the preview names it. stale: a newer state is known.
    letters: the files of a document, opened.
    """

    message: Edoc | StatusMessage
    kind: ExchangedFile.Kind
    sender: Agency
    certificate: str
    digest: str
    recipients: tuple[Agency, ...] = ()
    target: Directive | None = None
    dispatch: Dispatch | None = None
    stale: bool = False
    letters: tuple[Letter, ...] = ()


def receive(data: bytes, name: str, user: User, now: datetime.datetime) -> ExchangeImport:
    """Keep a file aside that could be read in now. Raises what `look` raises; nothing is kept then."""
    look(data, user, now)
    plain = "".join(filter(str.isprintable, name))[-200:]
    return ExchangeImport.objects.create(file_name=plain, content=data, made_by=user, made_at=now)


def look(data: bytes, user: User, now: datetime.datetime) -> Look:
    """Say what a file is and would do.

    Raises what reading refuses (InvalidEdxml, LargeEdxml, Unsigned, SignatureWeak, SignatureWrong, SignerUnknown),
    NotForUs, ExchangeRepeated, DocumentUnknown, or what `Letter.check` refuses of an attachment.
    """
    signed = _opened(data, now)
    return _look(signed, _letters(signed), user, now)


def take(data: bytes, organ_id: str, now: datetime.datetime) -> bool:
    """Do what a message of a partner says, for whichever agency of this office it is; False where it is known already.

    organ_id: the agency whose key signed the message as a whole. Raises what `look` raises but ExchangeRepeated.
    """
    signed = _opened(data, now)
    if signed.message.sender.id != organ_id:
        raise NotForUs("the file is another sender's than the message")
    try:
        _store(data, signed, _letters(signed), None, now)
    except ExchangeRepeated:
        return False
    return True


def _opened(data: bytes, now: datetime.datetime) -> SignedMessage:
    if len(data) > LARGEST_FILE:
        raise LargeEdxml(f"the file is {len(data)} bytes, at most {LARGEST_FILE} are read in")
    return read_signed(data, partners.trusted(), now)


def _letters(signed: SignedMessage) -> tuple[Letter, ...]:
    """The files of a document, looked through. Raises what `Letter.check` refuses."""
    if isinstance(signed.message, StatusMessage):
        return ()
    letters = tuple(Letter(one.content) for one in signed.message.attachments)
    for letter in letters:
        letter.examine()
    return letters


def _look(signed: SignedMessage, letters: tuple[Letter, ...], user: User | None, now: datetime.datetime) -> Look:
    if ExchangedFile.objects.filter(direction="in", digest=signed.digest).exists():
        raise ExchangeRepeated("the file was read in before")
    sender = _sender(signed)
    if isinstance(signed.message, StatusMessage):
        return _look_at_status(signed, signed.message, sender, user)
    return _look_at_document(signed, signed.message, letters, sender, user, now)


def apply(waiting: ExchangeImport, digest: str, user: User, now: datetime.datetime) -> Look:
    """Do what the preview under `digest` showed, in one transaction that holds no more than rows, and forget the file.

    Raises what `look` raises, and ExchangeRepeated when the file is another than the one shown.
    """
    data = bytes(waiting.content)
    # Opening a file of 15 MB takes seconds, and whoever else writes would wait.
    signed = _opened(data, now)
    return _store(data, signed, _letters(signed), user, now, digest, waiting)


def _store(
    data: bytes,
    signed: SignedMessage,
    letters: tuple[Letter, ...],
    user: User | None,
    now: datetime.datetime,
    digest: str | None = None,
    waiting: ExchangeImport | None = None,
) -> Look:
    read = arrivals.read(letters, now)
    with transaction.atomic():
        # Two clerks with the same file: the certificate's agency is the queue.
        Agency.objects.select_for_update().get(pk=_sender(signed).pk)
        seen = _look(signed, letters, user, now)
        if digest is not None and seen.digest != digest:
            raise ExchangeRepeated("the file is not the one that was shown")
        directive, dispatch = _do(seen, read, user, now)
        status = seen.message if isinstance(seen.message, StatusMessage) else None
        ExchangedFile.objects.create(
            direction=ExchangedFile.Direction.IN,
            kind=seen.kind,
            status=status.status.value if status else "",
            digest=seen.digest,
            sha256=hashlib.sha256(data).hexdigest(),
            document_id=_about(seen.message)[:160],
            partner=seen.sender,
            directive=directive,
            dispatch=dispatch,
            said_at=status.timestamp if status else None,
            content=data,
            user=user,
            at=now,
        )
        arrivals.record(directive, user, now, str(seen.kind), seen.digest)
        if waiting is not None:
            waiting.delete()
    return seen


def _about(message: Edoc | StatusMessage) -> str:
    return message.response_for.document_id if isinstance(message, StatusMessage) else message.document_id


def _sender(signed: SignedMessage) -> Agency:
    """The agency for which the certificate is held that proves the file."""
    held = partners.holding(fingerprint(signed.certificate), signed.message.sender.id)
    if held is None:
        raise NotForUs("the certificate was removed meanwhile")
    return held.agency


def _look_at_status(signed: SignedMessage, message: StatusMessage, sender: Agency, user: User | None) -> Look:
    kind = ExchangedFile.Kind.STATUS
    mark = fingerprint(signed.certificate)
    if message.status is StatusCode.RECALLED:
        # 13 is said by whom the document is of, and recalls it.
        target = arrivals.known(sender, message.response_for.document_id)
        if target is None:
            raise DocumentUnknown("the recall is of a document that never came here")
        if not target.in_force:
            raise ExchangeRepeated(f"the document is {target.state} already")
        only = message.recipient.id if message.recipient else ""
        return Look(message, kind, sender, mark, signed.digest, _ours(target, user, only), target)
    dispatch = arrivals.concerned(message, sender)
    if user and not permissions.issuing_agencies(user).filter(pk=dispatch.directive.issuer_id).exists():
        raise NotForUs("the state is of a document that the account's agency did not issue")
    stale = arrivals.is_stale(dispatch, message)
    return Look(message, kind, sender, mark, signed.digest, (), dispatch.directive, dispatch, stale)


def _look_at_document(
    signed: SignedMessage,
    edoc: Edoc,
    letters: tuple[Letter, ...],
    sender: Agency,
    user: User | None,
    now: datetime.datetime,
) -> Look:
    recipients = _recipients(edoc, user, now)
    kind = edoc.business.kind
    target = next((one for name in _ends(edoc, recipients) if (one := arrivals.known(sender, name))), None)
    if kind in (BusinessKind.NEW, BusinessKind.REPLACEMENT) and (here := arrivals.known(sender, edoc.document_id)):
        recipients = arrivals.further(here, edoc, letters, recipients)
        # The first of its files has ended what it replaces.
        target = target if target and target.in_force else None
    if kind in (BusinessKind.REVOCATION, BusinessKind.UPDATE) and target is None:
        raise DocumentUnknown("the document that the file recalls or updates never came here")
    if target is not None and not target.in_force:
        raise ExchangeRepeated(f"the document is {target.state} already")
    mark = fingerprint(signed.certificate)
    return Look(edoc, _KINDS[kind], sender, mark, signed.digest, tuple(recipients), target, letters=letters)


def _ends(edoc: Edoc, recipients: Sequence[Agency]) -> list[str]:
    """Ids of the documents that a file acts on for one of these recipients."""
    ours = {one.edxml_id for one in recipients}
    named = [one.document_id for one in edoc.business.replacements if not one.organ_ids or ours & set(one.organ_ids)]
    if edoc.business.replacements:
        return named
    return [edoc.business.document_id] if edoc.business.kind is not BusinessKind.NEW else []


def _reached(user: User | None) -> QuerySet[Agency]:
    """The agencies for which a person exchanges documents; every one for the network."""
    return permissions.issuing_agencies(user) if user else Agency.objects.all()


def _recipients(edoc: Edoc, user: User | None, now: datetime.datetime) -> list[Agency]:
    """Agencies of this office among those the file is for, within the person's scope. Raises NotForUs."""
    on = day_to_show(Agency, now.date())
    wanted = {one.id for one in edoc.recipients}
    found = _reached(user).filter(edxml_id__in=wanted, pk__in=Agency.objects.valid_on(on))
    ours = list(found.exclude(pk__in=partners.elsewhere()).select_related("unit").order_by("pk"))
    if not ours:
        raise NotForUs("none of the agencies the file is for is one of this office that the account works for")
    return ours


def _ours(directive: Directive, user: User | None, only: str) -> tuple[Agency, ...]:
    """Agencies here that have a document. only: the identifier of the one that is meant, "" for all."""
    found = tuple(Agency.objects.filter(dispatches__directive=directive, pk__in=_reached(user)).distinct())
    if only:
        found = tuple(one for one in found if one.edxml_id == only)
    if not found:
        raise NotForUs("the document is at agencies that the account does not work for")
    return found


def _do(
    seen: Look, read: arrivals.Read | None, user: User | None, now: datetime.datetime
) -> tuple[Directive, Dispatch | None]:
    message = seen.message
    if isinstance(message, StatusMessage):
        if seen.dispatch is not None:
            arrivals.believe(seen.dispatch, message, user, now)
            return seen.dispatch.directive, seen.dispatch
        assert seen.target is not None
        arrivals.end(seen.target, EventKind.REVOKED, message.description, seen.recipients, user, now)
        return seen.target, None
    if seen.kind == ExchangedFile.Kind.REVOCATION:
        assert seen.target is not None
        arrivals.end(seen.target, EventKind.REVOKED, message.business.reason, seen.recipients, user, now)
        return seen.target, None
    if seen.kind == ExchangedFile.Kind.UPDATE:
        assert seen.target is not None
        arrivals.update(seen.target, message, seen.letters, seen.recipients, user, now)
        return seen.target, None
    made = arrivals.bring_in(message, seen.letters, read, seen.sender, seen.recipients, user, now)
    directive = made[0].directive
    if seen.target is not None:
        directive.replaces = seen.target
        directive.save(update_fields=["replaces"])
        arrivals.end(seen.target, EventKind.REPLACED, directive.code, seen.recipients, user, now)
    return directive, made[0]
