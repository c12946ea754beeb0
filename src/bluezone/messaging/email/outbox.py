# SPDX-License-Identifier: Apache-2.0
"""Mail of the office: put into the outbox in the caller's transaction, handed to the mail server again and again with
longer pauses, and forgotten after a week.
"""

import datetime
import logging
import smtplib
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.validators import validate_email
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from bluezone.authority.models import ActState, WaitingAct
from bluezone.identity.models import Role, User
from bluezone.logs import event
from bluezone.messaging.email.models import Mail
from bluezone.refusal import Refused

# Between eight tries; after the last, 41 hours after the first, a mail is given up.
PAUSES = tuple(datetime.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720, 1440))
UNREACHABLE_PAUSE = PAUSES[0]
MAILS_A_RUN = 100

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Delivered:
    """How many mails of one run went out, will be tried again, and never will."""

    sent: int = 0
    postponed: int = 0
    given_up: int = 0


class _Refused(Exception):
    """The server answered no; `final` when asking again would get the same answer."""

    def __init__(self, trouble: str, final: bool) -> None:
        super().__init__(trouble)
        self.trouble = trouble
        self.final = final


class _Unreachable(Exception):
    """No conversation with the server came about: not this mail's fault."""


def deliver_due(now: datetime.datetime) -> Delivered:
    """Send what is due, at most a hundred mails; does nothing where no mail server is set."""
    if settings.SMTP is None:
        return Delivered()
    due = list(Mail.objects.filter(next_try_at__lte=now).order_by("next_try_at", "pk")[:MAILS_A_RUN])
    if not due:
        return Delivered()
    counts = {"sent": 0, "postponed": 0, "given_up": 0}
    connection = get_connection()
    try:
        for mail in due:
            if _claim(mail, now):
                counts[_deliver(connection, mail, now)] += 1
    except _Unreachable as trouble:
        # The others would wait for the same silence; all are tried again in a minute, and none counts it as a try.
        waiting = Mail.objects.filter(next_try_at__lte=now)
        counts["postponed"] += waiting.update(next_try_at=now + UNREACHABLE_PAUSE, trouble=str(trouble)) + 1
        said = event("mail_server_lost", trouble=str(trouble))
        log.warning("the mail server cannot be reached (%s); mail waits", trouble, extra=said)
    finally:
        _close(connection)
    return Delivered(**counts)


def _claim(mail: Mail, now: datetime.datetime) -> bool:
    """Move the next try ahead; False when another process has done so."""
    pause = PAUSES[min(mail.tries, len(PAUSES) - 1)]
    mine = Mail.objects.filter(pk=mail.pk, tries=mail.tries, next_try_at=mail.next_try_at)
    return bool(mine.update(tries=F("tries") + 1, next_try_at=now + pause))


def _deliver(connection: Any, mail: Mail, now: datetime.datetime) -> str:
    """Send one claimed mail and note what came of it: "sent", "postponed" or "given_up"."""
    row = Mail.objects.filter(pk=mail.pk)
    try:
        _send(connection, mail)
    except _Refused as refused:
        _close(connection)
        final = refused.final or mail.tries >= len(PAUSES)
        said = event("mail_refused", mail=str(mail.pk), tries=mail.tries + 1, trouble=refused.trouble, given_up=final)
        end = ", given up" * final
        log.warning("mail %s: try %d failed (%s)%s", mail.pk, mail.tries + 1, refused.trouble, end, extra=said)
        if not final:
            row.update(trouble=refused.trouble)
            return "postponed"
        row.update(trouble=refused.trouble, next_try_at=None, given_up_at=now, subject="", text="", html="")
        return "given_up"
    except _Unreachable as trouble:
        row.update(tries=mail.tries, next_try_at=now + UNREACHABLE_PAUSE, trouble=str(trouble))
        raise
    row.update(trouble="", next_try_at=None, sent_at=now, subject="", text="", html="")
    return "sent"


