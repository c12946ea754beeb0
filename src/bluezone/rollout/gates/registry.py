# SPDX-License-Identifier: Apache-2.0
"""Gates opened and closed, which gate a tablet or a drive's radio counts for; who may sign in at a gate, with a badge
and a PIN; and what is printed for it.
"""

import datetime
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, Sum
from django.template.loader import render_to_string
from django.utils.crypto import salted_hmac

from bluezone.audit.hash_chain import record
from bluezone.devices.models import Device, DeviceKind
from bluezone.directory.models import Agency
from bluezone.paper.pdf import write_pdf
from bluezone.paper.phrases import facts
from bluezone.paper.qr_codes import qr
from bluezone.refusal import Refused
from bluezone.rollout.gates.counters import CountersInvalid
from bluezone.rollout.gates.models import (
    BUCKET_SECONDS,
    Gate,
    GateCounter,
    GateDay,
    GateDevice,
    Gatekeeper,
    GateKind,
    Shift,
    Verdict,
)
from bluezone.rollout.gates.queries import people_inside

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
    """Store what a tablet says of its shifts; safe to repeat, an end once said stays. Raises CountersInvalid.

    What is no shift is left out: it must hold up nothing that was counted.
    """
    if len(shifts) > MOST_SHIFTS:
        raise CountersInvalid(f"got {len(shifts)} shifts, expected at most {MOST_SHIFTS}")
    read = [one for one in map(_read, shifts) if one is not None]
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


def _read(shift: Any) -> tuple[UUID, str, datetime.datetime, datetime.datetime | None] | None:
    """The id, badge, beginning and end of a shift, or None for what is none."""
    try:
        key, badge = UUID(shift["id"]), str(shift["badge"])[:16]
        started, ended = _moment(shift["started"]), _moment(shift["ended"]) if shift.get("ended") else None
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError, OSError):
        return None
    if ended is not None and not started <= ended <= started + LONGEST_SHIFT:
        ended = max(started, min(ended, started + LONGEST_SHIFT))
    return key, badge, started, ended


def _moment(seconds: Any) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(int(seconds), datetime.UTC)


class GateNameTaken(Refused):
    """The agency has an open gate of that name; nothing was stored."""

    code = "gate_name_taken"


def open_gate(actor: str, agency: Agency, name: str, now: datetime.datetime, kind: GateKind = GateKind.SITE) -> Gate:
    """Open a gate of an agency. Raises GateNameTaken."""
    with transaction.atomic():
        if Gate.objects.filter(agency=agency, name=name, closed_at__isnull=True).exists():
            raise GateNameTaken(f"{agency.name} has an open gate named {name}")
        gate = Gate.objects.create(agency=agency, name=name, number=secrets.token_hex(4), kind=kind, made_at=now)
        record(actor, "gate_opened", str(gate.pk))
    return gate


def close_gate(actor: str, gate: Gate, now: datetime.datetime) -> None:
    """Close a gate; what it counted stays, and tablets still send what they hold."""
    with transaction.atomic():
        if Gate.objects.filter(pk=gate.pk, closed_at__isnull=True).update(closed_at=now):
            record(actor, "gate_closed", str(gate.pk))


def gate_of(device: Device, now: datetime.datetime) -> Gate:
    """The gate a tablet counts for; a tablet that was put to none gets one of its own name, so that it can start."""
    with transaction.atomic():
        found = GateDevice.objects.filter(device=device).select_related("gate__agency").first()
        if found is not None:
            return found.gate
        gate = Gate.objects.filter(agency=device.agency, name=device.name, closed_at__isnull=True).first()
        if gate is None:
            kind = GateKind.DRIVE if device.kind == DeviceKind.DRIVE else GateKind.SITE
            gate = open_gate(f"device {device.pk}", device.agency, device.name, now, kind)
        GateDevice.objects.create(device=device, gate=gate)
    return gate


def sharing_key(gate: Gate) -> str:
    """64 hex digits by which the devices of a gate know what they tell each other without the office."""
    return salted_hmac("gate sharing", gate.number, algorithm="sha256").hexdigest()


def put_device(actor: str, device: Device, gate: Gate) -> None:
    """Let a tablet count for a gate from now on; what it counted before stays where it was counted."""
    with transaction.atomic():
        GateDevice.objects.update_or_create(device=device, defaults={"gate": gate})
        record(actor, "gate_device_put", str(gate.pk), device=device.pk)


