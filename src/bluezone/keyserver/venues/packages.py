# SPDX-License-Identifier: Apache-2.0
"""Venue slots become sealed items at once, and every hour the items of all uploads together become a package.

Only who was in that venue in that hour can open an item. Packages are mingled and padded; then the items are forgotten.
"""

import hashlib
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from bluezone.keyserver.publication.exports import NAME_DIGITS
from bluezone.keyserver.publication.padding import cumulative
from bluezone.keyserver.storage.store import Row, Transaction
from bluezone.protocol.intervals import SECONDS_PER_HOUR, hour_at
from bluezone.protocol.signed.envelope import CHAIN_START, extend_chain
from bluezone.protocol.upload import CLINICAL_CLASS, CONFIRMED_CLASS, Slot
from bluezone.protocol.venues.items import (
    CLINICAL_LEVEL,
    CONFIRMED_LEVEL,
    ITEM_LENGTH,
    NONCE_LENGTH,
    TAG_LENGTH,
    Record,
    seal_item,
)

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


# Level of an item by the class of its report: a confirmed test weighs more (1.6 against 1.4 a minute).
_LEVELS = {CONFIRMED_CLASS: CONFIRMED_LEVEL, CLINICAL_CLASS: CLINICAL_LEVEL}


def keep_items(transaction: Transaction, slots: Iterable[Slot], klass: int) -> None:
    """Seal slots and keep the items until the next package. klass: 1 confirmed test, 2 clinical."""
    # In the order of their bytes, so that a database that keeps rows as they come has no order to tell.
    transaction.execute_each(
        "INSERT INTO waiting_item (tag, nonce, sealed) VALUES (?, ?, ?)",
        sorted(sealed_item(slot, klass) for slot in slots),
    )


def sealed_item(slot: Slot, klass: int) -> tuple[bytes, bytes, bytes]:
    """Return tag (16 bytes), nonce (12) and sealed record (24) of one slot."""
    record = Record(_LEVELS[klass], slot.start_minute, slot.end_minute, slot.hour)
    item = seal_item(slot.slot_key, record, os.urandom(NONCE_LENGTH))
    return item[:TAG_LENGTH], item[TAG_LENGTH : TAG_LENGTH + NONCE_LENGTH], item[TAG_LENGTH + NONCE_LENGTH :]
