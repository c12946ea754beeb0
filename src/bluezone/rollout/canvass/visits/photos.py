# SPDX-License-Identifier: Apache-2.0
"""A visit's photograph: small, without metadata, for 30 days; one too large is refused and its visit stays."""

import datetime
import uuid

from django.db import transaction

from bluezone.devices.models import Device
from bluezone.devices.refusals import DeviceRefused
from bluezone.rollout.canvass.models import Aside, AsideReason, Photo, Visit

# The app shrinks to 1,280 pixels, which comes to 100 to 250 kB.
MOST_BYTES = 600_000
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
    if size <= MOST_BYTES:
        return
    visit = Visit.objects.filter(pk=key, device=device).select_related("household").first()
    if visit is not None:
        # The picture itself stays on the phone.
        Aside.objects.get_or_create(
            key=key, digest=f"photo {size}",
            defaults={"device": device, "unit_id": visit.household.unit_id, "reason": AsideReason.PHOTO_TOO_LARGE,
                      "body": f'{{"bytes": {size}}}', "received_at": now},
        )  # fmt: skip
    raise PhotoTooLarge(f"the photograph has {size} bytes, expected at most {MOST_BYTES}; the visit is kept")


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
        raise PhotoInvalid("the body is no JPEG")
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
