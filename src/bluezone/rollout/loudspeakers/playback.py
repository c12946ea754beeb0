# SPDX-License-Identifier: Apache-2.0
"""What machines say of their airings and of themselves, stored safe to repeat; a dead one is flagged within five
minutes; and what of it goes into coverage.
"""

import datetime
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy

from bluezone.devices.models import Device
from bluezone.devices.refusals import DeviceRefused
from bluezone.rollout.bulletins.api import (
    Airing,
    MachineReports,
    Schedule,
    airings_due,
    approved_scripts,
    script_seconds,
)
from bluezone.rollout.coverage.api import Figure, Indicator, Proof
from bluezone.rollout.loudspeakers import live
from bluezone.rollout.loudspeakers.models import Assignment, Outcome, Playing, Street, Unit
from bluezone.rollout.report_week import Week

MOST_AT_ONCE = 500
MOST_ATTEMPTS = 100
MOST_PARTS = 200
STATION = "station"
RELAY_KINDS = (STATION, "fall_back", "silence")
# A report of the future comes from a machine whose clock is wrong in spite of everything.
FUTURE = datetime.timedelta(minutes=10)
LATEST = 2**33


class PlayedInvalid(DeviceRefused):
    """A row is no report of an airing; nothing of the call was taken."""

    code = "speaker_report_invalid"


class SpeakerClockWrong(DeviceRefused):
    """A report lies in the future: the machine's clock is wrong. Nothing was taken; the answer's time puts it right."""

    code = "speaker_clock_wrong"
    status = 409


@dataclass(frozen=True)
class StoredCounts:
    """accepted: reports that are stored now, whether or not they were before. unknown: of airings nobody planned."""

    accepted: int
    unknown: int


def store_playings(device: Device, rows: Sequence[Any], now: datetime.datetime) -> StoredCounts:
    """Store reports in one transaction. rows: objects as docs/reference/openapi-speakers.yaml has them.

    Raises PlayedInvalid, SpeakerClockWrong.
    """
    if len(rows) > MOST_AT_ONCE:
        raise PlayedInvalid(f"got {len(rows)} reports, expected at most {MOST_AT_ONCE}")
    read = [_read(number, row, now) for number, row in enumerate(rows)]
    accepted = unknown = 0
    with transaction.atomic():
        outlet = Unit.objects.filter(pk=device.pk).values_list("zone_id", flat=True).first()
        for key, values in read:
            if key.startswith(live.KEY_PREFIX):
                is_known = live.store_heard(device, key, values)
                accepted, unknown = accepted + is_known, unknown + (not is_known)
                continue
            airing = Airing.objects.filter(key=key).first() or _made_up(key, outlet)
            if airing is None:
                unknown += 1
                continue
            Playing.objects.get_or_create(airing=airing, device=device, defaults={**values, "reported_at": now})
            accepted += 1
    return StoredCounts(accepted, unknown)


def _read(number: int, row: Any, now: datetime.datetime) -> tuple[str, dict[str, Any]]:
    refused = PlayedInvalid(
        f"report {number} is not {{airing, outcome, began, ended, heard, interrupted, sink, reason, earlier, tone, "
        "second: {sink, heard}, parts, street}"
    )
    if not isinstance(row, dict) or not isinstance(row.get("airing"), str) or row.get("outcome") not in Outcome.values:
        raise refused
    second = row.get("second") or {}
    if not isinstance(second, dict):
        raise refused
    began, ended = _moment(row.get("began"), refused), _moment(row.get("ended"), refused)
    if row["outcome"] != Outcome.MISSED and began is None:
        raise refused
    if any(moment is not None and moment > now + FUTURE for moment in (began, ended)):
        raise SpeakerClockWrong(f"report {number} is in the future; compare the clock with server_time")
    return row["airing"][:64], {
        "outcome": row["outcome"],
        "began_at": began,
        "ended_at": ended,
        "heard_seconds": _seconds(row.get("heard", 0), refused),
        "interrupted_seconds": _seconds(row.get("interrupted", 0), refused),
        "sink": str(row.get("sink", ""))[:16],
        "reason": str(row.get("reason") or "")[:40],
        "earlier": _attempts(row.get("earlier") or [], refused),
        "tone_seconds": _seconds(row.get("tone", 0), refused),
        "second_sink": str(second.get("sink", ""))[:16],
        "second_seconds": _seconds(second.get("heard", 0), refused),
        "parts": _parts(row.get("parts") or [], refused),
        "street": _street(row.get("street") or "", refused),
    }


