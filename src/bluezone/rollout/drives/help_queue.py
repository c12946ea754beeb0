# SPDX-License-Identifier: Apache-2.0
"""The help queue: a team claims a request, closes it or releases it, and can undo a tap."""

import datetime
from collections.abc import Iterable
from itertools import count
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from bluezone.audit.hash_chain import record
from bluezone.identity import acts
from bluezone.identity.models import User
from bluezone.refusal import Refused
from bluezone.rollout.drives import permissions
from bluezone.rollout.drives.models import (
    Drive,
    DriveState,
    HelpOutcome,
    HelpProof,
    HelpRequest,
    HelpResult,
    HelpState,
    Hindrance,
    Team,
)
from bluezone.rollout.gates.api import proven_passes

# How long a claim lasts before other teams may claim the request: short at a stall, where the person waits.
STALL_CLAIM_LIFE = datetime.timedelta(minutes=30)
CLAIM_LIFE = datetime.timedelta(hours=24)
# How old a proven pass may be: the helper closes the request right after it, so an older one is another person's.
PROOF_LIFE = datetime.timedelta(minutes=15)


class HelpTaken(Refused):
    """Another team has the request, or it is closed; nothing was changed."""

    code = "help_taken"


class HelpNotYours(Refused):
    """The team does not have this request; nothing was changed."""

    code = "help_not_yours"


class HelpProofMissing(Refused):
    """The drive's radio has recently heard no running phone that is still uncounted; nothing was changed."""

    code = "help_proof_missing"


def free_requests(now: datetime.datetime) -> Q:
    """The condition for requests that a team may claim: they are open, or another team's claim has expired."""
    return Q(state=HelpState.OPEN) | Q(state=HelpState.CLAIMED, claimed_until__lte=now)


def claim_request(actor: str, request: HelpRequest, team: Team, now: datetime.datetime) -> None:
    """Claim a request for a team. Raises HelpTaken."""
    until = now + (STALL_CLAIM_LIFE if request.drive_id else CLAIM_LIFE)
    with transaction.atomic():
        updated = HelpRequest.objects.filter(free_requests(now), pk=request.pk, training=team.training).update(
            state=HelpState.CLAIMED, team=team, claimed_at=now, claimed_until=until
        )
        if not updated:
            raise HelpTaken("another team has this request, or it is closed")
        record(actor, "help_claimed", str(request.pk), team=team.pk)
    request.refresh_from_db()


def release_request(actor: str, request: HelpRequest, teams: Iterable[int], now: datetime.datetime) -> None:
    """Release a request, so that any team may claim it. teams: one of these must have it. Raises HelpNotYours."""
    with transaction.atomic():
        _locked(request, teams).update(state=HelpState.OPEN, team=None, claimed_at=None, claimed_until=None)
        record(actor, "help_released", str(request.pk), at=now.isoformat(timespec="minutes"))
    request.refresh_from_db()


def close_as_helped(
    actor: str,
    request: HelpRequest,
    teams: Iterable[int],
    proof: HelpProof,
    now: datetime.datetime,
    drive: Drive | None = None,
) -> HelpOutcome:
    """Close a request as helped.

    proof: how it is known that Bluezone runs; NONE for any other help. drive: the drive with the radio, if proven.
    If another request of the same telephone number counts already, this one is closed as other help.
    Raises HelpNotYours, HelpProofMissing.
    """
    try:
        with transaction.atomic():
            return _close(actor, request, teams, proof, "", now, drive)
    except IntegrityError:
        # The only constraint that closing can violate is a_number_is_counted_once.
        with transaction.atomic():
            return _close(actor, request, teams, HelpProof.NONE, "", now, drive)


def close_as_not_helped(
    actor: str,
    request: HelpRequest,
    teams: Iterable[int],
    hindrance: Hindrance,
    now: datetime.datetime,
    drive: Drive | None = None,
) -> HelpOutcome:
    """Close a request that could not be helped, with the reason. Raises HelpNotYours."""
    with transaction.atomic():
        return _close(actor, request, teams, HelpProof.NONE, hindrance, now, drive)


def reopen_request(actor: str, outcome: HelpOutcome, now: datetime.datetime) -> None:
    """Undo the closing of a request: the team has it again, and its proof counts for none. Raises HelpTaken."""
    request = outcome.request
    with transaction.atomic():
        until = now + (STALL_CLAIM_LIFE if request and request.drive_id else CLAIM_LIFE)
        reopened = HelpRequest.objects.filter(outcome=outcome, closed_at__isnull=False).update(
            state=HelpState.CLAIMED, counted=False, closed_at=None, claimed_at=now, claimed_until=until
        )
        if not reopened:
            raise HelpTaken("the request is open again, or gone")
        outcome.delete()
        record(actor, "help_claimed", str(outcome.request_id), again=True)


