# SPDX-License-Identifier: Apache-2.0
"""Three questions of the operator's monitor: is this process there, can it take calls, and is all well with the city?

A process that is alive but not ready gets no calls from a load balancer; restarting it would not help. What phones
fetch may be old while every process is ready: that is for a person, not for a load balancer.
"""

from typing import TYPE_CHECKING, Any

from bluezone.keyserver.publication.index import read_index
from bluezone.keyserver.storage.migrations import unknown_to_us
from bluezone.keyserver.storage.store import Store, StoreRefused
from bluezone.protocol.signed.index import STALE_SECONDS

if TYPE_CHECKING:
    from bluezone.keyserver.service import KeyServer


def readiness(server: "KeyServer") -> dict[str, Any]:
    """Return `status` "ok" or "failing" and `failing`: codes of what keeps this process from answering calls."""
    stores = (("codes", server.codes_store), ("keys", server.keys_store))
    return _report([code for name, store in stores if (code := _failure(name, store))])


def health(server: "KeyServer") -> dict[str, Any]:
    """Return the same for the whole city's key server, and the numbers phones should see.

    tick_age_seconds: since the worker last did its round, null before the first.
    """
    failing = list(readiness(server)["failing"])
    index = None
    try:
        index = read_index(server)
    except StoreRefused as refused:
        failing.append(refused.code)
    now = int(server.clock())
    age = None if index is None else now - index.generated_at
    if age is None or age > STALE_SECONDS:
        failing.append("index_stale")
    ticked = server.ticked_at()
    return {
        **_report(failing),
        "config_number": server.configs.newest_number(),
        "export_number": None if index is None else index.number,
        "index_age_seconds": age,
        "tick_age_seconds": None if ticked is None else now - int(ticked),
    }


def _report(failing: list[str]) -> dict[str, Any]:
    return {"status": "failing" if failing else "ok", "failing": failing}


def _failure(name: str, store: Store) -> str | None:
    try:
        return "store_too_new" if unknown_to_us(store, name) else None
    except StoreRefused as refused:
        return refused.code
