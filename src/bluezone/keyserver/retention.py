# SPDX-License-Identifier: Apache-2.0
"""Retention: keys and files are purged after 14 days, declarations after 30, codes and certificates when they expire.

Many rows are deleted in several short transactions, so that an upload never waits long.
Source: docs/protocol.md section 4; docs/design.md, budget "retention over 10 M keys".
"""

import functools
import re
import time

from bluezone.keyserver import push
from bluezone.keyserver.codes.issued_codes import GUESSES_HOURS, State
from bluezone.keyserver.declarations import purge_declarations
from bluezone.keyserver.publication.file_repair import purge_copies
from bluezone.keyserver.publication.folder import PublishedFiles
from bluezone.keyserver.publication.series import ALL_SERIES, LISTED_SECONDS, Series
from bluezone.keyserver.storage.store import Store, Transaction
from bluezone.keyserver.venues.registrar import purge_ended_venues
from bluezone.protocol.intervals import SECONDS_PER_DAY, day_at, first_interval, hour_at
from bluezone.protocol.upload import MAX_KEY_AGE_DAYS

ALARM_HOURS = 14 * 24
# Counts of reports by day and class that are smaller than this are merged.
FEW_REPORTS = 5
_NUMBERED = re.compile(r"([0-9]+)-")

# Keys are purged by ranges of their prefixes. The width of a range is adjusted so that purging it takes about
# _RANGE_SECONDS.
_LOWEST = -(2**63)
_HIGHEST = 2**63 - 1
_FIRST_WIDTH = 2**56
_RANGE_SECONDS = 0.015
# Other processes may write between two ranges; without a pause, a process that polls for the lock would rarely get it.
_PAUSE_SECONDS = 0.01


def purge_stores(codes_store: Store, keys_store: Store, now: float, hold_seconds: int = 0) -> None:
    """Delete from the stores what has expired at `now` (Unix seconds).

    hold_seconds: for how long the city holds keys back.

    Call it under the service's lock; safe to interrupt and to repeat.
    """
    _purge_codes(codes_store, now)
    _reveal_used_codes_once_a_day(codes_store, keys_store, day_at(now))
    _purge_uploads(keys_store, now)
    _purge_keys_once_a_day(keys_store, day_at(now), hold_seconds)
    purge_declarations(keys_store, now)


def purge_files(keys_store: Store, published: PublishedFiles, now: float) -> None:
    """Remove the files that no index lists any more, their rows and their copies.

    Call it like `purge_stores`, but after it: a bucket that does not answer must not stop the purge of the stores.
    """
    for series in ALL_SERIES:
        _purge_files(keys_store, published, series, now)
    purge_copies(keys_store, now)


def _purge_codes(store: Store, now: float) -> None:
    def action(transaction: Transaction) -> None:
        # Unused codes are deleted without a trace: compared with the office's list, traces would show who reported.
        transaction.execute("DELETE FROM credential WHERE link_expire <= ?", (int(now),))
        transaction.execute("DELETE FROM guess_count WHERE hour <= ?", (hour_at(now) - GUESSES_HOURS,))
        transaction.execute("DELETE FROM guessing_alarm WHERE hour < ?", (hour_at(now) - ALARM_HOURS,))

    store.write(action)


def _reveal_used_codes_once_a_day(codes_store: Store, keys_store: Store, today: int) -> None:
    """Disclose to the office which codes were used before this UTC day, but not at what time."""
    done = keys_store.read("SELECT done FROM duty WHERE name = 'tell_used'")
    if done and done[0][0] >= today:
        return
    # At the first tick there are no codes of a previous day.
    if done:
        sql = "UPDATE credential SET told = 1 WHERE state = ? AND told = 0"
        codes_store.write(lambda transaction: transaction.execute(sql, (State.USED,)))
    note = "INSERT INTO duty VALUES ('tell_used', ?) ON CONFLICT (name) DO UPDATE SET done = excluded.done"
    keys_store.write(lambda transaction: transaction.execute(note, (today,)))


def last_of_week(day: int) -> int:
    """The Sunday of a UTC day's week."""
    # Day 0 was a Thursday.
    return day + 6 - (day + 3) % 7


