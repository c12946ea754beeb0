# SPDX-License-Identifier: Apache-2.0
"""On PostgreSQL the tables that grow with every upload are cut by time, so that forgetting a day drops a file.

`known_key` is cut by the UTC day of the key, `spent` by the week in which its certificates end. A partition is named
by the first value that is too late for it (`known_key_until_2991024`); `known_key_rest` takes what has no partition
of its own, so that nothing is ever refused for want of one. All that is done here asks for its lock for a moment and
otherwise gives up until the next tick: whoever waits for a lock on a table holds up all who come after.
Source: docs/design.md, Growth path; docs/adr/0009-partitions.md.
"""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bluezone.keyserver.storage.store import Store, StoreBusy, StoreRefused, Transaction
from bluezone.logs import event
from bluezone.protocol.intervals import INTERVALS_PER_DAY, SECONDS_PER_WEEK, first_interval, week_start
from bluezone.protocol.upload import MAX_KEY_AGE_DAYS

logger = logging.getLogger(__name__)

# Days and weeks made ahead: for so long the tick may be down before rows go into the rest.
DAYS_AHEAD = 3
WEEKS_AHEAD = 4

_LOCK_MILLISECONDS = 100
_ATTEMPTS = 10
# So that those who waited behind an attempt are served before the next one.
_PAUSE_SECONDS = 0.1

# Migration 5 may wait a little longer: it runs once, and nobody is served by a version that has not had it.
_MIGRATION_LOCK_MILLISECONDS = 1000


@dataclass(frozen=True)
class Divided:
    """A table cut by `column` into spans; a span ends before each multiple of `span` plus `offset`."""

    table: str
    column: str
    span: int
    offset: int
    layout: str

    def name(self, until: int) -> str:
        """Name of the partition that ends before `until`."""
        return f"{self.table}_until_{until}"


KNOWN_KEY = Divided("known_key", "start", INTERVALS_PER_DAY, 0, "prefix BIGINT NOT NULL, start INTEGER NOT NULL")
# Certificates of a kid all end in the same second, a Monday at 00:00 UTC; each has its partition to the very second.
SPENT = Divided(
    "spent", "accept_until", SECONDS_PER_WEEK, week_start(0) + 1, "digest BYTEA NOT NULL, accept_until BIGINT NOT NULL"
)
_DIVIDED = (KNOWN_KEY, SPENT)


def make_ahead(store: Store, now: float, today: int) -> None:
    """Make the partitions of the days and weeks whose rows may come now and soon. today: UTC day since 1970."""
    if store.dialect != "postgresql":
        return
    days = range(today - MAX_KEY_AGE_DAYS, today + DAYS_AHEAD + 1)
    _make(store, KNOWN_KEY, (first_interval(day + 1) for day in days))
    ends = range(week_start(now), week_start(now) + WEEKS_AHEAD * SECONDS_PER_WEEK, SECONDS_PER_WEEK)
    _make(store, SPENT, (end + 1 for end in ends))


def drop_before(store: Store, divided: Divided, limit: int) -> bool:
    """Drop every partition whose rows are all below `limit`; False if one is in use and must wait for the next tick."""
    if store.dialect != "postgresql":
        return True
    dropped = [
        _with_short_locks(store, lambda t, until=until: t.execute(f"DROP TABLE {divided.name(until)}"))  # type: ignore[misc]
        for until in _ends(store, divided)
        if until <= limit
    ]
    return all(dropped)


def _ends(store: Store, divided: Divided) -> list[int]:
    """The ends of the partitions there are, oldest first."""
    prefix = divided.name(0)[:-1]
    rows = store.read(
        "SELECT child.relname FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid"
        " WHERE inhparent = to_regclass(?)",
        (divided.table,),
    )
    return sorted(int(name.removeprefix(prefix)) for (name,) in rows if name.startswith(prefix))


def _make(store: Store, divided: Divided, ends: Iterable[int]) -> None:
    there = _ends(store, divided)
    # The first partition may be a wide one that was a whole table before; what it covers needs no other.
    oldest = there[0] if there else 0
    missing = [until for until in ends if until > oldest and until not in there]

    def make_all(transaction: Transaction) -> None:
        for until in missing:
            _make_one(transaction, divided, until)

    if missing:
        _with_short_locks(store, make_all)


