# SPDX-License-Identifier: Apache-2.0
"""Mingling: rows are written again among all others, so that a database does not tell which of them came together."""

from bluezone.keyserver.storage.store import Store, Transaction, key_prefix

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


def mingle_subscriptions(store: Store) -> None:
    """Write all push subscriptions again in the order of their addresses, which does not tell who came when."""

    def action(transaction: Transaction) -> None:
        rows = transaction.execute("DELETE FROM push_subscription RETURNING endpoint, p256dh, auth")
        transaction.execute_each("INSERT INTO push_subscription VALUES (?, ?, ?)", sorted(rows))

    store.write(action)
