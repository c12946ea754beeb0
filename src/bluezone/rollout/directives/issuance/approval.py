# SPDX-License-Identifier: Apache-2.0
"""The way of a directive to its recipients: submitted for signing, confirmed as seen, numbered, sent; replaced or
recalled. Each step is in its log, and what is confirmed is an immutable version.

Confirming is done in the system (xác nhận trong hệ thống); it is not a signature.
"""

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from bluezone.audit import hash_chain
from bluezone.directory import scopes
from bluezone.directory.models import Agency
from bluezone.identity.models import User
from bluezone.letters.files.seals import digest_of
from bluezone.refusal import Refused
from bluezone.rollout.directives.issuance.addressees import Directory, Receiver, parties_of, receivers_of
from bluezone.rollout.directives.issuance.versions import (
    Content,
    content_of,
    last_version,
    seal,
    without_channels,
)
from bluezone.rollout.directives.models import (
    Channel,
    Directive,
    DirectiveState,
    DirectiveStep,
    DirectiveVersion,
    Dispatch,
    DispatchEvent,
    Ending,
    EventKind,
    Step,
    Task,
    TaskParty,
)
from bluezone.rollout.directives.permissions import SIGNERS
from bluezone.vietnamese.spelling import spell_alike


class DirectiveIncomplete(Refused):
    """Something a directive must have before it goes on is missing. missing: names of the fields."""

    code = "directive_incomplete"

    def __init__(self, missing: tuple[str, ...]) -> None:
        super().__init__(f"missing: {', '.join(missing)}")
        self.missing = missing


class DirectiveStateWrong(Refused):
    """The act does not fit the state: a draft is submitted, a submitted one confirmed, a confirmed one sent."""

    code = "directive_state_wrong"


class DirectiveRepeated(Refused):
    """The issuer already has a document of this number, notation and day."""

    code = "directive_repeated"


class DirectiveAhead(Refused):
    """The letter is dated after today."""

    code = "directive_ahead"


class DirectiveChanged(Refused):
    """What is to be confirmed or sent is not what was seen or confirmed: the letter, or whom its names mean."""

    code = "directive_changed"


class IssuerEnded(Refused):
    """The agency that is to issue the letter has ended."""

    code = "issuer_ended"


class OwnDraft(Refused):
    """Who wrote the draft confirms it by a delegation only; somebody else has to."""

    code = "own_draft"


class SignerDiffers(Refused):
    """The letter names another signer than the person who confirms, who has not said so."""

    code = "signer_differs"


class RecipientUnreached(Refused):
    """Nobody reads for some agencies here, and nobody has said that they get it on paper. names: those agencies."""

    code = "recipient_unreached"

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(f"{len(names)} agencies are not reached")
        self.names = names


def faults(directive: Directive, today: datetime.date, directory: Directory | None = None) -> list[Refused]:
    """Why a draft cannot be submitted yet, one refusal for each cause; [] when it can.

    directory: of its issuer and choices, where it was read already.
    """
    directory = directory or Directory.for_letter(directive, today)
    found: list[Refused] = []
    names = ("subject", "notation", "signer_name", "recipients_action")
    missing = [name for name in names if not getattr(directive, name).strip(" …")]
    tasks = list(directive.tasks.all())
    missing += [f"lead of {task.label}" for task in tasks if not task.lead_names.strip()]
    if missing:
        found.append(DirectiveIncomplete(tuple(missing)))
    lines = "\n".join(
        [
            directive.recipients_action,
            directive.recipients_information,
            *(f"{task.lead_names}\n{task.cooperating_names}" for task in tasks),
        ]
    )
    found += directory.unsettled(lines)
    if directive.issuer_id not in directory.in_force:
        found.append(IssuerEnded(f"{directive.issuer.key} has ended"))
    if directive.date and directive.date > today:
        found.append(DirectiveAhead(f"the letter is dated {directive.date}, after {today}"))
    if _is_repeated(directive):
        found.append(DirectiveRepeated(f"{directive.code} of this day is registered already"))
    return found


