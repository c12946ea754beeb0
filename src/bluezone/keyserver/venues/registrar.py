# SPDX-License-Identifier: Apache-2.0
"""The register of venue codes. The city signs a code once; only counts and hashes of codes are public."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluezone.keyserver.keys.keyfolder import VENUE_KID
from bluezone.keyserver.storage.store import Store, Transaction
from bluezone.protocol.venues.codes import (
    SEED_LENGTH,
    Venue,
    read_venue_link,
    sign_venue,
    venue_fingerprint,
    venue_link,
    venue_sha256,
    verify_venue_signature,
)
from bluezone.refusal import Refused

MAX_REGISTRATION_LENGTH = 100


class VenueRegistered(Refused):
    """The venue has a valid code already; with two codes it could show different ones to different visitors."""

    code = "venue_registered"


class VenueNotRegistered(Refused):
    """The venue has no valid code here."""

    code = "venue_not_registered"


class RegistrationInvalid(Refused):
    """The registration of the venue is empty or too long."""

    code = "venue_registration_invalid"


@dataclass(frozen=True)
class VenueDescription:
    """The content of a code; see protocol.venues.codes.Venue. valid_from, valid_to: Unix seconds, 0 for no limit."""

    name: str
    address: str
    type: int = 0
    stay_minutes: int = 60
    valid_from: int = 0
    valid_to: int = 0
    temporary: bool = False


@dataclass(frozen=True)
class VenueCode:
    """A signed code, to be printed now: it is stored nowhere.

    link: text of the QR code. fingerprint: six characters to print next to it. sha256: that of the encoded venue (V in
    docs/protocol.md), hex.
    """

    link: str
    fingerprint: str
    sha256: str
    venue: Venue


@dataclass(frozen=True)
class Registrar:
    """The registrar of one city. store: of keys; origin: the public one, for links; clock: Unix seconds."""

    store: Store
    venue_key: Ed25519PrivateKey
    origin: str
    clock: Callable[[], float]

    def register_venue(self, registration: str, description: VenueDescription) -> VenueCode:
        """Sign a code for a venue that has no valid one.

        Raises VenueRegistered, RegistrationInvalid, InvalidVenue, StoreRefused.
        """
        if not registration.strip() or len(registration) > MAX_REGISTRATION_LENGTH:
            raise RegistrationInvalid(
                f"the registration has {len(registration)} characters, expected 1..100, not blank"
            )
        venue = sign_venue(_venue_of(description), self.venue_key)
        digest = venue_sha256(venue)
        now = int(self.clock())

        def action(transaction: Transaction) -> bool:
            purge_ended_venues(transaction, now)
            return bool(
                transaction.execute(
                    "INSERT INTO venue_code (sha256, registration, valid_to) VALUES (?, ?, ?)"
                    " ON CONFLICT DO NOTHING RETURNING 1",
                    (digest, registration, 60 * venue.valid_to),
                )
            )

        if not self.store.write(action):
            raise VenueRegistered("this venue has a valid code; revoke that one first. Nothing was signed")
        return VenueCode(venue_link(venue, self.origin), venue_fingerprint(venue), digest.hex(), venue)

    def revoke_venue(self, registration: str) -> None:
        """Revoke the code of a venue; phones learn it with the next index.

        Raises VenueNotRegistered, StoreRefused.
        """
        self._revoke("registration = ?", registration)

    def revoke_code(self, text: str) -> None:
        """Revoke a code by the text of its QR code. Raises InvalidVenue, VenueForeign, VenueNotRegistered."""
        self._revoke("sha256 = ?", venue_sha256(self.read_own_code(text)))

    def read_own_code(self, text: str) -> Venue:
        """The venue in the text of a QR code that this city signed. Raises InvalidVenue, VenueForeign."""
        venue = read_venue_link(text)
        verify_venue_signature(venue, {VENUE_KID: self.venue_key.public_key().public_bytes_raw()})
        return venue

    def valid_code(self, registration: str) -> str | None:
        """SHA256(V) (hex) of the valid code of a venue, None if it has none."""
        rows = self.store.read(
            "SELECT sha256, valid_to FROM venue_code WHERE registration = ? AND revoked = 0", (registration,)
        )
        return next((bytes(sha256).hex() for sha256, ends in rows if not ends or ends > self.clock()), None)

    def _revoke(self, condition: str, value: str | bytes) -> None:
        sql = f"UPDATE venue_code SET revoked = 1 WHERE {condition} AND revoked = 0 RETURNING 1"  # noqa: S608 - two constants
        if not self.store.write(lambda transaction: transaction.execute(sql, (value,))):
            raise VenueNotRegistered("no such code is valid here; nothing was changed")


def count_valid(keys_store: Store, now: float) -> int:
    """How many codes are valid: a public number, so that codes issued outside the register would be noticed."""
    rows = keys_store.read(
        "SELECT COUNT(*) FROM venue_code WHERE revoked = 0 AND (valid_to = 0 OR valid_to > ?)", (int(now),)
    )
    return int(rows[0][0])


def list_revoked(keys_store: Store, now: float) -> tuple[str, ...]:
    """SHA256(V) (hex) of the revoked codes that would be valid otherwise, sorted."""
    rows = keys_store.read(
        "SELECT sha256 FROM venue_code WHERE revoked = 1 AND (valid_to = 0 OR valid_to > ?)", (int(now),)
    )
    return tuple(sorted(bytes(sha256).hex() for (sha256,) in rows))


def purge_ended_venues(transaction: Transaction, now: int) -> None:
    """Delete expired codes; phones no longer accept them for a check-in."""
    transaction.execute("DELETE FROM venue_code WHERE valid_to > 0 AND valid_to <= ?", (now,))


def _venue_of(description: VenueDescription) -> Venue:
    return Venue(
        type=description.type, stay_minutes=description.stay_minutes, name=description.name,
        address=description.address, seed=os.urandom(SEED_LENGTH), kid=VENUE_KID,
        valid_from=description.valid_from // 60, valid_to=-(-description.valid_to // 60),
        temporary=description.temporary,
    )  # fmt: skip
