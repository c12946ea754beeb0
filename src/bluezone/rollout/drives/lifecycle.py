# SPDX-License-Identifier: Apache-2.0
"""Enter teams; plan, open and close drives; enter their tally sheets."""

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

# Letters of the code that people type from a poster: lower case, and none that looks like another.
_LETTERS = "abcdefghjkmnpqrstuvwxyz"
_CODE_LENGTH = 8


class TeamNameTaken(Refused):
    """The agency has a team of that name; nothing was stored."""

    code = "team_name_taken"


class DriveStateWrong(Refused):
    """The drive is not in the state that this step requires; nothing was changed."""

    code = "drive_state_wrong"


class TallySheetKnown(Refused):
    """A sheet of that number is entered for the drive already; nothing was stored."""

    code = "tally_sheet_known"


@dataclass(frozen=True)
class DriveDetails:
    """The details of a new drive. begins, ends: aware, begins < ends."""

    campaign: Campaign
    team: Team
    unit: AdminUnit
    place: str
    begins: datetime.datetime
    ends: datetime.datetime


def create_team(actor: str, agency: Agency, name: str, people: int) -> Team:
    """Enter a team. people: how many, 1..200. Raises TeamNameTaken."""
    try:
        with transaction.atomic():
            team = Team.objects.create(agency=agency, name=name, people=people)
            record(actor, "team_made", str(team.pk), people=people)
    except IntegrityError:
        raise TeamNameTaken(f"{agency.name} has a team named {name}") from None
    return team


def plan_drive(actor: str, details: DriveDetails) -> Drive:
    """Plan a drive, to be opened later."""
    code = "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LENGTH))
    with transaction.atomic():
        drive = Drive.objects.create(
            campaign=details.campaign, team=details.team, unit=details.unit, place=details.place,
            begins=details.begins, ends=details.ends, code=code,
        )  # fmt: skip
        record(actor, "drive_planned", str(drive.pk), team=details.team.pk)
    return drive


def open_drive(actor: str, drive: Drive, now: datetime.datetime, radio: Device | None = None) -> None:
    """Open a drive: people may join its queue. radio: the enrolled device at which phones prove that they run.

    Raises DriveStateWrong, GateNameTaken.
    """
    with transaction.atomic():
        planned = Drive.objects.filter(pk=drive.pk, state=DriveState.PLANNED)
        if not planned.update(state=DriveState.LIVE, opened_at=now):
            raise DriveStateWrong("the drive was opened or closed before")
        if radio is not None and not drive.training:
            gate_id = open_radio(actor, drive.team.agency, f"{drive.place[:60]} #{drive.pk}", radio, now)
            Drive.objects.filter(pk=drive.pk).update(gate=gate_id)
        record(actor, "drive_opened", str(drive.pk), radio=radio.pk if radio else None)
    drive.refresh_from_db()


def close_drive(actor: str, drive: Drive, now: datetime.datetime) -> int:
    """Close a live drive, or cancel a planned one, and delete the tickets still in its queue; returns their number.

    Raises DriveStateWrong.
    """
    with transaction.atomic():
        open_drives = Drive.objects.filter(pk=drive.pk).exclude(state=DriveState.CLOSED)
        if not open_drives.update(state=DriveState.CLOSED, closed_at=now):
            raise DriveStateWrong("the drive was closed before")
        waiting = HelpRequest.objects.filter(drive=drive, state__in=[HelpState.OPEN, HelpState.CLAIMED])
        unserved = waiting.count()
        # A ticket contains nothing about the person, so that no one could call these people.
        waiting.delete()
        if drive.gate_id is not None:
            close_radio(actor, drive.gate_id, now)
        record(actor, "drive_closed", str(drive.pk), left=unserved)
    drive.refresh_from_db()
    return unserved


def enter_tally(actor: str, drive: Drive, sheet: int, counts: dict[str, int]) -> DriveTally:
    """Store one tally sheet. counts: running, other_help, no_smartphone, could_not. Raises TallySheetKnown."""
    try:
        with transaction.atomic():
            tally = DriveTally.objects.create(drive=drive, sheet=sheet, training=drive.training, **counts)
            record(actor, "drive_tallied", str(drive.pk), sheet=sheet)
    except IntegrityError:
        raise TallySheetKnown(f"sheet {sheet} of this drive was entered before") from None
    return tally