def count_free_proofs(drive: Drive, now: datetime.datetime) -> int:
    """How many running phones a live drive's radio has heard within PROOF_LIFE that no request counts yet."""
    if drive.gate_id is None or drive.state != DriveState.LIVE:
        return 0
    total, recent = proven_passes(drive.gate_id, now - PROOF_LIFE)
    outcomes = HelpOutcome.objects.filter(proof_gate=drive.gate_id)
    recent_outcomes = outcomes.filter(closed_at__gt=now - PROOF_LIFE)
    return max(0, min(total - outcomes.count(), recent - recent_outcomes.count()))


def reopen_lapsed_requests(now: datetime.datetime) -> int:
    """Reopen the requests for which a team's claim has expired; returns how many."""
    lapsed = HelpRequest.objects.filter(state=HelpState.CLAIMED, claimed_until__lte=now)
    return lapsed.update(state=HelpState.OPEN, team=None, claimed_at=None, claimed_until=None)


def _locked(request: HelpRequest, teams: Iterable[int]) -> QuerySet[HelpRequest]:
    """The request, locked, if one of the teams has it. Raises HelpNotYours."""
    claimed = HelpRequest.objects.filter(pk=request.pk, state=HelpState.CLAIMED, team__in=list(teams))
    if not claimed.select_for_update(of=("self",)).exists():
        raise HelpNotYours("the request is not with this team any more")
    return claimed


def _close(
    actor: str, request: HelpRequest, teams: Iterable[int], proof: HelpProof, hindrance: str,
    now: datetime.datetime, drive: Drive | None,
) -> HelpOutcome:  # fmt: skip
    claimed = _locked(request, teams)
    team_id = claimed.values_list("team", flat=True).get()
    runs = proof != HelpProof.NONE
    state = HelpState.CANNOT if hindrance else HelpState.DONE
    claimed.update(state=state, counted=runs, closed_at=now, claimed_until=None)
    drive = drive or request.drive
    gate_id: int | None = None
    number: int | None = None
    if proof == HelpProof.PROVEN:
        gate_id, number = _free_proof(drive, now)
    result = HelpResult.RUNNING if runs else HelpResult.OTHER
    if hindrance:
        result = HelpResult.CANNOT
    unit_id = request.unit_id or (drive.unit_id if drive else None)
    outcome = HelpOutcome.objects.create(
        request=request, team_id=team_id, drive=drive, unit_id=unit_id, day=timezone.localdate(now), result=result,
        proof=proof, hindrance=hindrance, proof_gate_id=gate_id, proof_number=number, closed_at=now,
        training=request.training,
    )  # fmt: skip
    record(actor, "help_closed", str(request.pk), result=str(result), proof=str(proof), reason=hindrance)
    request.refresh_from_db()
    return outcome


def _free_proof(drive: Drive | None, now: datetime.datetime) -> tuple[int, int]:
    """Gate and number of a proof that no request counts yet. Locks the drive. Raises HelpProofMissing."""
    locked = None
    if drive:
        locked = Drive.objects.select_for_update().filter(pk=drive.pk).first()
    if locked is None or locked.gate_id is None or count_free_proofs(locked, now) < 1:
        raise HelpProofMissing("in the last 15 minutes the radio has heard no running phone that is still uncounted")
    numbers = HelpOutcome.objects.filter(proof_gate=locked.gate_id).values_list("proof_number", flat=True)
    used_numbers = set(numbers)
    return locked.gate_id, next(number for number in count(1) if number not in used_numbers)


def undo_claim(user: User, values: dict[str, Any], now: datetime.datetime) -> None:
    """Release a request that was claimed by mistake. Raises UndoTooLate."""
    request = permissions.claimed_by(user).filter(pk=values["asked"], claimed_at=values["at"]).first()
    if request is None:
        raise acts.UndoTooLate("the request was closed or given back since")
    release_request(user.username, request, [request.team_id or 0], now)


def undo_closing(user: User, values: dict[str, Any], now: datetime.datetime) -> None:
    """Reopen a request that was closed by mistake. Raises UndoTooLate."""
    teams = permissions.teams_of(user)
    outcome = HelpOutcome.objects.filter(pk=values["outcome"], team__in=teams).select_related("request").first()
    if outcome is None:
        raise acts.UndoTooLate("the request was opened again since")
    reopen_request(user.username, outcome, now)
