# SPDX-License-Identifier: Apache-2.0
"""Devices and the agency that keeps them."""

import datetime

from bluezone.devices import enrolment
from bluezone.devices.models import Device, DeviceKind
from bluezone.directory.kinds import AgencyKind, UnitKind
from bluezone.directory.models import AdminUnit, Agency

NOW = datetime.datetime(2020, 8, 10, 1, 42, tzinfo=datetime.UTC)
NETWORK = "192.0.2.7"


def agency(name: str = "UBND phường Sông Cầu") -> Agency:
    """An agency and its ward, as the directory stores them."""
    province, _ = AdminUnit.objects.get_or_create(
        key="bac-kan", defaults={"name": "Tỉnh Bắc Kạn", "kind": UnitKind.PROVINCE, "path": "1/"}
    )
    ward, _ = AdminUnit.objects.get_or_create(
        key="song-cau",
        defaults={"name": "Phường Sông Cầu", "kind": UnitKind.WARD, "parent": province, "path": "1/2/"},
    )
    made, _ = Agency.objects.get_or_create(
        key=name.lower(), defaults={"name": name, "kind": AgencyKind.COMMITTEE, "unit": ward, "path": f"{name}/"}
    )
    return made


def device(keeper: Agency, kind: str = DeviceKind.GATE, name: str = "Cổng chính", now=NOW) -> tuple[Device, str]:
    """A device that waits for its code, and the code."""
    return enrolment.create_device("admin", kind, name, keeper, None, now)


def connected_device(
    keeper: Agency, kind: str = DeviceKind.GATE, name: str = "Cổng chính", now=NOW
) -> tuple[Device, str]:
    """A connected device and its token."""
    made, code = device(keeper, kind, name, now)
    enrolled = enrolment.enrol_device(code, NETWORK, now)
    made.refresh_from_db()
    return made, enrolled.token


def bearer_header(token: str) -> dict[str, str]:
    """The header of a device, for Django's test client."""
    return {"HTTP_AUTHORIZATION": f"Bearer {token}"}