def _make_one(transaction: Transaction, divided: Divided, until: int) -> None:
    name, rest = divided.name(until), f"{divided.table}_rest"
    if transaction.execute(
        f"SELECT 1 FROM {rest} WHERE {divided.column} >= ? AND {divided.column} < ? LIMIT 1",  # noqa: S608
        (until - divided.span, until),
    ):
        # Rows came before their partition did; they are found and forgotten where they are.
        return
    # Made beside and attached: so whoever reads or writes the other partitions goes on meanwhile.
    transaction.execute(f"CREATE TABLE {name} (LIKE {rest} INCLUDING ALL)")
    transaction.execute(
        f"ALTER TABLE {divided.table} ATTACH PARTITION {name} FOR VALUES FROM ({until - divided.span}) TO ({until})"
    )


def _with_short_locks(store: Store, action: Callable[[Transaction], object]) -> bool:
    """Run `action` with locks that are waited for a moment; False if somebody held one through every attempt."""

    def shortly(transaction: Transaction) -> None:
        transaction.execute(f"SET LOCAL lock_timeout = {_LOCK_MILLISECONDS}")
        action(transaction)

    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE_SECONDS)
        try:
            store.write(shortly)
        except StoreBusy:
            continue
        return True
    sentence = "keys store: a partition is in use (a backup, a long query); tried again at the next tick"
    logger.warning(sentence, extra=event("partition_in_use"))
    return False


def divide(store: Store) -> Callable[[Transaction], None]:
    """Migration 5: get `known_key` and `spent` ready to become partitions of themselves; returns what does it.

    The rows stay where they are. Reading them once to know what they hold below blocks nobody; the exchange itself
    is a few changes of the catalogue. Raises StoreBusy when somebody holds a lock for too long; run it again.
    """
    ends = {divided: _bounded(store, divided) for divided in _DIVIDED}

    def exchange(transaction: Transaction) -> None:
        limit_locks(transaction)
        for divided, until in ends.items():
            _exchange(transaction, divided, until)

    return exchange


def limit_locks(transaction: Transaction) -> None:
    """Let a migration give up rather than have everybody queue behind it."""
    transaction.execute(f"SET LOCAL lock_timeout = {_MIGRATION_LOCK_MILLISECONDS}")


def _bounded(store: Store, divided: Divided) -> int | None:
    """Have the database know that all rows are below an end, which it returns; None for a table without rows."""
    ((newest,),) = store.read(f"SELECT MAX({divided.column}) FROM {divided.table}")  # noqa: S608
    if newest is None:
        return None
    # Two spans on, for rows that come until the exchange is done.
    until = int(newest) - (int(newest) - divided.offset) % divided.span + 3 * divided.span
    name = f"{divided.table}_bound"

    def promise(transaction: Transaction) -> None:
        limit_locks(transaction)
        transaction.execute(f"ALTER TABLE {divided.table} DROP CONSTRAINT IF EXISTS {name}")
        transaction.execute(
            f"ALTER TABLE {divided.table} ADD CONSTRAINT {name} CHECK ({divided.column} < {until}) NOT VALID"
        )

    store.write(promise)
    # In a transaction of its own: it reads every row, under a lock that nobody who reads or writes rows minds.
    store.write(lambda t: t.execute(f"ALTER TABLE {divided.table} VALIDATE CONSTRAINT {name}"))
    return until


def _exchange(transaction: Transaction, divided: Divided, until: int | None) -> None:
    table, rest, old = divided.table, f"{divided.table}_rest", f"{divided.table}_undivided"
    transaction.execute(f"ALTER TABLE {table} RENAME TO {old}")
    transaction.execute(f"CREATE TABLE {table} ({divided.layout}) PARTITION BY RANGE ({divided.column})")
    transaction.execute(f"CREATE TABLE {rest} (LIKE {old} INCLUDING ALL)")
    transaction.execute(f"ALTER TABLE {rest} DROP CONSTRAINT IF EXISTS {table}_bound")
    transaction.execute(f"ALTER TABLE {table} ATTACH PARTITION {rest} DEFAULT")
    if until is None:
        if transaction.execute(f"SELECT 1 FROM {old} LIMIT 1"):  # noqa: S608
            raise StoreRefused(f"the first rows of {table} came during the migration; start again")
        transaction.execute(f"DROP TABLE {old}")
    else:
        transaction.execute(f"ALTER TABLE {old} RENAME TO {divided.name(until)}")
        transaction.execute(
            f"ALTER TABLE {table} ATTACH PARTITION {divided.name(until)} FOR VALUES FROM (MINVALUE) TO ({until})"
        )
