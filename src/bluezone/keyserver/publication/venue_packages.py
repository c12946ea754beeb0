# SPDX-License-Identifier: Apache-2.0
"""Venue packages: collect the waiting sealed items, and write one file per hour.

If writing a package is interrupted, it is written again with the same bytes.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bluezone.keyserver.publication.file_repair import copy_content
from bluezone.keyserver.publication.folder import NAME_DIGITS, PublishedFiles
from bluezone.keyserver.publication.series import MOST_LATE_SECONDS, PACKAGES_FOLDER
from bluezone.keyserver.random_counts import cumulative_chances
from bluezone.keyserver.storage.store import Row, Store, Transaction
from bluezone.protocol.intervals import SECONDS_PER_HOUR, hour_at
from bluezone.protocol.signed.envelope import CHAIN_START, extend_chain
from bluezone.protocol.venues.items import ITEM_LENGTH

_DRAW_BYTES = 8


@dataclass(frozen=True)
class VenuePackages:
    """The packages of one city.

    store: of keys. period_seconds: if 0, as in a demo, a package is made as soon as an item waits. padding_mean: mean
    number of random items in a package. random_bytes: draws the padding. first_number: that of the epoch, 1 before the
    first epoch.
    """

    store: Store
    published: PublishedFiles
    period_seconds: int
    padding_mean: int
    random_bytes: Callable[[int], bytes]
    first_number: int = 1

    def publish_due_package(self, now: float) -> None:
        """Finish a package that was interrupted, and make the next one if it is due.

        Call it under the service's lock. Raises StoreRefused; the next call finishes what this one has started.
        """
        self._finish(now)
        if self._is_due(now):
            self.store.write(lambda transaction: self._begin(transaction, now))
            self._finish(now)

    def _is_due(self, now: float) -> bool:
        last = self.store.read("SELECT end_timestamp FROM venue_package ORDER BY number DESC LIMIT 1")
        if not last:
            return True
        if self.period_seconds:
            return hour_at(now) > hour_at(last[0][0])
        # With period 0 (demo) a package is made as soon as it would contain something.
        return int(now) > last[0][0] and bool(self.store.read("SELECT 1 FROM waiting_item LIMIT 1"))

    def _begin(self, transaction: Transaction, now: float) -> None:
        last = transaction.execute(
            "SELECT number, chain_before, sha256 FROM venue_package ORDER BY number DESC LIMIT 1"
        )
        if last:
            number = last[0][0] + 1
            chain = extend_chain(last[0][1], last[0][2])
        else:
            number = 1
            chain = CHAIN_START
        number = max(number, self.first_number)
        # In one statement: on PostgreSQL an item that arrives between a SELECT and a DELETE would be lost.
        rows = transaction.execute("DELETE FROM waiting_item RETURNING tag, nonce, sealed")
        # Tags look random, so the order of the bytes reveals nothing about the items, nor which are padding.
        items = sorted([tag + nonce + sealed for tag, nonce, sealed in rows] + self._padding())
        transaction.execute(
            "INSERT INTO venue_package (number, end_timestamp, content, chain_before) VALUES (?, ?, ?, ?)",
            (number, self._end(now), b"".join(items), chain),
        )

    def _padding(self) -> list[bytes]:
        """Random items, at least one. Their number varies, so that a package does not show how many items are real."""
        mean = self.padding_mean
        drawn = int.from_bytes(self.random_bytes(_DRAW_BYTES), "big") / 2.0**64
        count = 1
        if mean:
            count += int(np.searchsorted(cumulative_chances(mean), drawn, side="right"))
        return [self.random_bytes(ITEM_LENGTH) for _ in range(count)]

    def _finish(self, now: float) -> None:
        """Write and complete the unfinished package, if there is one."""
        unfinished = self.store.read("SELECT number, end_timestamp, content FROM venue_package WHERE sha256 IS NULL")
        for number, begun_end, content in unfinished:
            end = begun_end if now - begun_end <= MOST_LATE_SECONDS else self._end(now)
            digest = hashlib.sha256(content).digest()
            name = f"{number}-{digest.hex()[:NAME_DIGITS]}.bin"
            self.published.put_if_absent(f"{PACKAGES_FOLDER}/{name}", content)
            self._complete((name, digest, len(content), end, number), content)

    def _end(self, now: float) -> int:
        return int(now) // SECONDS_PER_HOUR * SECONDS_PER_HOUR if self.period_seconds else int(now)

    def _complete(self, row: Row, content: bytes) -> None:
        sql = "UPDATE venue_package SET name = ?, sha256 = ?, size = ?, end_timestamp = ?, content = NULL WHERE number = ?"

        def action(transaction: Transaction) -> None:
            transaction.execute(sql, row)
            copy_content(transaction, row[1], content)

        self.store.write(action)
