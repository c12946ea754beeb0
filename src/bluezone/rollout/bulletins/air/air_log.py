# SPDX-License-Identifier: Apache-2.0
"""Plan and log of airings as pages, files and reports read them, proven and attested side by side; what is forgotten
of them, and of sounds that no text refers to.
"""

import datetime
import enum
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.audit import hash_chain
from bluezone.directory.models import AdminUnit
from bluezone.identity.acts import GRACE_SECONDS, UNDO_SECONDS, UndoTooLate
from bluezone.identity.models import User
from bluezone.refusal import Refused
from bluezone.rollout.bulletins.air import planner
from bluezone.rollout.bulletins.air.planner import Proven
from bluezone.rollout.bulletins.models import Airing, Attestation, Listening, OutletKind, Script, Sound

# Rows of a file or a sum; a week of a city is far below.
MOST_ROWS = 20_000
# An airing that was due this long ago and of which nothing is known is called so.
SILENT_AFTER = datetime.timedelta(minutes=5)


# Changes between a station and what is heard instead that a page shows of one airing.
_PARTS_SHOWN = 6


class Aired(enum.Enum):
    """One word for what became of an airing, weakest machine first."""

    TO_COME = ("to_come", _("to come"))
    AIRED = ("aired", _("aired"))
    PARTLY = ("partly", _("aired in part"))
    LATE = ("late", _("aired late"))
    PREEMPTED = ("preempted", _("cut short by an emergency"))
    BROKEN_OFF = ("broken_off", _("broke off in the middle"))
    MISSED = ("missed", _("not aired"))
    SILENT = ("silent", _("no word yet"))
    UNHEARD = ("unheard", _("played without a loudspeaker"))
    DISPLACED = ("displaced", _("no time for it"))

    def __init__(self, key: str, label: str) -> None:
        self.key, self.label = key, label


@dataclass(frozen=True)
class Row:
    """One airing with what is known of it.

    proven: None where no machine reports, or where machines are silent and a person said what became of it.
    """

    airing: Airing
    proven: Proven | None
    attestation: Attestation | None
    aired: Aired

    @property
    def may_be_said(self) -> bool:
        """Whether a person may say what became of it: nobody has, and no machine has said anything."""
        return self.attestation is None and (self.proven is None or self.proven.silent == self.proven.machines)

    @property
    def parts_shown(self) -> list[tuple[str, str]]:
        """Of a relay the first changes of what was heard: the kind, and from when to when in local time."""
        return [
            (kind, f"{_local(began):%H:%M:%S}–{_local(began + seconds):%H:%M:%S}")
            for kind, began, seconds in self._parts()[:_PARTS_SHOWN]
        ]

    @property
    def parts_left(self) -> int:
        """How many changes are not among them."""
        return max(0, len(self._parts()) - _PARTS_SHOWN)

    def seconds_of(self, kind: str) -> int | None:
        """Of a relay, for how long it was heard; None for anything else."""
        if self.proven is None or not self.proven.parts:
            return None
        return round(sum(seconds for one, _began, seconds in self.proven.parts if one == kind))

    def _parts(self) -> list[tuple[str, float, float]]:
        return [part for part in self.proven.parts if part[2] >= 1] if self.proven is not None else []

    @property
    def takes_bare_word(self) -> bool:
        """Whether one tap will do, without link or photo."""
        return self.airing.outlet.kind == OutletKind.LOUDSPEAKERS


