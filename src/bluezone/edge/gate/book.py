# SPDX-License-Identifier: Apache-2.0
"""The gate's book: counters of five minutes each, kept in a file for as many days as the gate has no network.

A counter is a total that only grows, and the receiver keeps the larger of two, so a counter sent twice counts once. A
passage can be undone for ten seconds, and a counter never shrinks. So the passage first waits in the file for ten
seconds, without any mark of a person, and is then added to its counter, at the next call or the next start.

A machine without a clock battery does not know the hour while it has no network. What it counts is kept apart by boot
until the time of that boot is known, from the office or from a person, and only then belongs to an hour and is sent.
Source: docs/design.md, "gate log".
"""

import math
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bluezone.edge.gate.passages import BUCKET_SECONDS, Counter, Passage, bucket_of
from bluezone.refusal import Refused

UNDO_SECONDS = 10.0
# As long as the office keeps five-minute counters; older ones that were sent are of no use here.
KEPT_DAYS = 30
_SECONDS_PER_DAY = 86_400
# After every moment that a clock shows.
_NEVER = 2**62

_SCHEMA = """
CREATE TABLE IF NOT EXISTS counter (
    bucket INTEGER NOT NULL CHECK (bucket % 300 = 0), direction TEXT NOT NULL, verdict TEXT NOT NULL,
    count INTEGER NOT NULL CHECK (count > 0), sent INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (bucket, direction, verdict)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS waiting (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, direction TEXT NOT NULL, verdict TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS undated (
    boot TEXT NOT NULL, bucket INTEGER NOT NULL CHECK (bucket % 300 = 0), direction TEXT NOT NULL,
    verdict TEXT NOT NULL, count INTEGER NOT NULL CHECK (count > 0), lost INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (boot, bucket, direction, verdict)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


class GateBookUnusable(Refused):
    """The book cannot be written: the disk is full, or the file is damaged or locked."""

    code = "gate_book_unusable"


class NothingToUndo(Refused):
    """The last passage is older than ten seconds, or there was none."""

    code = "nothing_to_undo"


@dataclass(frozen=True)
class LostHour:
    """What was counted in a boot whose time will not be known by itself: passages in and out, seconds from the first
    five minutes to the last. boot: names it; began: Unix seconds of the first by the clock that was wrong.
    """

    boot: str
    began: int
    seconds: int
    came_in: int
    went_out: int


class GateBook:
    """One gate's counters. Usable from any thread.

    clock: Unix seconds as the gate reckons them (city.py). kept_days: how long counters stay once they were sent.
    reports: whether they are sent at all; those of a practice gate go after that time, sent or not.
    """

    def __init__(
        self, path: Path, clock: Callable[[], float], kept_days: int = KEPT_DAYS, *, reports: bool = True
    ) -> None:
        self._clock = clock
        self._kept_days = kept_days
        self._reports = reports
        self._lock = threading.RLock()
        # Of the boot that counts now; None where the clock is believed from the start.
        self._boot: str | None = None
        try:
            # It holds the device's token; the system's umask need not be trusted with that.
            path.touch(mode=0o600)
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.execute("PRAGMA secure_delete=ON")
            self._connection.executescript(_SCHEMA)
        except (sqlite3.Error, OSError) as error:
            raise GateBookUnusable(f"the gate's book {path.name} cannot be opened: {error}") from error

    def enter(self, passage: Passage) -> int:
        """Note a passage; returns the number by which it can be undone for ten seconds. Raises GateBookUnusable."""
        with self._writing():
            return int(
                self._connection.execute(
                    "INSERT INTO waiting (at, direction, verdict) VALUES (?, ?, ?) RETURNING id",
                    (self._clock(), passage.direction, passage.verdict),
                ).fetchone()[0]
            )

    def undo(self, number: int) -> Passage:
        """Take back a passage that is not entered yet. Raises NothingToUndo."""
        with self._writing():
            self._settle()
            row = self._connection.execute(
                "DELETE FROM waiting WHERE id = ? RETURNING direction, verdict", (number,)
            ).fetchone()
        if row is None:
            raise NothingToUndo("that passage is older than ten seconds, or was undone already")
        return Passage(*row)

    def settle(self) -> None:
        """Add the passages that can no longer be undone to their counters."""
        with self._writing():
            self._settle()

    def unsent(self, most: int = 2_000) -> list[Counter]:
        """Counters that were not sent as they are now, oldest first; waiting passages are not among them."""
        with self._writing():
            self._settle()
            rows = self._connection.execute(
                "SELECT bucket, direction, verdict, count FROM counter WHERE count > sent ORDER BY bucket LIMIT ?",
                (most,),
            ).fetchall()
        return [Counter(bucket, Passage(direction, verdict), count) for bucket, direction, verdict, count in rows]

    def sent(self, counters: Iterable[Counter]) -> None:
        """Note that the office has these counters; one that has grown since stays unsent."""
        with self._writing():
            self._connection.executemany(
                "UPDATE counter SET sent = max(sent, ?) WHERE bucket = ? AND direction = ? AND verdict = ?",
                [(c.count, c.bucket, c.passage.direction, c.passage.verdict) for c in counters],
            )

    def totals(self, since: float, until: float = math.inf) -> dict[Passage, int]:
        """Passages from a moment until another (rounded down to five minutes), waiting and undated ones included."""
        last = bucket_of(until) if math.isfinite(until) else _NEVER
        with self._lock:
            rows = self._connection.execute(
                "SELECT direction, verdict, sum(n) FROM (SELECT direction, verdict, count AS n FROM counter"
                " WHERE bucket >= ? AND bucket < ? UNION ALL SELECT direction, verdict, count FROM undated"
                " WHERE bucket >= ? AND bucket < ? UNION ALL SELECT direction, verdict, 1 FROM waiting"
                " WHERE at >= ? AND at < ?) GROUP BY direction, verdict",
                (bucket_of(since), last, bucket_of(since), last, since, last),
            ).fetchall()
        return {Passage(direction, verdict): count for direction, verdict, count in rows}

    def inside(self, since: float) -> int:
        """People on the site: in minus out since a moment; below zero where some came in before it."""
        return balance_of(self.totals(since))

    def begin_boot(self, boot: str, keeps_time: bool) -> None:
        """Count for a boot from now on, whose time is not known yet unless it was told in this boot before.

        keeps_time: whether the machine's clock ran on while it was off. Otherwise the hours of earlier boots are lost.
        """
        with self._writing():
            before = self.get("boot")
            if before is not None and before != boot:
                # Whatever waits was counted before the power went, and nobody can undo it any more.
                rows = self._connection.execute("DELETE FROM waiting RETURNING at, direction, verdict").fetchall()
                self._boot = before
                for at, direction, verdict in rows:
                    self._add(bucket_of(at), direction, verdict, 1)
                if not keeps_time:
                    self._connection.execute("UPDATE undated SET lost = 1")
            self._boot = boot
            self.put("boot", boot)

    def is_behind(self, seconds: float) -> bool:
        """Whether a clock shows an earlier time than something that was counted already."""
        with self._lock:
            row = self._connection.execute(
                "SELECT max(bucket) FROM (SELECT bucket FROM counter UNION ALL SELECT bucket FROM undated)"
            ).fetchone()
        return row[0] is not None and seconds < row[0]

    def date_boots(self, seconds: float) -> int:
        """Date what was counted before the time was known, which is so much later than the clock said.

        Returns how many counters; those of lost hours stay as they are.
        """
        with self._writing():
            self._settle()
            if self._boot is not None:
                self.put("dated_boot", self._boot)
            return self._date(seconds, "lost = 0", ())

    def date_lost(self, boot: str, seconds: float) -> int:
        """Date a boot whose hour was lost, as somebody remembers it; returns how many counters."""
        with self._writing():
            return self._date(seconds, "lost = 1 AND boot = ?", (boot,))

    def lost_hours(self) -> list[LostHour]:
        """The boots whose hour is not known and will not be by itself, in the order of their clocks."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT boot, min(bucket), max(bucket) - min(bucket) + ?,"
                " sum(CASE direction WHEN 'in' THEN count ELSE 0 END),"
                " sum(CASE direction WHEN 'out' THEN count ELSE 0 END)"
                " FROM undated WHERE lost = 1 GROUP BY boot ORDER BY 2",
                (BUCKET_SECONDS,),
            ).fetchall()
        return [LostHour(*row) for row in rows]

    def undated(self) -> int:
        """Passages whose hour is not known yet."""
        with self._lock:
            return int(self._connection.execute("SELECT coalesce(sum(count), 0) FROM undated").fetchone()[0])

    def _date(self, seconds: float, which: str, given: tuple[str, ...]) -> int:
        steps = round(seconds / BUCKET_SECONDS) * BUCKET_SECONDS
        rows = self._connection.execute(
            f"DELETE FROM undated WHERE {which} RETURNING bucket, direction, verdict, count",  # noqa: S608 - ours
            given,
        ).fetchall()
        for bucket, direction, verdict, count in rows:
            self._count(bucket + steps, direction, verdict, count)
        return len(rows)

    def put(self, name: str, value: str | None) -> None:
        """Store a small fact about the gate (never about a person) under a name; None removes it."""
        with self._writing():
            if value is None:
                self._connection.execute("DELETE FROM kept WHERE name = ?", (name,))
            else:
                self._connection.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (name, value))

    def get(self, name: str) -> str | None:
        """The fact stored under a name, or None."""
        with self._lock:
            row = self._connection.execute("SELECT value FROM kept WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def purge(self) -> int:
        """Forget counters that are older than `kept_days` and that the office has; returns how many."""
        # All threads share the connection: while one empties the log, no other may be inside a transaction.
        with self._lock:
            with self._writing():
                bound = bucket_of(self._clock()) - self._kept_days * _SECONDS_PER_DAY
                gone = self._connection.execute(
                    "DELETE FROM counter WHERE bucket < ? AND (sent >= count OR NOT ?)", (bound, self._reports)
                ).rowcount
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return gone

    def close(self) -> None:
        """Enter what waits and close the file; what waits for less than ten seconds is entered at the next start.

        Waits for a thread that is using it: closed under its hands the library would crash.
        """
        with self._lock, closing(self._connection):
            self.settle()

    def _settle(self) -> None:
        bound = self._clock() - UNDO_SECONDS
        rows = self._connection.execute(
            # A clock that was set back must not keep a passage waiting for ever.
            "DELETE FROM waiting WHERE at <= ? OR at > ? RETURNING at, direction, verdict",
            (bound, self._clock() + UNDO_SECONDS),
        ).fetchall()
        for at, direction, verdict in rows:
            self._add(bucket_of(at), direction, verdict, 1)

    def _add(self, bucket: int, direction: str, verdict: str, count: int) -> None:
        if self._boot is None or self.get("dated_boot") == self._boot:
            self._count(bucket, direction, verdict, count)
            return
        self._connection.execute(
            "INSERT INTO undated (boot, bucket, direction, verdict, count) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET count = count + excluded.count",
            (self._boot, bucket, direction, verdict, count),
        )

    def _count(self, bucket: int, direction: str, verdict: str, count: int) -> None:
        self._connection.execute(
            "INSERT INTO counter (bucket, direction, verdict, count) VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET count = count + excluded.count",
            (bucket, direction, verdict, count),
        )

    def _writing(self) -> "_Writing":
        return _Writing(self._connection, self._lock)


def balance_of(totals: Mapping[Passage, int]) -> int:
    """In minus out."""
    return sum(count if passage.direction == "in" else -count for passage, count in totals.items())


class _Writing:
    """A transaction under the lock; whatever the file refuses becomes GateBookUnusable, with nothing half-written."""

    def __init__(self, connection: sqlite3.Connection, lock: threading.RLock) -> None:
        self._connection, self._lock = connection, lock
        self._outermost = True

    def __enter__(self) -> None:
        self._lock.acquire()
        self._outermost = not self._connection.in_transaction
        if self._outermost:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.Error as error:
                self._lock.release()
                raise GateBookUnusable(f"the gate's book cannot be written: {error}") from error

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        try:
            if self._outermost:
                self._connection.execute("COMMIT" if kind is None else "ROLLBACK")
        except sqlite3.Error as failed:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise GateBookUnusable(f"the gate's book cannot be written: {failed}") from failed
        finally:
            self._lock.release()
        if isinstance(error, sqlite3.Error):
            raise GateBookUnusable(f"the gate's book cannot be written: {error}") from error
