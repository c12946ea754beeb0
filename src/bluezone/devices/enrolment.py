# SPDX-License-Identifier: Apache-2.0
"""Enrolment of a device: it exchanges a one-time code from the office for a token.

The code has 12 digits, because Vietnamese keyboards turn letters into others. It is written in four groups of three, so
that it does not look like a verification code. The office stores only hashes of code and token.

Also what the office deletes about devices, and when.
"""

import datetime
import functools
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings
from django.db import transaction

from bluezone.audit import hash_chain
from bluezone.devices.models import Device, EnrolmentFailure
from bluezone.devices.refusals import DeviceRefused, PuzzleRequired
from bluezone.directory.models import AdminUnit, Agency
from bluezone.keyserver.limits.limits import Limits
from bluezone.protocol.upload import codes
from bluezone.protocol.upload.puzzle import read_solution
from bluezone.vietnamese.typed import digits_typed

CODE_LIFE = datetime.timedelta(hours=24)
WINDOW = datetime.timedelta(hours=1)
FAILURES_A_NETWORK = 10
_GROUP = 3
_INDEXED_DIGITS = 16
_NO_DIGEST = "-" * 64


class EnrolmentCodeInvalid(DeviceRefused):
    """The code is unknown, used, replaced by a newer one, or expired; the answer does not say which."""

    code = "enrolment_code_invalid"
    status = 410


class DeviceRevoked(DeviceRefused):
    """The device was revoked and gets no code again."""

    code = "device_revoked"
    status = 409


@dataclass(frozen=True)
class Enrolment:
    """What a device gets in exchange for its code. token: 43 characters, stored nowhere."""

    device: Device
    token: str = field(repr=False)


def create_device(
    actor: str, kind: str, name: str, agency: Agency, unit: AdminUnit | None, now: datetime.datetime
) -> tuple[Device, str]:
    """Enter a device; return it and its first code, to be shown once. The values come from a valid DeviceForm."""
    with transaction.atomic():
        device = Device.objects.create(kind=kind, name=name, agency=agency, unit=unit, made_at=now)
        hash_chain.record(actor, "device_made", str(device.pk), kind=kind)
        return device, issue_enrolment_code(actor, device, now)


def issue_enrolment_code(
    actor: str, device: Device, now: datetime.datetime, randbelow: Callable[[int], int] = secrets.randbelow
) -> str:
    """Make a one-time code, `ddd-ddd-ddd-ddd`. Its predecessor stops working; a token works until the new code is used.

    Raises DeviceRevoked.
    """
    digits = codes.new_code(randbelow)
    with transaction.atomic():
        changed = Device.objects.filter(pk=device.pk, revoked_at=None).update(
            code_digest=_keyed("code", digits), code_expires_at=now + CODE_LIFE
        )
        if not changed:
            raise DeviceRevoked("the device was revoked; enter it as a new one")
        hash_chain.record(actor, "device_code_made", str(device.pk))
    device.refresh_from_db()
    return "-".join(digits[start : start + _GROUP] for start in range(0, len(digits), _GROUP))


def enrol_device(code: str, network: str, now: datetime.datetime, puzzle: str = "") -> Enrolment:
    """Exchange a code for a token.

    code: as typed or scanned, with or without spaces and dashes. network: as `network_of` of identity/signin gives.
    puzzle: 80 hex digits, or nothing. Raises InvalidCode (mistyped, not counted), PuzzleRequired after ten wrong codes
    from a network within an hour, EnrolmentCodeInvalid (counted).
    """
    digits = codes.parse_code(digits_typed(code))
    keyed_network = _keyed("network", network)
    EnrolmentFailure.objects.filter(at__lte=now - WINDOW).delete()
    # Count the try before the code is checked, so that tries at the same moment do not get around the limit.
    failure = EnrolmentFailure.objects.create(network=keyed_network, at=now)
    if EnrolmentFailure.objects.filter(network=keyed_network).count() > FAILURES_A_NETWORK:
        challenge = _puzzles().challenge_always(*read_solution(puzzle))
        if challenge is not None:
            failure.delete()
            raise PuzzleRequired(challenge)
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        devices = Device.objects.filter(code_digest=_keyed("code", digits), code_expires_at__gt=now, revoked_at=None)
        device = devices.select_related("agency").first()
        # Of two devices with the same code, one empties it; the other finds nothing to change.
        if device is not None and devices.filter(pk=device.pk).update(
            code_digest=None, code_expires_at=None, token_digest=token_digest(token), enrolled_at=now
        ):
            failure.delete()
            hash_chain.record(f"device {device.pk}", "device_enrolled", str(device.pk))
            return Enrolment(device, token)
    raise EnrolmentCodeInvalid("the code is unknown, used or older than a day; ask the office for a new one")


@functools.cache
def _puzzles() -> Limits:
    return Limits(bytes.fromhex(_keyed("puzzle", "")), time.time, lambda _hour: None, "wrong codes of devices")


def revoke_device(actor: str, device: Device, now: datetime.datetime) -> None:
    """Revoke a device at once and for good; safe to repeat."""
    with transaction.atomic():
        changed = Device.objects.filter(pk=device.pk, revoked_at=None).update(
            revoked_at=now, token_digest=None, code_digest=None, code_expires_at=None
        )
        if changed:
            hash_chain.record(actor, "device_revoked", str(device.pk))


def device_of_token(token: str) -> Device | None:
    """The enrolled device with a token; the time of the search reveals nothing about the existing tokens.

    The index is searched only for the first 16 of the 64 hex digits. The whole digest is compared in constant time,
    also if the search finds no device.
    """
    digest = token_digest(token)
    prefix = digest[:_INDEXED_DIGITS]
    free_digits = len(digest) - _INDEXED_DIGITS
    between = (prefix + "0" * free_digits, prefix + "f" * free_digits)
    devices = Device.objects.select_related("agency", "unit")
    device = devices.filter(token_digest__range=between, revoked_at=None).first()
    stored = device.token_digest if device and device.token_digest else _NO_DIGEST
    return device if hmac.compare_digest(stored, digest) else None


def token_digest(token: str) -> str:
    """The hash under which a token is stored; without a key, because a token has 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def _keyed(kind: str, value: str) -> str:
    # A code has 36 bits: without a key, an attacker with a copy of the store could try them all.
    return hmac.digest(settings.SECRET_KEY.encode(), f"device {kind}\0{value}".encode(), "sha256").hex()


def purge(now: datetime.datetime) -> None:
    """Delete wrong codes after an hour. Devices stay: counts refer to them, and they are not personal data."""
    EnrolmentFailure.objects.filter(at__lte=now - WINDOW).delete()
