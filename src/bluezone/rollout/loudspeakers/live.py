# SPDX-License-Identifier: Apache-2.0
"""Somebody speaks live: a browser's microphone, in pieces of a second, on the way to the loudspeakers of one zone.

One address a zone at a time, bounded in time. The office keeps who spoke, when, for how long and what each machine
played; the voice is deleted soon after.
"""

import base64
import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from bluezone.audit.hash_chain import record
from bluezone.devices.models import Device
from bluezone.identity.models import User
from bluezone.refusal import Refused
from bluezone.rollout.loudspeakers.models import Address, Piece, Zone
from bluezone.rollout.loudspeakers.zone_setup import raise_plan_version

MOST_SECONDS = 180
# A microphone that sends nothing for so long is gone.
SILENT_SECONDS = 10
MOST_PIECE_BYTES = 64 * 1024
MOST_PIECES = 2 * MOST_SECONDS
AT_ONCE = 30
# For machines that are behind; then nothing of the voice is left.
VOICE_KEPT = datetime.timedelta(minutes=10)
KEY_PREFIX = "live-"


class AddressOpen(Refused):
    """Somebody else speaks at these loudspeakers, or the person speaks at others already."""

    code = "live_address_open"


class AddressOver(Refused):
    """The address is over: its time has passed, nothing came for too long, or it was never begun."""

    code = "live_address_over"


class PieceInvalid(Refused):
    """A piece of sound is empty, too long, or not the next one."""

    code = "live_piece_invalid"


def is_open(address: Address, now: datetime.datetime) -> bool:
    """Whether pieces are still taken."""
    silent = now - address.last_at > datetime.timedelta(seconds=SILENT_SECONDS)
    return address.ended_at is None and not silent and now < ends_by(address)


def ends_by(address: Address) -> datetime.datetime:
    """When the address is cut off."""
    return address.began_at + datetime.timedelta(seconds=MOST_SECONDS)


def accept_piece(
    user: User, zone: Zone, number: int, content: bytes, now: datetime.datetime, *, is_last: bool
) -> Address:
    """Take a piece of sound; number 0 begins an address. content: a part of one WebM stream, empty only if it is last.

    Raises AddressOpen, AddressOver, PieceInvalid.
    """
    if len(content) > MOST_PIECE_BYTES or not (content or is_last) or not 0 <= number < MOST_PIECES:
        raise PieceInvalid(f"piece {number} of {len(content)} bytes")
    with transaction.atomic():
        # Two who begin in one moment wait for each other here.
        list(Zone.objects.select_for_update().filter(pk=zone.pk).values_list("pk"))
        address = Address.objects.filter(zone=zone, ended_at=None).first()
        if address is not None and not is_open(address, now):
            _end(address, address.last_at)
            address = None
        if number == 0:
            if address is not None:
                raise AddressOpen("someone else is speaking on these loudspeakers")
            _refuse_second_place(user, now)
            address = Address.objects.create(zone=zone, spoken_by=user, began_at=now, last_at=now)
            record(user.username, "live_address_begun", str(zone.pk), now=now, address=address.pk)
            raise_plan_version()
        elif address is None or address.spoken_by_id != user.pk:
            raise AddressOver("nothing of this person is being spoken here")
        if number != address.pieces:
            raise PieceInvalid(f"piece {number} came, {address.pieces} is the next")
        if content:
            Piece.objects.create(address=address, number=number, content=content)
            address.pieces += 1
        address.last_at = now
        address.save(update_fields=["pieces", "last_at"])
        if is_last:
            _end(address, now)
    return address


def _refuse_second_place(user: User, now: datetime.datetime) -> None:
    """One voice in one place. Raises AddressOpen while this person's address in another zone is open."""
    # What one person begins in two zones in one moment waits for each other here.
    list(User.objects.select_for_update().filter(pk=user.pk).values_list("pk"))
    if any(is_open(other, now) for other in Address.objects.filter(spoken_by=user, ended_at=None)):
        raise AddressOpen("this person speaks at other loudspeakers")


def pieces_for(device: Device, address_id: int, first: int, now: datetime.datetime) -> dict[str, Any] | None:
    """What a machine of the zone has not had yet, and whether more can come; None where it has no such address."""
    address = Address.objects.filter(pk=address_id, zone__units=device.pk).first()
    if address is None:
        return None
    found = list(address.kept.filter(number__gte=first).order_by("number")[:AT_ONCE])
    more = is_open(address, now) or first + len(found) < address.pieces
    return {"pieces": [base64.b64encode(bytes(one.content)).decode() for one in found], "more": more}


def store_heard(device: Device, key: str, values: dict[str, Any]) -> bool:
    """Note what a machine played of an address; its first word stays. False where it has no such address."""
    number = key.removeprefix(KEY_PREFIX)
    if not (number.isascii() and number.isdigit() and len(number) < 18):
        return False
    with transaction.atomic():
        address = Address.objects.select_for_update().filter(pk=int(number), zone__units=device.pk).first()
        if address is None:
            return False
        word = {
            "outcome": values["outcome"],
            "seconds": values["heard_seconds"],
            "sink": values["sink"],
            "reason": values["reason"],
        }
        address.heard = {**address.heard, str(device.pk): address.heard.get(str(device.pk), word)}
        address.save(update_fields=["heard"])
    return True


def end_and_purge_addresses(now: datetime.datetime) -> None:
    """End what fell silent, and forget the voice of what has ended."""
    for address in Address.objects.filter(ended_at=None):
        if not is_open(address, now):
            with transaction.atomic():
                _end(address, address.last_at)
    Piece.objects.filter(address__ended_at__lt=now - VOICE_KEPT).delete()


def sentence_of(refused: Refused) -> str:
    """The sentence of a refusal in the reader's language."""
    return {
        AddressOpen.code: _(
            "Someone is speaking on these loudspeakers, or you are speaking on others. Wait until that is over."
        ),
        AddressOver.code: _("Your address has ended: its time is up, or the network was down for too long."),
    }.get(refused.code, _("The sound did not arrive correctly. Start again."))


def _end(address: Address, at: datetime.datetime) -> None:
    if Address.objects.filter(pk=address.pk, ended_at=None).update(ended_at=at):
        address.ended_at = at
        seconds = round((at - address.began_at).total_seconds())
        record(address.spoken_by.username, "live_address_ended", str(address.zone_id), seconds=seconds)
        raise_plan_version()
