# SPDX-License-Identifier: Apache-2.0
"""The codes on the posters of venues: sign the first one, replace it, revoke it."""

import contextlib
import datetime
import os
import secrets

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import transaction
from django.utils.translation import gettext_noop as _

from bluezone.audit.hash_chain import record
from bluezone.keyserver.venues.registrar import VenueDescription, VenueNotRegistered
from bluezone.office_keyserver import key_server
from bluezone.paper.phrases import facts
from bluezone.protocol.venues.codes import SEED_LENGTH, sign_venue, venue_fingerprint, venue_link, venue_sha256
from bluezone.protocol.venues.codes import Venue as SignedVenue
from bluezone.rollout.venues.applications import mail_owner
from bluezone.rollout.venues.models import CodeEnd, PosterCode, Venue, VenueState, change_state

# Letters of the address that people type from a poster: lower case, and none that looks like another.
_LETTERS = "abcdefghjkmnpqrstuvwxyz"
_SHORT_LENGTH = 8
_PRACTICE_KID = 255


def sign_code(venue: Venue, now: datetime.datetime) -> PosterCode:
    """Sign a new code for a venue; the previous one ends."""
    end_codes(venue, CodeEnd.RENEWED, now)
    link, fingerprint, sha256 = _sign_for_practice(venue) if venue.training else _sign_by_registrar(venue)
    last = venue.codes.order_by("-number").first()
    short = "".join(secrets.choice(_LETTERS) for _ in range(_SHORT_LENGTH))
    return PosterCode.objects.create(
        venue=venue, number=last.number + 1 if last else 1, link=link, fingerprint=fingerprint, sha256=sha256,
        short=short, made_at=now, training=venue.training,
    )  # fmt: skip


def replace_code(actor: str, venue: Venue, now: datetime.datetime) -> PosterCode:
    """Sign a new code in place of the valid or revoked one. Raises VenueStateWrong."""
    with transaction.atomic():
        change_state(venue, [VenueState.APPROVED, VenueState.SUSPENDED], VenueState.APPROVED, now)
        code = sign_code(venue, now)
        record(actor, "venue_renewed", str(venue.pk))
        text = _("The poster with the new code is on the page of the venue. The old one no longer works: take it down.")
        mail_owner(venue, _("%(name)s has a new code"), text, now)
    return code


def revoke_code(actor: str, venue: Venue, reason: str, now: datetime.datetime) -> None:
    """Revoke the code of a venue; phones fetch the revocation within the hour. Raises VenueStateWrong."""
    with transaction.atomic():
        change_state(venue, [VenueState.APPROVED], VenueState.SUSPENDED, now, reason)
        end_codes(venue, CodeEnd.SUSPENDED, now)
        record(actor, "venue_suspended", str(venue.pk))
        text = _("The ward has revoked the code: %(reason)s. Take the poster down.")
        mail_owner(venue, _("The code of %(name)s is revoked"), text, now, reason=reason)


def end_codes(venue: Venue, why: CodeEnd, now: datetime.datetime) -> None:
    """End the valid code of a venue, if it has one; the registrar revokes it, except in training mode."""
    if not venue.training:
        # This also revokes a code that the registrar signed and the office then failed to store.
        with contextlib.suppress(VenueNotRegistered):
            key_server().registrar.revoke_venue(registration_of(venue))
    PosterCode.everything.filter(venue=venue, ended_at=None).update(ended_at=now, ended_why=why)


def registration_of(venue: Venue) -> str:
    """The registration that identifies the venue at the registrar."""
    return f"venue {venue.pk}"


def _sign_by_registrar(venue: Venue) -> tuple[str, str, str]:
    """Link, fingerprint and SHA-256 of a new code."""
    described = VenueDescription(venue.name, venue.address, venue.kind, venue.stay_minutes)
    code = key_server().registrar.register_venue(registration_of(venue), described)
    return code.link, code.fingerprint, code.sha256


def _sign_for_practice(venue: Venue) -> tuple[str, str, str]:
    """Link, fingerprint and SHA-256 of a code for training, signed with a random key that is not stored."""
    venue_data = SignedVenue(
        type=venue.kind, stay_minutes=venue.stay_minutes, name=venue.name, address=venue.address,
        seed=os.urandom(SEED_LENGTH), kid=_PRACTICE_KID,
    )  # fmt: skip
    signed = sign_venue(venue_data, Ed25519PrivateKey.generate())
    return venue_link(signed, facts("vi").address), venue_fingerprint(signed), venue_sha256(signed).hex()
