# SPDX-License-Identifier: Apache-2.0
"""Measurements of the worker for the operator, at each tick. They are too coarse to reveal a single report.

A monitor stores its samples for years, so no value here may change with a single report (docs/privacy.md has a section
on the monitor). Sizes are multiples of 16 MiB. Counts of keys and uploads are rounded down and change once an hour or a
day. An outbox counts only messages that have waited too long.
"""

import datetime
import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluezone.backup.drill_results import last_drill
from bluezone.keyserver import statistics
from bluezone.keyserver.publication.log.witnesses import absent_witnesses
from bluezone.keyserver.publication.series import EXPORT_FILES, VENUE_PACKAGES
from bluezone.keyserver.storage.sqlite import store_file
from bluezone.keyserver.storage.store import Store, StoreRefused
from bluezone.logs import event_fields
from bluezone.protocol.intervals import day_at, hour_at
from bluezone.server.metrics.meters import Meters

if TYPE_CHECKING:
    from bluezone.keyserver.service import KeyServer
    from bluezone.messaging.announcer import Announcer

log = logging.getLogger(__name__)

GRAIN_BYTES = 16 * 1024 * 1024
INODES_GRAIN = 1000
KEYS_GRAIN = 1000
UPLOADS_GRAIN = 5
# A message that has waited less than this is on its way, and not part of a backlog.
LATE = datetime.timedelta(minutes=2)


