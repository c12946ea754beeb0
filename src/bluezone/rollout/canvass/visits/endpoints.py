# SPDX-License-Identifier: Apache-2.0
"""What a canvass phone calls, with its addresses: one for its entries, whose answer brings its lists; one for
photographs, kept small, without metadata and for 30 days; and the app it runs offline.
"""

import datetime
import re
import uuid
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_safe

from bluezone.devices.audience import DeviceRequest, device_audience, read_json_body
from bluezone.devices.models import Device, DeviceKind
from bluezone.devices.offline_app import build_app, face_files, read_folder, serve_file
from bluezone.devices.refusals import BodyInvalid, DeviceRefused
from bluezone.face.files import StaticFile
from bluezone.identity.audiences import audience
from bluezone.identity.duty import EVERYONE
from bluezone.rollout.canvass.models import Aside, AsideReason, Photo, Visit
from bluezone.rollout.canvass.phone_doors import doors_told_to
from bluezone.rollout.canvass.visits.intake import Push, PushInvalid, receive
from bluezone.rollout.canvass.visits.script import in_force

# The app shrinks to 1,280 pixels, which comes to 100 to 250 kB.
MOST_PHOTO_BYTES = 600_000
KEPT = datetime.timedelta(days=30)
_KEEP_SEGMENTS = {0xC4, 0xDB, 0xDD, *range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)}
_APP0, _SCAN, _END = 0xE0, 0xDA, b"\xff\xd9"


class PhotoTooLarge(DeviceRefused):
    """The photograph has more bytes than are taken; it was not read, its visit stays."""

    code = "canvass_photo_too_large"
    status = 413


class PhotoInvalid(DeviceRefused):
    """The body is no JPEG."""

    code = "canvass_photo_invalid"


class PhotoVisitUnknown(DeviceRefused):
    """No visit of this phone has that id, at least not yet."""

    code = "canvass_photo_visit_unknown"
    status = 409


def refuse_large(device: Device, key: uuid.UUID, size: int, now: datetime.datetime) -> None:
    """Note that a photograph was too large, so that the ward sees it; raises PhotoTooLarge when it is."""
    if size <= MOST_PHOTO_BYTES:
        return
    visit = Visit.objects.filter(pk=key, device=device).select_related("household").first()
    if visit is not None:
        # The picture itself stays on the phone.
        Aside.objects.get_or_create(
            key=key, digest=f"photo {size}",
            defaults={"device": device, "unit_id": visit.household.unit_id, "reason": AsideReason.PHOTO_TOO_LARGE,
                      "body": f'{{"bytes": {size}}}', "received_at": now},
        )  # fmt: skip
    raise PhotoTooLarge(f"the photograph has {size} bytes, expected at most {MOST_PHOTO_BYTES}; the visit is kept")


def store_photo(device: Device, key: uuid.UUID, jpeg: bytes, now: datetime.datetime) -> bool:
    """Store the photograph of a visit of this phone; whether it is new. Raises PhotoInvalid, PhotoVisitUnknown."""
    clean = without_metadata(jpeg)
    with transaction.atomic():
        if not Visit.objects.filter(pk=key, device=device).exists():
            raise PhotoVisitUnknown("no visit of this phone has that id; send the visit first")
        _photo, is_new = Photo.objects.get_or_create(visit_id=key, defaults={"jpeg": clean, "received_at": now})
    return is_new


def without_metadata(jpeg: bytes) -> bytes:
    """A JPEG without Exif (place, time, maker), comments and whatever follows its end. Raises PhotoInvalid."""
    if jpeg[:2] != b"\xff\xd8":
        raise PhotoInvalid("the body is not a JPEG")
    kept, place = [jpeg[:2]], 2
    while True:
        if place + 4 > len(jpeg) or jpeg[place] != 0xFF:
            raise PhotoInvalid("the JPEG breaks off or is damaged")
        kind, length = jpeg[place + 1], int.from_bytes(jpeg[place + 2 : place + 4], "big")
        if length < 2:
            raise PhotoInvalid("the JPEG is damaged")
        segment = jpeg[place : place + 2 + length]
        if kind == _SCAN:
            end = jpeg.rfind(_END)
            if end < place:
                raise PhotoInvalid("the JPEG breaks off")
            kept.append(jpeg[place : end + 2])
            return b"".join(kept)
        if kind in _KEEP_SEGMENTS or (kind == _APP0 and segment[4:8] == b"JFIF"):
            kept.append(segment)
        place += 2 + length


HERE = Path(__file__).parents[1] / "phone"
_FROM_FACE = (
    "app.css", "devicecalls.js", "icons.js", "oldbrowser.js", "outbox.js", "words.js", "dom.js",
)  # fmt: skip


@cache
def canvass_files() -> dict[str, StaticFile]:
    """Everything under /canvass/ by path, the page under ""."""
    return build_app("canvass", {**read_folder(HERE), **face_files(_FROM_FACE)})


@require_safe
@audience(EVERYONE)
def app(request: HttpRequest, path: str = "") -> HttpResponse:
    """A file of the app."""
    return serve_file(request, canvass_files(), path)


MOST_BYTES = 512 * 1024
_RUN = re.compile(r"[0-9a-f]{8}")
_MOST = 2**31 - 1


@device_audience(DeviceKind.CANVASS, method="POST")
def sync(request: DeviceRequest) -> dict[str, Any]:
    """Store entries and answer with what became of each, the time, and the phone's own lists.

    422 `canvass_push_invalid` with nothing taken. An entry that cannot be stored does not refuse the call.
    """
    said = read_json_body(request, MOST_BYTES)
    now = timezone.now()
    push, have = _push(said), said.get("have", "")
    script = in_force()
    run, verdicts = receive(request.device, push, now)
    return {
        "server_time": int(now.timestamp()),
        "name": request.device.name,
        "agency": request.device.agency.name,
        "script_as_of": script.as_of,
        "script": None if said.get("script") == script.as_of else msgspec.to_builtins(script.script),
        "verdicts": [{"id": one.key, "state": one.state, "reason": one.reason} for one in verdicts],
        **doors_told_to(request.device, run, have if isinstance(have, str) else "", now, _names(said.get("maps"))),
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
    refuse_large(request.device, key, size, now)
    return {"stored": store_photo(request.device, key, request.read(size), now)}


def _push(said: dict[str, Any]) -> Push:
    run, entries = said.get("run"), said.get("entries", [])
    if not isinstance(run, str) or not _RUN.fullmatch(run):
        raise PushInvalid("run is not 8 hex digits")
    if not isinstance(entries, list):
        raise PushInvalid("entries is not a list")
    return Push(run, _count(said, "last_number"), _count(said, "waiting"), _count(said, "photos"),
                min(_count(said, "form"), 32_767), entries)  # fmt: skip


def _names(said: Any) -> frozenset[str]:
    return frozenset(name for name in said if isinstance(name, str)) if isinstance(said, list) else frozenset()


def _count(said: dict[str, Any], name: str) -> int:
    value = said.get(name, 0)
    if type(value) is not int or not 0 <= value <= _MOST:
        raise PushInvalid(f"{name} is not a count")
    return value


urlpatterns = [
    path("v1/canvass/sync", sync, name="canvass-sync"),
    path("v1/canvass/photos/<uuid:key>", photo, name="canvass-photo"),
    path("canvass/", app, name="canvass-app"),
    path("canvass/<path:path>", app, name="canvass-app-file"),
]
