# SPDX-License-Identifier: Apache-2.0
"""Three questions of the operator's monitor: is this process there, can it take calls, and is all well with the city?

A process that is alive but not ready gets no calls from a load balancer; restarting it would not help. What phones
fetch may be old while every process is ready: that is for a person, not for a load balancer.
"""

from typing import Any

from bluezone.keyserver.configuration import ConfigFiles
from bluezone.keyserver.publication.index import Indexes
from bluezone.keyserver.storage.migrations import unknown_to_us
from bluezone.keyserver.storage.store import Store, StoreRefused
from bluezone.protocol.signed.index import STALE_SECONDS


def readiness(codes_store: Store, keys_store: Store) -> dict[str, Any]:
    """Return `status` "ok" or "failing" and `failing`: codes of what keeps this process from answering calls."""
    stores = (("codes", codes_store), ("keys", keys_store))
    return _report([code for name, store in stores if (code := _failure(name, store))])


def health(
    ready: dict[str, Any], indexes: Indexes, configs: ConfigFiles, now: int, ticked_at: float | None
) -> dict[str, Any]:
    """Return the same for the whole city's key server, and the numbers phones should see.

    ready: what `readiness` said. now, ticked_at: Unix seconds, the latter of the last tick.
    tick_age_seconds: since the worker last did its round, null before the first.
    """
    failing = list(ready["failing"])
    index = None
    try:
        index = indexes.read()
    except StoreRefused as refused:
        failing.append(refused.code)
    age = None if index is None else now - index.generated_at
    if age is None or age > STALE_SECONDS:
        failing.append("index_stale")
    return {
        **_report(failing),
        "config_number": configs.newest_number(),
        "export_number": None if index is None else index.number,
        "index_age_seconds": age,
        "tick_age_seconds": None if ticked_at is None else now - int(ticked_at),
    }


def _report(failing: list[str]) -> dict[str, Any]:
    return {"status": "failing" if failing else "ok", "failing": failing}


def _failure(name: str, store: Store) -> str | None:
    try:
        return "store_too_new" if unknown_to_us(store, name) else None
    except StoreRefused as refused:
        return refused.code