def submit(directive: Directive, user: User, now: datetime.datetime) -> DirectiveVersion:
    """Submit a draft for signing (trình ký): freeze what it says as its next version.

    Raises DirectiveStateWrong, or the first of `faults`.
    """
    # Reading the names of thousands of agencies takes a second, and whoever else writes would wait.
    directory = Directory.for_letter(directive, timezone.localdate(now))
    with transaction.atomic():
        locked = lock(directive, DirectiveState.DRAFT)
        if locked.choices != directive.choices:
            raise DirectiveStateWrong("the draft was changed in this moment")
        for fault in faults(locked, timezone.localdate(now), directory):
            raise fault
        content = content_of(locked, directory)
        version = DirectiveVersion.objects.create(
            directive=locked,
            number=locked.versions.count() + 1,
            content=content,
            sha256=digest_of(content),
            made_by=user,
            made_at=now,
        )
        _step(locked, Step.SUBMITTED, user, now, version=version)
        locked.state = DirectiveState.SUBMITTED
        locked.save(update_fields=["state"])
        audit(user, "directive_submitted", locked, now, sha256=version.sha256)
    directive.refresh_from_db()
    return version


def note_stored(directive: Directive, user: User, now: datetime.datetime) -> None:
    """Note who has changed a draft: by a delegation, they do not confirm it. Call within a transaction."""
    if user.pk not in writers(directive):
        _step(directive, Step.STORED, user, now)


def comment(directive: Directive, text: str, user: User, now: datetime.datetime) -> None:
    """Put a remark beside a letter that is not sent yet. Raises DirectiveStateWrong."""
    with transaction.atomic():
        before = (DirectiveState.DRAFT, DirectiveState.SUBMITTED, DirectiveState.APPROVED)
        _step(lock(directive, *before), Step.COMMENTED, user, now, text)


def take_back(directive: Directive, user: User, now: datetime.datetime) -> None:
    """Make a submitted letter a draft again, so that it can be corrected. Raises DirectiveStateWrong."""
    _to_draft(directive, DirectiveState.SUBMITTED, Step.TAKEN_BACK, "directive_taken_back", "", user, now)


def give_back(directive: Directive, reason: str, user: User, now: datetime.datetime) -> None:
    """Return a submitted letter to its clerk with a reason. Raises DirectiveStateWrong."""
    _to_draft(directive, DirectiveState.SUBMITTED, Step.RETURNED, "directive_returned", reason, user, now)


def reopen(directive: Directive, user: User, now: datetime.datetime) -> None:
    """Make a confirmed letter a draft again, so that it can be corrected; it is submitted and confirmed again then."""
    _to_draft(directive, DirectiveState.APPROVED, Step.REOPENED, "directive_reopened", "", user, now)


def approve(directive: Directive, seen: str, user: User, now: datetime.datetime, *, for_another: bool = False) -> None:
    """Confirm a submitted letter as it was seen.

    seen: SHA-256 of the version that was shown. for_another: the person says that the letter names another signer.
    Raises DirectiveStateWrong, DirectiveChanged (another version, or other agencies behind its names), OwnDraft,
    SignerDiffers, DirectiveAhead, DirectiveRepeated.
    """
    today = _content_now(directive, now)
    with transaction.atomic():
        locked = lock(directive, DirectiveState.SUBMITTED)
        version = last_version(locked)
        if version is None or version.sha256 != seen:
            raise DirectiveChanged("the letter was submitted again since it was shown")
        _refuse_changed(today, version)
        if user.pk in writers(locked) and signs_by_delegation(locked, user):
            raise OwnDraft("a delegation does not let one confirm what one has written")
        if not for_another and is_another(locked, user):
            raise SignerDiffers(f"the letter names {locked.signer_name}")
        _refuse_date(locked, now)
        locked.state, locked.approved_by, locked.approved_at = DirectiveState.APPROVED, user, now
        locked.approved_version = version
        locked.save(update_fields=["state", "approved_by", "approved_at", "approved_version"])
        _step(locked, Step.APPROVED, user, now, version=version)
        audit(user, "directive_approved", locked, now, sha256=version.sha256, names_signer=not for_another)
    directive.refresh_from_db()


def is_another(directive: Directive, user: User) -> bool:
    """Whether the letter names another signer than this person."""
    return spell_alike(directive.signer_name) != spell_alike(user.name)


def writers(directive: Directive) -> set[int | None]:
    """Who made the draft, stored a change of it or submitted it."""
    wrote = directive.steps.filter(what__in=(Step.STORED, Step.SUBMITTED)).order_by()
    return {directive.made_by_id, *wrote.values_list("actor", flat=True)}