def open_radio(actor: str, agency: Agency, name: str, device: Device, now: datetime.datetime) -> int:
    """Open a gate for a drive and let an enrolled device count at it; returns its primary key.

    name: of the drive, once among the agency's open gates. Raises GateNameTaken.
    """

    with transaction.atomic():
        gate = open_gate(actor, agency, name[:80], now, GateKind.DRIVE)
        put_device(actor, device, gate)
    return gate.pk


def close_radio(actor: str, gate_id: int, now: datetime.datetime) -> None:
    """Close the gate of a drive; its device may be put to another drive."""
    close_gate(actor, Gate.objects.get(pk=gate_id), now)


def proven_passes(gate_id: int, since: datetime.datetime) -> tuple[int, int]:
    """How many phones proved at a gate that they run: in all, and in five-minute buckets that end after `since`."""

    whole = GateDay.objects.filter(gate=gate_id, verdict=Verdict.RUNNING).aggregate(sum=Sum("count"))["sum"] or 0
    late = Q(bucket__gt=since.timestamp() - BUCKET_SECONDS)
    counters = GateCounter.objects.filter(late, gate=gate_id, verdict=Verdict.RUNNING)
    return int(whole), int(counters.aggregate(sum=Sum("count"))["sum"] or 0)


def correct_inside(actor: str, gate: Gate, number: int, day: datetime.date) -> None:
    """Let so many people be inside now, whatever was counted: somebody looked."""
    with transaction.atomic():
        Gate.objects.select_for_update().get(pk=gate.pk)
        counted = people_inside(gate, day)
        Gate.objects.filter(pk=gate.pk).update(inside_since=day, inside_before=number - counted.today)
        record(actor, "gate_inside_corrected", str(gate.pk), before=counted.now, after=number)


PAPERS = ("a6", "a4")
SIGN_PAPERS = {"a4": 1.0, "a3": 1.414}
BOOK_PAGES, BOOK_LINES = 4, 18
# Boxes to cross out, in rows of ten so that they are quickly added up: enough for half a day at most gates.
TALLY_LINES = {
    "Đã xem màn hình (người trực thấy Bluezone mở trên máy)": 6,
    "Cài rồi, chưa bật (đã nhắc bật)": 3,
    "Chưa cài, đã hỗ trợ": 2,
    "Chưa cài, đã nhắc": 3,
    "Không có điện thoại thông minh": 3,
    "LƯỢT RA": 6,
}
TENS_A_LINE = 3


def badge_pdf(badge: Badge, paper: str) -> bytes:
    """A badge with its QR code and PIN, alone on A6 or on A4 with a line to cut along. Raises PdfUnavailable."""
    context = {"badge": badge, "one": badge.gatekeeper, "qr": qr(badge.text), "paper": paper, "city": facts("vi")}
    return write_pdf(render_to_string("gates/print/badge.html", context))


def sign_pdf(gate: Gate, paper: str) -> bytes:
    """The sign at a gate, Vietnamese over English. paper: of SIGN_PAPERS. Raises PdfUnavailable."""
    city, scale = facts("vi"), SIGN_PAPERS[paper]
    sizes = {
        name: f"{points * scale:.1f}" for name, points in {"text": 15.5, "title": 44, "pad": 17, "code": 44}.items()
    }
    context = {"gate": gate, "city": city, "qr": qr(city.short_link), "paper": paper.upper(), **sizes}
    return write_pdf(render_to_string("gates/print/sign.html", context))


def book_pdf(gate: Gate) -> bytes:
    """Blank pages of a visitor book, A4 across. Raises PdfUnavailable."""
    context = {"gate": gate, "city": facts("vi"), "pages": range(BOOK_PAGES), "lines": range(1, BOOK_LINES + 1)}
    return write_pdf(render_to_string("gates/print/book.html", context))


def tally_pdf(gate: Gate) -> bytes:
    """A sheet on which passages are crossed out, A4. Raises PdfUnavailable."""
    kinds = [(name, range(lines)) for name, lines in TALLY_LINES.items()]
    context = {"gate": gate, "city": facts("vi"), "kinds": kinds, "tens": range(TENS_A_LINE), "ten": range(10)}
    return write_pdf(render_to_string("gates/print/tally.html", context))
