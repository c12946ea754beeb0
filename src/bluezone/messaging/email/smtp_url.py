# SPDX-License-Identifier: Apache-2.0
"""The mail server, as one URL in the environment instead of eight settings.

    smtps://user:password@mail.example:465      TLS from the first byte
    starttls://user:password@mail.example:587   TLS after STARTTLS, never without
    smtp://localhost:25                         no TLS: for a relay on this machine or in its own network

`?from=ADDRESS` names the sender. Django's settings import this module, so it imports nothing of Django.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from bluezone.refusal import Refused

_PORTS = {"smtps": 465, "starttls": 587, "smtp": 25}
_ADDRESS = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+")


class SmtpUrlInvalid(Refused):
    """`BLUEZONE_SMTP_URL` names no mail server; the message does not repeat it, since it may contain a password."""

    code = "smtp_url_invalid"


@dataclass(frozen=True)
class SmtpServer:
    """A mail server. ssl: TLS from the first byte. starttls: TLS after STARTTLS. sender: address for From."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    ssl: bool
    starttls: bool
    sender: str


def read_smtp_url(url: str | None, default_sender: str) -> SmtpServer | None:
    """The server that a URL names; None without a URL, and then no mail is queued.

    Raises SmtpUrlInvalid for another scheme, a missing host, a bad port or sender, or a password without TLS.
    """
    if not url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise SmtpUrlInvalid("BLUEZONE_SMTP_URL is not an address, expected smtps://user:password@host:465") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise SmtpUrlInvalid("BLUEZONE_SMTP_URL has no host or another scheme than smtps, starttls or smtp")
    if parts.scheme == "smtp" and parts.password:
        raise SmtpUrlInvalid("BLUEZONE_SMTP_URL would send a password without TLS; use smtps:// or starttls://")
    sender = parse_qs(parts.query).get("from", [default_sender])[0]
    if not _ADDRESS.fullmatch(sender):
        raise SmtpUrlInvalid("the sender in BLUEZONE_SMTP_URL is not an e-mail address")
    return SmtpServer(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        ssl=parts.scheme == "smtps",
        starttls=parts.scheme == "starttls",
        sender=sender,
    )
