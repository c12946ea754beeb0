# SPDX-License-Identifier: Apache-2.0
"""Inspections of a venue, with a picture without metadata."""

import datetime
import io
from typing import Any

from django.db import transaction

from bluezone.audit.hash_chain import record
from bluezone.refusal import Refused
from bluezone.rollout.venues.models import Inspection, InspectionPhoto, Venue

MOST_BYTES = 12 * 1024 * 1024
MOST_PIXELS = 50_000_000
LONGEST_SIDE = 1600
_QUALITY = 80


class PhotoTooLarge(Refused):
    """The picture has too many bytes or pixels; nothing was stored."""

    code = "photo_too_large"


class PhotoUnreadable(Refused):
    """The file is not a readable picture; nothing was stored."""

    code = "photo_unreadable"


def strip_metadata(file: Any) -> bytes:
    """An uploaded picture as JPEG without metadata, upright, at most 1600 pixels on the longer side.

    file: an object with `size` and `read`. Raises PhotoTooLarge, PhotoUnreadable.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    if file.size > MOST_BYTES:
        raise PhotoTooLarge(f"the picture has {file.size} bytes, expected at most {MOST_BYTES}")
    try:
        with Image.open(io.BytesIO(file.read()), formats=("JPEG", "PNG", "WEBP")) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise PhotoTooLarge(f"the picture has {picture.width} x {picture.height} pixels")
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise PhotoUnreadable("the file is not a JPEG, PNG or WebP picture") from None
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    # A new picture gets only the pixels of the old one, not its metadata (EXIF, XMP, profiles, comments).
    clean = Image.new("RGB", upright.size)
    clean.paste(upright)
    output = io.BytesIO()
    clean.save(output, "JPEG", quality=_QUALITY, optimize=True)
    return output.getvalue()


def store_inspection(
    actor: str, venue: Venue, day: datetime.date, poster_seen: bool, findings: str, jpeg: bytes | None,
    now: datetime.datetime,
) -> Inspection:  # fmt: skip
    """Store an inspection. jpeg: from `strip_metadata`, None without a picture."""
    with transaction.atomic():
        inspection = Inspection.objects.create(
            venue=venue, day=day, poster_seen=poster_seen, findings=findings, inspected_by=actor, made_at=now,
            training=venue.training,
        )  # fmt: skip
        if jpeg is not None:
            InspectionPhoto.objects.create(inspection=inspection, jpeg=jpeg, training=venue.training)
        record(actor, "venue_inspected", str(venue.pk), poster=poster_seen, picture=jpeg is not None)
    return inspection
