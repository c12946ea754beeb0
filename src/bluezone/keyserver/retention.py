# SPDX-License-Identifier: Apache-2.0
"""What is forgotten, and when: keys and files after 14 days, declarations after 30, codes and certificates as they end.

Everything is deleted in pieces, so that an upload never waits long behind it. Source: docs/protocol.md section 4;
docs/design.md, budget "retention over 10 M keys".
"""

import re
import time

from bluezone.keyserver import push
from bluezone.keyserver.declarations import forget_declarations
from bluezone.keyserver.publication.downloads import ALL_SERIES, LISTED_SECONDS, Series
from bluezone.keyserver.publication.folder import PublishedFiles
from bluezone.keyserver.reports.codes import GUESSES_HOURS, State
from bluezone.keyserver.storage.store import Store, Transaction
from bluezone.keyserver.venues import forget_ended
from bluezone.protocol.intervals import SECONDS_PER_DAY, day_at, first_interval, hour_at
from bluezone.protocol.upload import MAX_KEY_AGE_DAYS

ALARM_HOURS = 14 * 24
# So many reports of a day and class have a count of their own.
FEW_REPORTS = 5
_NUMBERED = re.compile(r"([0-9]+)-")

# A piece is one range of keys; the range grows or shrinks so that the piece takes about as long as wanted.
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
_FIRST_WIDTH = 2**56
_PIECE_SECONDS = 0.015
# Between two pieces others may write; without a pause a process that polls for the lock would hardly ever get it.
_PAUSE_SECONDS = 0.01


def forget(codes_store: Store, keys_store: Store, now: float, hold_seconds: int = 0) -> None:
    """Delete from the stores what has had its time at `now` (Unix seconds).

    hold_seconds: for how long the city holds keys back.

    Call it under the service's lock; safe to interrupt and to repeat.
    """
    _forget_codes(codes_store, now)
    _tell_used_once_a_day(codes_store, keys_store, day_at(now))
    _forget_uploads(keys_store, now)
    _forget_keys_once_a_day(keys_store, day_at(now), hold_seconds)
    forget_declarations(keys_store, now)


def forget_files(keys_store: Store, published: PublishedFiles, now: float) -> None:
    """Remove the files that phones are told of no longer, and their rows; as `forget`, and after it.

    A bucket that does not answer must not keep the stores from forgetting.
    """
    for series in ALL_SERIES:
        _forget_files(keys_store, published, series, now)


def _forget_codes(store: Store, now: float) -> None:
    def action(transaction: Transaction) -> None:
        # Nothing is left of a code that nobody used: beside the office's list it would tell who reported.
        transaction.execute("DELETE FROM credential WHERE link_expire <= ?", (int(now),))
        transaction.execute("DELETE FROM guess_count WHERE hour <= ?", (hour_at(now) - GUESSES_HOURS,))
        transaction.execute("DELETE FROM guessing_alarm WHERE hour < ?", (hour_at(now) - ALARM_HOURS,))

    store.write(action)


def _tell_used_once_a_day(codes_store: Store, keys_store: Store, today: int) -> None:
    """Tell who asks which codes were used before this UTC day; nobody is told at what time."""
    done = keys_store.read("SELECT done FROM duty WHERE name = 'tell_used'")
    if done and done[0][0] >= today:
        return
    # At the very first tick there is no day before.
    if done:
        sql = "UPDATE credential SET told = 1 WHERE state = ? AND told = 0"
        codes_store.write(lambda transaction: transaction.execute(sql, (State.USED,)))
    note = "INSERT INTO duty VALUES ('tell_used', ?) ON CONFLICT (name) DO UPDATE SET done = excluded.done"
    keys_store.write(lambda transaction: transaction.execute(note, (today,)))


def last_of_week(day: int) -> int:
    """The Sunday of a UTC day's week."""
    # Day 0 was a Thursday.
    return day + 6 - (day + 3) % 7


def _gather_few_reports(transaction: Transaction, today: int) -> None:
    """Count fewer than FEW_REPORTS of a day with the day that runs, or the last of their week.

    Day by day such counts tell which of the codes that were used in these days was used on which.
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


def _forget_uploads(store: Store, now: float) -> None:
    oldest_day = day_at(now) - LISTED_SECONDS // SECONDS_PER_DAY

    def action(transaction: Transaction) -> None:
        transaction.execute("DELETE FROM spent WHERE accept_until <= ?", (int(now),))
        forget_ended(transaction, int(now))
        push.forget_old(transaction, push.period_at(now))
        transaction.execute("DELETE FROM upload_count WHERE day < ?", (oldest_day,))
        _gather_few_reports(transaction, day_at(now))

    store.write(action)


def _forget_keys_once_a_day(store: Store, today: int, hold_seconds: int) -> None:
    done = store.read("SELECT done FROM duty WHERE name = 'forget_keys'")
    if done and done[0][0] >= today:
        return
    # What is held back came yesterday, with keys of a day that no report of today may bring.
    oldest = first_interval(today - MAX_KEY_AGE_DAYS - (hold_seconds > 0))
    forget_keys(store, oldest)

    def action(transaction: Transaction) -> None:
        # Only keys that came too late for every file are still waiting so long.
        transaction.execute("DELETE FROM waiting_key WHERE start < ?", (oldest,))
        transaction.execute(
            "INSERT INTO duty VALUES ('forget_keys', ?) ON CONFLICT (name) DO UPDATE SET done = excluded.done", (today,)
        )

    store.write(action)


def forget_keys(store: Store, before_start: int) -> None:
    """Delete the keys that start before interval `before_start`.

    On SQLite in ranges of keys, each in a short transaction; on PostgreSQL at once, where nobody waits for it.
    """
    if store.dialect == "postgresql":
        store.write(lambda transaction: _forget_at_once(transaction, before_start))
        return
    low, width = _LOWEST, _FIRST_WIDTH
    while low <= _HIGHEST:
        high = min(low + width - 1, _HIGHEST)
        begun = time.perf_counter()
        store.write(lambda t, a=low, b=high: _forget_range(t, before_start, a, b))  # type: ignore[misc]
        taken = time.perf_counter() - begun
        if taken < _PIECE_SECONDS / 2:
            width *= 2
        elif taken > _PIECE_SECONDS:
            width = max(width // 2, 1)
        low = high + 1
        if low <= _HIGHEST:
            time.sleep(_PAUSE_SECONDS)


def _forget_at_once(transaction: Transaction, before_start: int) -> None:
    transaction.execute("SET LOCAL statement_timeout = 0")
    transaction.execute("DELETE FROM known_key WHERE start < ?", (before_start,))


def _forget_range(transaction: Transaction, before_start: int, low: int, high: int) -> None:
    transaction.execute("DELETE FROM known_key WHERE prefix BETWEEN ? AND ? AND start < ?", (low, high, before_start))


def _forget_files(keys_store: Store, published: PublishedFiles, series: Series, now: float) -> None:
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
        # The newest row stays: the chain goes on from it.
        transaction.execute(
            f"DELETE FROM {series.table} WHERE end_timestamp <= ? AND sha256 IS NOT NULL"  # noqa: S608
            f" AND number < (SELECT MAX(number) FROM {series.table})",
            (before,),
        )

    keys_store.write(action)
