# SPDX-License-Identifier: Apache-2.0
"""The health of a process, and of the whole city's key server, for monitors and load balancers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bluezone.keyserver.parts.pages import Pages
from bluezone.keyserver.publication.folder import PublishedDiffers
from bluezone.keyserver.signer.client import Connection
from bluezone.keyserver.statistics import damaged_files, late_after_seconds, overdue_seconds
from bluezone.keyserver.storage.migrations import unknown_to_us
from bluezone.keyserver.storage.store import Store, StoreRefused
from bluezone.protocol.signed.index import STALE_SECONDS
from bluezone.timekeeping import JUMP_SECONDS, ClockDoubted


@dataclass(frozen=True)
class Health:
    """Whether this process answers, and whether phones get files.

    stores: this process's, by name (codes, keys). signer: None if this process has the keys itself.
    pages: what phones read; None if another process reports on the published files.
    """

    stores: Mapping[str, Store]
    signer: Connection | None
    pages: Pages | None = None

    def readiness(self) -> dict[str, Any]:
        """Return `status` "ok" or "failing" and `failing`: codes of problems that stop this process from answering."""
        failing = self._store_problems()
        # A process without the keys store only certifies, which it cannot do without a signer.
        if "keys" not in self.stores and (problem := self.signer_problem()):
            failing.append(problem)
        return _report(failing)

    def report(self) -> dict[str, Any]:
        """Return `status` and `failing` for the city's whole key server, with numbers of what phones should see.

        In the result, tick_age_seconds: time since the worker's last round, None before the first.
        publication_overdue_seconds: how long phones have had no new file although one was due.
        """
        pages = self.pages
        if pages is None:
            raise StoreRefused("another process reports on the published files")
        now = int(pages.clock())
        # Phones can still fetch if nothing is signed, so readiness ignores these problems.
        problems = (pages.signing_problem(), self.signer_problem())
        failing = [*self._store_problems(), *filter(None, problems)]
        index = None
        try:
            index = pages.indexes.read_index()
        except StoreRefused as refused:
            failing.append(refused.code)
        age = None if index is None else now - index.generated_at
        if age is None or age > STALE_SECONDS:
            failing.append("index_stale")
        # On a full disk the worker cannot note that it doubts the clock.
        if age is not None and age < -JUMP_SECONDS and ClockDoubted.code not in failing:
            failing.append(ClockDoubted.code)
        period = pages.city.publish_period_seconds
        overdue = None if index is None else self._overdue(period, index.number, now)
        if overdue is not None and overdue > late_after_seconds(period):
            failing.append("publication_overdue")
        if self._has_damaged_files() or not pages.is_config_sound(index):
            failing.append(PublishedDiffers.code)
        if not pages.has_upload_keys(now):
            failing.append("week_key_missing")
        ticked_at = pages.ticked_at()
        return {
            **_report(failing),
            "config_number": pages.configs.newest_number(),
            "export_number": None if index is None else index.number,
            "index_age_seconds": age,
            "tick_age_seconds": None if ticked_at is None else now - int(ticked_at),
            "publication_overdue_seconds": overdue,
        }

    def signer_problem(self) -> str | None:
        """The code of the reason why the signer does not answer; None if it does, or if there is no signer."""
        if self.signer is None:
            return None
        try:
            self.signer.require_answer()
        except StoreRefused as refused:
            return refused.code
        return None

    def _store_problems(self) -> list[str]:
        problems = (_store_problem(name, store) for name, store in self.stores.items())
        return [problem for problem in problems if problem]

    def _has_damaged_files(self) -> bool:
        """Whether phones cannot get a file that is listed; False if the store does not answer."""
        try:
            return damaged_files(self.stores["keys"]) > 0
        except StoreRefused:
            return False

    def _overdue(self, period_seconds: int, listed: int, now: int) -> int | None:
        """How long a new file has been overdue; None if the store does not answer, which is reported separately."""
        try:
            return int(overdue_seconds(self.stores["keys"], period_seconds, listed, now))
        except StoreRefused:
            return None


def _report(failing: list[str]) -> dict[str, Any]:
    return {"status": "failing" if failing else "ok", "failing": failing}


def _store_problem(name: str, store: Store) -> str | None:
    try:
        return "store_too_new" if unknown_to_us(store, name) else None
    except StoreRefused as refused:
        return refused.code
