# SPDX-License-Identifier: Apache-2.0
"""Whom to reach about a venue: sealed in the store, read by its ward and its owner."""

import json
from dataclasses import asdict, dataclass

from bluezone.accounts.sealing import keyed_digest, seal, unseal
from bluezone.rollout.venues.models import Venue

PERSON_LENGTH, PHONE_LENGTH = 80, 20


@dataclass(frozen=True)
class Contact:
    """person: who runs the venue. phone, email: "" where not given."""

    person: str = ""
    phone: str = ""
    email: str = ""


def keep(venue: Venue, contact: Contact) -> None:
    """Seal the contact into an unsaved or changed venue; the caller saves."""
    venue.sealed = seal(json.dumps(asdict(contact)).encode(), f"venue {venue.handle}")
    venue.contact_digest = keyed_digest("venue e-mail", contact.email.lower()) if contact.email else ""


def contact_of(venue: Venue) -> Contact:
    """The contact, empty where it was forgotten. Raises SealBroken."""
    if not venue.sealed:
        return Contact()
    return Contact(**json.loads(unseal(bytes(venue.sealed), f"venue {venue.handle}")))
