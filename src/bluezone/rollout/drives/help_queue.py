# SPDX-License-Identifier: Apache-2.0
"""The help queue: a team takes a request on, closes it or gives it back, and can undo one tap; what is forgotten of
requests, and when.
"""

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
from bluezone.rollout.drives import scope
from bluezone.rollout.drives.models import (
    Drive,
    DriveState,
    HelpChannel,
    HelpOutcome,
    HelpProof,
    HelpRequest,
    HelpResult,
    HelpState,
    Hindrance,
    Team,
)
from bluezone.rollout.gates.api import proven_passes

# After that others may take a request on: somebody who stands before a stall, somebody who is to be called.
STALL_CLAIM = datetime.timedelta(minutes=30)
CLAIM = datetime.timedelta(hours=24)
# A pass is shown and the help closed in one go; an older pass was somebody else's.
PROOF_LIFE = datetime.timedelta(minutes=15)


class HelpTaken(Refused):
    """Another team has the request, or it is closed; nothing was changed."""

    code = "help_taken"


class HelpNotYours(Refused):
    """The team does not have this request; nothing was changed."""

    code = "help_not_yours"


class HelpProofMissing(Refused):
    """The drive's radio has heard no running phone lately that was not given to a request already."""

    code = "help_proof_missing"


def free(now: datetime.datetime) -> Q:
    """Requests that a team may take on: open, or taken on too long ago."""
    return Q(state=HelpState.OPEN) | Q(state=HelpState.CLAIMED, claimed_until__lte=now)


def claim(actor: str, request: HelpRequest, team: Team, now: datetime.datetime) -> None:
    """Let a team take a request on. Raises HelpTaken."""
    until = now + (STALL_CLAIM if request.drive_id else CLAIM)
    with transaction.atomic():
        taken = HelpRequest.objects.filter(free(now), pk=request.pk, training=team.training).update(
            state=HelpState.CLAIMED, team=team, claimed_at=now, claimed_until=until
        )
        if not taken:
            raise HelpTaken("another team has this request, or it is closed")
        record(actor, "help_claimed", str(request.pk), team=team.pk)
    request.refresh_from_db()


def release(actor: str, request: HelpRequest, teams: Iterable[int], now: datetime.datetime) -> None:
    """Give a request back, so that any team may take it on. teams: whose it may be. Raises HelpNotYours."""
    with transaction.atomic():
        _locked(request, teams).update(state=HelpState.OPEN, team=None, claimed_at=None, claimed_until=None)
        record(actor, "help_released", str(request.pk), at=now.isoformat(timespec="minutes"))
    request.refresh_from_db()


def help_done(
    actor: str,
    request: HelpRequest,
    teams: Iterable[int],
    proof: HelpProof,
    now: datetime.datetime,
    drive: Drive | None = None,
) -> HelpOutcome:
    """Close a request as helped.

    proof: how it is known that Bluezone runs, NONE when the help was another. drive: where, for a proven one.
    Where the same telephone number was counted before, the help is booked as another and counted as no phone.
    Raises HelpNotYours, HelpProofMissing.
    """
    try:
        with transaction.atomic():
            return _close(actor, request, teams, proof, "", now, drive)
    except IntegrityError:
        # Only a_number_is_counted_once can be hit by what is closed here.
        with transaction.atomic():
            return _close(actor, request, teams, HelpProof.NONE, "", now, drive)