@dataclass(frozen=True)
class Counts:
    """Of a span: airings due, per machine proven and per outlet attested; the two are never added.

    in_street: of those of which a microphone could tell, `listened`, how many were heard; a third proof.
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
    """Airings due in [since, until), of outlets that reach a unit or a part of it, or of one outlet."""
    found = Airing.objects.filter(due_at__gte=since, due_at__lt=until)
    if unit is not None:
        own = Q(outlet__unit__path__startswith=unit.path)
        found = found.filter(own | Q(outlet__unit=None, outlet__agency__unit__path__startswith=unit.path))
    if outlet is not None:
        found = found.filter(outlet=outlet)
    joined = found.select_related("outlet__agency", "schedule__bulletin", "attestation__by", "script")
    return joined.defer("attestation__photo").order_by("due_at", "outlet__name", "pk")


def rows_of(airings: Sequence[Airing], now: datetime.datetime) -> list[Row]:
    """Airings with what machines and people said of them, in a constant number of queries."""
    said = planner.proven(airing.pk for airing in airings)
    rows = []
    for airing in airings:
        attestation = getattr(airing, "attestation", None)
        proven = said.get(airing.pk)
        rows.append(Row(airing, proven, attestation, _word(airing, proven, attestation, now)))
    return rows


def aired_counts(
    since: datetime.datetime,
    until: datetime.datetime,
    now: datetime.datetime,
    unit: AdminUnit | None = None,
    outlet: int | None = None,
) -> Counts:
    """What was due and aired in a span up to now; the figures of a report on clause 6."""
    return counts_of(rows_of(list(airings_between(since, min(until, now), unit, outlet)[:MOST_ROWS]), now))


def counts_of(rows: Iterable[Row]) -> Counts:
    """The sums of a log."""
    machines: list[Row] = []
    others: list[Row] = []
    for row in rows:
        (others if row.proven is None else machines).append(row)
    proven = [row.proven for row in machines if row.proven is not None]
    return Counts(
        machine_airings=sum(one.machines for one in proven),
        proven=sum(one.aired for one in proven),
        late=sum(one.late for one in proven),
        preempted=sum(one.preempted for one in proven),
        in_street=sum(one.in_street for one in proven),
        listened=sum(one.in_street + one.not_in_street for one in proven),
        other_airings=len(others),
        attested=sum(row.attestation is not None and row.attestation.was_aired for row in others),
    )


def _word(airing: Airing, proven: Proven | None, attestation: Attestation | None, now: datetime.datetime) -> Aired:
    if airing.displaced:
        return Aired.DISPLACED
    if proven is None:
        if attestation is not None:
            return Aired.AIRED if attestation.was_aired else Aired.MISSED
        return Aired.TO_COME if airing.due_at + SILENT_AFTER > now else Aired.SILENT
    if proven.silent == proven.machines:
        return Aired.TO_COME if airing.due_at + SILENT_AFTER > now else Aired.SILENT
    if proven.aired == proven.machines:
        return Aired.LATE if proven.late == proven.machines else Aired.AIRED
    if proven.aired:
        return Aired.PARTLY
    for count, word in (
        (proven.preempted, Aired.PREEMPTED),
        (proven.broken_off, Aired.BROKEN_OFF),
        (proven.missed, Aired.MISSED),
    ):
        if count:
            return word
    return Aired.UNHEARD


def _local(moment: float) -> datetime.datetime:
    return timezone.localtime(datetime.datetime.fromtimestamp(moment, datetime.UTC))


def by_day(airings: Iterable[Airing]) -> list[tuple[datetime.date, list[Airing]]]:
    """Airings in order, grouped by their local day."""
    days: dict[datetime.date, list[Airing]] = {}
    for one in airings:
        days.setdefault(timezone.localdate(one.due_at), []).append(one)
    return list(days.items())


# A little before its time somebody may already press the button.
EARLY = datetime.timedelta(minutes=15)
_LONGEST_SIDE = 1600


class AiringNotYet(Refused):
    """The airing is still to come; nothing was stored."""

    code = "airing_not_yet"


class AiringSaid(Refused):
    """It was said already what became of this airing; nothing was changed."""

    code = "airing_already_said"


class AiringWithoutEvidence(Refused):
    """An airing outside the loudspeakers was to be booked as aired without link and photo; nothing was stored."""

    code = "airing_without_evidence"


class PhotoUnreadable(Refused):
    """The photo is no JPEG or PNG that can be opened; nothing was stored."""

    code = "photo_unreadable"


def attest(
    airing: Airing,
    user: User,
    now: datetime.datetime,
    *,
    was_aired: bool = True,
    link: str = "",
    photo: bytes | None = None,
    note: str = "",
) -> Attestation:
    """Book an airing as aired (or not, with a reason in `note`), attested.

    photo: JPEG or PNG; kept without its metadata. At loudspeakers alone, which people play by hand and nobody else
    records, the bare word will do. Raises AiringNotYet, AiringWithoutEvidence, AiringSaid, PhotoUnreadable.
    """
    if airing.due_at - EARLY > now:
        raise AiringNotYet("the airing is still to come")
    if was_aired and airing.outlet.kind != OutletKind.LOUDSPEAKERS and not link and photo is None:
        raise AiringWithoutEvidence(f"aired at an outlet of kind {airing.outlet.kind}: got no link or photo")
    kept = None if photo is None else plain_photo(photo)
    with transaction.atomic():
        made, new = Attestation.objects.get_or_create(
            airing=airing,
            defaults={
                "was_aired": was_aired,
                "link": link,
                "photo": kept,
                "has_photo": kept is not None,
                "note": note,
                "by": user,
                "at": now,
            },
        )
        if not new:
            raise AiringSaid("it was said already what became of this airing")
        hash_chain.record(user.username, "airing_attested", f"airing {airing.pk}", now=now, aired=was_aired)
    return made


def plain_photo(data: bytes) -> bytes:
    """A photo as JPEG without metadata, at most 1,600 pixels wide or high. Raises PhotoUnreadable."""
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as opened:
            picture = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise PhotoUnreadable("the photo is no JPEG or PNG that can be opened") from None
    picture.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=80)
    return out.getvalue()


def take_back(user: User, values: dict[str, Any], now: datetime.datetime) -> None:
    """Take a one-tap word back. Raises UndoTooLate when it is older than ten seconds, or somebody else's."""
    with transaction.atomic():
        since = now - datetime.timedelta(seconds=UNDO_SECONDS + GRACE_SECONDS)
        mine = Attestation.objects.filter(airing=values["airing"], by=user, at__gte=since)
        if not mine.delete()[0]:
            raise UndoTooLate("the word is too old, or was said by somebody else")
        hash_chain.record(user.username, "airing_attested", f"airing {values['airing']}", now=now, taken_back=True)


PHOTO_DAYS = 365
LOG_DAYS = 730
_LOOSE = datetime.timedelta(days=1)


def purge(now: datetime.datetime) -> None:
    """Delete what has had its time."""
    Attestation.everything.filter(at__lt=now - datetime.timedelta(days=PHOTO_DAYS)).exclude(photo=None).update(
        photo=None, has_photo=False
    )
    bound = now - datetime.timedelta(days=LOG_DAYS)
    Airing.everything.filter(due_at__lt=bound).delete()
    Listening.everything.filter(begun_at__lt=bound).delete()
    used = Script.everything.filter(Q(machine=OuterRef("pk")) | Q(recording=OuterRef("pk")))
    loose = Sound.objects.filter(~Exists(used), made_at__lt=now - _LOOSE)
    planned = Airing.everything.filter(sound=OuterRef("pk"))
    loose.filter(~Exists(planned)).delete()