def _send(connection: Any, mail: Mail) -> None:
    """One conversation with the server; raises _Refused or _Unreachable, neither of which names anybody."""
    try:
        connection.send_messages([_message(connection, mail)])
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise _Refused(f"recipient refused {max(codes)}", min(codes) >= 500) from None
    except smtplib.SMTPAuthenticationError as error:
        # Our password, not this mail: it waits until the operator has mended the setting.
        raise _Unreachable(f"password refused {error.smtp_code}") from None
    except (smtplib.SMTPConnectError, smtplib.SMTPHeloError) as error:
        raise _Unreachable(f"server refused {error.smtp_code}") from None
    except smtplib.SMTPResponseException as error:
        raise _Refused(f"refused {error.smtp_code}", error.smtp_code >= 500) from None
    except (OSError, smtplib.SMTPException) as error:
        _close(connection)
        raise _Unreachable(type(error).__name__) from None


def _message(connection: Any, mail: Mail) -> EmailMultiAlternatives:
    sender = settings.DEFAULT_FROM_EMAIL
    headers = {
        "Message-ID": f"<{mail.pk}@{sender.rpartition('@')[2]}>",
        # No out-of-office note answers a program (RFC 3834).
        "Auto-Submitted": "auto-generated",
    }
    message = EmailMultiAlternatives(mail.subject, mail.text, sender, [mail.to], headers=headers, connection=connection)
    if mail.html:
        message.attach_alternative(mail.html, "text/html")
    return message


def _close(connection: Any) -> None:
    try:
        connection.close()
    except (OSError, smtplib.SMTPException):
        connection.connection = None


MAX_SUBJECT_CHARACTERS = 200


class EmailAddressInvalid(Refused):
    """The text is not one e-mail address; the message does not repeat it."""

    code = "email_address_invalid"


def send(
    to: str, subject: str, text: str, html: str | None = None, *, now: datetime.datetime | None = None
) -> Mail | None:
    """Queue a mail to one address; the tick sends it within seconds.

    subject: brought to one line and 200 characters. text: plain text; html: the same for readers that show it.
    Returns None, and queues nothing, where no mail server is set. Raises EmailAddressInvalid.
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
    """Queue the digest of one local day for one address, unless it has been: nobody gets two a day.

    Returns whether it was queued now; False too where no mail server is set. Safe to repeat, also from two processes.
    Raises EmailAddressInvalid.
    """
    _check_address(to)
    if settings.SMTP is None:
        return False
    moment = now or timezone.now()
    values = {"subject": _one_line(subject), "text": text, "html": html or ""}
    _, made = Mail.objects.get_or_create(
        to=to, digest_day=day, defaults={**values, "queued_at": moment, "next_try_at": moment}
    )
    return made


def tell_of_broken_glass(now: datetime.datetime) -> int:
    """Write to every administrator and health supervisor who has given an address; how many mails were queued.

    Once for each broken glass, whichever process is first.
    """
    queued = 0
    overseers = User.objects.holding([Role.ADMIN, Role.SUPERVISOR], timezone.localdate(now)).exclude(email="")
    for glass in WaitingAct.objects.filter(state=ActState.GLASS, told_at=None).select_related("asked_by"):
        if not WaitingAct.objects.filter(pk=glass.pk, told_at=None).update(told_at=now):
            continue
        until = f"{timezone.localtime(glass.expires_at):%H:%M %d/%m/%Y}"
        with override("vi"):
            subject = _("Bluezone: %(name)s has broken the glass") % {"name": glass.asked_by}
            text = _(
                "%(name)s speaks to the public without a second person until %(until)s.\n\nReason: %(reason)s\n\n"
                "What is sent is in the audit."
            ) % {"name": glass.asked_by, "until": until, "reason": glass.reason}
        for overseer in overseers:
            queued += send(overseer.email, subject, text, now=now) is not None
    return queued


def _check_address(to: str) -> None:
    try:
        validate_email(to)
    except ValidationError:
        raise EmailAddressInvalid("the text is not one e-mail address") from None


def _one_line(subject: str) -> str:
    """A line break in a subject would begin another header."""
    line = " ".join("".join(character if character.isprintable() else " " for character in subject).split())
    return line if len(line) <= MAX_SUBJECT_CHARACTERS else line[: MAX_SUBJECT_CHARACTERS - 1] + "…"


KEPT = datetime.timedelta(days=7)


def purge(now: datetime.datetime) -> None:
    """Delete mail a week after it was sent or given up, with the address; its text went when it was sent."""
    Mail.objects.filter(sent_at__lte=now - KEPT).delete()
    Mail.objects.filter(given_up_at__lte=now - KEPT).delete()
