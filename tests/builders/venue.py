# SPDX-License-Identifier: Apache-2.0
"""Venue codes of a city, with its signing key, and the keys of their hours."""

import base64
import dataclasses

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluezone.protocol.venues.codes import Venue, sign_venue, venue_link
from bluezone.protocol.venues.items import slot_key, venue_key
from bluezone.protocol.venues.stays import hours_of_stay

CITY_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
KID = 1
TRUSTED = {KID: CITY_KEY.public_key().public_bytes_raw()}
HOST = "bluezone.example"


def signed_venue(**changes) -> Venue:
    """Quán phở Bắc Hồ with `changes`, signed."""
    plain = Venue(
        type=4, stay_minutes=60, name="Quán phở Bắc Hồ", address="Tổ 5, phường Sông Cầu", seed=bytes(range(16)), kid=KID
    )
    return sign_venue(dataclasses.replace(plain, **changes), CITY_KEY)


def qr_text(venue: Venue) -> str:
    """The text of its QR code."""
    return venue_link(venue, f"https://{HOST}")


def link_of_payload(payload: bytes) -> str:
    """The text of a QR code with any bytes."""
    return f"https://{HOST}/v#{base64.urlsafe_b64encode(payload).rstrip(b'=').decode()}"


def keys_of(venue: Venue, start: float, end: float) -> dict[int, bytes]:
    """K_h of every hour of a stay."""
    key = venue_key(venue.to_bytes())
    return {hour: slot_key(key, hour) for hour in hours_of_stay(start, end)}
