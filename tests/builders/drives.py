# SPDX-License-Identifier: Apache-2.0
"""A campaign, teams of both unions, drives, and requests for help."""

import datetime
import uuid

from tests.builders import devices
from tests.builders.agencies import plant_seed

from bluezone.devices.models import DeviceKind
from bluezone.directory.models import AdminUnit, Agency
from bluezone.rollout.directives.models import Campaign
from bluezone.rollout.drives import lifecycle
from bluezone.rollout.drives.api import open_help_request
from bluezone.rollout.drives.models import HelpRequest, Team
from bluezone.rollout.gates.counters import store_counters
from bluezone.rollout.gates.models import BUCKET_SECONDS, Gate

# The day on which the units and agencies of 2020 ended; the tests make them valid today.
ENDED = datetime.date(2025, 7, 1)
HOUR = datetime.timedelta(hours=1)
ZONE = datetime.timezone(HOUR * 7)


def city():
    """Plant the directory of 2020 and keep it valid; returns the wards Sông Cầu and Đức Xuân."""
    plant_seed()
    successors = AdminUnit.objects.filter(valid_from=ENDED)
    successors.exclude(parent=None).delete()
    successors.delete()
    for model in (AdminUnit, Agency):
        model.objects.filter(valid_to=ENDED).update(valid_to=None)
    return AdminUnit.objects.get(key="phuong-song-cau"), AdminUnit.objects.get(key="phuong-duc-xuan")


def campaign(name="Thanh niên cài Bluezone"):
    """A campaign with its basis document."""
    basis = "Công văn 458/UBND-VP ngày 07/8/2020 của UBND thành phố"
    owner = Agency.objects.filter(key="ubnd-tp").first()
    return Campaign.objects.get_or_create(name=name, defaults={"owner": owner, "basis": basis})[0]


def team(name="Đội 1", union="thanh-doan", people=4):
    """A team of the Youth Union ("thanh-doan") or the Women's Union ("hoi-lhpn")."""
    return Team.objects.create(agency=Agency.objects.get(key=union), name=name, people=people)


def drive(team, unit, now, hours=3, place="Nhà văn hóa phường"):
    """A planned drive that begins now."""
    plan = lifecycle.DriveDetails(campaign(), team, unit, place, now, now + hours * HOUR)
    return lifecycle.plan_drive("lan", plan)


def radio(agency, name="Máy đợt ra quân"):
    """An enrolled device of kind "drive", and its token."""
    return devices.connected_device(agency, DeviceKind.DRIVE, name)


def running_phones(drive, device, count, now):
    """Store proven passages at the gate of a drive, as its radio reports them."""
    bucket = int(now.timestamp()) // BUCKET_SECONDS * BUCKET_SECONDS
    store_counters(
        device.pk, Gate.objects.get(pk=drive.gate_id), [[bucket, "in", "running", count]], now.timestamp(), ZONE
    )


def help_request(contact="0912 345 678", channel="portal", unit=None, note="Nhờ cài giúp"):
    """A stored request for help."""
    key = str(uuid.uuid4())
    ticket = open_help_request(channel, contact, "Tổ 5", note, unit.code if unit else None, repeat_key=key)
    return HelpRequest.objects.get(ticket=ticket)
