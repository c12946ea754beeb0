# SPDX-License-Identifier: Apache-2.0
"""Remove from the keys store, every hour, what shows which rows arrived together: their order and their hours."""

from bluezone.keyserver.storage.store import Store, Transaction, key_prefix

_DUTY = "mingle"
# The value of a key's `received_hour` once that hour is over.
_FORGOTTEN = 0


def mingle_once_an_hour(store: Store, hour: int) -> bool:
    """Mingle the keys of the hours before `hour` (Unix seconds // 3600); returns False if that was done already."""
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
    """Clear the hour of the waiting keys that arrived before `before_hour` (Unix seconds // 3600).

    On PostgreSQL, which keeps rows in the order in which they were written, also write these keys again by start and
    key, and the push subscriptions by address.
    Every key waits for a file at first, so this reaches all keys. Without it, keys that wait long (embargoed or held
    back) would reveal their hour of arrival during the whole wait.
    """
    if store.dialect == "sqlite":
        sql = "UPDATE waiting_key SET received_hour = ? WHERE received_hour > ? AND received_hour < ?"
        store.write(lambda transaction: transaction.execute(sql, (_FORGOTTEN, _FORGOTTEN, before_hour)))
        return

    def action(transaction: Transaction) -> None:
        waiting = transaction.execute(
            "DELETE FROM waiting_key WHERE received_hour < ? RETURNING start, key, level, class",
            (before_hour,),
        )
        if not waiting:
            return
        known = sorted((key_prefix(row[1]), row[0]) for row in waiting)
        transaction.execute_each("DELETE FROM known_key WHERE prefix = ?", [(prefix,) for prefix, _ in known])
        transaction.execute_each("INSERT INTO known_key VALUES (?, ?)", known)
        transaction.execute_each(
            "INSERT INTO waiting_key VALUES (?, ?, ?, ?, ?)", [(*row, _FORGOTTEN) for row in sorted(waiting)]
        )

    store.write(action)
    mingle_subscriptions(store)


def mingle_subscriptions(store: Store) -> None:
    """Write all push subscriptions again, in the order of their addresses rather than of their arrival."""

    def action(transaction: Transaction) -> None:
        rows = transaction.execute("DELETE FROM push_subscription RETURNING endpoint, p256dh, auth, period, proven")
        transaction.execute_each("INSERT INTO push_subscription VALUES (?, ?, ?, ?, ?)", sorted(rows))

    store.write(action)
