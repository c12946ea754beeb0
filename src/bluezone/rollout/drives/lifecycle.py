# SPDX-License-Identifier: Apache-2.0
"""Teams and drives: entered, opened, closed, and their tally sheets."""

import datetime
import secrets
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from bluezone.audit.hash_chain import record
from bluezone.devices.models import Device
from bluezone.directory.models import AdminUnit, Agency
from bluezone.refusal import Refused
from bluezone.rollout.directives.api import Campaign
from bluezone.rollout.drives.models import Drive, DriveState, DriveTally, HelpRequest, HelpState, Team
from bluezone.rollout.gates.api import close_radio, open_radio

# Typed from a poster: small letters without look-alikes.
_LETTERS = "abcdefghjkmnpqrstuvwxyz"
_CODE_LENGTH = 8


class TeamNameTaken(Refused):
    """The agency has a team of that name; nothing was stored."""

    code = "team_name_taken"


class DriveStateWrong(Refused):
    """The drive is not in the state that this step begins from; nothing was changed."""

    code = "drive_state_wrong"


class TallySheetKnown(Refused):
    """A sheet of that number was entered for the drive; nothing was stored."""

    code = "tally_sheet_known"


@dataclass(frozen=True)
class Plan:
    """What a drive is to be; begins and ends aware, begins < ends."""

    campaign: Campaign
    team: Team
    unit: AdminUnit
    place: str
    begins: datetime.datetime
    ends: datetime.datetime


def make_team(actor: str, agency: Agency, name: str, people: int) -> Team:
    """Enter a team. people: how many, 1..200. Raises TeamNameTaken."""
    try:
        with transaction.atomic():
            team = Team.objects.create(agency=agency, name=name, people=people)
            record(actor, "team_made", str(team.pk), people=people)
    except IntegrityError:
        raise TeamNameTaken(f"{agency.name} has a team named {name}") from None
    return team


def plan(actor: str, planned: Plan) -> Drive:
    """Enter a drive of a later time, or of now."""
    code = "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LENGTH))
    with transaction.atomic():
        drive = Drive.objects.create(
            campaign=planned.campaign, team=planned.team, unit=planned.unit, place=planned.place,
            begins=planned.begins, ends=planned.ends, code=code,
        )  # fmt: skip
        record(actor, "drive_planned", str(drive.pk), team=planned.team.pk)
    return drive


def open_drive(actor: str, drive: Drive, now: datetime.datetime, radio: Device | None = None) -> None:
    """Begin: from now on people may join its queue. radio: the enrolled device at which phones prove that they run.

    Raises DriveStateWrong, GateNameTaken.
    """
    with transaction.atomic():
        begun = Drive.objects.filter(pk=drive.pk, state=DriveState.PLANNED)
        if not begun.update(state=DriveState.LIVE, opened_at=now):
            raise DriveStateWrong("the drive was opened or closed before")
        if radio is not None and not drive.training:
            gate_id = open_radio(actor, drive.team.agency, f"{drive.place[:60]} #{drive.pk}", radio, now)
            Drive.objects.filter(pk=drive.pk).update(gate=gate_id)
        record(actor, "drive_opened", str(drive.pk), radio=radio.pk if radio else None)
    drive.refresh_from_db()


def close_drive(actor: str, drive: Drive, now: datetime.datetime) -> int:
    """End a drive, or call a planned one off: who still waits before it is struck out; returns how many those were.

    Raises DriveStateWrong.
    """
    with transaction.atomic():
        ended = Drive.objects.filter(pk=drive.pk).exclude(state=DriveState.CLOSED)
        if not ended.update(state=DriveState.CLOSED, closed_at=now):
            raise DriveStateWrong("the drive was closed before")
        waiting = HelpRequest.objects.filter(drive=drive, state__in=[HelpState.OPEN, HelpState.CLAIMED])
        left = waiting.count()
        # Nobody can be called: the ticket holds nothing of the person.
        waiting.delete()
        if drive.gate_id is not None:
            close_radio(actor, drive.gate_id, now)
        record(actor, "drive_closed", str(drive.pk), left=left)
    drive.refresh_from_db()
    return left


def enter_tally(actor: str, drive: Drive, sheet: int, counts: dict[str, int]) -> DriveTally:
    """Store one tally sheet. counts: running, other_help, no_smartphone, could_not. Raises TallySheetKnown."""
    try:
        with transaction.atomic():
            tally = DriveTally.objects.create(drive=drive, sheet=sheet, training=drive.training, **counts)
            record(actor, "drive_tallied", str(drive.pk), sheet=sheet)
    except IntegrityError:
        raise TallySheetKnown(f"sheet {sheet} of this drive was entered before") from None
    return tally
