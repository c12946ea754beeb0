# SPDX-License-Identifier: Apache-2.0
"""Drives and venues at every stage for tests of pages, and the data with which scenarios 12 and 14 begin.

Run as a program in a separate process, because Django opens one data folder in a process.
"""

import json
import subprocess
import sys
from pathlib import Path

POPULATION, SMARTPHONES = 4812, 3100


def plant(data: Path) -> dict:
    """{"code": one-time code of a device of kind "drive" that the Youth Union keeps}."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.builders.fieldwork", str(data)],
        check=True, cwd=Path(__file__).parents[2], capture_output=True, text=True,
    )  # fmt: skip
    return json.loads(ran.stdout)


def furnish(users, now) -> None:
    """A planned drive and a live one, with people who wait and one who was helped; venues at three stages."""
    import datetime

    from tests.builders import venues

    from bluezone.directory.models import AdminUnit, Agency
    from bluezone.rollout.directives.models import Campaign
    from bluezone.rollout.drives import help_queue, help_requests, lifecycle
    from bluezone.rollout.drives.api import open_help_request
    from bluezone.rollout.drives.models import HelpProof, HelpRequest
    from bluezone.rollout.venues import inspections, posters

    lead = users["drive_lead", 1280].username
    officer = users["officer", 1280]
    hour = datetime.timedelta(hours=1)
    team = lifecycle.create_team(lead, Agency.objects.get(key="hoi-lhpn"), "Tổ phụ nữ Sông Cầu", 5)
    ward = AdminUnit.objects.get(key="phuong-song-cau")
    campaign = Campaign.objects.get(name="Toàn thành phố cài Bluezone")
    going_on, _to_come = (
        lifecycle.plan_drive(lead, lifecycle.DriveDetails(campaign, team, ward, place, begins, begins + 3 * hour))
        for place, begins in (("Chợ Bắc Kạn", now - hour), ("Nhà văn hóa tổ 5", now + 48 * hour))
    )
    lifecycle.open_drive(lead, going_on, now - hour)
    here = [help_requests.join_stall(going_on) for _ in range(4)]
    for ticket in here[:2]:
        help_queue.claim_request(lead, ticket, team, now)
    help_queue.close_as_helped(lead, here[0], [team.pk], HelpProof.ATTESTED, now)
    for number in range(2):
        open_help_request("portal", f"0912 000 00{number}", "Tổ 5", "Nhờ cài giúp cho bà", ward.code)
    help_queue.claim_request(lead, HelpRequest.objects.filter(drive=None).order_by("pk")[0], team, now)
    lifecycle.enter_tally(lead, going_on, 1, {"running": 12, "other_help": 3, "no_smartphone": 4, "could_not": 1})

    commune = AdminUnit.objects.get(key="xa-duong-quang")
    venues.applied_venue(commune, now, name="Quán cà phê Suối Trăng")
    open_one = venues.approved_venue(commune, now)
    posters.replace_code(officer.username, open_one, now)
    picture = inspections.strip_metadata(_Upload(venues.photo((800, 600))))
    inspections.store_inspection(officer.username, open_one, now.date(), True, "Treo ở quầy", picture, now)
    gone = venues.approved_venue(commune, now, name="Nhà nghỉ Ba Bể")
    other = venues.approved_venue(commune, now, name="Nhà hàng Núi Hoa")
    for venue, width in ((open_one, 1280), (other, 360)):
        type(venue).objects.filter(pk=venue.pk).update(owner=users["venue_owner", width])
    posters.revoke_code(officer.username, gone, "Đã chuyển chỗ", now)


class _Upload:
    """An uploaded file as a form passes it on."""

    def __init__(self, content: bytes) -> None:
        self.size = len(content)
        self.read = lambda: content


def _main(data: Path) -> None:
    from bluezone.server.preparation import open_office

    open_office(data)
    from django.utils import timezone

    from bluezone.devices import enrolment
    from bluezone.devices.models import DeviceKind
    from bluezone.directory.models import AdminUnit, Agency

    now = timezone.now()
    ward = AdminUnit.objects.get(key="phuong-song-cau")
    for kind, value in (("population", POPULATION), ("smartphones", SMARTPHONES), ("venues", 120)):
        ward.denominators.create(kind=kind, value=value, source="Chi cục Thống kê", as_of=timezone.localdate(now))
    union = Agency.objects.get(key="thanh-doan")
    _device, code = enrolment.create_device("admin.360", DeviceKind.DRIVE, "Máy nhận đợt ra quân", union, None, now)
    sys.stdout.write(json.dumps({"code": code}))


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
