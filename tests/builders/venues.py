# SPDX-License-Identifier: Apache-2.0
"""A venue at any stage, and pictures as phones take them."""

import io

from PIL import Image

from bluezone.rollout.venues import applications, decisions
from bluezone.rollout.venues.applications import Contact

PHO = {"name": "Quán phở Bắc Hồ", "address": "Tổ 5, phường Sông Cầu"}
OWNER = Contact("Hoàng Thị Phở", "0912 345 678", "pho@example.org")


def application(unit, contact=OWNER, **values):
    """The application of a venue."""
    values = {**PHO, "kind": 4, "stay_minutes": 60, **values}
    return applications.Application(unit=unit, contact=contact, **values)


def applied_venue(unit, now, contact=OWNER, **values):
    """A venue that the ward has entered and not decided on."""
    return applications.enter_application("mai", application(unit, contact, **values), now)


def approved_venue(unit, now, **values):
    """A registered venue with a valid code."""
    venue = applied_venue(unit, now, **values)
    decisions.approve_venue("mai", venue, now)
    return venue


def photo(size=(2400, 1800), kind="JPEG", **more):
    """A picture with place and camera in its metadata."""
    picture = Image.new("RGB", size, (200, 120, 40))
    exif = Image.Exif()
    exif[0x010F] = "Camera of somebody"
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (22.0, 8.0, 50.0)
    written = io.BytesIO()
    picture.save(written, kind, exif=exif, comment=b"secret comment", **more)
    return written.getvalue()
