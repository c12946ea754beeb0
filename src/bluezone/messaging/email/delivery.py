# SPDX-License-Identifier: Apache-2.0
"""Send queued mail to the city's mail server, and retry with growing pauses."""

import datetime
import logging
import smtplib
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db.models import F

from bluezone.logs import event_fields
from bluezone.messaging.email.models import Mail
from bluezone.messaging.email.retries import RETRY_PAUSES, UNREACHABLE_PAUSE

MAILS_A_RUN = 100
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DeliveryCounts:
    """How many mails of one run were sent, postponed and given up."""

    sent: int = 0
    postponed: int = 0
    given_up: int = 0


class _MailRefused(Exception):
    """The server refused the mail. final: whether it would refuse every later try too."""

    def __init__(self, trouble: str, final: bool) -> None:
        super().__init__(trouble)
        self.trouble = trouble
        self.final = final


class _Unreachable(Exception):
    """There was no session with the server: not this mail's fault."""


def send_due_mail(now: datetime.datetime) -> DeliveryCounts:
    """Send due mail, at most a hundred; does nothing without a mail server."""
    if settings.SMTP is None:
        return DeliveryCounts()
    due = list(Mail.objects.filter(next_try_at__lte=now).order_by("next_try_at", "pk")[:MAILS_A_RUN])
    if not due:
        return DeliveryCounts()
    counts = {"sent": 0, "postponed": 0, "given_up": 0}
    connection = get_connection()
    try:
        for mail in due:
            if _claim(mail, now):
                counts[_deliver(connection, mail, now)] += 1
    except _Unreachable as trouble:
        # The other mails would fail too: all are tried again in a minute, and this does not count as a try.
        waiting = Mail.objects.filter(next_try_at__lte=now)
        counts["postponed"] += waiting.update(next_try_at=now + UNREACHABLE_PAUSE, trouble=str(trouble)) + 1
        details = event_fields("mail_server_lost", trouble=str(trouble))
        log.warning("the mail server cannot be reached (%s); mail waits", trouble, extra=details)
    finally:
        _close(connection)
    return DeliveryCounts(**counts)


def _claim(mail: Mail, now: datetime.datetime) -> bool:
    """Move the next try to a later time; False if another process has done so."""
    pause = RETRY_PAUSES[min(mail.tries, len(RETRY_PAUSES) - 1)]
    unclaimed = Mail.objects.filter(pk=mail.pk, tries=mail.tries, next_try_at=mail.next_try_at)
    return bool(unclaimed.update(tries=F("tries") + 1, next_try_at=now + pause))


def _deliver(connection: Any, mail: Mail, now: datetime.datetime) -> str:
    """Send one claimed mail and store the result: "sent", "postponed" or "given_up"."""
    row = Mail.objects.filter(pk=mail.pk)
    try:
        _send(connection, mail)
    except _MailRefused as refusal:
        _close(connection)
        trouble = refusal.trouble
        final = refusal.final or mail.tries >= len(RETRY_PAUSES)
        details = event_fields("mail_refused", mail=str(mail.pk), tries=mail.tries + 1, trouble=trouble, given_up=final)
        end = ", given up" if final else ""
        log.warning("mail %s: try %d failed (%s)%s", mail.pk, mail.tries + 1, trouble, end, extra=details)
        if not final:
            row.update(trouble=trouble)
            return "postponed"
        row.update(trouble=trouble, next_try_at=None, given_up_at=now, subject="", text="", html="")
        return "given_up"
    except _Unreachable as error:
        row.update(tries=mail.tries, next_try_at=now + UNREACHABLE_PAUSE, trouble=str(error))
        raise
    row.update(trouble="", next_try_at=None, sent_at=now, subject="", text="", html="")
    return "sent"


def _send(connection: Any, mail: Mail) -> None:
    """One session with the server; raises _MailRefused or _Unreachable, neither of which names a person."""
    try:
        connection.send_messages([_message(connection, mail)])
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise _MailRefused(f"recipient refused {max(codes)}", min(codes) >= 500) from None
    except smtplib.SMTPAuthenticationError as error:
        # Our password, not this mail: it waits until the operator has corrected the setting.
        raise _Unreachable(f"password refused {error.smtp_code}") from None
    except (smtplib.SMTPConnectError, smtplib.SMTPHeloError) as error:
        raise _Unreachable(f"server refused {error.smtp_code}") from None
    except smtplib.SMTPResponseException as error:
        raise _MailRefused(f"refused {error.smtp_code}", error.smtp_code >= 500) from None
    except (OSError, smtplib.SMTPException) as error:
        _close(connection)
        raise _Unreachable(type(error).__name__) from None


def _message(connection: Any, mail: Mail) -> EmailMultiAlternatives:
    sender = settings.DEFAULT_FROM_EMAIL
    headers = {
        "Message-ID": f"<{mail.pk}@{sender.rpartition('@')[2]}>",
        # Keeps out-of-office notes from answering (RFC 3834).
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
