# SPDX-License-Identifier: Apache-2.0
"""Export files: which keys are due, one file per period, the same bytes however often a crash interrupts it.

A file is made in three steps, each safe to repeat: its number, keys and padding seed are fixed in one transaction;
its bytes, which follow from those, are written; the row is sealed with their hash. Source: protocol.md section 5.
"""

import hashlib
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bluezone.keyserver.publication.padding import PUBLISHED_DAYS, SEED_LENGTH, export_columns, mingle, padding_keys
from bluezone.keyserver.storage.store import Row, Transaction
from bluezone.protocol.exports.files import ExportKeys, write_export
from bluezone.protocol.intervals import SECONDS_PER_DAY, day_at, first_interval, hour_at
from bluezone.protocol.keys import KEY_LENGTH
from bluezone.protocol.signed.envelope import CHAIN_START, extend_chain

if TYPE_CHECKING:
    from bluezone.keyserver.service import KeyServer

# Hex digits of a file's SHA-256 in its name: enough that two files never share one.
NAME_DIGITS = 32
FOLDER = "exports"

# A real key of a file that is being made: key, start, level, class.
_HELD = struct.Struct(f">{KEY_LENGTH}sIBB")
_HELD_ROW = np.dtype([("key", "u1", (KEY_LENGTH,)), ("start", ">u4"), ("level", "u1"), ("class", "u1")])


@dataclass(frozen=True)
class ReachTimes:
    """When a report reaches phones, Unix seconds; a phone that is switched off or offline fetches later.

    published_at: when its keys of past days stand in a file; phones_by: when phones have fetched it.
    today_published_at, today_phones_by: the same for the key of the very day, which waits until the day is over.
    """

    published_at: int
    phones_by: int
    today_published_at: int
    today_phones_by: int


def reach_times(server: "KeyServer", received_at: float) -> ReachTimes:
    """Tell when keys received at `received_at` (Unix seconds) are published, and by when phones have them."""
    city = server.city
    midnight = day_at(received_at) * SECONDS_PER_DAY
    # Between midnight and the end of the embargo, yesterday's key still waits.
    due = max(received_at, midnight + city.embargo_seconds)
    published = _next_publication(due, city.publish_period_seconds)
    today = _next_publication(midnight + SECONDS_PER_DAY + city.embargo_seconds, city.publish_period_seconds)
    # Phones ask once in every poll period, with a jitter of up to a quarter of it.
    longest_poll = city.poll_seconds * 5 // 4
    return ReachTimes(published, published + longest_poll, today, today + longest_poll)


def _next_publication(moment: float, period: int) -> int:
    if period == 0:
        return int(moment)
    return int(-(-moment // period) * period)


def newest_published_day(now: float, embargo_seconds: int) -> int:
    """The newest UTC day whose keys may be published at `now`: it ended at least the embargo ago."""
    return day_at(now - embargo_seconds) - 1


def publish(server: "KeyServer", now: float) -> None:
    """Finish a file that was interrupted, and make the next one if it is due.

    Call it under the service's lock. Raises StoreRefused; whatever was begun is finished at the next call.
    """
    _finish(server)
    if _is_due(server, now):
        mingle(server.keys_store, hour_at(now) + 1)
        server.keys_store.write(lambda transaction: _begin(transaction, server, now))
        _finish(server)


def _is_due(server: "KeyServer", now: float) -> bool:
    last = server.keys_store.read("SELECT end_timestamp FROM export_file ORDER BY number DESC LIMIT 1")
    if not last:
        return True
    period = server.city.publish_period_seconds
    if period:
        return int(now) // period > int(last[0][0]) // period
    # With period 0 (demo) a file appears when there is something in it.
    first, end = _due_starts(server, now)
    waiting = server.keys_store.read("SELECT 1 FROM waiting_key WHERE start BETWEEN ? AND ? LIMIT 1", (first, end))
    return bool(waiting) and int(now) > last[0][0]


def _due_starts(server: "KeyServer", now: float) -> tuple[int, int]:
    """First and last start of the keys due now: older ones fit no cell and would stand in the open, unpadded."""
    newest = newest_published_day(now, server.city.embargo_seconds)
    return first_interval(newest - PUBLISHED_DAYS + 1), first_interval(newest)


def _begin(transaction: Transaction, server: "KeyServer", now: float) -> None:
    last = transaction.execute(
        "SELECT number, end_timestamp, chain_before, sha256 FROM export_file ORDER BY number DESC LIMIT 1"
    )
    period = server.city.publish_period_seconds
    end = int(now) // period * period if period else int(now)
    if last:
        number, start, chain = last[0][0] + 1, last[0][1], extend_chain(last[0][2], last[0][3])
    else:
        number, start, chain = 1, end - (period or 1), CHAIN_START
    newest = newest_published_day(now, server.city.embargo_seconds)
    # In one statement: on PostgreSQL a key that came between a SELECT and a DELETE would be deleted unpublished.
    rows = transaction.execute(
        "DELETE FROM waiting_key WHERE start BETWEEN ? AND ? RETURNING key, start, level, class",
        _due_starts(server, now),
    )
    held = b"".join(_HELD.pack(*row) for row in sorted(rows))
    transaction.execute(
        "INSERT INTO export_file"
        " (number, start_timestamp, end_timestamp, newest_day, padding_mean, padding_seed, held, chain_before)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (number, start, end, newest, server.city.padding_mean, server.random_bytes(SEED_LENGTH), held, chain),
    )


def _finish(server: "KeyServer") -> None:
    """Write and seal the file that was begun, if there is one."""
    begun = server.keys_store.read(
        "SELECT number, start_timestamp, end_timestamp, newest_day, padding_mean, padding_seed, held"
        " FROM export_file WHERE sha256 IS NULL"
    )
    for number, start, end, newest_day, mean, seed, held in begun:
        keys = _joined(_real_keys(held), padding_keys(seed, newest_day, mean))
        data = write_export(
            keys,
            start_timestamp=start,
            end_timestamp=end,
            region=server.city.region,
            signing_key=server.secrets.export_key,
            info=server.secrets.export_signature_info(),
        )
        digest = hashlib.sha256(data).digest()
        name = f"{number}-{digest.hex()[:NAME_DIGITS]}.zip"
        server.published.put_if_absent(f"{FOLDER}/{name}", data)
        _seal(server, (name, digest, len(data), number))


def _seal(server: "KeyServer", row: Row) -> None:
    sql = "UPDATE export_file SET name = ?, sha256 = ?, size = ?, padding_seed = NULL, held = NULL WHERE number = ?"
    server.keys_store.write(lambda transaction: transaction.execute(sql, row))


def _real_keys(held: bytes) -> ExportKeys:
    rows = np.frombuffer(held, dtype=_HELD_ROW)
    return export_columns(rows["key"], rows["start"], rows["level"], rows["class"])


def _joined(first: ExportKeys, second: ExportKeys) -> ExportKeys:
    names = ("keys", "starts", "report_types", "days_since_onset")
    return ExportKeys(*(np.concatenate((getattr(first, name), getattr(second, name))) for name in names))
