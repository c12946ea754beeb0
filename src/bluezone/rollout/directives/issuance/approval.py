# SPDX-License-Identifier: Apache-2.0
"""Approve a directive and send it to its recipients; replace or recall it.

Approval is a confirmation in the system (xác nhận trong hệ thống), not a signature.
"""

import datetime
from collections.abc import Iterable
from typing import Any

from django.db import connection, transaction

from bluezone.audit import hash_chain
from bluezone.directory.kinds import Purpose
from bluezone.directory.models import Agency
from bluezone.identity.models import User
from bluezone.refusal import Refused
from bluezone.rollout.directives.issuance.addressees import Directory
from bluezone.rollout.directives.models import (
    Directive,
    DirectiveState,
    Dispatch,
    DispatchEvent,
    Ending,
    EventKind,
    Task,
    TaskParty,
)


class DirectiveIncomplete(Refused):
    """Something a directive must have before it is approved is missing. missing: names of the fields."""

    code = "directive_incomplete"

    def __init__(self, missing: tuple[str, ...]) -> None:
        super().__init__(f"missing: {', '.join(missing)}")
        self.missing = missing


class DirectiveStateWrong(Refused):
    """The act does not fit the state: a draft is approved, an approved one issued, an issued one recalled."""

    code = "directive_state_wrong"


class DirectiveRepeated(Refused):
    """The issuer already has a document of this number, notation and day."""

    code = "directive_repeated"


def approve(directive: Directive, user: User, now: datetime.datetime) -> None:
    """Confirm a draft as final. Raises DirectiveStateWrong, -Incomplete, -Repeated or RecipientUnknown."""
    # Reading the names of thousands of agencies takes a second, and whoever else writes would wait.
    directory = Directory.of(now.date())
    with transaction.atomic():
        locked = _locked(directive, DirectiveState.DRAFT)
        _refuse_incomplete(locked)
        _recipients(locked, directory)
        twin = Directive.objects.filter(
            issuer=locked.issuer_id, number=locked.number, notation=locked.notation, date=locked.date
        ).exclude(state=DirectiveState.DRAFT)
        if twin.exists():
            raise DirectiveRepeated(f"{locked.code} of this day is registered already")
        locked.state, locked.approved_by, locked.approved_at = DirectiveState.APPROVED, user, now
        locked.save(update_fields=["state", "approved_by", "approved_at"])
        _audit(user, "directive_approved", locked, now)
    directive.refresh_from_db()


def reopen(directive: Directive, user: User, now: datetime.datetime) -> None:
    """Make an approved directive a draft again, so that it can be corrected; it must be approved again then."""
    with transaction.atomic():
        locked = _locked(directive, DirectiveState.APPROVED)
        locked.state, locked.approved_by, locked.approved_at = DirectiveState.DRAFT, None, None
        locked.save(update_fields=["state", "approved_by", "approved_at"])
        _audit(user, "directive_reopened", locked, now)
    directive.refresh_from_db()


def issue(directive: Directive, user: User, now: datetime.datetime) -> int:
    """Send an approved directive to everybody it names, all or nobody; the number of dispatches.

    Agencies of a task receive it for action even where Nơi nhận leaves them out.
    """
    # Five tasks for 3,000 agencies are 15,000 rows, made before anybody else who writes has to wait.
    before = Directive.objects.get(pk=directive.pk)
    directory = Directory.of(now.date())
    parties = _parties(before, directory) if before.state == DirectiveState.APPROVED else []
    rows = _as_rows(parties)
    with transaction.atomic():
        locked = _locked(directive, DirectiveState.APPROVED)
        if locked.approved_at != before.approved_at:
            raise DirectiveStateWrong("the directive was made a draft meanwhile, and approved again")
        with connection.cursor() as cursor:
            # A quarter of what bulk_create takes.
            cursor.executemany(*rows)
        recipients = _recipients(locked, directory)
        for party in parties:
            recipients.setdefault(party.agency_id, (party.agency, Purpose.ACTION))
        made = dispatch(locked, recipients.values(), user, now)
        locked.state, locked.issued_at = DirectiveState.ISSUED, now
        locked.save(update_fields=["state", "issued_at"])
        _audit(user, "directive_issued", locked, now, agencies=len(made))
        if locked.replaces_id:
            _end_earlier(locked, user, now)
    directive.refresh_from_db()
    return len(made)


def _as_rows(parties: list[TaskParty]) -> tuple[str, list[list[Any]]]:
    """A statement that stores a party, and its values for each."""
    fields = [field for field in TaskParty._meta.concrete_fields if not field.primary_key]
    columns, marks = ", ".join(field.column for field in fields), ", ".join(["%s"] * len(fields))
    values = [
        [field.get_db_prep_save(getattr(party, field.attname), connection) for field in fields] for party in parties
    ]
    return f"INSERT INTO {TaskParty._meta.db_table} ({columns}) VALUES ({marks})", values  # noqa: S608 - names are ours