def _street(value: Any, refused: PlayedInvalid) -> str:
    if value not in ("", *Street.values):
        raise refused
    return str(value)


def _parts(value: Any, refused: PlayedInvalid) -> list[list[Any]]:
    """What was heard of a relay. Raises PlayedInvalid."""
    if not isinstance(value, list) or len(value) > MOST_PARTS:
        raise refused
    if not all(isinstance(one, list) and len(one) == 3 and one[0] in RELAY_KINDS for one in value):
        raise refused
    return [[kind, _seconds(began, refused, LATEST), _seconds(lasted, refused)] for kind, began, lasted in value]


def _attempts(value: Any, refused: PlayedInvalid) -> list[list[float]]:
    if not isinstance(value, list) or len(value) > MOST_ATTEMPTS:
        raise refused
    if not all(isinstance(one, list) and len(one) == 2 for one in value):
        raise refused
    return [[_seconds(began, refused, LATEST), _seconds(heard, refused)] for began, heard in value]


def _moment(value: Any, refused: PlayedInvalid) -> datetime.datetime | None:
    if value is None:
        return None
    if type(value) not in (int, float) or not 0 <= value < LATEST:
        raise refused
    return datetime.datetime.fromtimestamp(value, datetime.UTC)


def _seconds(value: Any, refused: PlayedInvalid, bound: int = 10**6) -> float:
    if type(value) not in (int, float) or not 0 <= value < bound:
        raise refused
    return float(value)


def _made_up(key: str, outlet: int | None) -> Airing | None:
    """An airing that left the plan while its machine was off the network and played it all the same."""
    parts = key.rsplit("-", 3)
    if len(parts) != 4 or not all(
        one.isascii() and one.isdigit() and len(one) < 18 for one in (parts[0], parts[1], parts[3])
    ):
        return None
    schedule = Schedule.objects.select_related("bulletin").filter(pk=int(parts[0])).first()
    if schedule is None or outlet is None or int(parts[1]) != outlet:
        return None
    script = approved_scripts([schedule.bulletin_id]).get((schedule.bulletin_id, parts[2]))
    if script is None or int(parts[3]) >= LATEST:
        return None
    due = datetime.datetime.fromtimestamp(int(parts[3]), datetime.UTC)
    return Airing.objects.create(
        key=key, schedule=schedule, outlet_id=outlet, script=script, sound=script.sound, language=script.language,
        importance=schedule.bulletin.importance, due_at=due, starts_at=due, seconds=script_seconds(script),
    )  # fmt: skip


LATE_SECONDS = 60.0
# Sinks without a sound card: the sound was decoded in time, and nobody can have heard it.
UNHEARD_SINKS = frozenset({"file", "null"})
# As the loudspeaker has it.
_WHOLE = 0.8
# Its first player failed, so that what was heard came from the second.
SECOND_ONLY = "second_only"
_AT_ONCE = 900
_NEVER = datetime.datetime.max.replace(tzinfo=datetime.UTC)


def reports_by_airing(airings: Iterable[int]) -> dict[int, MachineReports]:
    """By primary key, for airings that machines were to play or reported; two queries a thousand airings.

    What a person said of an airing of which no machine said anything stays with the attested ones, and is not here.
    """
    keys = list(airings)
    found: dict[int, MachineReports] = {}
    assigned = _assigned()
    for start in range(0, len(keys), _AT_ONCE):
        found.update(_some(keys[start : start + _AT_ONCE], assigned))
    return found


def verdict(playing: Playing) -> str:
    """Which of the counts of `Proven` a report goes into."""
    if playing.outcome == Outcome.MISSED and heard_of(playing) and playing.sink not in UNHEARD_SINKS:
        return "broken_off"
    if playing.outcome != Outcome.PLAYED:
        return str(playing.outcome)
    if (playing.sink in UNHEARD_SINKS or playing.reason == SECOND_ONLY) and not on_second(playing):
        return "unheard"
    planned = playing.airing.starts_at or playing.airing.due_at
    assert playing.began_at is not None
    return "late" if (playing.began_at - planned).total_seconds() > LATE_SECONDS else "played"


