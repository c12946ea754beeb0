# SPDX-License-Identifier: Apache-2.0
"""The ward's decisions on a venue: approve or refuse it, renew or revoke its code, close it."""

import contextlib
import datetime
import os
import secrets

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext_noop as _

from bluezone.audit.hash_chain import record
from bluezone.authority.people import accounts
from bluezone.identity.models import Role
from bluezone.keyserver.venues.registrar import VenueDescription, VenueNotRegistered
from bluezone.messaging.email.outbox import queue_mail
from bluezone.networks import origin_of
from bluezone.office_keyserver import key_server
from bluezone.paper.phrases import facts
from bluezone.protocol.venues.codes import SEED_LENGTH, sign_venue, venue_fingerprint, venue_link, venue_sha256
from bluezone.protocol.venues.codes import Venue as SignedVenue
from bluezone.refusal import Refused
from bluezone.rollout.venues.applications import contact_of
from bluezone.rollout.venues.models import CodeEnd, PosterCode, Venue, VenueState

# Letters of the address that people type from a poster: lower case, and none that looks like another.
_LETTERS = "abcdefghjkmnpqrstuvwxyz"
_SHORT_LENGTH = 8
_PRACTICE_KID = 255
_APPROVED = _("The ward has registered the venue. You get the poster and the table cards from the ward.")
_OWN_PAGE = _("Your own page, where you can print them yourself; the link works once, within 72 hours: %(link)s")


class VenueStateWrong(Refused):
    """The venue is not in a state in which this step is possible; nothing was changed."""

    code = "venue_state_wrong"


def approve_venue(actor: str, venue: Venue, now: datetime.datetime, *, account: bool = False) -> str | None:
    """Approve an application and sign its code.

    account: whether the owner gets an account. Returns the token of its first link, None if no account was made.
    Raises VenueStateWrong, StoreRefused.
    """
    token = None
    with transaction.atomic():
        _step(venue, [VenueState.APPLIED], VenueState.APPROVED, now)
        sign_code(venue, now)
        if account and venue.owner is None and not venue.training:
            token = _set_owner(actor, venue, now)
        record(actor, "venue_approved", str(venue.pk))
        link = _OWN_PAGE if token else ""
        _mail_owner(venue, _("%(name)s is registered"), _APPROVED, now, more=link, link=_start_link(token))
    return token


def refuse_venue(actor: str, venue: Venue, reason: str, now: datetime.datetime) -> None:
    """Refuse an application; the owner gets a message with the reason. Raises VenueStateWrong."""
    with transaction.atomic():
        _step(venue, [VenueState.APPLIED], VenueState.REFUSED, now, reason)
        record(actor, "venue_refused", str(venue.pk))
        text = _("The ward has not registered the venue: %(reason)s. Ask the ward, or apply again.")
        _mail_owner(venue, _("%(name)s is not registered"), text, now, reason=reason)


def replace_code(actor: str, venue: Venue, now: datetime.datetime) -> PosterCode:
    """Sign a new code in place of the valid or revoked one. Raises VenueStateWrong."""
    with transaction.atomic():
        _step(venue, [VenueState.APPROVED, VenueState.SUSPENDED], VenueState.APPROVED, now)
        code = sign_code(venue, now)
        record(actor, "venue_renewed", str(venue.pk))
        text = _("The poster with the new code is on the page of the venue. The old one no longer works: take it down.")
        _mail_owner(venue, _("%(name)s has a new code"), text, now)
    return code


def revoke_code(actor: str, venue: Venue, reason: str, now: datetime.datetime) -> None:
    """Revoke the code of a venue; phones fetch the revocation within the hour. Raises VenueStateWrong."""
    with transaction.atomic():
        _step(venue, [VenueState.APPROVED], VenueState.SUSPENDED, now, reason)
        _end_codes(venue, CodeEnd.SUSPENDED, now)
        record(actor, "venue_suspended", str(venue.pk))
        text = _("The ward has withdrawn the code: %(reason)s. Take the poster down.")
        _mail_owner(venue, _("The code of %(name)s is withdrawn"), text, now, reason=reason)


