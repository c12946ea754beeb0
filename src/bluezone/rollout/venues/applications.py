# SPDX-License-Identifier: Apache-2.0
"""Register a venue: on the public site, with a one-time code by e-mail or text message, or in the office. The purge."""

import datetime
import json
import secrets
from dataclasses import asdict, dataclass
from hmac import compare_digest

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from bluezone.audit.hash_chain import record
from bluezone.directory.models import AdminUnit
from bluezone.messaging.email.outbox import queue_mail
from bluezone.messaging.present_city import present_city
from bluezone.messaging.sms.destinations import read_destination
from bluezone.messaging.sms.models import Purpose
from bluezone.messaging.sms.outbox import BudgetSpent, SmsNotSet, queue_sms
from bluezone.messaging.sms.wording import code_text
from bluezone.office_secrets import keyed_digest, seal, unseal
from bluezone.refusal import Refused
from bluezone.rollout.venues.models import (
    MailCode,
    Venue,
    VenueState,
)
from bluezone.vietnamese.typed import digits_typed

PERSON_LENGTH = 80
PHONE_LENGTH = 20
CODE_LIFE = datetime.timedelta(minutes=30)
MOST_TRIES = 5
MOST_OPEN = 3
_DIGITS = 6


@dataclass(frozen=True)
class Contact:
    """How to reach a venue. person: the name of the person who runs it. phone, email: "" if not entered."""

    person: str = ""
    phone: str = ""
    email: str = ""


def seal_contact(venue: Venue, contact: Contact) -> None:
    """Set the sealed contact of a venue, and its digest; the caller saves the venue."""
    venue.sealed = seal(json.dumps(asdict(contact)).encode(), f"venue {venue.handle}")
    venue.contact_digest = keyed_digest("venue e-mail", contact.email.lower()) if contact.email else ""


def contact_of(venue: Venue) -> Contact:
    """The contact of a venue; empty once it is purged. Raises SealBroken."""
    if not venue.sealed:
        return Contact()
    return Contact(**json.loads(unseal(bytes(venue.sealed), f"venue {venue.handle}")))


class MailMissing(Refused):
    """This server cannot send the code now; nothing was stored. The owner can register at the ward in person."""

    code = "venue_mail_missing"


class TooManyApplications(Refused):
    """The e-mail address or number has MOST_OPEN unconfirmed applications; nothing was stored. Confirm one of them."""

    code = "venue_applications_open"


class MailCodeWrong(Refused):
    """The code is not the one that was sent. left: the number of tries that remain."""

    code = "venue_code_wrong"

    def __init__(self, left: int) -> None:
        super().__init__(f"the code is not the one that was sent; {left} tries remain")
        self.left = left


class MailCodeGone(Refused):
    """The code was used, has expired, or had too many wrong tries; the venue has to apply again."""

    code = "venue_code_gone"


@dataclass(frozen=True)
class Application:
    """The data of a venue in an application. name, address: at most 80 and 100 bytes, for the venue code."""

    name: str
    address: str
    kind: int
    stay_minutes: int
    unit: AdminUnit
    contact: Contact


def submit_application(application: Application, now: datetime.datetime) -> Venue:
    """Store an unconfirmed application and send its one-time code. Raises MailMissing, TooManyApplications."""
    by_text = not application.contact.email
    if (settings.SMS if by_text else settings.SMTP) is None:
        raise MailMissing("this server cannot send the code; the ward registers venues in person")
    venue = _venue(application, VenueState.UNCONFIRMED, now)
    if by_text:
        venue.contact_digest = keyed_digest("venue phone", read_destination(application.contact.phone))
    unconfirmed = Venue.objects.filter(contact_digest=venue.contact_digest, state=VenueState.UNCONFIRMED)
    code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
    with transaction.atomic():
        if unconfirmed.count() >= MOST_OPEN:
            raise TooManyApplications("this address has several applications that are not confirmed")
        venue.save()
        MailCode.objects.create(venue=venue, digest=_digest(venue, code), expires_at=now + CODE_LIFE)
        if by_text:
            _text(application.contact.phone, code, now)
        else:
            subject = _("Code for registering %(name)s") % {"name": venue.name}
            text = _(
                "The code is %(code)s. It works once, within 30 minutes. If you did not ask for it, ignore "
                "this message."
            )
            queue_mail(application.contact.email, subject, text % {"code": code}, now=now)
    return venue


