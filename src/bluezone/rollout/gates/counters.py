# SPDX-License-Identifier: Apache-2.0
"""Counters of gate devices: taken in as absolute numbers, safe to repeat; after 30 days a day's sum stays.

A row whose time cannot be right is kept without a day: no passage is refused or dropped for its date, and no row holds
up another.
"""

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Q, QuerySet, Sum

from bluezone.devices.refusals import DeviceRefused
from bluezone.rollout.gates.models import (
    BUCKET_SECONDS,
    PROOF_OF,
    Direction,
    Gate,
    GateCounter,
    GateDay,
    Gatekeeper,
    GateKind,
    Shift,
    UndatedCounter,
    Verdict,
)

KEPT_DAYS = 30
MOST_AT_ONCE = 2_000
# More people than could walk through one gate in five minutes: a broken tablet, not a crowd.
MOST_COUNT = 10_000
FUTURE_SECONDS = 600
_SECONDS_PER_DAY = 86_400
_COLUMNS = ("device_id", "gate_id", "bucket", "day", "direction", "verdict", "proof", "count")
# SQLite takes at most 32,766 parameters in a statement.
_ROWS_A_STATEMENT = 500


class CountersInvalid(DeviceRefused):
    """What was sent is no list of counters and shifts, or too long; nothing of the call was taken."""

    code = "gate_counters_invalid"


@dataclass(frozen=True)
class Stored:
    """How many rows are stored now, whether or not they were before: with a day, without one.

    too_old: of those without a day, how many are of before the 30 days. invalid: rows that are no counter, left out.
    """

    accepted: int
    undated: int = 0
    too_old: int = 0
    invalid: int = 0


# bucket, direction, verdict.
_Name = tuple[int, Direction, Verdict]


def store_counters(
    device_id: int, gate: Gate, rows: Sequence[Any], now: float, zone: ZoneInfo, undated: Sequence[Any] = ()
) -> Stored:
    """Store counters of one device in one transaction; safe to repeat.

    rows, undated: `[bucket, direction, verdict, count]` each; of those in `undated` the device knows that its clock was
    wrong. now: Unix seconds. zone: of the city, for the day of a bucket. Raises CountersInvalid.
    """
    if len(rows) + len(undated) > MOST_AT_ONCE:
        raise CountersInvalid(f"got {len(rows) + len(undated)} counters, expected at most {MOST_AT_ONCE}")
    read = [row for row in map(_read, rows) if row is not None]
    without_day = [row for row in map(_read, undated) if row is not None]
    oldest = now - KEPT_DAYS * _SECONDS_PER_DAY
    recent = [row for row in read if oldest <= row[0] <= now + FUTURE_SECONDS]
    too_old = sum(bucket < oldest for bucket, *_ in read)
    without_day += [row for row in read if not oldest <= row[0] <= now + FUTURE_SECONDS]
    if recent or without_day:
        with transaction.atomic():
            # Two lanes of one gate raise the same sums of a day: one after the other, or one of them would be lost.
            Gate.objects.select_for_update().get(pk=gate.pk)
            _store_without_day(device_id, gate, _largest(without_day), _day(int(now), zone))
            _store(device_id, gate, _largest(recent), zone)
    invalid = len(rows) + len(undated) - len(recent) - len(without_day)
    return Stored(len(recent), len(without_day), too_old, invalid)


def _store(device_id: int, gate: Gate, counters: Mapping[_Name, int], zone: ZoneInfo) -> None:
    known = _known(UndatedCounter, device_id, counters)
    stored = [
        (device_id, gate.pk, name[0], _day(name[0], zone), name[1].value, name[2].value, PROOF_OF[name[2]].value, count)
        for name, total in counters.items()
        if (count := total - known.get(name, 0)) > 0
    ]
    changed = 0
    for start in range(0, len(stored), _ROWS_A_STATEMENT):
        changed += _upsert(stored[start : start + _ROWS_A_STATEMENT])
    if changed:
        _raise_sums(device_id, min(row[2] for row in stored), max(row[2] for row in stored))


