# SPDX-License-Identifier: Apache-2.0
"""The ward's decisions on a venue: approve or refuse it, close it."""

import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_noop as _

from bluezone.audit.hash_chain import record
from bluezone.authority.people import accounts
from bluezone.identity.models import Role
from bluezone.networks import origin_of
from bluezone.rollout.venues.applications import contact_of, mail_owner
from bluezone.rollout.venues.models import CodeEnd, Venue, VenueState, change_state
from bluezone.rollout.venues.posters import end_codes, sign_code

_APPROVED = _("The ward has registered the venue. You get the poster and the table cards from the ward.")
_OWN_PAGE = _("Your own page, where you can print them yourself; the link works once, within 72 hours: %(link)s")


def approve_venue(actor: str, venue: Venue, now: datetime.datetime, *, account: bool = False) -> str | None:
    """Approve an application and sign its code.

    account: whether the owner gets an account. Returns the token of its first link, None if no account was made.
    Raises VenueStateWrong, StoreRefused.
    """
    token = None
    with transaction.atomic():
        change_state(venue, [VenueState.APPLIED], VenueState.APPROVED, now)
        sign_code(venue, now)
        if account and venue.owner is None and not venue.training:
            token = _set_owner(actor, venue, now)
        record(actor, "venue_approved", str(venue.pk))
        link = _OWN_PAGE if token else ""
        mail_owner(venue, _("%(name)s is registered"), _APPROVED, now, more=link, link=_start_link(token))
    return token


def refuse_venue(actor: str, venue: Venue, reason: str, now: datetime.datetime) -> None:
    """Refuse an application; the owner gets a message with the reason. Raises VenueStateWrong."""
    with transaction.atomic():
        change_state(venue, [VenueState.APPLIED], VenueState.REFUSED, now, reason)
        record(actor, "venue_refused", str(venue.pk))
        text = _("The ward has not registered the venue: %(reason)s. Ask the ward, or apply again.")
        mail_owner(venue, _("%(name)s is not registered"), text, now, reason=reason)


def close_venue(actor: str, venue: Venue, now: datetime.datetime) -> None:
    """Close a venue for good: its code ends, and its contact is purged after 90 days. Raises VenueStateWrong."""
    with transaction.atomic():
        change_state(venue, [VenueState.APPROVED, VenueState.SUSPENDED], VenueState.CLOSED, now)
        end_codes(venue, CodeEnd.CLOSED, now)
        Venue.objects.filter(pk=venue.pk).update(till_digest=None)
        record(actor, "venue_suspended", str(venue.pk), closed=True)
    venue.refresh_from_db()


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
