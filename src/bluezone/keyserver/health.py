# SPDX-License-Identifier: Apache-2.0
"""The health of a key server for monitors and load balancers: whether it answers, and whether phones get files."""

from collections.abc import Iterable
from typing import Any

from bluezone.keyserver.configuration import ConfigFiles
from bluezone.keyserver.publication.indexes import Indexes
from bluezone.keyserver.statistics import late_after_seconds, overdue_seconds
from bluezone.keyserver.storage.migrations import unknown_to_us
from bluezone.keyserver.storage.store import AbsentStore, Store, StoreRefused
from bluezone.protocol.signed.index import STALE_SECONDS


def readiness(codes_store: Store, keys_store: Store, problem: str | None = None) -> dict[str, Any]:
    """Return `status` "ok" or "failing" and `failing`: codes of the problems that stop this process from answering."""
    stores = {"codes": codes_store, "keys": keys_store}
    # Another process reports on an absent store.
    problems = [_failure(name, store) for name, store in stores.items() if not isinstance(store, AbsentStore)]
    return _health_report([*filter(None, [*problems, problem])])


def health(
    ready: dict[str, Any],
    indexes: Indexes,
    configs: ConfigFiles,
    now: int,
    ticked_at: float | None,
    problems: Iterable[str | None],
    keys_store: Store,
    period_seconds: int,
) -> dict[str, Any]:
    """Return the same for the whole city's key server, and the numbers phones should see.

    ready: the result of `readiness`. now, ticked_at: Unix seconds, the latter of the last tick. problems: codes of
    reasons why nothing is signed; phones can still fetch, so readiness ignores them.
    keys_store, period_seconds: the store that knows the files, and the time between two files.
    In the result, tick_age_seconds: since the worker's last round, null before the first. publication_overdue_seconds:
    how long phones have had no new file although one was due.
    """
    failing = [*ready["failing"], *filter(None, problems)]
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
    """None if the store does not answer, which `readiness` reports."""
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
