# SPDX-License-Identifier: Apache-2.0
"""Posters of a venue: signed codes, poster and table card as PDF, and how often a poster's page was opened."""

import contextlib
import datetime
import os
import secrets
from collections.abc import Mapping
from types import MappingProxyType

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext_noop as _

from bluezone.audit.hash_chain import record
from bluezone.keyserver.venues.registrar import VenueDescription, VenueNotRegistered
from bluezone.office_keyserver import key_server
from bluezone.paper.pdf import write_pdf
from bluezone.paper.phrases import facts
from bluezone.paper.qr_codes import poster_qr
from bluezone.protocol.venues.codes import SEED_LENGTH, sign_venue, venue_fingerprint, venue_link, venue_sha256
from bluezone.protocol.venues.codes import Venue as SignedVenue
from bluezone.rollout.venues.applications import mail_owner
from bluezone.rollout.venues.models import CodeEnd, PosterCode, ScanCount, Venue, VenueState, change_state

# Letters of the address that people type from a poster: lower case, and none that looks like another.
_LETTERS = "abcdefghjkmnpqrstuvwxyz"
_SHORT_LENGTH = 8
_PRACTICE_KID = 255
# Sizes on paper in millimetres, type sizes in points; the large code has a white margin of four modules.
_A4: Mapping[str, str] = MappingProxyType({
    "width": "210", "height": "297", "side": "16", "pad": "10", "head": "50", "title": "25", "text": "11",
    "code": "152", "code_left": "29", "code_top": "61", "foot": "72", "foot_pad": "6", "small": "27",
})  # fmt: skip
_A3: Mapping[str, str] = MappingProxyType({
    "width": "297", "height": "420", "side": "23", "pad": "14", "head": "70", "title": "36", "text": "15.5",
    "code": "215", "code_left": "41", "code_top": "86", "foot": "101", "foot_pad": "9", "small": "38",
})  # fmt: skip
PAPERS: Mapping[str, Mapping[str, str]] = MappingProxyType({"a4": _A4, "a3": _A3})
CARD_CODE_MM = 54


def poster_pdf(code: PosterCode, paper: str) -> bytes:
    """The poster for the door, as PDF. paper: a key of PAPERS. Raises PdfUnavailable."""
    return _in_vietnamese("poster", {**_context(code), **PAPERS[paper]})


def card_pdf(code: PosterCode) -> bytes:
    """An A6 card for tables and the counter, as PDF. Raises PdfUnavailable."""
    return _in_vietnamese("card", {**_context(code), "code_mm": CARD_CODE_MM})


def poster_link(code: PosterCode) -> str:
    """The address of the poster's own page."""
    return f"{facts('vi').address}/p/{code.short}"


def _in_vietnamese(name: str, context: dict[str, object]) -> bytes:
    """A sheet as PDF, rendered in Vietnamese whatever the reader's language; its text is in both languages."""
    with translation.override("vi"):
        return write_pdf(render_to_string(f"venues/print/{name}.html", context))


def _context(code: PosterCode) -> dict[str, object]:
    link = poster_link(code)
    return {
        "code_": code,
        "venue": code.venue,
        "city": facts("vi"),
        "qr": poster_qr(code.link),
        "small_qr": poster_qr(link),
        "address": link.partition("://")[2],
    }


def count_page_opening(code: PosterCode, day: datetime.date) -> None:
    """Count an opening of a poster's page on a local day."""
    if code.training:
        return
    changed = ScanCount.objects.filter(code=code, day=day).update(count=F("count") + 1)
    if not changed:
        with transaction.atomic():
            _count, created = ScanCount.objects.get_or_create(code=code, day=day, defaults={"count": 1})
        if not created:
            ScanCount.objects.filter(code=code, day=day).update(count=F("count") + 1)


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
