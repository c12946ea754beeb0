# SPDX-License-Identifier: Apache-2.0
"""Export files: collect the keys that are due, and write one file per period.

If writing a file is interrupted, it is written again with the same bytes.
"""

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bluezone.city_settings import City
from bluezone.keyserver.keys.keyfolder import SigningKeys
from bluezone.keyserver.publication.embargo import newest_published_day, oldest_published_day, takes_keys
from bluezone.keyserver.publication.file_repair import copy_content
from bluezone.keyserver.publication.folder import NAME_DIGITS, PublishedFiles
from bluezone.keyserver.publication.mingling import mingle
from bluezone.keyserver.publication.padding import Padding, export_columns
from bluezone.keyserver.publication.series import EXPORTS_FOLDER, MOST_LATE_SECONDS
from bluezone.keyserver.storage.store import Row, Store, Transaction
from bluezone.protocol.exports.writer import ExportKeys, write_export
from bluezone.protocol.intervals import first_interval, hour_at
from bluezone.protocol.keys import KEY_LENGTH
from bluezone.protocol.signed.envelope import CHAIN_START, extend_chain

# A key of an unfinished file, real or random: key, start, level, class.
PACKED_KEY = struct.Struct(f">{KEY_LENGTH}sIBB")
# The value of a column that is no longer used: earlier versions drew a file's random keys from this seed.
_NO_SEED = b""
_PACKED_ROW = np.dtype([("key", "u1", (KEY_LENGTH,)), ("start", ">u4"), ("level", "u1"), ("class", "u1")])


@dataclass(frozen=True)
class ExportFiles:
    """The export files of one city.

    store: of keys. random_bytes: draws the seeds of the random keys. first_number: that of the epoch, 1 before the
    first epoch.
    """

    store: Store
    city: City
    keys: SigningKeys
    published: PublishedFiles
    random_bytes: Callable[[int], bytes]
    first_number: int = 1

    @property
    def padding(self) -> Padding:
        """Puts random keys among the waiting ones."""
        return Padding(self.city.padding_mean, self.city.publish_period_seconds, self.random_bytes)

    def publish_due_file(self, now: float) -> None:
        """Finish a file that was interrupted, make the next one if it is due, and add the random keys of the hour.

        Call it under the service's lock. Raises StoreRefused; the next call finishes what this one has started.
        """
        self._finish(now)
        if self._is_due(now):
            self.store.write(lambda transaction: self.padding.add_keys_before_file(transaction, now))
            mingle(self.store, hour_at(now) + 1)
            self.store.write(lambda transaction: self._begin(transaction, now))
            self._finish(now)
        elif self.padding.is_due(self.store, now):
            self.store.write(lambda transaction: self.padding.add_keys_of_hour(transaction, now))

    def _is_due(self, now: float) -> bool:
        last = self.store.read("SELECT end_timestamp FROM export_file ORDER BY number DESC LIMIT 1")
        if not last:
            return True
        period = self.city.publish_period_seconds
        if period:
            return int(now) // period > int(last[0][0]) // period
        # With period 0 (demo) a file is made as soon as it would contain something.
        first, end = self._due_starts(now)
        waiting = self.store.read("SELECT 1 FROM waiting_key WHERE start BETWEEN ? AND ? LIMIT 1", (first, end))
        return bool(waiting) and int(now) > last[0][0]

    def _due_starts(self, now: float) -> tuple[int, int]:
        """First and last start of the keys due now."""
        newest = newest_published_day(now, self.city.embargo_seconds)
        return first_interval(oldest_published_day(newest, self.city.hold_seconds)), first_interval(newest)

    def _begin(self, transaction: Transaction, now: float) -> None:
        last = transaction.execute(
            "SELECT number, end_timestamp, chain_before, sha256 FROM export_file ORDER BY number DESC LIMIT 1"
        )
        period = self.city.publish_period_seconds
        end = int(now) // period * period if period else int(now)
        if last:
            number = last[0][0] + 1
            start = last[0][1]
            chain = extend_chain(last[0][2], last[0][3])
        else:
            number = 1
            start = end - (period or 1)
            chain = CHAIN_START
        number = max(number, self.first_number)
        newest = newest_published_day(now, self.city.embargo_seconds)
        rows: list[Row] = []
        if takes_keys(self.city, start, end):
            # In one statement: on PostgreSQL a key that arrives between a SELECT and a DELETE would be lost.
            rows = transaction.execute(
                "DELETE FROM waiting_key WHERE start BETWEEN ? AND ? RETURNING key, start, level, class",
                self._due_starts(now),
            )
        packed = b"".join(PACKED_KEY.pack(*row) for row in sorted(rows))
        transaction.execute(
            "INSERT INTO export_file"
            " (number, start_timestamp, end_timestamp, newest_day, padding_mean, padding_seed, held, chain_before)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (number, start, end, newest, self.city.padding_mean, _NO_SEED, packed, chain),
        )
        # In the same transaction, so that keys of the next report never wait without random keys.
        self.padding.add_keys_of_hour(transaction, now)

    def _finish(self, now: float) -> None:
        """Write and complete the unfinished file, if there is one."""
        unfinished = self.store.read(
            "SELECT number, start_timestamp, end_timestamp, held, padding_seed FROM export_file WHERE sha256 IS NULL"
        )
        for number, start, end, packed, seed in unfinished:
            if bytes(seed) != _NO_SEED or not self._is_end_of_period(end) or now - end > MOST_LATE_SECONDS:
                # An earlier version started this file without random keys, or the period has changed since, so that the
                # signer would refuse it, or it would soon be too old to be listed. Its keys wait again, among random
                # ones.
                self.store.write(requeue_keys)
                break
            data = write_export(
                _columns(packed),
                start_timestamp=start,
                end_timestamp=end,
                region=self.city.region,
                signing_key=self.keys.export_key,
                info=self.keys.export_signature_info(),
            )
            digest = hashlib.sha256(data).digest()
            name = f"{number}-{digest.hex()[:NAME_DIGITS]}.zip"
            self.published.put_if_absent(f"{EXPORTS_FOLDER}/{name}", data)
            self._complete((name, digest, len(data), number), data)

    def _is_end_of_period(self, end: int) -> bool:
        period = self.city.publish_period_seconds
        return not period or end % period == 0

    def _complete(self, row: Row, data: bytes) -> None:
        sql = "UPDATE export_file SET name = ?, sha256 = ?, size = ?, padding_seed = NULL, held = NULL WHERE number = ?"

        def action(transaction: Transaction) -> None:
            transaction.execute(sql, row)
            copy_content(transaction, row[1], data)

        self.store.write(action)


def _columns(packed: bytes) -> ExportKeys:
    rows = np.frombuffer(packed, dtype=_PACKED_ROW)
    return export_columns(rows["key"], rows["start"], rows["level"], rows["class"])


def requeue_keys(transaction: Transaction) -> None:
    """Put the keys of an unfinished file back among the waiting ones."""
    for (packed,) in transaction.execute("DELETE FROM export_file WHERE sha256 IS NULL RETURNING held"):
        rows = [(start, key, level, klass, 0) for key, start, level, klass in PACKED_KEY.iter_unpack(bytes(packed))]
        transaction.execute_each("INSERT INTO waiting_key VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", rows)
