# SPDX-License-Identifier: Apache-2.0
"""Decoys in the codes store: random rows that belong to no code. Without them, a city with few cases would be exposed.

The office stores how many codes its workers issued on a day. Without decoys, if one code was issued and one row is
open, a person who sees both would know that this patient has not reported. So every hour gets a random number of open
rows and of used rows with random hashes. No code leads to them, they look like real rows and expire like them.
Source: docs/privacy.md, "What copies of the stores tell".
"""

import hashlib
import os
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from bluezone.keyserver.codes.issued_codes import (
    DIGITS_LIFE_SECONDS,
    EPOCH,
    LINK_LIFE_SECONDS,
    OLDEST_ONSET_DAYS,
    SEALED_LENGTH,
    State,
    last_moment,
)
from bluezone.keyserver.random_counts import cumulative_chances
from bluezone.keyserver.storage.store import Row, Store, Transaction
from bluezone.protocol.intervals import SECONDS_PER_DAY, SECONDS_PER_HOUR, hour_at
from bluezone.protocol.upload import CLINICAL_CLASS, CONFIRMED_CLASS

# Mean number of open decoys, and of used ones. A city that needs this protection has fewer real codes an hour.
AN_HOUR = 4
SEED_LENGTH = 32
_HOURS = LINK_LIFE_SECONDS // SECONDS_PER_HOUR
_DUTY = "decoys"
# Most cases are confirmed and ill for a few days. Some decoys have the oldest onsets that a code can have, so that no
# real onset is conspicuous.
CLINICAL_BELOW = 0.15
ONSET_DAYS = (0, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6, 8) * 8 + tuple(range(OLDEST_ONSET_DAYS + 1))
_INSERT = """INSERT INTO credential
    (handle, digits_hash, link_hash, class, onset_day, digits_expire, link_expire, state, used_digest, told,
    sealed_digits, sealed_link) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""


def add_decoys(codes_store: Store, keys_store: Store, now: float, zone: str, padding_mean: int) -> None:
    """Add the decoys of every hour up to `now` (Unix seconds) that has none yet; safe to repeat.

    In a new store, and after a standstill, these are all hours with codes that may still be open. After a crash an hour
    may get its decoys twice, which does no harm. zone: IANA name, for the days of onset. padding_mean: the city's; if
    it is 0, as in tests, no decoys are added.
    """
    hour = hour_at(now)
    duties = keys_store.read("SELECT done FROM duty WHERE name = ?", (_DUTY,))
    last_done = duties[0][0] if duties else 0
    first = max(last_done, hour - _HOURS) + 1
    if first > hour or not padding_mean:
        return
    rows: list[Row] = []
    for each_hour in range(first, hour + 1):
        rows.extend(random_rows(os.urandom(SEED_LENGTH), each_hour, now, zone))
    codes_store.write(lambda transaction: _insert_rows(transaction, rows))
    note = "INSERT INTO duty VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET done = excluded.done"
    keys_store.write(lambda transaction: transaction.execute(note, (_DUTY, hour)))


def random_rows(seed: bytes, hour: int, now: float, zone: str) -> list[Row]:
    """Decoys that look like codes issued in `hour` (since 1970), open or used at `now`. Same seed, same decoys."""
    stream = np.frombuffer(hashlib.shake_256(seed + b"draws").digest(8 * 2), dtype=">u8") / 2.0**64
    open_rows, used_rows = np.searchsorted(cumulative_chances(AN_HOUR), stream, side="right").tolist()
    random = _Stream(seed)
    digits_end = (hour + 1) * SECONDS_PER_HOUR + DIGITS_LIFE_SECONDS
    link_end = (hour + 1) * SECONDS_PER_HOUR + LINK_LIFE_SECONDS
    today = (datetime.fromtimestamp(hour * SECONDS_PER_HOUR, ZoneInfo(zone)).date() - EPOCH).days
    rows: list[Row] = []
    for _ in range(open_rows):
        klass = CLINICAL_CLASS if random.share() < CLINICAL_BELOW else CONFIRMED_CLASS
        onset = today - ONSET_DAYS[int(random.share() * len(ONSET_DAYS))]
        rows.append((*random.names(), klass, onset, digits_end, link_end, State.OPEN, None, 0, *random.sealed()))
    # The office has been shown the use of every code that was used before today.
    is_disclosed = int(hour * SECONDS_PER_HOUR // SECONDS_PER_DAY < now // SECONDS_PER_DAY)
    end = last_moment(link_end)
    used = (None, None, end, end, State.USED)
    rows.extend(
        (*random.names(), *used, random.next_bytes(32), is_disclosed, *random.sealed()) for _ in range(used_rows)
    )
    return rows


class _Stream:
    """A stream of random bytes that a seed determines."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._count = 0

    def next_bytes(self, length: int) -> bytes:
        self._count += 1
        return hashlib.shake_256(self._seed + b"rows" + self._count.to_bytes(4, "big")).digest(length)

    def share(self) -> float:
        """A number from 0 to below 1."""
        return int.from_bytes(self.next_bytes(6), "big") / 2**48

    def names(self) -> tuple[bytes, bytes, bytes]:
        """A handle and the hashes of digits and link."""
        return self.next_bytes(16), self.next_bytes(32), self.next_bytes(32)

    def sealed(self) -> tuple[bytes, bytes]:
        """Two texts that no code opens."""
        return self.next_bytes(SEALED_LENGTH), self.next_bytes(SEALED_LENGTH)


def _insert_rows(transaction: Transaction, rows: list[Row]) -> None:
    if transaction.dialect == "postgresql":
        # A transaction that uses a code waits for this one and then sees its row; reads do not wait.
        transaction.execute("LOCK TABLE credential IN SHARE ROW EXCLUSIVE MODE")
    transaction.execute_each(_INSERT, rows)
    if transaction.dialect == "postgresql":
        # All rows are written again, in the order of their handles, as SQLite stores them. PostgreSQL's tables would
        # show which transaction wrote a row, and the office's row about a code has the next transaction number.
        all_rows = transaction.execute(f"DELETE FROM credential RETURNING {_COLUMNS}")  # noqa: S608
        marks = ", ".join("?" * len(_COLUMNS.split(", ")))
        sql = f"INSERT INTO credential ({_COLUMNS}) VALUES ({marks})"  # noqa: S608
        transaction.execute_each(sql, sorted(all_rows, key=lambda row: bytes(row[0])))


_COLUMNS = (
    "handle, digits_hash, link_hash, class, onset_day, digits_expire, link_expire, state, used_digest,"
    " revoked_digits_hash, revoked_link_hash, told, sealed_digits, sealed_link"
)