def confirm_application(venue: Venue, code: str, now: datetime.datetime) -> None:
    """Redeem the code that was sent; the ward then sees the application. Raises MailCodeWrong, MailCodeGone."""
    digits = digits_typed(code)
    with transaction.atomic():
        mail_code = MailCode.objects.select_for_update().filter(venue=venue, expires_at__gt=now).first()
        if mail_code is None or mail_code.tries >= MOST_TRIES or venue.state != VenueState.UNCONFIRMED:
            raise MailCodeGone("the code was used, has expired, or had too many wrong tries")
        is_right = compare_digest(mail_code.digest, _digest(venue, digits))
        if is_right:
            mail_code.delete()
            Venue.objects.filter(pk=venue.pk).update(state=VenueState.APPLIED, applied_at=now)
        else:
            mail_code.tries += 1
            mail_code.save(update_fields=["tries"])
    if not is_right:
        if mail_code.tries >= MOST_TRIES:
            raise MailCodeGone("the code had too many wrong tries")
        raise MailCodeWrong(MOST_TRIES - mail_code.tries)
    venue.refresh_from_db()


def enter_application(actor: str, application: Application, now: datetime.datetime) -> Venue:
    """Store an application that the ward enters in the owner's presence; it still has to be approved."""
    venue = _venue(application, VenueState.APPLIED, now)
    venue.in_person = True
    with transaction.atomic():
        venue.save()
        record(actor, "venue_entered", str(venue.pk))
    return venue


def change_venue(actor: str, venue: Venue, application: Application) -> bool:
    """Store new values of a venue. Returns whether its name or address changed, so that it needs a new code."""
    before = (venue.name, venue.address)
    for name in ("name", "address", "kind", "stay_minutes", "unit"):
        setattr(venue, name, getattr(application, name))
    if contact_of(venue) != application.contact:
        seal_contact(venue, application.contact)
    with transaction.atomic():
        venue.save()
        record(actor, "venue_changed", str(venue.pk))
    return before != (venue.name, venue.address)


def _venue(application: Application, state: VenueState, now: datetime.datetime) -> Venue:
    venue = Venue(
        name=application.name, address=application.address, kind=application.kind, unit=application.unit,
        stay_minutes=application.stay_minutes, handle=secrets.token_urlsafe(16), state=state, applied_at=now,
    )  # fmt: skip
    seal_contact(venue, application.contact)
    return venue


def _text(phone: str, code: str, now: datetime.datetime) -> None:
    language = "en" if get_language() == "en" else "vi"
    try:
        queue_sms(phone, code_text(present_city(), language, code), language, Purpose.CODE, now=now)
    except (SmsNotSet, BudgetSpent):
        raise MailMissing("this server cannot send text messages now; the ward registers venues in person") from None


def _digest(venue: Venue, code: str) -> str:
    return keyed_digest("venue code", f"{venue.handle} {code}")


def mail_owner(venue: Venue, subject: str, text: str, now: datetime.datetime, *, more: str = "", **values: str) -> None:
    """Queue a mail to the owner, always in Vietnamese; no mail without an address or in training mode.

    subject, text, more (a second paragraph): message ids; `values` fill their placeholders.
    """
    email = contact_of(venue).email
    if not email or venue.training:
        return
    with translation.override("vi"):
        parts = [translation.gettext(part) % values for part in (text, more) if part]
        queue_mail(email, translation.gettext(subject) % {"name": venue.name}, "\n\n".join(parts), now=now)
