# SPDX-License-Identifier: Apache-2.0
"""Venue packages: every hour the sealed items of all uploads together, mingled and padded; then they are forgotten.

A package is made in three steps, each safe to repeat: its content is fixed in one transaction, which also removes the
items from the store; the file is written; the row is sealed with its hash and the content leaves the store.
Source: protocol.md section 5, "Venue package"; specs/attacks.md row 22.
"""

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from bluezone.keyserver.padding import cumulative
from bluezone.keyserver.publication import NAME_DIGITS
from bluezone.keyserver.store import Row, Transaction
from bluezone.protocol.intervals import SECONDS_PER_HOUR, hour_at
from bluezone.protocol.signedjson import CHAIN_START, extend_chain
from bluezone.protocol.venueitem import ITEM_LENGTH

if TYPE_CHECKING:
    from bluezone.keyserver.service import KeyServer

FOLDER = "venues"

_DRAW_BYTES = 8


def publish_packages(server: "KeyServer", now: float) -> None:
    """Finish a package that was interrupted, and make the next one if it is due.

    Call it under the service's lock. Raises StoreRefused; whatever was begun is finished at the next call.
    """
    _finish(server)
    if _is_due(server, now):
        server.keys_store.write(lambda transaction: _begin(transaction, server, now))
        _finish(server)


def _is_due(server: "KeyServer", now: float) -> bool:
    last = server.keys_store.read("SELECT end_timestamp FROM venue_package ORDER BY number DESC LIMIT 1")
    if not last:
        return True
    if server.city.publish_period_seconds:
        return hour_at(now) > hour_at(last[0][0])
    # With period 0 (demo) a package appears when there is something in it.
    return int(now) > last[0][0] and bool(server.keys_store.read("SELECT 1 FROM waiting_item LIMIT 1"))


def _begin(transaction: Transaction, server: "KeyServer", now: float) -> None:
    last = transaction.execute("SELECT number, chain_before, sha256 FROM venue_package ORDER BY number DESC LIMIT 1")
    number, chain = (last[0][0] + 1, extend_chain(last[0][1], last[0][2])) if last else (1, CHAIN_START)
    end = int(now) // SECONDS_PER_HOUR * SECONDS_PER_HOUR if server.city.publish_period_seconds else int(now)
    # In one statement: on PostgreSQL an item that came between a SELECT and a DELETE would be deleted unpublished.
    rows = transaction.execute("DELETE FROM waiting_item RETURNING tag, nonce, sealed")
    # Tags look random, so items in the order of their bytes stand in no order; padding stands among them.
    items = sorted([tag + nonce + sealed for tag, nonce, sealed in rows] + _padding(server))
    transaction.execute(
        "INSERT INTO venue_package (number, end_timestamp, content, chain_before) VALUES (?, ?, ?, ?)",
        (number, end, b"".join(items), chain),
    )


def _padding(server: "KeyServer") -> list[bytes]:
    """Random items, at least one: how many differs from hour to hour, so that a count tells little of the real ones."""
    mean = server.city.venue_padding_mean
    drawn = int.from_bytes(server.random_bytes(_DRAW_BYTES), "big") / 2.0**64
    count = 1 + (int(np.searchsorted(cumulative(mean), drawn, side="right")) if mean else 0)
    return [server.random_bytes(ITEM_LENGTH) for _ in range(count)]


def _finish(server: "KeyServer") -> None:
    """Write and seal the package that was begun, if there is one."""
    for number, content in server.keys_store.read("SELECT number, content FROM venue_package WHERE sha256 IS NULL"):
        digest = hashlib.sha256(content).digest()
        name = f"{number}-{digest.hex()[:NAME_DIGITS]}.bin"
        server.published.put_if_absent(f"{FOLDER}/{name}", content)
        _seal(server, (name, digest, len(content), number))


def _seal(server: "KeyServer", row: Row) -> None:
    sql = "UPDATE venue_package SET name = ?, sha256 = ?, size = ?, content = NULL WHERE number = ?"
    server.keys_store.write(lambda transaction: transaction.execute(sql, row))