class Survey:
    """Measures one city's server into the meters."""

    def __init__(self, server: "KeyServer", meters: Meters, announcer: "Announcer") -> None:
        self._server = server
        self._meters = meters
        self._announcer = announcer
        self._hour = -1

    def measure(self, now: float) -> None:
        """Measure everything. If a store does not answer, its values stay as they were, and its gauge shows why.

        If the data folder cannot be read, its values stay as they were, and the log shows why.
        """
        try:
            self._measure(now)
        except OSError as error:
            log.warning("measuring: %s", error.strerror, extra=event_fields("measuring_failed"))

    def _measure(self, now: float) -> None:
        self._office(datetime.datetime.fromtimestamp(now, datetime.UTC))
        self._stores(now)
        self._files(now)
        folder = self._server.data_dir
        disk = os.statvfs(folder)
        self._meters.set("disk_free_bytes", _round_down(disk.f_bavail * disk.f_frsize))
        self._meters.set("disk_bytes", disk.f_blocks * disk.f_frsize)
        self._meters.set("disk_free_inodes", disk.f_favail // INODES_GRAIN * INODES_GRAIN)
        self._meters.set("disk_inodes", disk.f_files)
        self._meters.set("backup_timestamp_seconds", _newest(folder / "backups"))
        drill = last_drill(folder)
        self._meters.set("drill_timestamp_seconds", drill.at if drill else 0)
        self._meters.set("drill_ok", bool(drill and drill.ok))
        self._meters.set("outbox_waiting_push", self._announcer.overdue_count(now))
        self._meters.set("measured_timestamp_seconds", time.time())

    def record_lead(self) -> None:
        """Record that this worker leads."""
        self._meters.set("worker_leading", 1)

    def record_tick(self, started_at: float) -> None:
        """Record that a tick has ended. started_at: monotonic seconds."""
        self._meters.set("tick_seconds", time.monotonic() - started_at)
        self._meters.set("tick_timestamp_seconds", time.time())

    def record_clock(self, doubted: bool) -> None:
        """Record whether the clock was doubted at this tick."""
        self._meters.set("clock_doubted", doubted)

    def record_failure(self) -> None:
        """Record that something in a tick was refused."""
        self._meters.set("tick_failures_total", self._meters.gauge("tick_failures_total") + 1)

    def _stores(self, now: float) -> None:
        server = self._server
        for name, store in (("codes", server.codes_store), ("keys", server.keys_store)):
            self._note_state(name, partial(self._measure_size, name, store))
        if hour_at(now) != self._hour and self._meters.gauge("store_up_keys") and self._meters.gauge("store_up_codes"):
            self._note_state("keys", lambda: self._hourly(now))

    def _measure_size(self, name: str, store: Store) -> None:
        self._meters.set(f"store_bytes_{name}", _size(self._server.data_dir, name, store))

    def _hourly(self, now: float) -> None:
        """Measure the values that would reveal single reports if they were measured more often."""
        self._meters.set("waiting_keys", statistics.waiting_keys(self._server.keys_store) // KEYS_GRAIN * KEYS_GRAIN)
        yesterday = day_at(now) - 1
        counts = statistics.uploads_by_day(self._server.keys_store)
        uploads = sum(count.uploads for count in counts if count.day == yesterday)
        self._meters.set("uploads_last_whole_day", uploads // UPLOADS_GRAIN * UPLOADS_GRAIN)
        alarm_hours = statistics.guessing_alarm_hours(self._server.codes_store)
        last_day = [hour for hour in alarm_hours if hour > hour_at(now) - 24]
        self._meters.set("guessing_hours_last_day", len(last_day))
        self._hour = hour_at(now)

    def _files(self, now: float) -> None:
        for name, series in (("exports", EXPORT_FILES), ("venues", VENUE_PACKAGES)):
            # A bucket that is down is not a store: its gauge keeps the old timestamp, which shows the problem.
            with suppress(StoreRefused):
                index = self._server.indexes.read_index(series)
                self._meters.set(f"index_timestamp_seconds_{name}", index.generated_at if index else 0)
        self._meters.set("history_forked", float(self._server.ticks.history_problem is not None))
        self._meters.set("settings_outdated", self._server.governance.settings_outdated)
        self._note_state("keys", lambda: self._meters.set("publication_overdue_seconds", self._overdue(now)))
        self._note_state("keys", lambda: self._measure_witnesses(now))
        self._note_state("keys", self._measure_damage)
        ends = [key.accept_until for key in self._server.secrets.week_keys.all() if key.purpose == "upload"]
        # A key is accepted until a week after the week in which it signs.
        self._meters.set("week_keys_end_timestamp_seconds", max(ends, default=0) - 7 * 86_400)

    def _measure_witnesses(self, now: float) -> None:
        absent, quorum_missing = absent_witnesses(self._server.public_log, now)
        self._meters.set("witnesses_absent", len(absent))
        self._meters.set("witness_quorum_missing", quorum_missing)

    def _measure_damage(self) -> None:
        damaged = statistics.damaged_files(self._server.keys_store)
        self._meters.set("published_files_damaged", damaged + self._is_config_damaged())

    def _is_config_damaged(self) -> bool:
        index = None
        with suppress(StoreRefused):
            index = self._server.indexes.read_index()
        return not self._server.pages.is_config_sound(index)

    def _overdue(self, now: float) -> float:
        """Seconds since the next export file was due."""
        index = self._server.indexes.read_index()
        period = self._server.city.publish_period_seconds
        return statistics.overdue_seconds(self._server.keys_store, period, index.number if index else 0, now)

    def _office(self, now: datetime.datetime) -> None:
        from django.db import DatabaseError

        try:
            self._outboxes(now)
        except DatabaseError:
            self._meters.set("store_up_office", 0)
        else:
            self._meters.set("store_up_office", 1)

    def _outboxes(self, now: datetime.datetime) -> None:
        from django.db.models import Count, Min

        from bluezone.messaging.email.models import Mail
        from bluezone.messaging.sms.models import OPEN_STATES, Message
        from bluezone.rollout.directives.api import Delivery

        mails = Mail.objects.filter(next_try_at__isnull=False, queued_at__lte=now - LATE)
        messages = Message.objects.filter(state__in=OPEN_STATES, queued_at__lte=now - LATE, next_try_at__lte=now)
        late: tuple[tuple[str, Any, str], ...] = (
            ("mail", mails, "queued_at"),
            ("sms", messages, "queued_at"),
            ("exchange", Delivery.overdue(now - LATE), "made_at"),
        )
        for name, waiting, since in late:
            backlog = waiting.aggregate(count=Count("pk"), oldest=Min(since))
            self._meters.set(f"outbox_waiting_{name}", backlog["count"])
            oldest = (now - backlog["oldest"]).total_seconds() if backlog["oldest"] else 0.0
            self._meters.set(f"outbox_oldest_seconds_{name}", oldest)
        self._meters.set("store_bytes_office", _office_size(self._server.data_dir))

    def _note_state(self, store: str, action: Callable[[], None]) -> None:
        try:
            action()
        except StoreRefused:
            self._meters.set(f"store_up_{store}", 0)
        else:
            self._meters.set(f"store_up_{store}", 1)


def _size(folder: Path, name: str, store: Store) -> int:
    if store.dialect == "sqlite":
        store.read("SELECT 1")
        return _round_down(_file_size(folder, name))
    tables = (
        "SELECT COALESCE(SUM(pg_total_relation_size(pg_class.oid)), 0) FROM pg_class"
        " JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname = ? AND relkind = 'r'"
    )
    return _round_down(int(store.read(tables, (name,))[0][0]))


def _office_size(folder: Path) -> int:
    from django.db import connection

    if connection.vendor == "sqlite":
        return _round_down(_file_size(folder, "office"))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COALESCE(SUM(pg_total_relation_size(pg_class.oid)), 0) FROM pg_class"
            " JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname = 'office' AND relkind = 'r'"
        )
        return _round_down(int(cursor.fetchone()[0]))


def _file_size(folder: Path, name: str) -> int:
    files = (Path(f"{store_file(folder, name)}{side}") for side in ("", "-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def _round_down(size: int) -> int:
    return size // GRAIN_BYTES * GRAIN_BYTES


def _newest(folder: Path) -> float:
    """When the newest file of a folder was written, 0 without one."""
    return max((path.stat().st_mtime for path in folder.glob("*") if path.is_file()), default=0.0)
