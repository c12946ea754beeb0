# SPDX-License-Identifier: Apache-2.0
"""The log of airings for pages, files and reports: what machines proved and what people attested, in separate columns.

Also attests an airing, undoes that, and purges airings and unused sounds.
"""

import datetime
import enum
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.audit import hash_chain
from bluezone.directory.models import AdminUnit
from bluezone.identity.acts import GRACE_SECONDS, UNDO_SECONDS, UndoTooLate
from bluezone.identity.models import User
from bluezone.refusal import Refused
from bluezone.rollout.bulletins.air.machine_reports import MachineReports, read_machine_reports
from bluezone.rollout.bulletins.models import Airing, Attestation, OutletKind

# Airings that are read for a file or a sum at most; a city has far fewer in a week.
MOST_ROWS = 20_000
# An airing counts as silent if no report has arrived this long after it was due.
SILENT_AFTER = datetime.timedelta(minutes=5)
# Parts of one relay that a page lists; each change between the station and its replacement begins a part.
_MOST_PARTS = 6
# An airing may be attested this long before it is due.
EARLY = datetime.timedelta(minutes=15)
_LONGEST_SIDE = 1600


class AiringOutcome(enum.Enum):
    """One word for the outcome of an airing."""

    TO_COME = ("to_come", _("to come"))
    AIRED = ("aired", _("aired"))
    PARTLY = ("partly", _("aired in part"))
    LATE = ("late", _("aired late"))
    PREEMPTED = ("preempted", _("cut short by an emergency"))
    BROKEN_OFF = ("broken_off", _("broke off in the middle"))
    MISSED = ("missed", _("not aired"))
    SILENT = ("silent", _("no report yet"))
    UNHEARD = ("unheard", _("played without a loudspeaker"))
    DISPLACED = ("displaced", _("no time for it"))

    def __init__(self, key: str, label: str) -> None:
        self.key, self.label = key, label


@dataclass(frozen=True)
class Row:
    """One airing with its proof and its attestation.

    proven: None if the outlet has no machines, or if no machine has reported and a person has attested the outcome.
    """

    airing: Airing
    proven: MachineReports | None
    attestation: Attestation | None
    aired: AiringOutcome

    @property
    def may_be_attested(self) -> bool:
        """Whether a person may attest the outcome: no one has, and no machine has reported."""
        return self.attestation is None and (self.proven is None or self.proven.silent == self.proven.machines)

    @property
    def first_parts(self) -> list[tuple[str, str]]:
        """The first six parts of a relay: (kind, "HH:MM:SS–HH:MM:SS" in local time); empty if it is no relay."""
        return [
            (kind, f"{_local(began):%H:%M:%S}–{_local(began + seconds):%H:%M:%S}")
            for kind, began, seconds in self._parts()[:_MOST_PARTS]
        ]

    @property
    def further_parts(self) -> int:
        """How many parts of the relay `first_parts` leaves out."""
        return max(0, len(self._parts()) - _MOST_PARTS)

    def seconds_of(self, kind: str) -> int | None:
        """For how many seconds a relay played parts of this kind; None if the airing is no relay."""
        if self.proven is None or not self.proven.parts:
            return None
        return round(sum(seconds for part_kind, _began, seconds in self.proven.parts if part_kind == kind))

    def _parts(self) -> list[tuple[str, float, float]]:
        """The parts of at least one second."""
        if self.proven is None:
            return []
        return [part for part in self.proven.parts if part[2] >= 1]

    @property
    def needs_no_evidence(self) -> bool:
        """Whether one tap attests the airing, without link or photo."""
        return self.airing.outlet.kind == OutletKind.LOUDSPEAKERS


@dataclass(frozen=True)
class AiringCounts:
    """Counts of the airings in a span. Proven ones count per machine, attested ones per outlet; never add the two.

    machine_airings: airings times machines. proven, late, preempted: of them, as in `MachineReports`; late ones are
    proven too. listened: those that a microphone could judge. in_street: those that it heard, a third kind of proof.
    other_airings: airings without machine reports. attested: of them, those that a person attested as aired.
    """

    machine_airings: int = 0
    proven: int = 0
    late: int = 0
    preempted: int = 0
    in_street: int = 0
    listened: int = 0
    other_airings: int = 0
    attested: int = 0


def airings_between(
    since: datetime.datetime, until: datetime.datetime, unit: AdminUnit | None = None, outlet: int | None = None
) -> QuerySet[Airing]:
    """Airings due in [since, until), optionally only at outlets that reach a unit or a part of it, or at one outlet."""
    airings = Airing.objects.filter(due_at__gte=since, due_at__lt=until)
    if unit is not None:
        by_outlet = Q(outlet__unit__path__startswith=unit.path)
        by_agency = Q(outlet__unit=None, outlet__agency__unit__path__startswith=unit.path)
        airings = airings.filter(by_outlet | by_agency)
    if outlet is not None:
        airings = airings.filter(outlet=outlet)
    joined = airings.select_related("outlet__agency", "schedule__bulletin", "attestation__by", "script")
    return joined.defer("attestation__photo").order_by("due_at", "outlet__name", "pk")


def log_rows(airings: Sequence[Airing], now: datetime.datetime) -> list[Row]:
    """Airings with their proofs and attestations, in a constant number of queries."""
    proofs = read_machine_reports(airing.pk for airing in airings)
    rows = []
    for airing in airings:
        attestation = getattr(airing, "attestation", None)
        proven = proofs.get(airing.pk)
        rows.append(Row(airing, proven, attestation, _outcome(airing, proven, attestation, now)))
    return rows


