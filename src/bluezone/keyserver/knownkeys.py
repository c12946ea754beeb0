# SPDX-License-Identifier: Apache-2.0
"""Keys that were here: none is taken twice, under whatever day it says it is of, and however many come at once.

Property: at any moment, over all partitions, each prefix stands in `known_key` at most once. SQLite holds it by its
primary key. On PostgreSQL the table is cut by day, and a unique index of a partitioned table must contain the day: it
would let the same key in under another day. So each partition has the prefix for its primary key, and whoever adds
keys first takes a lock on each prefix, until the end of the transaction; only then looks whether it is in any
partition. Of two that come at once, the second looks after the first has committed or given up.
Source: protocol.md section 4, "key not already stored or published"; docs/adr/0009-partitions.md.
"""

from collections.abc import Sequence

from bluezone.keyserver.store import Transaction

# Sorted, so that two uploads with keys in common wait for each other in one direction only.
_LOCK = "SELECT pg_advisory_xact_lock(prefix) FROM unnest(?::bigint[]) AS prefix"
# A statement of its own: it sees what was committed while the one before waited.
_LOOK = "SELECT 1 FROM known_key WHERE prefix = ANY(?::bigint[]) LIMIT 1"


def remember(transaction: Transaction, keys: Sequence[tuple[int, int]]) -> bool:
    """Write keys down as known; False, and the transaction is to be undone, if one of them was here before.

    keys: pairs of prefix (`store.key_prefix`) and first interval.
    """
    if transaction.dialect == "postgresql":
        prefixes = sorted(prefix for prefix, _ in keys)
        transaction.execute(_LOCK, (prefixes,))
        if transaction.execute(_LOOK, (prefixes,)):
            return False
    added = transaction.execute_each("INSERT INTO known_key VALUES (?, ?) ON CONFLICT DO NOTHING", keys)
    return added == len(keys)
