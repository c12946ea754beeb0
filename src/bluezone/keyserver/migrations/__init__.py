# SPDX-License-Identifier: Apache-2.0
"""Bring a store's tables up to date: numbered SQL files in two dialects, each applied once and whole."""

import functools
import re
from importlib.resources import files

from bluezone.keyserver.store import Store, StoreTooNew, Transaction

_FILE = re.compile(r"([0-9]{4})_[a-z0-9_]+\.sql")


def migrate(store: Store, name: str) -> None:
    """Apply the migrations that the store `name` (codes or keys) has not had yet; safe to run from several processes.

    Raises StoreTooNew when the store has had one that this program does not know.
    """
    scripts = _scripts(name, store.dialect)
    store.write(_make_ledger)
    newest = _newest(store)
    if newest > max(scripts):
        raise StoreTooNew(f"the store {name} has migration {newest}, this program knows them up to {max(scripts)}")
    for number in sorted(scripts):
        if number > newest:
            store.write(lambda transaction, n=number: _apply(transaction, n, scripts[n]))  # type: ignore[misc]


def unknown_to_us(store: Store, name: str) -> bool:
    """Whether a newer program has changed the store's tables since this one opened it. Raises StoreRefused."""
    return _newest(store) > _newest_known(name, store.dialect)


@functools.cache
def _newest_known(name: str, dialect: str) -> int:
    return max(_scripts(name, dialect))


def _scripts(name: str, dialect: str) -> dict[int, str]:
    folder = files("bluezone.keyserver.migrations") / name / dialect
    found = ((_FILE.fullmatch(entry.name), entry) for entry in folder.iterdir())
    return {int(match[1]): entry.read_text(encoding="utf-8") for match, entry in found if match}


def _make_ledger(transaction: Transaction) -> None:
    transaction.execute("CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY)")


def _newest(store: Store) -> int:
    return int(store.read("SELECT COALESCE(MAX(number), 0) FROM migration")[0][0])


def _apply(transaction: Transaction, number: int, script: str) -> None:
    # The ledger's row comes first: a second process that waited for this transaction stops at it.
    done = transaction.execute("INSERT INTO migration VALUES (?) ON CONFLICT DO NOTHING RETURNING number", (number,))
    if not done:
        return
    lines = [line for line in script.splitlines() if not line.lstrip().startswith("--")]
    for statement in "\n".join(lines).split(";"):
        if statement.strip():
            transaction.execute(statement)
