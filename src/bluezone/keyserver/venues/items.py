# SPDX-License-Identifier: Apache-2.0
"""Sealed items of visits, which wait for the next venue package."""

import os
from collections.abc import Iterable

from bluezone.keyserver.storage.store import Transaction
from bluezone.protocol.upload import CLINICAL_CLASS, CONFIRMED_CLASS, Slot
from bluezone.protocol.venues.items import (
    CLINICAL_LEVEL,
    CONFIRMED_LEVEL,
    NONCE_LENGTH,
    TAG_LENGTH,
    Record,
    seal_item,
)

# Level of an item by the class of its report: a confirmed test weighs more (1.6 against 1.4 a minute).
_LEVELS = {CONFIRMED_CLASS: CONFIRMED_LEVEL, CLINICAL_CLASS: CLINICAL_LEVEL}


def store_items(transaction: Transaction, slots: Iterable[Slot], klass: int) -> None:
    """Seal slots and store the items until the next package. klass: 1 confirmed test, 2 clinical."""
    # In the order of their bytes, so that the order of rows in the database reveals nothing.
    transaction.execute_each(
        "INSERT INTO waiting_item (tag, nonce, sealed) VALUES (?, ?, ?)",
        sorted(seal_slot(slot, klass) for slot in slots),
    )


def seal_slot(slot: Slot, klass: int) -> tuple[bytes, bytes, bytes]:
    """Return tag (16 bytes), nonce (12) and sealed record (24) of one slot."""
    record = Record(_LEVELS[klass], slot.start_minute, slot.end_minute, slot.hour)
    item = seal_item(slot.slot_key, record, os.urandom(NONCE_LENGTH))
    return item[:TAG_LENGTH], item[TAG_LENGTH : TAG_LENGTH + NONCE_LENGTH], item[TAG_LENGTH + NONCE_LENGTH :]
