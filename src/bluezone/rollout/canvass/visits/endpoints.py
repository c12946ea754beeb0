# SPDX-License-Identifier: Apache-2.0
"""What a canvass phone calls: one address for its entries, whose answer brings its lists, and one for photographs."""

import re
import uuid
from typing import Any

from django.utils import timezone

from bluezone.devices.audience import DeviceRequest, device_audience, json_body
from bluezone.devices.models import DeviceKind
from bluezone.devices.refusals import BodyInvalid
from bluezone.rollout.canvass.turfs.phone_doors import doors_told_to
from bluezone.rollout.canvass.visits import photos
from bluezone.rollout.canvass.visits.intake import Push, PushInvalid, receive

MOST_BYTES = 512 * 1024
_RUN = re.compile(r"[0-9a-f]{8}")
_MOST = 2**31 - 1


@device_audience(DeviceKind.CANVASS, method="POST")
def sync(request: DeviceRequest) -> dict[str, Any]:
    """Store entries and answer with what became of each, the time, and the phone's own lists.

    422 `canvass_push_invalid` with nothing taken. An entry that cannot be stored does not refuse the call.
    """
    said = json_body(request, MOST_BYTES)
    now = timezone.now()
    push, have = _push(said), said.get("have", "")
    run, verdicts = receive(request.device, push, now)
    return {
        "server_time": int(now.timestamp()),
        "name": request.device.name,
        "agency": request.device.agency.name,
        "verdicts": [{"id": one.key, "state": one.state, "reason": one.reason} for one in verdicts],
        **doors_told_to(request.device, run, have if isinstance(have, str) else "", now),
    }


@device_audience(DeviceKind.CANVASS, method="POST")
def photo(request: DeviceRequest, key: uuid.UUID) -> dict[str, Any]:
    """Store the JPEG of a visit; safe to repeat.

    409 `canvass_photo_visit_unknown`, 413 `canvass_photo_too_large` (not read), 422 `canvass_photo_invalid`.
    """
    try:
        size = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        raise BodyInvalid("Content-Length is not a number") from None
    now = timezone.now()
    photos.refuse_large(request.device, key, size, now)
    return {"stored": photos.store_photo(request.device, key, request.read(size), now)}


def _push(said: dict[str, Any]) -> Push:
    run, entries = said.get("run"), said.get("entries", [])
    if not isinstance(run, str) or not _RUN.fullmatch(run):
        raise PushInvalid("run is not 8 hex digits")
    if not isinstance(entries, list):
        raise PushInvalid("entries is not a list")
    return Push(run, _count(said, "last_number"), _count(said, "waiting"), _count(said, "photos"),
                min(_count(said, "form"), 32_767), entries)  # fmt: skip


def _count(said: dict[str, Any], name: str) -> int:
    value = said.get(name, 0)
    if type(value) is not int or not 0 <= value <= _MOST:
        raise PushInvalid(f"{name} is not a count")
    return value