def _merge_small_counts(transaction: Transaction, today: int) -> None:
    """Move counts of fewer than FEW_REPORTS to the current day, or to the last day of their week.

    Separate small counts would show on which day each code was used.
    """
    few = transaction.execute(
        "SELECT day, class, uploads FROM upload_count WHERE day < ? AND uploads < ?", (today, FEW_REPORTS)
    )
    for day, klass, uploads in few:
        later = min(today, last_of_week(day))
        if later != day:
            transaction.execute("DELETE FROM upload_count WHERE day = ? AND class = ?", (day, klass))
            transaction.execute(
                "INSERT INTO upload_count VALUES (?, ?, ?) ON CONFLICT (day, class)"
                " DO UPDATE SET uploads = upload_count.uploads + excluded.uploads",
                (later, klass, uploads),
            )


def _purge_uploads(store: Store, now: float) -> None:
    oldest_day = day_at(now) - LISTED_SECONDS // SECONDS_PER_DAY

    def action(transaction: Transaction) -> None:
        transaction.execute("DELETE FROM spent WHERE accept_until <= ?", (int(now),))
        purge_ended_venues(transaction, int(now))
        push.purge_old_subscriptions(transaction, push.period_at(now))
        transaction.execute("DELETE FROM upload_count WHERE day < ?", (oldest_day,))
        _merge_small_counts(transaction, day_at(now))

    store.write(action)


def _purge_keys_once_a_day(store: Store, today: int, hold_seconds: int) -> None:
    done = store.read("SELECT done FROM duty WHERE name = 'forget_keys'")
    if done and done[0][0] >= today:
        return
    # Keys that are held back may have arrived yesterday, so they may be a day older than those of today's reports.
    oldest = first_interval(today - MAX_KEY_AGE_DAYS - (hold_seconds > 0))
    purge_keys(store, oldest)

    def action(transaction: Transaction) -> None:
        # Keys that still wait then arrived too late for every file.
        transaction.execute("DELETE FROM waiting_key WHERE start < ?", (oldest,))
        transaction.execute(
            "INSERT INTO duty VALUES ('forget_keys', ?) ON CONFLICT (name) DO UPDATE SET done = excluded.done", (today,)
        )

    store.write(action)


def purge_keys(store: Store, before_start: int) -> None:
    """Delete the keys that start before interval `before_start`.

    On SQLite by ranges of keys, each in a short transaction; on PostgreSQL in one transaction, because writers do not
    wait for it.
    """
    if store.dialect == "postgresql":
        store.write(lambda transaction: _purge_at_once(transaction, before_start))
        return
    low = _LOWEST
    width = _FIRST_WIDTH
    while low <= _HIGHEST:
        high = min(low + width - 1, _HIGHEST)
        start = time.perf_counter()
        store.write(functools.partial(_purge_range, before_start=before_start, low=low, high=high))
        seconds = time.perf_counter() - start
        if seconds < _RANGE_SECONDS / 2:
            width *= 2
        elif seconds > _RANGE_SECONDS:
            width = max(width // 2, 1)
        low = high + 1
        if low <= _HIGHEST:
            time.sleep(_PAUSE_SECONDS)


def _purge_at_once(transaction: Transaction, before_start: int) -> None:
    transaction.execute("SET LOCAL statement_timeout = 0")
    transaction.execute("DELETE FROM known_key WHERE start < ?", (before_start,))


def _purge_range(transaction: Transaction, before_start: int, low: int, high: int) -> None:
    transaction.execute("DELETE FROM known_key WHERE prefix BETWEEN ? AND ? AND start < ?", (low, high, before_start))


def _purge_files(keys_store: Store, published: PublishedFiles, series: Series, now: float) -> None:
    before = int(now) - LISTED_SECONDS
    old = keys_store.read(
        f"SELECT number FROM {series.table} WHERE end_timestamp <= ? AND sha256 IS NOT NULL",  # noqa: S608
        (before,),
    )
    numbers = {number for (number,) in old}
    for name in published.names(series.folder) if numbers else ():
        numbered = _NUMBERED.match(name, len(series.folder) + 1)
        if numbered and int(numbered[1]) in numbers:
            published.remove(name)

    def action(transaction: Transaction) -> None:
        # The newest row stays: the chain continues from it.
        transaction.execute(
            f"DELETE FROM {series.table} WHERE end_timestamp <= ? AND sha256 IS NOT NULL"  # noqa: S608
            f" AND number < (SELECT MAX(number) FROM {series.table})",
            (before,),
        )

    keys_store.write(action)
