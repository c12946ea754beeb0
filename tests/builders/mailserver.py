# SPDX-License-Identifier: Apache-2.0
"""A real SMTP server in this process, which stores mails and refuses them as a test says."""

import email
import email.policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from tests.builders.serving import free_port

from bluezone.messaging.email.smtp_url import read_smtp_url


class MailServer:
    """Listens on 127.0.0.1 while open.

    mails: received mails, oldest first, as (recipient, message). answers: SMTP answer by recipient instead of
    acceptance; "*": the answer after the text of every mail.
    """

    def __init__(self, **controller) -> None:
        self.port = free_port()
        self.mails: list[tuple[str, EmailMessage]] = []
        self.answers: dict[str, str] = {}
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, **controller)

    def __enter__(self) -> "MailServer":
        self._controller.start()
        return self

    def __exit__(self, *_) -> None:
        self._controller.stop()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if "*" in self.answers:
            return self.answers["*"]
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.mails += [(to, message) for to in envelope.rcpt_tos]
        return "250 OK"


def use(settings, url):
    """Set the mail server of a URL in Django's settings, as bluezone.web.settings does."""
    server = settings.SMTP = read_smtp_url(url, "bluezone@office.example")
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = server.host
    settings.EMAIL_PORT = server.port
    settings.DEFAULT_FROM_EMAIL = server.sender
    settings.EMAIL_HOST_USER = server.user
    settings.EMAIL_HOST_PASSWORD = server.password
    settings.EMAIL_USE_SSL = server.ssl
    settings.EMAIL_USE_TLS = server.starttls
    settings.EMAIL_TIMEOUT = 5
