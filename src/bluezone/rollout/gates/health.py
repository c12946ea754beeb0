# SPDX-License-Identifier: Apache-2.0
"""What a gate program says of itself, and how the gate's page shows it: silent radio, full disk, passages without an
hour, and the code by which tablets join it as their Bluetooth box.
"""

import ipaddress
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bluezone.edge.gate.box import box_text
from bluezone.paper.qr_codes import screen_qr
from bluezone.rollout.gates.models import Gate, GateDevice
from bluezone.rollout.gates.registry import sharing_key

MOST_LETTERS = 120
MOST_NUMBER = 10**9
NO_RADIO = "no_radio"
# Counters are small; a machine that comes this far is about to stop counting.
LITTLE_SPACE_MB = 200


@dataclass(frozen=True)
class Health:
    """troubles: sentences for the gate's page. code: the drawing of a box's QR code, None for a device that is none."""

    troubles: list[str]
    version: str
    box: str | None
    code: SafeString | None


def store_health(device_id: int, said: Any) -> None:
    """Keep what a device says of itself. What has not its form is dropped: it must hold up nothing that was counted."""
    health = _read(said)
    if health is not None:
        GateDevice.objects.filter(device=device_id).exclude(health=health).update(health=health)


def health_of(tablet: GateDevice, gate: Gate) -> Health:
    """What the page of the gate shows of one of its devices."""
    said = tablet.health or {}
    troubles = []
    if said.get("radio_off") not in (None, NO_RADIO):
        troubles.append(_("Bluetooth is not sending: no phone can be proven here"))
    if said and said["free_mb"] < LITTLE_SPACE_MB:
        troubles.append(_("almost no space left: %(megabytes)s MB") % {"megabytes": said["free_mb"]})
    if undated := said.get("undated"):
        told = ngettext("%(count)s passage without an hour", "%(count)s passages without an hour", undated)
        troubles.append(told % {"count": undated})
    box = said.get("box")
    code = screen_qr(box_text(bytes.fromhex(sharing_key(gate)), gate.number, box)) if box else None
    return Health(troubles, said.get("version", ""), box, code)


def devices_of(gate_id: int) -> list[tuple[GateDevice, Health]]:
    """The devices of a gate, or of a drive's radio, with what they say of themselves."""
    gate = Gate.objects.get(pk=gate_id)
    return [(one, health_of(one, gate)) for one in gate.devices.select_related("device").order_by("device__name")]


def _read(said: Any) -> dict[str, Any] | None:
    """The health that a device sent, or None for something else."""
    if not isinstance(said, dict):
        return None
    version, radio_off, box = said.get("version"), said.get("radio_off"), said.get("box")
    free_mb, undated = said.get("free_mb"), said.get("undated")
    if not isinstance(version, str) or not (radio_off is None or isinstance(radio_off, str)):
        return None
    if not all(type(one) is int and 0 <= one <= MOST_NUMBER for one in (free_mb, undated)):
        return None
    return {
        "version": version[:MOST_LETTERS],
        "radio_off": radio_off[:MOST_LETTERS] if radio_off is not None else None,
        "free_mb": free_mb,
        "undated": undated,
        "box": _private(box),
    }


def _private(address: Any) -> str | None:
    """An IPv4 address of a local network, or None: a tablet is sent nowhere else."""
    with suppress(ValueError):
        found = ipaddress.IPv4Address(address) if isinstance(address, str) else None
        return str(found) if found is not None and found.is_private else None
    return None