def signs_by_delegation(directive: Directive, user: User) -> bool:
    """Whether only roles that somebody else has delegated let this person confirm for the issuer."""
    issuer = directive.issuer
    reaching = [
        grant
        for grant in scopes.grants_for(user, SIGNERS)
        if (grant.agency is None or issuer.is_under(grant.agency))
        and (grant.unit is None or issuer.unit.is_under(grant.unit))
    ]
    return bool(reaching) and all(grant.delegated_by_id for grant in reaching)


def give_number(directive: Directive, number: str, date: datetime.date, user: User, now: datetime.datetime) -> None:
    """Give a confirmed letter its number and day (cấp số). Raises DirectiveStateWrong, -Ahead or -Repeated."""
    with transaction.atomic():
        locked = lock(directive, DirectiveState.APPROVED)
        locked.number, locked.date = number, date
        _refuse_date(locked, now)
        locked.save(update_fields=["number", "date"])
        _step(locked, Step.NUMBERED, user, now, f"{locked.code} {date:%d/%m/%Y}")
        audit(user, "directive_numbered", locked, now)
    directive.refresh_from_db()


def issue(directive: Directive, user: User, now: datetime.datetime, *, on_paper: bool = False) -> int:
    """Send a confirmed letter to everybody whom the signer saw, all or nobody; the number of dispatches.

    on_paper: whoever is reached by nobody is said to get it on paper. Raises DirectiveStateWrong, DirectiveIncomplete
    (no number or day), DirectiveChanged (its names mean others since), DirectiveAhead, RecipientUnreached.
    """
    # Five tasks for 3,000 agencies are 15,000 rows, made before anybody else who writes has to wait.
    before = Directive.objects.select_related("issuer").get(pk=directive.pk)
    if before.state != DirectiveState.APPROVED:
        raise DirectiveStateWrong(f"the directive is {before.state}, expected approved")
    directory = Directory.for_letter(before, timezone.localdate(now))
    today, tasks = content_of(before, directory), list(before.tasks.all())
    receivers = receivers_of(before, tasks, directory)
    rows = _as_rows(parties_of(tasks, directory))
    with transaction.atomic():
        locked = lock(directive, DirectiveState.APPROVED)
        if missing := tuple(name for name in ("number", "date") if not getattr(locked, name)):
            raise DirectiveIncomplete(missing)
        version = locked.approved_version
        assert version is not None
        if locked.approved_at != before.approved_at:
            raise DirectiveStateWrong("the directive was made a draft meanwhile, and confirmed again")
        _refuse_changed(today, version)
        _refuse_date(locked, now)
        receivers = on_their_way(receivers, on_paper=on_paper)
        _begin_reports(tasks, now)
        with connection.cursor() as cursor:
            # A quarter of what bulk_create takes.
            cursor.executemany(*rows)
        ways = {one.agency.pk: one.channel for one in receivers}
        made = dispatch(locked, [(one.agency, one.purpose) for one in receivers], user, now, ways=ways)
        locked.state, locked.issued_at = DirectiveState.ISSUED, now
        locked.seal = seal(locked, version, receivers)
        locked.save(update_fields=["state", "issued_at", "seal"])
        _step(locked, Step.ISSUED, user, now, version=version)
        audit(user, "directive_issued", locked, now, agencies=len(made), sha256=version.sha256, seal=locked.seal)
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


def on_their_way(receivers: Iterable[Receiver], *, on_paper: bool) -> list[Receiver]:
    """The same with paper for whom nobody reads here. Raises RecipientUnreached where nobody has said so."""
    every = list(receivers)
    unreached = tuple(one.agency.name for one in every if one.channel == Channel.NOBODY)
    if unreached and not on_paper:
        raise RecipientUnreached(unreached)
    paper = Channel.PAPER
    return [Receiver(one.agency, one.purpose, paper) if one.channel == Channel.NOBODY else one for one in every]


def _begin_reports(tasks: Iterable[Task], now: datetime.datetime) -> None:
    """Let no period begin before the letter is sent."""
    today = timezone.localdate(now)
    for task in tasks:
        if task.report_every and (task.report_from is None or task.report_from < today):
            task.report_from = today
            task.save(update_fields=["report_from"])


def delete_draft(directive: Directive, user: User, now: datetime.datetime) -> None:
    """Delete a draft with its tasks, versions and files. Raises DirectiveStateWrong."""
    with transaction.atomic():
        locked = lock(directive, DirectiveState.DRAFT)
        files = [*locked.attachments.all(), *([locked.original] if locked.original else [])]
        audit(user, "draft_deleted", locked, now)
        locked.delete()
        for file in files:
            file.delete()


