# SPDX-License-Identifier: Apache-2.0
"""Open a request for help from any channel, read it, and count requests by unit for other parts.

What teams do with a request is in help_queue.py.
"""

import datetime
import json
import re
import secrets
from dataclasses import asdict, dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone

from bluezone.directory.models import AdminUnit
from bluezone.office_secrets import keyed_digest, seal, unseal
from bluezone.refusal import Refused
from bluezone.rollout.coverage.api import HelpCounts
from bluezone.rollout.drives import boards
from bluezone.rollout.drives.models import Drive, HelpChannel, HelpRequest
from bluezone.training import practising

PUBLIC_CHANNELS = frozenset({"portal", "app", "gate"})
CONTACT_LENGTH = 80
PLACE_LENGTH = 120
NOTE_LENGTH = 500
# Read over the telephone: no 0/O, 1/I/L, 5/S, 8/B, 2/Z.
_ALPHABET = "34679ACDEFGHJKMNPQRTUVWXY"
_GROUP = 3
# The form of a unit's code. Other text never reaches the database, which may fail on some characters.
_CODE = re.compile(r"[0-9A-Za-z._-]{1,40}")
_TRIES = 8
# A telephone number as people write it; shorter runs of digits are house numbers.
_PHONE = re.compile(r"\+?\d(?:[ .()-]?\d){8,13}")


class HelpRefused(Refused):
    """The request for help is invalid; `field` names what to correct."""

    code = "help_invalid"
    field: str = ""


class HelpChannelUnknown(HelpRefused):
    """No channel of this name opens requests."""

    code = "help_channel_unknown"
    field = "channel"


class HelpContactMissing(HelpRefused):
    """There is no telephone number or other way to reach the person."""

    code = "help_contact_missing"
    field = "contact"


class HelpTextTooLong(HelpRefused):
    """A text of the request is too long; `field` says which."""

    code = "help_text_too_long"

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


class HelpUnitUnknown(HelpRefused):
    """No current unit has this code."""

    code = "help_unit_unknown"
    field = "unit"


@dataclass(frozen=True)
class HelpTexts:
    """The texts of a request. contact: how to reach the person. place: where they need help. note: for what."""

    contact: str
    place: str
    note: str


def open_help_request(
    channel: str, contact: str, place: str = "", note: str = "", unit: str | None = None, *, repeat_key: str = ""
) -> str:
    """Open a request for help and return its ticket, such as `K7M-2QX`.

    channel: "portal", "app", "gate", "phone" or "canvass". contact: 1..80 characters. place: at most 120. note: at
    most 500. unit: official code of a current unit, None or "" if unknown.
    repeat_key: the caller's own key; a second call with the same key returns the same ticket and opens nothing.
    Raises HelpChannelUnknown, HelpContactMissing, HelpTextTooLong, HelpUnitUnknown, or HelpRefused if no ticket is
    free; then nothing is stored.
    """
    if channel not in HelpChannel.values or channel == HelpChannel.STALL:
        raise HelpChannelUnknown(f"channel is {channel[:20]!r}, expected portal, app, gate, phone or canvass")
    details = _checked(contact, place, note)
    admin_unit = current_unit(unit) if unit else None
    return _store(channel, details, admin_unit, None, repeat_key).ticket


def join_stall(drive: Drive, repeat_key: str = "") -> HelpRequest:
    """Open a ticket in the queue of a stall; it contains nothing about the person.

    repeat_key: as in `open_help_request`.
    """
    return _store(HelpChannel.STALL, HelpTexts("", "", ""), drive.unit, drive, repeat_key)


def open_texts(request: HelpRequest) -> HelpTexts:
    """Open the sealed texts of a request, for the team that helps. Raises SealBroken."""
    return HelpTexts(**json.loads(unseal(bytes(request.sealed), f"help {request.ticket}")))


def contact_digest(contact: str) -> str:
    """Keyed digest of the first telephone number in a contact, "" if there is none.

    0912 345 678 and +84912345678 have the same digest.
    """
    match = _PHONE.search(contact)
    if match is None:
        return ""
    digits = re.sub(r"\D", "", match[0])
    national = digits.removeprefix("84") if digits.startswith("84") else digits
    return keyed_digest("help contact", national.lstrip("0"))


def current_unit(code: str) -> AdminUnit:
    """The current unit with an official code. Raises HelpUnitUnknown."""
    unit = None
    if _CODE.fullmatch(code):
        unit = AdminUnit.objects.valid_on(timezone.localdate()).filter(code=code).first()
    if unit is None:
        raise HelpUnitUnknown(f"no current unit has the code {code[:20]!r}")
    return unit


def _store(
    channel: str, details: HelpTexts, unit: AdminUnit | None, drive: Drive | None, repeat_key: str
) -> HelpRequest:
    key = keyed_digest("help repeat", repeat_key) if repeat_key else None
    for _ in range(_TRIES):
        if key and (existing := HelpRequest.everything.filter(repeat_key=key).first()):
            return existing
        ticket = _new_ticket()
        try:
            with transaction.atomic():
                return HelpRequest.objects.create(
                    ticket=ticket,
                    channel=channel,
                    unit=unit,
                    drive=drive,
                    sealed=seal(json.dumps(asdict(details)).encode(), f"help {ticket}"),
                    contact_digest=contact_digest(details.contact),
                    repeat_key=key,
                    opened_at=timezone.now(),
                    training=drive.training if drive else practising(),
                )
        except IntegrityError:
            # The ticket exists, or the same request came twice at once: look again.
            continue
    raise HelpRefused("no ticket could be made; try again")


def _checked(contact: str, place: str, note: str) -> HelpTexts:
    details = HelpTexts(" ".join(contact.split()), " ".join(place.split()), note.strip())
    if not details.contact:
        raise HelpContactMissing("contact is empty, so no one could call back")
    limits = {"contact": CONTACT_LENGTH, "place": PLACE_LENGTH, "note": NOTE_LENGTH}
    for field, most in limits.items():
        length = len(getattr(details, field))
        if length > most:
            raise HelpTextTooLong(f"{field} has {length} characters, expected at most {most}", field)
    return details


def _new_ticket() -> str:
    digits = "".join(secrets.choice(_ALPHABET) for _ in range(2 * _GROUP))
    return f"{digits[:_GROUP]}-{digits[_GROUP:]}"


def help_by_unit(since: datetime.date, until: datetime.date) -> dict[int, HelpCounts]:
    """The help of each unit that has any, by primary key; without training mode.

    since, until: first and last local day of closed requests, both included. A request without a unit is counted only
    once a drive has closed it, in the drive's unit. Six queries.
    """
    now = timezone.now()
    open_now, claimed_now = boards.open_requests_by_unit(now)
    done, could_not = boards.closed_requests_by_unit(since, until)
    hours = boards.helper_hours(since, until, now)
    free = boards.free_teams()
    keys = {*open_now, *claimed_now, *done, *could_not, *hours, *free}
    return {
        pk: HelpCounts(
            open_now.get(pk, 0), claimed_now.get(pk, 0), done.get(pk, 0), could_not.get(pk, 0),
            hours.get(pk), free.get(pk, 0),
        )
        for pk in keys
    }  # fmt: skip