def aired_counts(
    since: datetime.datetime,
    until: datetime.datetime,
    now: datetime.datetime,
    unit: AdminUnit | None = None,
    outlet: int | None = None,
) -> AiringCounts:
    """The counts of the airings due in [since, until) and before `now`; the figures of a report on clause 6."""
    airings = airings_between(since, min(until, now), unit, outlet)[:MOST_ROWS]
    return sum_rows(log_rows(list(airings), now))


def sum_rows(rows: Iterable[Row]) -> AiringCounts:
    """The counts of these log rows."""
    proofs: list[MachineReports] = []
    others: list[Row] = []
    for row in rows:
        if row.proven is None:
            others.append(row)
        else:
            proofs.append(row.proven)
    return AiringCounts(
        machine_airings=sum(proof.machines for proof in proofs),
        proven=sum(proof.aired for proof in proofs),
        late=sum(proof.late for proof in proofs),
        preempted=sum(proof.preempted for proof in proofs),
        in_street=sum(proof.in_street for proof in proofs),
        listened=sum(proof.in_street + proof.not_in_street for proof in proofs),
        other_airings=len(others),
        attested=sum(row.attestation is not None and row.attestation.was_aired for row in others),
    )


def _outcome(
    airing: Airing, proven: MachineReports | None, attestation: Attestation | None, now: datetime.datetime
) -> AiringOutcome:
    if airing.displaced:
        return AiringOutcome.DISPLACED
    if proven is None:
        if attestation is not None:
            return AiringOutcome.AIRED if attestation.was_aired else AiringOutcome.MISSED
        return AiringOutcome.TO_COME if airing.due_at + SILENT_AFTER > now else AiringOutcome.SILENT
    if proven.silent == proven.machines:
        return AiringOutcome.TO_COME if airing.due_at + SILENT_AFTER > now else AiringOutcome.SILENT
    if proven.aired == proven.machines:
        return AiringOutcome.LATE if proven.late == proven.machines else AiringOutcome.AIRED
    if proven.aired:
        return AiringOutcome.PARTLY
    if proven.preempted:
        return AiringOutcome.PREEMPTED
    if proven.broken_off:
        return AiringOutcome.BROKEN_OFF
    return AiringOutcome.MISSED if proven.missed else AiringOutcome.UNHEARD


def _local(moment: float) -> datetime.datetime:
    return timezone.localtime(datetime.datetime.fromtimestamp(moment, datetime.UTC))


def by_day(airings: Iterable[Airing]) -> list[tuple[datetime.date, list[Airing]]]:
    """Airings in order, grouped by their local day."""
    days: dict[datetime.date, list[Airing]] = {}
    for airing in airings:
        days.setdefault(timezone.localdate(airing.due_at), []).append(airing)
    return list(days.items())


class AiringNotYet(Refused):
    """The airing is still to come; nothing was stored."""

    code = "airing_not_yet"


class AiringAttestedBefore(Refused):
    """The airing is attested already; nothing was changed."""

    code = "airing_already_said"


class AiringWithoutEvidence(Refused):
    """An airing at another outlet than loudspeakers needs a link or a photo to count as aired; nothing was stored."""

    code = "airing_without_evidence"


class PhotoUnreadable(Refused):
    """The photo is no JPEG or PNG that can be opened; nothing was stored."""

    code = "photo_unreadable"


def attest_airing(
    airing: Airing,
    user: User,
    now: datetime.datetime,
    *,
    was_aired: bool = True,
    link: str = "",
    photo: bytes | None = None,
    note: str = "",
) -> Attestation:
    """Attest that an airing was aired, or that it was not; then `note` has the reason.

    photo: JPEG or PNG; stored without its metadata. Only loudspeakers need neither link nor photo: played by hand, they
    leave no record. Raises AiringNotYet, AiringWithoutEvidence, AiringAttestedBefore, PhotoUnreadable.
    """
    if airing.due_at - EARLY > now:
        raise AiringNotYet("the airing is still to come")
    if was_aired and airing.outlet.kind != OutletKind.LOUDSPEAKERS and not link and photo is None:
        raise AiringWithoutEvidence(f"aired at an outlet of kind {airing.outlet.kind}: got no link or photo")
    stored_photo = None if photo is None else strip_metadata(photo)
    with transaction.atomic():
        attestation, is_new = Attestation.objects.get_or_create(
            airing=airing,
            defaults={
                "was_aired": was_aired,
                "link": link,
                "photo": stored_photo,
                "has_photo": stored_photo is not None,
                "note": note,
                "by": user,
                "at": now,
            },
        )
        if not is_new:
            raise AiringAttestedBefore("the airing is attested already")
        hash_chain.record(user.username, "airing_attested", f"airing {airing.pk}", now=now, aired=was_aired)
    return attestation


def strip_metadata(data: bytes) -> bytes:
    """A photo as JPEG without metadata, at most 1,600 pixels wide or high. Raises PhotoUnreadable."""
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as opened:
            picture = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise PhotoUnreadable("the photo is not a JPEG or PNG that can be opened") from None
    picture.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=80)
    return out.getvalue()


def undo_attestation(user: User, values: dict[str, Any], now: datetime.datetime) -> None:
    """Undo an attestation. Raises UndoTooLate if it is older than ten seconds, or another person's."""
    with transaction.atomic():
        since = now - datetime.timedelta(seconds=UNDO_SECONDS + GRACE_SECONDS)
        mine = Attestation.objects.filter(airing=values["airing"], by=user, at__gte=since)
        if not mine.delete()[0]:
            raise UndoTooLate("the attestation is too old, or another person's")
        hash_chain.record(user.username, "airing_attested", f"airing {values['airing']}", now=now, taken_back=True)
