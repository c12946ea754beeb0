# SPDX-License-Identifier: Apache-2.0
"""Households, lists and phones of a ward as the office makes them, and the entries that a phone sends."""

import datetime
import secrets
import uuid
from dataclasses import dataclass, field
from typing import Any

from tests.builders.coverage import agency, city

from bluezone.devices.enrolment import token_digest
from bluezone.devices.models import Device, DeviceKind
from bluezone.rollout.canvass import leases
from bluezone.rollout.canvass.households import facts
from bluezone.rollout.canvass.models import Household, Turf
from bluezone.vietnamese.spelling import fold

NOW = datetime.datetime(2020, 8, 14, 3, 0, tzinfo=datetime.UTC)
__all__ = ["NOW", "Phone", "agency", "city", "connected_phone", "door", "street"]


def door(unit, head="", address="", group="Tổ 5", **values):
    """One household, stored directly in the table."""
    folded = " ".join((fold(head), fold(address), fold(group)))
    values = {"made_at": NOW - datetime.timedelta(days=9), "touched_at": NOW - datetime.timedelta(days=9), **values}
    return Household.objects.create(
        key=values.pop("key", None) or uuid.uuid4(), unit=unit, head=head, address=address, group=group,
        group_folded=fold(group), folded=folded, **values,
    )  # fmt: skip


def street(unit, doors=3, group="Tổ 5", now=NOW) -> Turf:
    """A list of the households of one residential group."""
    before = now - datetime.timedelta(days=9)
    for number in range(1, doors + 1):
        door(unit, f"Hộ {number}", f"Số {number:03d}, {group}", group, made_at=before, touched_at=before)
    (turf,) = leases.cut_group("officer", unit, group, now)
    return turf


def connected_phone(keeper, name="Máy 1", now=NOW) -> tuple[Device, str]:
    """A connected canvass phone and its token."""
    token = secrets.token_urlsafe(32)
    device = Device.objects.create(kind=DeviceKind.CANVASS, name=name, agency=keeper, unit=keeper.unit,
                                   token_digest=token_digest(token), enrolled_at=now)  # fmt: skip
    return device, token


@dataclass
class Phone:
    """A phone that behaves like the app: it numbers its entries, advances its clocks, and sends a test's entries."""

    device: Device
    token: str
    turf: Turf
    now: datetime.datetime = NOW
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    number: int = 0
    seen: list[str] = field(default_factory=list)

    @classmethod
    def leasing(cls, turf: Turf, keeper, name="Máy 1", now=NOW, days=7) -> "Phone":
        """A connected phone with this list."""
        device, token = connected_phone(keeper, name, now)
        leases.lease("officer", turf, device, now + datetime.timedelta(days=days), now)
        return cls(device, token, turf, now)

    def entry(self, household, outcome: str | None = "leaflet", changes=None, **more: Any) -> dict[str, Any]:
        """An entry for a household. changes: field -> value, or (value, bases). more: of the visit; at, made, form."""
        self.number += 1
        key = household.pk if isinstance(household, Household) else household
        at = more.pop("at", self.now - datetime.timedelta(minutes=5))
        entry = {
            "id": str(facts.new_key(self.now)), "number": self.number, "form": more.pop("form", 1),
            "turf": more.pop("turf", self.turf.pk), "door": str(key), "at": int(at.timestamp()),
        }  # fmt: skip
        if more.pop("made", False):
            entry["made"] = True
        if outcome is not None:
            entry["visit"] = {"outcome": outcome, **more}
        if changes:
            entry["changes"] = {name: self.change(value) for name, value in changes.items()}
        return entry

    def change(self, value) -> dict[str, Any]:
        """A change with a clock later than every clock that this phone has seen."""
        value, bases = value if isinstance(value, tuple) else (value, [""])
        who = f"{self.device.pk}{self.run}"
        self.seen.append(facts.next_clock(self.now, [*self.seen, *bases], who))
        return {"value": value, "clock": self.seen[-1], "bases": bases}

    def push(self, *entries, **more: Any) -> dict[str, Any]:
        """The body of a call."""
        return {"run": self.run, "last_number": self.number, "waiting": 0, "form": 1, "entries": list(entries), **more}

    def call(self, client, *entries, **more: Any):
        """Send the entries; returns the answer."""
        return client.post(
            "/v1/canvass/sync", self.push(*entries, **more), content_type="application/json",
            HTTP_AUTHORIZATION=f"Bearer {self.token}",
        )  # fmt: skip
