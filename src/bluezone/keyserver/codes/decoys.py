# SPDX-License-Identifier: Apache-2.0
"""Rows of the codes store that are no code's: where few codes are issued, their number would tell which were not used.

The office keeps how many codes its workers issued on a day. Beside a store whose open rows are all codes that nobody
has used, a day of one code and one open row names a code that brought no keys. So some open rows and some used ones are
put there for every hour, a random number of each, with random hashes: no code finds them, and nothing in a row tells it
from a real one. They end as real ones do. Source: docs/privacy.md, "What copies of the stores tell".
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
from bluezone.keyserver.random_counts import cumulative
from bluezone.keyserver.storage.store import Row, Store, Transaction
from bluezone.protocol.intervals import SECONDS_PER_DAY, SECONDS_PER_HOUR, hour_at
from bluezone.protocol.upload import CLINICAL_CLASS, CONFIRMED_CLASS

# In the mean, of open rows and of used ones each. Real ones are fewer in a city that they are to protect.
AN_HOUR = 4
SEED_LENGTH = 32
_HOURS = LINK_LIFE_SECONDS // SECONDS_PER_HOUR
_DUTY = "decoys"
# What most cases are: confirmed, and ill for a few days. Some are ill for as long as a code is issued for, so that no
# onset of a real one stands out.
CLINICAL_BELOW = 0.15
ONSET_DAYS = (0, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6, 8) * 8 + tuple(range(OLDEST_ONSET_DAYS + 1))
_INSERT = """INSERT INTO credential
    (handle, digits_hash, link_hash, class, onset_day, digits_expire, link_expire, state, used_digest, told,
    sealed_digits, sealed_link) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""


def put_decoys(codes_store: Store, keys_store: Store, now: float, zone: str, padding_mean: int) -> None:
    """Put the decoys of every hour up to the one of `now` (Unix seconds) that has none; safe to repeat.

    zone: IANA name, of the days of onsets. padding_mean: the city's; where it is 0, in tests, there are no decoys.
    In a new store, and after a standstill, those of all hours whose codes may still be open. After a crash an hour may
    have its decoys twice, which nobody can tell.
    """
    hour = hour_at(now)
    noted = keys_store.read("SELECT done FROM duty WHERE name = ?", (_DUTY,))
    first = max(noted[0][0] if noted else 0, hour - _HOURS) + 1
    if first > hour or not padding_mean:
        return
    rows = [row for each in range(first, hour + 1) for row in random_rows(os.urandom(SEED_LENGTH), each, now, zone)]
    codes_store.write(lambda transaction: _put(transaction, rows))
    note = "INSERT INTO duty VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET done = excluded.done"
    keys_store.write(lambda transaction: transaction.execute(note, (_DUTY, hour)))


def random_rows(seed: bytes, hour: int, now: float, zone: str) -> list[Row]:
    """Decoys as codes issued in `hour` (since 1970) that are open or used at `now`; the same seed gives the same."""
    stream = np.frombuffer(hashlib.shake_256(seed + b"draws").digest(8 * 2), dtype=">u8") / 2.0**64
    open_rows, used_rows = np.searchsorted(cumulative(AN_HOUR), stream, side="right").tolist()
    random = _Stream(seed)
    digits_end = (hour + 1) * SECONDS_PER_HOUR + DIGITS_LIFE_SECONDS
    link_end = (hour + 1) * SECONDS_PER_HOUR + LINK_LIFE_SECONDS
    today = (datetime.fromtimestamp(hour * SECONDS_PER_HOUR, ZoneInfo(zone)).date() - EPOCH).days
    rows: list[Row] = []
    for _ in range(open_rows):
        klass = CLINICAL_CLASS if random.share() < CLINICAL_BELOW else CONFIRMED_CLASS
        onset = today - ONSET_DAYS[int(random.share() * len(ONSET_DAYS))]
        rows.append((*random.names(), klass, onset, digits_end, link_end, State.OPEN, None, 0, *random.sealed()))
    # One that was used on an earlier day than today has been told.
    told = int(hour * SECONDS_PER_HOUR // SECONDS_PER_DAY < now // SECONDS_PER_DAY)
    end = last_moment(link_end)
    used = (None, None, end, end, State.USED)
    rows.extend((*random.names(), *used, random.take(32), told, *random.sealed()) for _ in range(used_rows))
    return rows


class _Stream:
    """Random bytes of a seed, one after the other."""

    def __init__(self, seed: bytes) -> None:
        self._seed, self._count = seed, 0

    def take(self, length: int) -> bytes:
        self._count += 1
        return hashlib.shake_256(self._seed + b"rows" + self._count.to_bytes(4, "big")).digest(length)

    def share(self) -> float:
        """A number from 0 to below 1."""
        return int.from_bytes(self.take(6), "big") / 2**48

    def names(self) -> tuple[bytes, bytes, bytes]:
        """A handle and the hashes of digits and link."""
        return self.take(16), self.take(32), self.take(32)

    def sealed(self) -> tuple[bytes, bytes]:
        """Two texts that no code opens."""
        return self.take(SEALED_LENGTH), self.take(SEALED_LENGTH)


def _put(transaction: Transaction, rows: list[Row]) -> None:
    if transaction.dialect == "postgresql":
        # Whoever uses a code waits for this transaction and then finds its row; who reads does not wait.
        transaction.execute("LOCK TABLE credential IN SHARE ROW EXCLUSIVE MODE")
    transaction.execute_each(_INSERT, rows)
    if transaction.dialect == "postgresql":
        # PostgreSQL's tables keep the order in which rows came and the number of the transaction that wrote each, and
        # the office's row of a code has the next one. SQLite's lie in the order of their handles.
        held = transaction.execute(f"DELETE FROM credential RETURNING {_COLUMNS}")  # noqa: S608
        marks = ", ".join("?" * len(_COLUMNS.split(", ")))
        sql = f"INSERT INTO credential ({_COLUMNS}) VALUES ({marks})"  # noqa: S608
        transaction.execute_each(sql, sorted(held, key=lambda row: bytes(row[0])))


_COLUMNS = (
    "handle, digits_hash, link_hash, class, onset_day, digits_expire, link_expire, state, used_digest,"
    " revoked_digits_hash, revoked_link_hash, told, sealed_digits, sealed_link"
)