def could_not(
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


def take_back(actor: str, outcome: HelpOutcome, now: datetime.datetime) -> None:
    """Undo a closing: the request is with the team again, and the proof is free. Raises HelpTaken."""
    request = outcome.request
    with transaction.atomic():
        until = now + (STALL_CLAIM if request and request.drive_id else CLAIM)
        again = HelpRequest.objects.filter(outcome=outcome, closed_at__isnull=False).update(
            state=HelpState.CLAIMED, counted=False, closed_at=None, claimed_at=now, claimed_until=until
        )
        if not again:
            raise HelpTaken("the request is open again, or gone")
        outcome.delete()
        record(actor, "help_claimed", str(outcome.request_id), again=True)


def free_proofs(drive: Drive, now: datetime.datetime) -> int:
    """How many running phones a live drive's radio has heard in the last minutes that stand for no request yet."""
    if drive.gate_id is None or drive.state != DriveState.LIVE:
        return 0
    whole, late = proven_passes(drive.gate_id, now - PROOF_LIFE)
    given = HelpOutcome.objects.filter(proof_gate=drive.gate_id)
    return max(0, min(whole - given.count(), late - given.filter(closed_at__gt=now - PROOF_LIFE).count()))


def reopen_lapsed(now: datetime.datetime) -> int:
    """Make requests open again that a team has had for too long; how many."""
    lapsed = HelpRequest.objects.filter(state=HelpState.CLAIMED, claimed_until__lte=now)
    return lapsed.update(state=HelpState.OPEN, team=None, claimed_at=None, claimed_until=None)


def _locked(request: HelpRequest, teams: Iterable[int]) -> QuerySet[HelpRequest]:
    """The request, locked, if one of the teams has it. Raises HelpNotYours."""
    held = HelpRequest.objects.filter(pk=request.pk, state=HelpState.CLAIMED, team__in=list(teams))
    if not held.select_for_update(of=("self",)).exists():
        raise HelpNotYours("the request is not with this team any more")
    return held


def _close(
    actor: str, request: HelpRequest, teams: Iterable[int], proof: HelpProof, hindrance: str,
    now: datetime.datetime, drive: Drive | None,
) -> HelpOutcome:  # fmt: skip
    held = _locked(request, teams)
    team_id = held.values_list("team", flat=True).get()
    runs = proof != HelpProof.NONE
    state = HelpState.CANNOT if hindrance else HelpState.DONE
    held.update(state=state, counted=runs, closed_at=now, claimed_until=None)
    drive = drive or request.drive
    gate_id, number = _proof(drive, now) if proof == HelpProof.PROVEN else (None, None)
    result = HelpResult.CANNOT if hindrance else HelpResult.RUNNING if runs else HelpResult.OTHER
    unit_id = request.unit_id or (drive.unit_id if drive else None)
    outcome = HelpOutcome.objects.create(
        request=request, team_id=team_id, drive=drive, unit_id=unit_id, day=timezone.localdate(now), result=result,
        proof=proof, hindrance=hindrance, proof_gate_id=gate_id, proof_number=number, closed_at=now,
        training=request.training,
    )  # fmt: skip
    record(actor, "help_closed", str(request.pk), result=str(result), proof=str(proof), reason=hindrance)
    request.refresh_from_db()
    return outcome


def _proof(drive: Drive | None, now: datetime.datetime) -> tuple[int, int]:
    """The gate and the number of a proof that is free. Raises HelpProofMissing."""
    locked = Drive.objects.select_for_update().filter(pk=drive.pk).first() if drive else None
    if locked is None or locked.gate_id is None or free_proofs(locked, now) < 1:
        raise HelpProofMissing("the radio has heard no running phone in the last 15 minutes that is not counted yet")
    given = HelpOutcome.objects.filter(proof_gate=locked.gate_id).values_list("proof_number", flat=True)
    taken = set(given)
    return locked.gate_id, next(number for number in count(1) if number not in taken)


def undo_claim(user: User, values: dict[str, Any], now: datetime.datetime) -> None:
    """Give back a request that was taken on by a slip. Raises UndoTooLate."""
    held = scope.claimed_by(user).filter(pk=values["asked"], claimed_at=values["at"]).first()
    if held is None:
        raise acts.UndoTooLate("the request was closed or given back since")
    release(user.username, held, [held.team_id or 0], now)


def undo_closing(user: User, values: dict[str, Any], now: datetime.datetime) -> None:
    """Open a request again that was closed by a slip. Raises UndoTooLate."""
    teams = scope.teams_of(user)
    outcome = HelpOutcome.objects.filter(pk=values["outcome"], team__in=teams).select_related("request").first()
    if outcome is None:
        raise acts.UndoTooLate("the request was opened again since")
    take_back(user.username, outcome, now)


AFTER_CLOSING = datetime.timedelta(days=30)
AFTER_OPENING = datetime.timedelta(days=90)
AT_A_STALL = datetime.timedelta(days=1)


def purge(now: datetime.datetime) -> None:
    """Delete requests closed 30 days ago or opened 90 days ago, with what was asked and how to reach the person.

    Tickets of a stall go after a day. And requests that a team has had for too long are open again.
    """
    past = Q(closed_at__lte=now - AFTER_CLOSING) | Q(opened_at__lte=now - AFTER_OPENING)
    stall = Q(channel=HelpChannel.STALL, opened_at__lte=now - AT_A_STALL)
    HelpRequest.objects.filter(past | stall).delete()
    reopen_lapsed(now)
