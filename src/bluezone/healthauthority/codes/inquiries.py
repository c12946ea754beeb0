# SPDX-License-Identifier: Apache-2.0
"""Minutes of issue, sealed for inquiries about the time at which somebody issued a code.

The office itself must not know the times: where few are ill, they would link codes to reports.
"""

import datetime
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from django.db import transaction

from bluezone.audit import hash_chain
from bluezone.audit.hash_chain import COMMAND_LINE
from bluezone.healthauthority.codes.audit_entries import actor_of
from bluezone.healthauthority.models import InquiryKey, IssuedCode
from bluezone.keyserver.codes import issued_codes
from bluezone.refusal import Refused

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_128_GCM)
_MINUTE_PURPOSE = b"BZ-ISSUED-AT-v1"
_MINUTE_BYTES = 8


class InquiryKeyInvalid(Refused):
    """This is not a public key for inquiries, or not a private key that opens these minutes."""

    code = "inquiry_key_invalid"


@dataclass(frozen=True)
class IssueMinute:
    """When a code was issued. worker: sign-in name, or the command line; minute: aware, None if none is sealed."""

    mark: str
    worker: str
    facility: str
    minute: datetime.datetime | None


def set_inquiry_key(public: str, now: datetime.datetime) -> None:
    """Set the key (X25519, hex) for which minutes are sealed from now on. Raises InquiryKeyInvalid."""
    try:
        X25519PublicKey.from_public_bytes(bytes.fromhex(public))
    except ValueError:
        raise InquiryKeyInvalid("a public key for inquiries has 64 hex digits") from None
    with transaction.atomic():
        replaced = InquiryKey.objects.exists()
        InquiryKey.objects.create(public=public.lower(), set_at=now)
        hash_chain.record(COMMAND_LINE, "inquiry_key_set", replaced=replaced)


def open_issue_minutes(private: bytes, day: datetime.date, mark: str) -> list[IssueMinute]:
    """Open the minutes of the codes of a local day with this mark in the list, with an audit entry for each.

    private: X25519, 32 bytes. Raises CodeUnknown if there is no such code, InquiryKeyInvalid if the key opens none.
    """
    key = X25519PrivateKey.from_private_bytes(private)
    with transaction.atomic():
        issued = [code for code in IssuedCode.objects.select_related("worker", "facility") if code.day == day]
        matches = [code for code in issued if code.mark == mark.strip().upper()]
        if not matches:
            raise issued_codes.CodeUnknown(f"no code of {day} is marked {mark}; the office keeps codes for 14 days")
        minutes = [_open_minute(code, key) for code in matches]
        if any(code.sealed_minute for code in matches) and not any(minutes):
            raise InquiryKeyInvalid("this key opens none of them; it may be from another time than the codes")
        for code in matches:
            hash_chain.record(COMMAND_LINE, "issue_minute_opened", code.handle)
    return [
        IssueMinute(code.mark, actor_of(code.worker), code.facility.name if code.facility else "", minute)
        for code, minute in zip(matches, minutes, strict=True)
    ]


def seal_minute(handle: str, now: datetime.datetime) -> bytes | None:
    key = InquiryKey.objects.first()
    if key is None:
        return None
    minute = int(now.timestamp()) // 60
    public = X25519PublicKey.from_public_bytes(bytes.fromhex(key.public))
    return _SUITE.encrypt(minute.to_bytes(_MINUTE_BYTES, "big"), public, info=_MINUTE_PURPOSE + handle.encode())


def _open_minute(issued: IssuedCode, key: X25519PrivateKey) -> datetime.datetime | None:
    if not issued.sealed_minute:
        return None
    try:
        plain = _SUITE.decrypt(bytes(issued.sealed_minute), key, info=_MINUTE_PURPOSE + issued.handle.encode())
    except InvalidTag:
        return None
    return datetime.datetime.fromtimestamp(int.from_bytes(plain, "big") * 60, datetime.UTC)