def close_venue(actor: str, venue: Venue, now: datetime.datetime) -> None:
    """Close a venue for good: its code ends, and its contact is purged after 90 days. Raises VenueStateWrong."""
    with transaction.atomic():
        _step(venue, [VenueState.APPROVED, VenueState.SUSPENDED], VenueState.CLOSED, now)
        _end_codes(venue, CodeEnd.CLOSED, now)
        Venue.objects.filter(pk=venue.pk).update(till_digest=None)
        record(actor, "venue_suspended", str(venue.pk), closed=True)
    venue.refresh_from_db()


def sign_code(venue: Venue, now: datetime.datetime) -> PosterCode:
    """Sign a new code for a venue; the previous one ends."""
    _end_codes(venue, CodeEnd.RENEWED, now)
    link, fingerprint, sha256 = _sign_for_practice(venue) if venue.training else _sign_by_registrar(venue)
    last = venue.codes.order_by("-number").first()
    short = "".join(secrets.choice(_LETTERS) for _ in range(_SHORT_LENGTH))
    return PosterCode.objects.create(
        venue=venue, number=last.number + 1 if last else 1, link=link, fingerprint=fingerprint, sha256=sha256,
        short=short, made_at=now, training=venue.training,
    )  # fmt: skip


def registration_of(venue: Venue) -> str:
    """The registration that identifies the venue at the registrar."""
    return f"venue {venue.pk}"


def _step(
    venue: Venue, expected: list[VenueState], after: VenueState, now: datetime.datetime, reason: str = ""
) -> None:
    changed = Venue.objects.filter(pk=venue.pk, state__in=expected).update(state=after, decided_at=now, reason=reason)
    if not changed:
        raise VenueStateWrong(f"the venue is {venue.state}, expected {' or '.join(expected)}")
    venue.refresh_from_db()


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


def _end_codes(venue: Venue, why: CodeEnd, now: datetime.datetime) -> None:
    if not venue.training:
        # This also revokes a code that the registrar signed and the office then failed to store.
        with contextlib.suppress(VenueNotRegistered):
            key_server().registrar.revoke_venue(registration_of(venue))
    PosterCode.everything.filter(venue=venue, ended_at=None).update(ended_at=now, ended_why=why)


def _set_owner(actor: str, venue: Venue, now: datetime.datetime) -> str | None:
    """Set the owner: the account of another venue with the same e-mail address, or a new one.

    Returns the token of the new account, None if the account of another venue is used.
    """
    same = Venue.objects.filter(contact_digest=venue.contact_digest).exclude(contact_digest="").exclude(owner=None)
    other_venue = same.select_related("owner").first()
    if other_venue is not None:
        Venue.objects.filter(pk=venue.pk).update(owner=other_venue.owner)
        venue.refresh_from_db()
        return None
    person = contact_of(venue).person
    user, token = accounts.create_account_with_link(
        actor, f"venue-{venue.pk}", person, venue.name, Role.VENUE_OWNER, now, within=venue.unit
    )
    Venue.objects.filter(pk=venue.pk).update(owner=user)
    venue.refresh_from_db()
    return token


def _start_link(token: str | None) -> str:
    if not token:
        return ""
    host = settings.CITY.office_host if settings.CITY else ""
    return f"{origin_of(host, tls=settings.TLS)}/start/{token}/"


def _mail_owner(
    venue: Venue, subject: str, text: str, now: datetime.datetime, *, more: str = "", **values: str
) -> None:
    """Queue a mail to the owner, always in Vietnamese; no mail without an address or in training mode.

    subject, text, more (a second paragraph): message ids; `values` fill their placeholders.
    """
    email = contact_of(venue).email
    if not email or venue.training:
        return
    with translation.override("vi"):
        parts = [translation.gettext(part) % values for part in (text, more) if part]
        queue_mail(email, translation.gettext(subject) % {"name": venue.name}, "\n\n".join(parts), now=now)