def dispatch(
    directive: Directive,
    recipients: Iterable[tuple[Agency, str]],
    user: User | None,
    now: datetime.datetime,
    parent: Dispatch | None = None,
    ways: Mapping[int, str] | None = None,
) -> list[Dispatch]:
    """Put a directive into the inboxes of agencies that do not have it yet; call within a transaction.

    ways: how each is reached, by primary key.
    """
    have = set(directive.dispatches.values_list("agency_id", flat=True))
    made = Dispatch.objects.bulk_create(
        [
            Dispatch(
                directive=directive,
                agency=agency,
                purpose=purpose,
                parent=parent,
                arrived_at=now,
                changed_at=now,
                channel=(ways or {}).get(agency.pk, ""),
            )
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
        locked = lock(directive, DirectiveState.ISSUED)
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


def end_directive(directive: Directive, what: EventKind, note: str, user: User | None, now: datetime.datetime) -> None:
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
    audit(user, act, directive, now)


def audit(user: User | None, act: str, directive: Directive, now: datetime.datetime, **details: object) -> None:
    """Into the chain: which act on which document; never what the document says. user: None for another office."""
    actor = user.username if user else hash_chain.NETWORK
    hash_chain.record(actor, act, f"directive {directive.pk}", now=now, document=directive.code, **details)


def lock(directive: Directive, *expected: DirectiveState) -> Directive:
    """A directive of this office held for a change; call within a transaction. Raises DirectiveStateWrong."""
    locked: Directive = (
        Directive.objects.select_for_update(of=("self",))
        .select_related("issuer__unit", "original", "campaign", "replaces", "approved_version", "signed_copy")
        .get(pk=directive.pk)
    )
    if locked.state not in expected:
        raise DirectiveStateWrong(f"the directive is {locked.state}, expected {' or '.join(expected)}")
    if locked.from_file:
        raise DirectiveStateWrong("the directive is another office's, which alone recalls it")
    return locked


def _to_draft(
    directive: Directive,
    before: DirectiveState,
    step: Step,
    act: str,
    note: str,
    user: User,
    now: datetime.datetime,
) -> None:
    with transaction.atomic():
        locked = lock(directive, before)
        locked.state = DirectiveState.DRAFT
        locked.approved_by, locked.approved_at, locked.approved_version = None, None, None
        signed, locked.signed_copy = locked.signed_copy, None  # what was signed is not what will be
        locked.save(update_fields=["state", "approved_by", "approved_at", "approved_version", "signed_copy"])
        if signed:
            signed.delete()
        _step(locked, step, user, now, note, last_version(locked))
        audit(user, act, locked, now)
    directive.refresh_from_db()


def _step(
    directive: Directive,
    what: Step,
    user: User,
    now: datetime.datetime,
    note: str = "",
    version: DirectiveVersion | None = None,
) -> None:
    DirectiveStep.objects.create(directive=directive, what=what, version=version, note=note[:1000], actor=user, at=now)


def _content_now(directive: Directive, now: datetime.datetime) -> Content:
    """What a letter says and whom it means today; read before a transaction, for it takes long."""
    stored = Directive.objects.select_related("issuer").get(pk=directive.pk)
    return content_of(stored, Directory.for_letter(stored, timezone.localdate(now)))


def _refuse_changed(today: Content, version: DirectiveVersion) -> None:
    """A letter says the same while it is submitted; but whom its names mean may have changed in the directory."""
    if without_channels(today) != without_channels(version.content):
        raise DirectiveChanged("the names of the letter mean other agencies since it was submitted")


def _refuse_date(directive: Directive, now: datetime.datetime) -> None:
    if directive.date and directive.date > timezone.localdate(now):
        raise DirectiveAhead(f"the letter is dated {directive.date}")
    if _is_repeated(directive):
        raise DirectiveRepeated(f"{directive.code} of this day is registered already")


def _is_repeated(directive: Directive) -> bool:
    if not directive.number:
        return False
    twins = Directive.objects.filter(
        issuer=directive.issuer_id, number=directive.number, notation=directive.notation, date=directive.date
    )
    return twins.exclude(state__in=(DirectiveState.DRAFT, DirectiveState.SUBMITTED)).exclude(pk=directive.pk).exists()
