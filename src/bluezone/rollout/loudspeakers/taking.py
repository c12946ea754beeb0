# SPDX-License-Identifier: Apache-2.0
"""Take what a machine says: what became of its airings, and how it is; safe to repeat, the first word stays."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from bluezone.devices.models import Device
from bluezone.devices.refusing import DeviceRefused
from bluezone.rollout.bulletins import Airing, Schedule, approved_scripts, seconds_of
from bluezone.rollout.loudspeakers.models import Outcome, Playing, Unit

MOST_AT_ONCE = 500
# A report of the future comes from a machine whose clock is wrong in spite of everything.
FUTURE = datetime.timedelta(minutes=10)
_LATEST = 2**33


class PlayedInvalid(DeviceRefused):
    """A row is no report of an airing; nothing of the call was taken."""

    code = "speaker_report_invalid"


class SpeakerClockWrong(DeviceRefused):
    """A report lies in the future: the machine's clock is wrong. Nothing was taken; the answer's time puts it right."""

    code = "speaker_clock_wrong"
    status = 409


@dataclass(frozen=True)
class Taken:
    """accepted: reports that are stored now, whether or not they were before. unknown: of airings nobody planned."""

    accepted: int
    unknown: int


def take(device: Device, rows: Sequence[Any], now: datetime.datetime) -> Taken:
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
            airing = Airing.objects.filter(key=key).first() or _made_up(key, outlet)
            if airing is None:
                unknown += 1
                continue
            Playing.objects.get_or_create(airing=airing, device=device, defaults={**values, "reported_at": now})
            accepted += 1
    return Taken(accepted, unknown)


def note_status(device: Device, status: Any, now: datetime.datetime) -> None:
    """Keep how a machine says it is; a machine in no zone is not noted. Raises PlayedInvalid."""
    if not isinstance(status, dict):
        raise PlayedInvalid("status is no object")
    off, missing = status.get("clock_off", 0.0), status.get("missing", 0)
    if type(off) not in (int, float) or type(missing) is not int or not abs(off) < _LATEST or not 0 <= missing < 10**6:
        raise PlayedInvalid("clock_off and missing are numbers")
    Unit.objects.filter(pk=device.pk).update(
        heard_at=now,
        sink=str(status.get("sink", ""))[:16],
        clock_off_seconds=float(off),
        missing=missing,
        problem=str(status.get("problem") or "")[:40],
    )


def _read(number: int, row: Any, now: datetime.datetime) -> tuple[str, dict[str, Any]]:
    refused = PlayedInvalid(
        f"report {number} is not {{airing, outcome, began, ended, heard, interrupted, sink, reason}}"
    )
    if not isinstance(row, dict) or not isinstance(row.get("airing"), str) or row.get("outcome") not in Outcome.values:
        raise refused
    began, ended = _moment(row.get("began"), refused), _moment(row.get("ended"), refused)
    if row["outcome"] != Outcome.MISSED and began is None:
        raise refused
    if any(moment is not None and moment > now + FUTURE for moment in (began, ended)):
        raise SpeakerClockWrong(f"report {number} lies in the future; compare the clock with server_time")
    return row["airing"][:64], {
        "outcome": row["outcome"],
        "began_at": began,
        "ended_at": ended,
        "heard_seconds": _seconds(row.get("heard", 0), refused),
        "interrupted_seconds": _seconds(row.get("interrupted", 0), refused),
        "sink": str(row.get("sink", ""))[:16],
        "reason": str(row.get("reason") or "")[:40],
    }


def _moment(value: Any, refused: PlayedInvalid) -> datetime.datetime | None:
    if value is None:
        return None
    if type(value) not in (int, float) or not 0 <= value < _LATEST:
        raise refused
    return datetime.datetime.fromtimestamp(value, datetime.UTC)


def _seconds(value: Any, refused: PlayedInvalid) -> float:
    if type(value) not in (int, float) or not 0 <= value < 10**6:
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
    if script is None or int(parts[3]) >= _LATEST:
        return None
    due = datetime.datetime.fromtimestamp(int(parts[3]), datetime.UTC)
    return Airing.objects.create(
        key=key, schedule=schedule, outlet_id=outlet, script=script, sound=script.sound, language=script.language,
        importance=schedule.bulletin.importance, due_at=due, starts_at=due, seconds=seconds_of(script),
    )  # fmt: skip