def dispatch(
    directive: Directive,
    recipients: Iterable[tuple[Agency, str]],
    user: User,
    now: datetime.datetime,
    parent: Dispatch | None = None,
) -> list[Dispatch]:
    """Put a directive into the inboxes of agencies that do not have it yet; call within a transaction."""
    have = set(directive.dispatches.values_list("agency_id", flat=True))
    made = Dispatch.objects.bulk_create(
        [
            Dispatch(directive=directive, agency=agency, purpose=purpose, parent=parent, arrived_at=now, changed_at=now)
            for agency, purpose in recipients
            if agency.pk not in have
        ],
        batch_size=500,
    )
    DispatchEvent.objects.bulk_create(
        [DispatchEvent(dispatch=one, what=EventKind.ARRIVED, at=now, actor=user) for one in made], batch_size=500
    )
    return made


def revoke(directive: Directive, reason: str, user: User, now: datetime.datetime) -> None:
    """Recall an issued directive; every inbox shows it as recalled and takes no act on it."""
    with transaction.atomic():
        locked = _locked(directive, DirectiveState.ISSUED)
        locked.revoke_reason = reason[:300]
        end_directive(locked, EventKind.REVOKED, reason, user, now)
    directive.refresh_from_db()


def _end_earlier(directive: Directive, user: User, now: datetime.datetime) -> None:
    """Replace or revoke the document that an issued one names."""
    earlier = Directive.objects.select_for_update().get(pk=directive.replaces_id or 0)
    if directive.ending == Ending.REVOKED:
        earlier.revoke_reason = directive.code
        end_directive(earlier, EventKind.REVOKED, directive.code, user, now)
    else:
        end_directive(earlier, EventKind.REPLACED, directive.code, user, now)


def end_directive(directive: Directive, what: EventKind, note: str, user: User, now: datetime.datetime) -> None:
    """Take a directive that is locked for change out of force, in every inbox; call within a transaction."""
    if directive.state != DirectiveState.ISSUED:
        raise DirectiveStateWrong(f"the directive is {directive.state}, expected issued")
    if what is EventKind.REVOKED:
        directive.state, directive.revoked_at = DirectiveState.REVOKED, now
    else:
        directive.state = DirectiveState.REPLACED
    directive.save(update_fields=["state", "revoked_at", "revoke_reason"])
    DispatchEvent.objects.bulk_create(
        [
            DispatchEvent(dispatch_id=pk, what=what, at=now, actor=user, note=note[:300])
            for pk in directive.dispatches.values_list("pk", flat=True)
        ],
        batch_size=500,
    )
    act = "directive_revoked" if what is EventKind.REVOKED else "directive_replaced"
    _audit(user, act, directive, now)


def _audit(user: User, act: str, directive: Directive, now: datetime.datetime, **details: object) -> None:
    """Into the chain: which act on which document; never what the document says."""
    hash_chain.record(user.username, act, f"directive {directive.pk}", now=now, document=directive.code, **details)


def _locked(directive: Directive, expected: DirectiveState) -> Directive:
    locked = Directive.objects.select_for_update().select_related("issuer").get(pk=directive.pk)
    if locked.state != expected:
        raise DirectiveStateWrong(f"the directive is {locked.state}, expected {expected}")
    if locked.from_file:
        raise DirectiveStateWrong("the directive is another office's, which alone recalls it")
    return locked


def _refuse_incomplete(directive: Directive) -> None:
    names = ("number", "notation", "date", "signer_name", "recipients_action")
    missing = [name for name in names if not getattr(directive, name)]
    tasks = list(directive.tasks.all())
    missing += [f"lead of {task.label}" for task in tasks if not task.lead_names.strip()]
    if missing:
        raise DirectiveIncomplete(tuple(missing))


def _recipients(directive: Directive, directory: Directory) -> dict[int, tuple[Agency, str]]:
    """Each agency once, with its strongest purpose: action before information before file."""
    found: dict[int, tuple[Agency, str]] = {}
    for purpose, lines in (
        (Purpose.ACTION, directive.recipients_action),
        (Purpose.INFORMATION, directive.recipients_information),
        (Purpose.FILE, directive.recipients_file),
    ):
        for agency in directory.expand(lines):
            found.setdefault(agency.pk, (agency, purpose))
    return found


def _parties(directive: Directive, directory: Directory) -> list[TaskParty]:
    parties: list[TaskParty] = []
    for task in Task.objects.filter(directive=directive):
        leads = directory.expand(task.lead_names)
        named = {agency.pk for agency in leads}
        parties += [TaskParty(task=task, agency=agency, role=TaskParty.Role.LEAD) for agency in leads]
        parties += [
            TaskParty(task=task, agency=agency, role=TaskParty.Role.COOPERATING)
            for agency in directory.expand(task.cooperating_names)
            if agency.pk not in named
        ]
    return parties
