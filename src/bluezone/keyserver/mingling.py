# SPDX-License-Identifier: Apache-2.0
"""Keys that came together are written again among all others, so that the database itself forgets who came with whom.

PostgreSQL marks every row with the transaction that wrote it (`xmin`) and keeps rows in the order they came, which
would link the keys of one upload. Rewritten in one transaction, sorted by their bytes, all keys of an hour look
alike. SQLite keeps neither: its tables are ordered by the key, and its log is emptied every hour.
Source: protocol.md section 4, "Nothing stored links"; attacks.md row 15.
"""

from bluezone.keyserver.pushing import mingle_subscriptions
from bluezone.keyserver.store import Store, Transaction, key_prefix

_DUTY = "mingle"


def mingle_once_an_hour(store: Store, hour: int) -> bool:
    """Mingle the keys of the hours before `hour` (Unix seconds // 3600); False if that was done already."""
    done = store.read("SELECT done FROM duty WHERE name = ?", (_DUTY,))
    if done and done[0][0] >= hour:
        return False
    mingle(store, hour)
    store.write(
        lambda transaction: transaction.execute(
            "INSERT INTO duty VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET done = excluded.done", (_DUTY, hour)
        )
    )
    return True


def mingle(store: Store, before_hour: int) -> None:
    """Write the waiting keys received before an hour again, in the order of their bytes, in one transaction.

    Every key waits for a file at first, so this reaches all of them before their hour is forgotten.
    """
    if store.dialect == "sqlite":
        return

    def action(transaction: Transaction) -> None:
        waiting = transaction.execute(
            "DELETE FROM waiting_key WHERE received_hour < ? RETURNING start, key, level, class, received_hour",
            (before_hour,),
        )
        if not waiting:
            return
        known = sorted((key_prefix(row[1]), row[0]) for row in waiting)
        # With the day, so that only its partition is looked into.
        transaction.execute_each("DELETE FROM known_key WHERE prefix = ? AND start = ?", known)
        transaction.execute_each("INSERT INTO known_key VALUES (?, ?)", known)
        transaction.execute_each("INSERT INTO waiting_key VALUES (?, ?, ?, ?, ?)", sorted(waiting))

    store.write(action)
    mingle_subscriptions(store)