def _store_without_day(device_id: int, gate: Gate, counters: Mapping[_Name, int], received: datetime.date) -> None:
    known = _known(GateCounter, device_id, counters)
    before = _known(UndatedCounter, device_id, counters)
    for name, total in counters.items():
        count = total - known.get(name, 0)
        if count > before.get(name, 0):
            bucket, direction, verdict = name
            UndatedCounter.objects.update_or_create(
                device_id=device_id,
                bucket=bucket,
                direction=direction,
                verdict=verdict,
                defaults={"count": count},
                create_defaults={"count": count, "gate": gate, "received": received},
            )


def _known(
    table: type[GateCounter] | type[UndatedCounter], device_id: int, counters: Mapping[_Name, int]
) -> dict[_Name, int]:
    """What a table holds of these counters of a device.

    A device has one number for what its clock showed, whether that was right or not: what is kept with a day is no part
    of what is kept without one, and the other way round.
    """
    if not counters:
        return {}
    buckets = {bucket for bucket, *_ in counters}
    rows = table._default_manager.filter(device_id=device_id, bucket__range=(min(buckets), max(buckets)))
    return {
        (bucket, Direction(direction), Verdict(verdict)): count
        for bucket, direction, verdict, count in rows.values_list("bucket", "direction", "verdict", "count")
        if bucket in buckets
    }


def _largest(read: Sequence[tuple[int, Direction, Verdict, int]]) -> dict[tuple[int, Direction, Verdict], int]:
    """One number for each counter: PostgreSQL refuses a statement that names the same row twice."""
    largest: dict[tuple[int, Direction, Verdict], int] = {}
    for bucket, direction, verdict, count in read:
        named = (bucket, direction, verdict)
        largest[named] = max(count, largest.get(named, 0))
    return largest


def _read(row: Any) -> tuple[int, Direction, Verdict, int] | None:
    """The counter that a row is, or None for what is none."""
    if not isinstance(row, list) or len(row) != 4:
        return None
    bucket, direction, verdict, count = row
    # bool is an int for Python, not for us.
    if type(bucket) is not int or type(count) is not int:
        return None
    if not isinstance(direction, str) or not isinstance(verdict, str):
        return None
    if bucket < 0 or bucket >= 2**40 or bucket % BUCKET_SECONDS or not 0 < count <= MOST_COUNT:
        return None
    if direction not in Direction or verdict not in Verdict:
        return None
    if (direction == Direction.OUT) != (verdict == Verdict.OUT):
        return None
    return bucket, Direction(direction), Verdict(verdict), count


def _day(bucket: int, zone: ZoneInfo) -> datetime.date:
    return datetime.datetime.fromtimestamp(bucket, zone).date()


def _upsert(rows: Sequence[tuple[Any, ...]]) -> int:
    """Store the larger of each number; how many changed."""
    # Django's bulk_create can replace a value, but not keep the larger one.
    table = GateCounter._meta.db_table
    marks = ", ".join(["(" + ", ".join(["%s"] * len(_COLUMNS)) + ")"] * len(rows))
    sql = (
        f"INSERT INTO {table} ({', '.join(_COLUMNS)}) VALUES {marks}"  # noqa: S608 - names of our own columns
        " ON CONFLICT (device_id, bucket, direction, verdict) DO UPDATE SET count = excluded.count"
        f" WHERE excluded.count > {table}.count"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            sql, [str(value) if index in (4, 5, 6) else value for row in rows for index, value in enumerate(row)]
        )
        return int(cursor.rowcount)


