# SPDX-License-Identifier: Apache-2.0
"""House visits, schools, bulletins and loudspeakers at work, for tests of pages."""

import datetime

_HOUR = datetime.timedelta(hours=1)


def furnish(users, now) -> None:
    """Plant all. users: accounts by (role, width)."""
    _house_visits(now)
    _schools(users, now)
    _bulletins(users, now)


def _house_visits(now) -> None:
    """A list on a phone: a disputed fact, a duplicate household, an entry set aside, and one that waits."""
    from tests.builders.canvass import Phone, connected_phone, door, street

    from bluezone.directory.models import AdminUnit, Agency
    from bluezone.rollout.canvass import leases
    from bluezone.rollout.canvass.households import decisions
    from bluezone.rollout.canvass.models import Household
    from bluezone.rollout.canvass.visits import intake

    ward = AdminUnit.objects.get(key="phuong-song-cau")
    keeper = Agency.objects.get(key="ubnd-phuong-song-cau")
    turf = street(ward, 6, now=now)
    street(ward, 3, group="Tổ 7", now=now)
    phone = Phone.leasing(turf, keeper, now=now)
    doors = list(Household.objects.filter(places__turf=turf).order_by("places__place"))
    entries = [
        phone.entry(doors[0], changes={"smartphones": "2"}),
        phone.entry(doors[1], changes={"head": "Nguyễn Văn An"}),
        phone.entry(doors[1], None, changes={"head": "Nguyễn Văn Ân"}),
        phone.entry(doors[2], changes={"head": ("Hà Thị Lan", [f"{int(now.timestamp() * 1000) - 5:013d}.0000.x1"])}),
        phone.entry(doors[3], at=now + 30 * _HOUR),
    ]
    body = phone.push(*entries, last_number=phone.number)
    intake.receive(phone.device, intake.Push(body["run"], phone.number, 0, 0, 1, body["entries"]), now)
    for head in ("Trần Văn Bình", "Tran Van Binh"):
        door(ward, head, "Số 12, ngõ 3", "Tổ 9", made_at=now, touched_at=now)
    decisions.propose(ward, now)
    other, _token = connected_phone(keeper, "Máy 2", now)
    leases.lease("officer", street(ward, 2, group="Tổ 8", now=now), other, now + 48 * _HOUR, now)


def _schools(users, now) -> None:
    """A school with two classes, one of which has reported."""
    from tests.builders.schools import class_report, find_class, school

    from bluezone.directory.models import AdminUnit
    from bluezone.identity.models import Role, RoleGrant

    made = school("Trường THCS Sông Cầu", AdminUnit.objects.get(key="phuong-song-cau"), users["leader", 1280])
    class_report(find_class(made, "6A"), 40, 31, 22, 9)
    since = datetime.date(2020, 1, 1)
    RoleGrant.objects.create(user=users["officer", 1280], role=Role.OFFICER, agency=made, valid_from=since)


def _bulletins(users, now) -> None:
    """A bulletin on air in a zone, a station and a zone without a machine; and one that waits for approval."""
    from tests.builders import bulletins

    from bluezone.directory.models import Agency
    from bluezone.rollout.bulletins.air import outlets, planner
    from bluezone.rollout.bulletins.texts import scripts

    centre = Agency.objects.get(key="trung-tam-vhtttt")
    zone = bulletins.zone("Tổ 5", centre)
    by_hand = bulletins.zone("Tổ 6", centre, by_hand=True)
    bulletins.machine(zone, now=now)
    on_air = bulletins.approved_bulletin(now=now - 4 * _HOUR, keeper=centre, seconds=2.0)
    times = sorted({f"{(now + datetime.timedelta(hours=7) - _HOUR).hour:02d}:30", "17:30"})
    station = bulletins.station(keeper=centre)
    for outlet in (station, zone.outlet, by_hand.outlet):
        # Quiet hours are short, so that at every hour of the day an airing was due an hour ago.
        outlets.set_quiet_hours("bien", outlet, datetime.time(3), datetime.time(3, 20), now - 4 * _HOUR)
        outlet.refresh_from_db()
    bulletins.schedule_bulletin(
        on_air, station, zone.outlet, by_hand.outlet, times=times, first=now.date(), now=now - 3 * _HOUR
    )
    waits = scripts.create_bulletin(users["editor", 360], centre, "Rửa tay, đeo khẩu trang", "normal", {}, now)
    scripts.add_machine_version(waits, "vi", bulletins.TEXT, users["editor", 360], now)
    planner.plan_airings(now)