def on_second(playing: Playing) -> bool:
    """Whether an emergency was played whole on a second channel that has a loudspeaker."""
    is_whole = playing.second_seconds >= _WHOLE * playing.airing.seconds
    return bool(playing.second_sink) and playing.second_sink not in UNHEARD_SINKS and is_whole


def heard_of(playing: Playing) -> float:
    """The most seconds that were heard in one piece, of the attempt that was reported and those before it."""
    return max(float(heard) for heard in (playing.heard_seconds, *(heard for _began, heard in playing.earlier)))


def _assigned() -> dict[int, list[tuple[int, datetime.datetime, datetime.datetime]]]:
    """By zone: a machine, and from when until when it was to play there; one that was cut off, until then."""
    found: dict[int, list[tuple[int, datetime.datetime, datetime.datetime]]] = {}
    rows = Assignment.objects.values_list("zone_id", "device_id", "since", "until", "device__revoked_at")
    for zone, device, since, until, revoked_at in rows:
        found.setdefault(zone, []).append((device, since, min(until or _NEVER, revoked_at or _NEVER)))
    return found


def _some(
    keys: list[int], assigned: dict[int, list[tuple[int, datetime.datetime, datetime.datetime]]]
) -> dict[int, MachineReports]:
    counts: dict[int, Counter[str]] = {}
    broken_seconds: dict[int, float] = {}
    told: dict[int, set[int]] = {}
    relayed: dict[int, Playing] = {}
    reported = Playing.objects.filter(airing__in=keys).select_related("airing")
    for playing in reported.defer("airing__script"):
        found_in, count = verdict(playing), counts.setdefault(playing.airing_id, Counter())
        count[found_in] += 1
        if found_in == "broken_off":
            broken_seconds[playing.airing_id] = max(broken_seconds.get(playing.airing_id, 0.0), heard_of(playing))
        elif playing.earlier and playing.outcome == Outcome.PLAYED:
            count["again"] += 1
        if found_in in ("played", "late"):
            count["with_tone"] += playing.tone_seconds > 0
            count["on_second"] += on_second(playing)
        # Of the microphone alone: what nobody played can be in no street.
        count["in_street"] += playing.street == Street.HEARD
        count["not_in_street"] += playing.street == Street.NOT_HEARD
        count["street_unknown"] += playing.street == Street.NOT_KNOWN
        told.setdefault(playing.airing_id, set()).add(playing.device_id)
        if playing.parts:
            relayed[playing.airing_id] = min(relayed.get(playing.airing_id, playing), playing, key=_of_station)
    spoken = Airing.objects.filter(pk__in=keys, sound__isnull=False)
    found = {}
    for pk, outlet, due_at, attestation in spoken.values_list("pk", "outlet_id", "due_at", "attestation"):
        if pk not in told and attestation is not None:
            continue
        to_play = {device for device, since, until in assigned.get(outlet, ()) if since <= due_at < until}
        machines = to_play | told.get(pk, set())
        if machines:
            parts = tuple(map(tuple, relayed[pk].parts)) if pk in relayed else ()
            found[pk] = MachineReports(
                len(machines), broken_seconds=broken_seconds.get(pk, 0.0), parts=parts, **counts.get(pk, Counter())
            )
    return found


def _of_station(playing: Playing) -> float:
    return sum(float(lasted) for kind, _began, lasted in playing.parts if kind == STATION)


class AiredProven(Indicator):
    """Airings that a machine with a loudspeaker played whole / airings due, one for each machine."""

    key = "aired-proven"
    proof = Proof.PROVEN
    name = gettext_lazy("bulletins played, reported by the loudspeakers themselves")
    base_name = gettext_lazy("airings due at connected loudspeakers")

    def figures(self, week: Week) -> Iterable[Figure]:
        """A constant number of queries."""
        due = [one for one in airings_due(week) if one.has_sound]
        said = reports_by_airing(one.pk for one in due)
        aired: Counter[tuple[str, int, datetime.date]] = Counter()
        base: Counter[tuple[str, int, datetime.date]] = Counter()
        for one in due:
            if one.pk in said:
                aired[one.cell] += said[one.pk].aired
                base[one.cell] += said[one.pk].machines
        for cell, count in sorted(base.items()):
            yield Figure(cell[0], cell[1], aired[cell], count, gettext("the plan of airings"), cell[2])

    def rows_address(self, unit_id: int, week: Week) -> str:
        """The log of that week."""
        return f"{reverse('air-log')}?{urlencode({'week': week, 'unit': unit_id})}"
