# SPDX-License-Identifier: Apache-2.0
"""What connects a box without a screen to its city: a ticket that the office makes, as a file and as a QR code.

A ticket names one device of the office and is good for that alone: its code opens once, within a day, and a box that
belongs to a city takes no ticket of another one. It is JSON:

    {"bluezone": "box", "server", "city", "kind", "device", "name", "agency", "code", "until"}

and in a link its values in this order as a JSON list, in base64url behind `#`, so that the QR code stays coarse.
Source: docs/appliances.md.
"""

import base64
import binascii
import json
import os
import re
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bluezone.edge.appliance.slots import sync_folder
from bluezone.protocol.primitives import ED25519_KEY_LENGTH
from bluezone.refusal import Refused

FILE_NAME = "bluezone-box.json"
# Where a box shows the page that takes a ticket; its name is said by mDNS.
SETUP_ADDRESS = "http://bluezone-box.local:8019/"
MOST_BYTES = 4096
LONGEST_TEXT = 300
# What of the office's kinds of devices can be a box without a screen, and the account it runs as.
ACCOUNTS = {"gate": "bluezone-gate", "drive": "bluezone-gate", "speaker": "bluezone-speaker"}
_WAITING, _ASIDE, _KNOWN = "enrol.json", "enrol.refused.json", "box.json"
_CODE = re.compile(r"\d{3}(-\d{3}){3}")
_HEX = re.compile(rf"[0-9a-f]{{{2 * ED25519_KEY_LENGTH}}}")
# The office's word that another try with the same code is useless (devices/enrolment.py).
CODE_IS_GONE = "enrolment_code_invalid"


class TicketInvalid(Refused):
    """It is no ticket of an office for a box without a screen."""

    code = "box_ticket_invalid"


class TicketExpired(Refused):
    """The day of the ticket is over."""

    code = "box_ticket_expired"


class TicketForeign(Refused):
    """The ticket is of another city than the one the box belongs to."""

    code = "box_ticket_foreign"


@dataclass(frozen=True)
class Ticket:
    """One device and how it reaches its office.

    server: `https://host` of the public origin. city: its Ed25519 key, 64 hex digits. kind: one of ACCOUNTS. device,
    name, agency: whom it is for. code: `ddd-ddd-ddd-ddd`. until: Unix seconds.
    """

    server: str
    city: str
    kind: str
    device: int
    name: str
    agency: str
    code: str
    until: int

    def file(self) -> bytes:
        """The ticket as the file that goes onto a memory stick."""
        return json.dumps({"bluezone": "box", **asdict(self)}, ensure_ascii=False, indent=1).encode() + b"\n"

    def link(self) -> str:
        """The ticket as a link: a phone beside the box opens its page with it."""
        packed = json.dumps(["box", *asdict(self).values()], ensure_ascii=False, separators=(",", ":")).encode()
        return f"{SETUP_ADDRESS}#{base64.urlsafe_b64encode(packed).decode().rstrip('=')}"


def read_ticket(text: str | bytes, now: float) -> Ticket:
    """Read a ticket: the file, the link, or what stands behind its `#`.

    now: Unix seconds. A box without a clock is behind and takes it; the office judges the code in any case.
    Raises TicketInvalid, TicketExpired.
    """
    try:
        given = text.decode() if isinstance(text, bytes) else text
        if len(given) > MOST_BYTES:
            raise TicketInvalid(f"the ticket has {len(given)} characters, expected at most {MOST_BYTES}")
        given = given.strip().rpartition("#")[2] if not given.lstrip().startswith("{") else given
        if not given.lstrip().startswith("{"):
            given = base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)).decode()
        said = json.loads(given)
    except (UnicodeDecodeError, binascii.Error, ValueError, RecursionError):
        raise TicketInvalid("this is not a ticket for a box: neither its file nor its link") from None
    names = ("bluezone", *Ticket.__annotations__)
    if isinstance(said, list) and len(said) == len(names):
        said = dict(zip(names, said, strict=True))
    if not isinstance(said, dict) or set(said) != set(names) or said.pop("bluezone") != "box":
        raise TicketInvalid("this is not a ticket for a box: it has other members")
    ticket = Ticket(**said)
    _check(ticket)
    if ticket.until <= now:
        raise TicketExpired("the day of this ticket is over; the office makes a new one on the page of the device")
    return ticket


def _check(ticket: Ticket) -> None:
    texts = (ticket.server, ticket.city, ticket.kind, ticket.name, ticket.agency, ticket.code)
    if not all(isinstance(one, str) and 0 < len(one) <= LONGEST_TEXT for one in texts):
        raise TicketInvalid("a member of the ticket is not text of at most 300 characters")
    if not all(type(one) is int and 0 < one < 2**53 for one in (ticket.device, ticket.until)):
        raise TicketInvalid("a number of the ticket is none")
    parts = urlsplit(ticket.server)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.path or parts.query or parts.fragment:
        raise TicketInvalid("the server of the ticket is not an address such as https://bluezone.example.vn")
    if ticket.kind not in ACCOUNTS:
        raise TicketInvalid(f"the ticket is for a device of kind {ticket.kind}, which needs a screen")
    if not _HEX.fullmatch(ticket.city) or not _CODE.fullmatch(ticket.code):
        raise TicketInvalid("the city's key or the code of the ticket has not its form")


def put_whole(path: Path, content: bytes, owner: tuple[int, int] | None = None) -> None:
    """Write a private file so that readers and a power cut see the old one, none, or the whole new one.

    owner: user and group it is given to, where root writes for a program.
    """
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    # Nobody who may write into this folder can lead root elsewhere by a link.
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "wb") as file:
        if owner is not None:
            os.fchown(file.fileno(), *owner)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(path.parent)


@dataclass(frozen=True)
class Waiting:
    """A ticket that lies in a program's data folder and was not used yet."""

    folder: Path
    ticket: Ticket

    def used(self) -> None:
        """The program is connected: nothing of the code stays."""
        (self.folder / _WAITING).unlink(missing_ok=True)

    def refused(self) -> None:
        """The office will not take this code any more; the file is set aside, so that nobody tries it again."""
        with suppress(FileNotFoundError):
            (self.folder / _WAITING).replace(self.folder / _ASIDE)


def waiting(folder: Path) -> Waiting | None:
    """The ticket that waits in a data folder; None where there is none. From here on the folder knows its server.

    Raises TicketInvalid for a file that was changed meanwhile.
    """
    try:
        content = (folder / _WAITING).read_bytes()
    except FileNotFoundError:
        return None
    # Its day was looked at when it was laid here; a board's clock may be anything by now.
    found = read_ticket(content, 0)
    put_whole(folder / _KNOWN, json.dumps({"server": found.server, "city": found.city}).encode())
    return Waiting(folder, found)


def lay(folder: Path, ticket: Ticket, owner: tuple[int, int] | None = None) -> None:
    """Put a ticket into a program's data folder, where its next start finds it. Raises TicketForeign."""
    belongs = city_of(folder)
    if belongs not in (None, ticket.city):
        raise TicketForeign("this box belongs to another city; empty its data folder to give it away")
    put_whole(folder / _WAITING, ticket.file(), owner)


def server_of(folder: Path) -> str | None:
    """The server that a ticket named, None before the first."""
    return _known(folder).get("server")


def city_of(folder: Path) -> str | None:
    """The key of the city that a box belongs to, None before its first ticket was used."""
    return _known(folder).get("city")


def _known(folder: Path) -> dict[str, str]:
    try:
        return dict(json.loads((folder / _KNOWN).read_bytes()))
    except (FileNotFoundError, ValueError):
        return {}
