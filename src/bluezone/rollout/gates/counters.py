# SPDX-License-Identifier: Apache-2.0
"""Counters of gate devices: taken in as absolute numbers, safe to repeat; after 30 days a day's sum stays."""

import datetime
from collections import Counter
from collections.abc import Iterable, Sequence
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
    """A row is no counter; nothing of the call was taken."""

    code = "gate_counters_invalid"


class GateClockWrong(DeviceRefused):
    """A counter lies in the future: the tablet's clock is wrong. Nothing was taken; the answer's time puts it right."""

    code = "gate_clock_wrong"
    status = 409


@dataclass(frozen=True)
class Stored:
    """accepted: rows that are stored now, whether or not they were before. too_old: rows before the 30 days."""

    accepted: int
    too_old: int


def store_counters(device_id: int, gate: Gate, rows: Sequence[Any], now: float, zone: ZoneInfo) -> Stored:
    """Store counters of one device in one transaction; safe to repeat.

    rows: `[bucket, direction, verdict, count]` each. now: Unix seconds. zone: of the city, for the day of a bucket.
    Raises CountersInvalid, GateClockWrong.
    """
    if len(rows) > MOST_AT_ONCE:
        raise CountersInvalid(f"got {len(rows)} counters, expected at most {MOST_AT_ONCE}")
    read = [_read(number, row) for number, row in enumerate(rows)]
    if any(bucket > now + FUTURE_SECONDS for bucket, *_ in read):
        raise GateClockWrong("a counter lies in the future; compare the clock with server_time")
    recent = [row for row in read if row[0] >= now - KEPT_DAYS * _SECONDS_PER_DAY]
    stored = [
        (device_id, gate.pk, bucket, _day(bucket, zone), direction.value, verdict.value, PROOF_OF[verdict].value, count)
        for (bucket, direction, verdict), count in _largest(recent).items()
    ]
    if stored:
        with transaction.atomic():
            # Two lanes of one gate raise the same sums of a day: one after the other, or one of them would be lost.
            Gate.objects.select_for_update().get(pk=gate.pk)
            changed = 0
            for start in range(0, len(stored), _ROWS_A_STATEMENT):
                changed += _upsert(stored[start : start + _ROWS_A_STATEMENT])
            if changed:
                _raise_sums(device_id, min(row[2] for row in stored), max(row[2] for row in stored))
    return Stored(len(recent), len(read) - len(recent))


def _largest(read: Sequence[tuple[int, Direction, Verdict, int]]) -> dict[tuple[int, Direction, Verdict], int]:
    """One number for each counter: PostgreSQL refuses a statement that names the same row twice."""
    largest: dict[tuple[int, Direction, Verdict], int] = {}
    for bucket, direction, verdict, count in read:
        named = (bucket, direction, verdict)
        largest[named] = max(count, largest.get(named, 0))
    return largest


def _read(number: int, row: Any) -> tuple[int, Direction, Verdict, int]:
    refused = CountersInvalid(f"counter {number} is not [bucket, direction, verdict, count]")
    if not isinstance(row, list) or len(row) != 4:
        raise refused
    bucket, direction, verdict, count = row
    # bool is an int for Python, not for us.
    if type(bucket) is not int or type(count) is not int or not isinstance(direction, str):
        raise refused
    if bucket < 0 or bucket >= 2**40 or bucket % BUCKET_SECONDS or not 0 < count <= MOST_COUNT:
        raise CountersInvalid(f"counter {number} has bucket {bucket} and count {count}")
    try:
        read = bucket, Direction(direction), Verdict(verdict), count
    except ValueError:
        raise CountersInvalid(f"counter {number} names no direction and verdict") from None
    if (read[1] is Direction.OUT) != (read[2] is Verdict.OUT):
        raise CountersInvalid(f"counter {number} is {direction} and {verdict}")
    return read


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


def inside(gate_ids: Iterable[int], day: datetime.date) -> dict[int, int]:
    """In minus out of a day, by gate; below zero where people came in before that day."""
    rows = (
        GateDay.objects.filter(day=day, gate__in=list(gate_ids))
        .values_list("gate_id", "direction")
        .annotate(total=Sum("count"))
        .order_by()
    )
    found: dict[int, int] = {}
    for gate_id, direction, total in rows:
        found[gate_id] = found.get(gate_id, 0) + (total if direction == Direction.IN else -total)
    return found


STAFF_DAYS = 90


def purge(now: datetime.datetime) -> None:
    """Forget the counters of days that are over 30 days old, whose sums are stored; old shifts and nominations."""
    # A whole local day after the last bucket that is still taken (store_counters), so that no sum grows afterwards.
    bound = (now - datetime.timedelta(days=KEPT_DAYS + 1)).date()
    days = list(GateCounter.objects.filter(day__lt=bound).values_list("day", flat=True).distinct())
    for day in days:
        # A day at a time, so that no tablet waits long.
        GateCounter.objects.filter(day=day).delete()
    staff_bound = now - datetime.timedelta(days=STAFF_DAYS)
    Shift.objects.filter(started_at__lt=staff_bound).delete()
    Gatekeeper.objects.filter(until__lt=staff_bound.date()).delete()
    if days and connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            # What was deleted was overwritten (secure_delete); this takes it out of the log, too.
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
