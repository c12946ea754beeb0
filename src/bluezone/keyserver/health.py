# SPDX-License-Identifier: Apache-2.0
"""What a key server says of itself to monitors and load balancers: whether it answers, and whether phones get files."""

from collections.abc import Iterable
from typing import Any

from bluezone.keyserver.configuration import ConfigFiles
from bluezone.keyserver.publication.downloads import Indexes
from bluezone.keyserver.statistics import late_after_seconds, overdue_seconds
from bluezone.keyserver.storage.migrations import unknown_to_us
from bluezone.keyserver.storage.store import AbsentStore, Store, StoreRefused
from bluezone.protocol.signed.index import STALE_SECONDS


def readiness(codes_store: Store, keys_store: Store, problem: str | None = None) -> dict[str, Any]:
    """Return `status` "ok" or "failing" and `failing`: codes of what keeps this process from answering calls."""
    # Of a store that is another process's that one speaks.
    stores = [each for each in (("codes", codes_store), ("keys", keys_store)) if not isinstance(each[1], AbsentStore)]
    return _health_report([*filter(None, [*(_failure(*each) for each in stores), problem])])


def health(
    ready: dict[str, Any],
    indexes: Indexes,
    configs: ConfigFiles,
    now: int,
    ticked_at: float | None,
    held: Iterable[str | None],
    keys_store: Store,
    period_seconds: int,
) -> dict[str, Any]:
    """Return the same for the whole city's key server, and the numbers phones should see.

    ready: what `readiness` said. now, ticked_at: Unix seconds, the latter of the last tick. held: why nothing is
    signed, codes; phones go on fetching, so no process is less ready for it.
    keys_store, period_seconds: where files are known, and how often there is one.
    tick_age_seconds: since the worker last did its round, null before the first. publication_overdue_seconds: for how
    long phones have had no new file although one was due.
    """
    failing = [*ready["failing"], *filter(None, held)]
    index = None
    try:
        index = indexes.read()
    except StoreRefused as refused:
        failing.append(refused.code)
    age = None if index is None else now - index.generated_at
    if age is None or age > STALE_SECONDS:
        failing.append("index_stale")
    overdue = None if index is None else _overdue(keys_store, period_seconds, index.number, now)
    if overdue is not None and overdue > late_after_seconds(period_seconds):
        failing.append("publication_overdue")
    return {
        **_health_report(failing),
        "config_number": configs.newest_number(),
        "export_number": None if index is None else index.number,
        "index_age_seconds": age,
        "tick_age_seconds": None if ticked_at is None else now - int(ticked_at),
        "publication_overdue_seconds": overdue,
    }


def _overdue(keys_store: Store, period_seconds: int, listed: int, now: int) -> int | None:
    """None where the store does not answer, which `readiness` says."""
    try:
        return int(overdue_seconds(keys_store, period_seconds, listed, now))
    except StoreRefused:
        return None


def _health_report(failing: list[str]) -> dict[str, Any]:
    return {"status": "failing" if failing else "ok", "failing": failing}


def _failure(name: str, store: Store) -> str | None:
    try:
        return "store_too_new" if unknown_to_us(store, name) else None
    except StoreRefused as refused:
        return refused.code
