# SPDX-License-Identifier: Apache-2.0
"""What the operator's monitor asks: do the stores answer, and is what phones fetch fresh?"""

from typing import TYPE_CHECKING, Any

from bluezone.keyserver.exportindex import read_index
from bluezone.keyserver.store import Store, StoreRefused
from bluezone.protocol.indexfile import STALE_SECONDS

if TYPE_CHECKING:
    from bluezone.keyserver.service import KeyServer


def health(server: "KeyServer") -> dict[str, Any]:
    """Return `status` "ok" or "failing", `failing` (codes of what fails), and the numbers phones should see."""
    failing = [code for store in (server.codes_store, server.keys_store) if (code := _failure(store))]
    index = None
    try:
        index = read_index(server)
    except StoreRefused as refused:
        failing.append(refused.code)
    age = None if index is None else int(server.clock()) - index.generated_at
    if age is None or age > STALE_SECONDS:
        failing.append("index_stale")
    return {
        "status": "failing" if failing else "ok",
        "failing": failing,
        "config_number": server.configs.newest_number(),
        "export_number": None if index is None else index.number,
        "index_age_seconds": age,
    }


def _failure(store: Store) -> str | None:
    try:
        store.read("SELECT 1")
    except StoreRefused as refused:
        return refused.code
    return None
