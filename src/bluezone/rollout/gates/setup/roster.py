# SPDX-License-Identifier: Apache-2.0
"""Who may sign in at a gate: nominations with a printed badge and a PIN, and the shifts that tablets report.

A tablet checks badge and PIN by itself for days, so it holds a slow salted hash of each PIN. Whoever takes the tablet
apart can try PINs; they open nothing but the sign-in at a gate, and a new badge ends them.
"""

import datetime
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from bluezone.audit.hash_chain import record
from bluezone.refusal import Refused
from bluezone.rollout.gates.counts.counters import CountersInvalid
from bluezone.rollout.gates.models import Gate, Gatekeeper, Shift

PIN_DIGITS = 6
# scrypt with 16 MiB: a tenth of a second on a tablet, two days for all PINs of one badge on a fast machine.
SCRYPT = {"n": 2**14, "r": 8, "p": 1}
BADGE_PREFIX = "BZGK:"
MOST_SHIFTS = 200
LONGEST_SHIFT = datetime.timedelta(hours=24)


class NominationInvalid(Refused):
    """A nomination without a name, or that ends before it begins; nothing was stored."""

    code = "nomination_invalid"


@dataclass(frozen=True)
class Badge:
    """What is printed once for a gatekeeper: the text of the QR code, and the PIN, which is stored nowhere."""

    gatekeeper: Gatekeeper
    text: str
    pin: str


def nominate(
    actor: str,
    gate: Gate,
    name: str,
    since: datetime.date,
    until: datetime.date | None = None,
    *,
    phone: str = "",
    is_substitute: bool = False,
    now: datetime.datetime,
) -> Badge:
    """Nominate a person to record entries and exits at a gate. Raises NominationInvalid."""
    if not name.strip() or (until is not None and until < since):
        raise NominationInvalid("a nomination needs a name, and an end that is not before its beginning")
    with transaction.atomic():
        gatekeeper = Gatekeeper(
            gate=gate, name=name.strip(), phone=phone, is_substitute=is_substitute, since=since, until=until,
            nominated_by=actor, nominated_at=now,
        )  # fmt: skip
        badge = _renew(gatekeeper)
        record(actor, "gatekeeper_named", str(gatekeeper.pk), gate=gate.pk)
    return badge


def new_badge(actor: str, gatekeeper: Gatekeeper) -> Badge:
    """Print a badge anew, with another number and PIN; the old one opens nothing from the tablet's next word on."""
    with transaction.atomic():
        badge = _renew(gatekeeper)
        record(actor, "gatekeeper_named", str(gatekeeper.pk), gate=gatekeeper.gate_id)
    return badge


def end(actor: str, gatekeeper: Gatekeeper, until: datetime.date) -> None:
    """End a nomination with a day. Raises NominationInvalid for a day before it began."""
    if until < gatekeeper.since:
        raise NominationInvalid("a nomination cannot end before its beginning")
    with transaction.atomic():
        gatekeeper.until = until
        gatekeeper.save(update_fields=["until"])
        record(actor, "gatekeeper_ended", str(gatekeeper.pk), gate=gatekeeper.gate_id)


def roster_of(gate: Gate, day: datetime.date) -> list[dict[str, str]]:
    """What a tablet needs to let gatekeepers sign in without network; nobody's telephone."""
    if gate.closed_at is not None:
        return []
    # A week ahead, because the tablet may hear nothing until then; it looks at the days itself.
    named = gate.gatekeepers.filter(Q(until__isnull=True) | Q(until__gte=day))
    return [
        {
            "badge": one.badge,
            "name": one.name,
            "salt": one.pin_salt,
            "hash": one.pin_hash,
            "since": one.since.isoformat(),
            "until": one.until.isoformat() if one.until else "",
        }
        for one in named
    ]


def store_shifts(gate: Gate, shifts: list[Any], now: datetime.datetime) -> None:
    """Store what a tablet says of its shifts; safe to repeat, an end once said stays. Raises CountersInvalid."""
    if len(shifts) > MOST_SHIFTS:
        raise CountersInvalid(f"got {len(shifts)} shifts, expected at most {MOST_SHIFTS}")
    read = [_read(number, shift) for number, shift in enumerate(shifts)]
    badges = {one.badge: one for one in gate.gatekeepers.filter(badge__in={badge for _, badge, _, _ in read})}
    for key, badge, started, ended in read:
        # A badge that was renewed or ended meanwhile: the counts stand without it.
        if badge in badges and started <= now + datetime.timedelta(minutes=10):
            shift, _made = Shift.objects.get_or_create(
                key=key, defaults={"gate": gate, "gatekeeper": badges[badge], "started_at": started}
            )
            if ended is not None and shift.ended_at is None and shift.gate_id == gate.pk:
                shift.ended_at = max(shift.started_at, ended)
                shift.save(update_fields=["ended_at"])


def is_pin_of(gatekeeper: Gatekeeper, pin: str) -> bool:
    """Whether a PIN is the one of the gatekeeper's present badge."""
    return secrets.compare_digest(pin_hash(pin, bytes.fromhex(gatekeeper.pin_salt)).hex(), gatekeeper.pin_hash)


def text_of(gatekeeper: Gatekeeper) -> str:
    """The text of the QR code on the present badge."""
    return BADGE_PREFIX + gatekeeper.badge.upper()


def pin_hash(pin: str, salt: bytes) -> bytes:
    """scrypt of a PIN, 32 bytes; a tablet computes the same."""
    return hashlib.scrypt(pin.encode(), salt=salt, dklen=32, **SCRYPT)


def _renew(gatekeeper: Gatekeeper) -> Badge:
    pin = "".join(secrets.choice("0123456789") for _ in range(PIN_DIGITS))
    salt = secrets.token_bytes(16)
    gatekeeper.badge = secrets.token_hex(8)
    gatekeeper.pin_salt, gatekeeper.pin_hash = salt.hex(), pin_hash(pin, salt).hex()
    gatekeeper.save()
    return Badge(gatekeeper, text_of(gatekeeper), pin)


def _read(number: int, shift: Any) -> tuple[UUID, str, datetime.datetime, datetime.datetime | None]:
    try:
        key, badge = UUID(shift["id"]), str(shift["badge"])[:16]
        started, ended = _moment(shift["started"]), _moment(shift["ended"]) if shift.get("ended") else None
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError, OSError):
        raise CountersInvalid(f"shift {number} is not an id, a badge, and when it began and ended") from None
    if ended is not None and not started <= ended <= started + LONGEST_SHIFT:
        ended = max(started, min(ended, started + LONGEST_SHIFT))
    return key, badge, started, ended


def _moment(seconds: Any) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(int(seconds), datetime.UTC)