def _raise_sums(device_id: int, first: int, last: int) -> None:
    """Bring the sums of the days up to date that this device's buckets from `first` to `last` are counted in."""
    told = GateCounter.objects.filter(device_id=device_id, bucket__range=(first, last))
    # Of the gates where they were counted: the tablet may have moved to another one meanwhile.
    touched = sorted(set(told.values_list("gate_id", "day").distinct()))
    table, sums = GateCounter._meta.db_table, GateDay._meta.db_table
    same = "gate_id, day, direction, verdict"
    sql = (
        f"INSERT INTO {sums} ({same}, proof, count) SELECT {same}, proof, SUM(count) FROM {table}"  # noqa: S608 - ours
        f" WHERE gate_id = %s AND day = %s GROUP BY {same}, proof"
        f" ON CONFLICT ({same}) DO UPDATE SET count = excluded.count WHERE excluded.count > {sums}.count"
    )
    with connection.cursor() as cursor:
        for gate_id, day in touched:
            cursor.execute(sql, [gate_id, str(day)])


# Whoever came in with a smartphone, whatever was found.
WITH_SMARTPHONE = frozenset(set(Verdict) - {Verdict.NO_SMARTPHONE, Verdict.OUT})

Sums = Counter[Verdict]
_VERDICTS = {verdict.value: verdict for verdict in Verdict}


def at_sites() -> Q:
    """Rows of gates at sites. The drives' gates are left out, and not the sites' joined in, because they are few: the
    day's index is then used whatever the store knows of the tables.
    """
    return ~Q(gate__in=Gate.objects.filter(kind=GateKind.DRIVE).values("pk"))


def gate_days(
    first: datetime.date, last: datetime.date, gates: QuerySet[Gate] | None = None
) -> dict[tuple[int, datetime.date], Sums]:
    """Passages by verdict of each site's gate and day, first and last included; one query."""
    found: dict[tuple[int, datetime.date], Sums] = {}
    rows = GateDay.objects.filter(at_sites(), day__range=(first, last))
    if gates is not None:
        rows = rows.filter(gate__in=gates)
    for gate_id, day, verdict, total in rows.values_list("gate_id", "day", "verdict", "count"):
        found.setdefault((gate_id, day), Counter())[_VERDICTS[verdict]] = total
    return found


def gate_sums(first: datetime.date, last: datetime.date) -> dict[int, Sums]:
    """Passages by verdict of each site's gate over days, first and last included; one query."""
    found: dict[int, Sums] = {}
    days = GateDay.objects.filter(at_sites(), day__range=(first, last))
    rows = days.values_list("gate_id", "verdict")
    for gate_id, verdict, total in rows.annotate(total=Sum("count")).order_by():
        found.setdefault(gate_id, Counter())[_VERDICTS[verdict]] = total
    return found


def came_in(sums: Sums) -> int:
    """Passages in."""
    return sum(count for verdict, count in sums.items() if verdict is not Verdict.OUT)


def with_smartphone(sums: Sums) -> int:
    """Passages in of people with a smartphone: the denominator of the share running."""
    return sum(count for verdict, count in sums.items() if verdict in WITH_SMARTPHONE)


def without_a_day(gate: Gate) -> int:
    """Passages of a gate without a known day, received in the last 30 days."""
    return int(gate.undated.aggregate(sum=Sum("count"))["sum"] or 0)


STAFF_DAYS = 90


def purge(now: datetime.datetime) -> None:
    """Forget the counters of days that are over 30 days old, whose sums are stored, and those without a day that were
    received so long ago; old shifts and nominations.
    """
    # A whole local day after the last bucket that is still taken (store_counters), so that no sum grows afterwards.
    bound = (now - datetime.timedelta(days=KEPT_DAYS + 1)).date()
    days = list(GateCounter.objects.filter(day__lt=bound).values_list("day", flat=True).distinct())
    for day in days:
        # A day at a time, so that no tablet waits long.
        GateCounter.objects.filter(day=day).delete()
    forgotten, _ = UndatedCounter.objects.filter(received__lt=bound).delete()
    staff_bound = now - datetime.timedelta(days=STAFF_DAYS)
    Shift.objects.filter(started_at__lt=staff_bound).delete()
    Gatekeeper.objects.filter(until__lt=staff_bound.date()).delete()
    if (days or forgotten) and connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            # What was deleted was overwritten (secure_delete); this takes it out of the log, too.
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
