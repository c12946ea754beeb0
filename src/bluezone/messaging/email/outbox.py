# SPDX-License-Identifier: Apache-2.0
"""Queue mail in the caller's transaction; `delivery` sends it."""

import datetime

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone

from bluezone.messaging.email.models import Mail
from bluezone.refusal import Refused

MAX_SUBJECT_CHARACTERS = 200


class EmailAddressInvalid(Refused):
    """The text is not one e-mail address; the message does not repeat it."""

    code = "email_address_invalid"


def queue_mail(
    to: str, subject: str, text: str, html: str | None = None, *, now: datetime.datetime | None = None
) -> Mail | None:
    """Queue a mail to one address; the tick sends it within seconds.

    subject: cut to one line and 200 characters. text: plain text; html: the same for programs that show it.
    Returns None, and queues nothing, without a mail server. Raises EmailAddressInvalid.
    """
    _check_address(to)
    if settings.SMTP is None:
        return None
    moment = now or timezone.now()
    return Mail.objects.create(
        to=to, subject=_one_line(subject), text=text, html=html or "", queued_at=moment, next_try_at=moment
    )


def queue_digest(
    to: str,
    day: datetime.date,
    subject: str,
    text: str,
    html: str | None = None,
    *,
    now: datetime.datetime | None = None,
) -> bool:
    """Queue the digest of one local day for one address, unless it has been queued: at most one a day.

    Returns whether it was queued now; False without a mail server. Safe to repeat, even from two processes.
    Raises EmailAddressInvalid.
    """
    _check_address(to)
    if settings.SMTP is None:
        return False
    moment = now or timezone.now()
    values = {"subject": _one_line(subject), "text": text, "html": html or ""}
    _, created = Mail.objects.get_or_create(
        to=to, digest_day=day, defaults={**values, "queued_at": moment, "next_try_at": moment}
    )
    return created


def _check_address(to: str) -> None:
    try:
        validate_email(to)
    except ValidationError:
        raise EmailAddressInvalid("the text is not one e-mail address") from None


def _one_line(subject: str) -> str:
    """The subject without line breaks, each of which would begin another header."""
    printable = "".join(character if character.isprintable() else " " for character in subject)
    line = " ".join(printable.split())
    if len(line) > MAX_SUBJECT_CHARACTERS:
        return line[: MAX_SUBJECT_CHARACTERS - 1] + "…"
    return line
