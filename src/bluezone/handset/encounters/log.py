# SPDX-License-Identifier: Apache-2.0
"""The encounter log: which identifiers were heard when, in sealed pages, on this phone only.

A page covers at most ten minutes. Each flush seals the open page again, so that a kill of the process loses only the
sightings since the last flush (5 s). A closed page does not change until its purge, except that it may get its time
from the first signed file. The columns of closed pages therefore stay in memory, and each run of the program reads them
only once.
"""

import math
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bluezone.handset.clocks import Stamp
from bluezone.handset.encounters.pages import (
    RECIPROCITY_LENGTH,
    REPEAT_SECONDS,
    HeardBurst,
    HeardIdentifier,
    Page,
    PageColumns,
)
from bluezone.handset.store import Store
from bluezone.protocol.intervals import SECONDS_PER_DAY, day_at
from bluezone.protocol.reciprocity import BINDING_LENGTH, identifier_prefix
from bluezone.radio.interface import Burst, Sighting

PAGE_SECONDS = 600.0
PAGE_IDENTIFIERS = 5_500
# A larger log stores no identifiers that were heard only once.
SINGLES_BYTES = 64 * 1024 * 1024
# A larger log stores nothing.
LOG_BYTES = 96 * 1024 * 1024
# The most reciprocity frames of a page, 44 kB; each burst may store a share in proportion to its time.
PAGE_RECIPROCITY = 2_000
# A larger log stores no reciprocity frames, which only make sightings more precise.
RECIPROCITY_BYTES = 48 * 1024 * 1024
# The columns of up to this many identifiers stay in memory, 14 MB: twice as many as are heard in 14 days from 200
# constant neighbours.
KEPT_IDENTIFIERS = 500_000
IDENTIFIERS_PER_MINUTE = 500
WAITING_IDENTIFIERS = 20_000
# How long an identifier is remembered. A phone broadcasts it for at most 20 minutes (docs/protocol.md section 2).
REMEMBERED_SECONDS = 1500.0


class Admission:
    """Decides for each frame whether it is stored, from the frames heard recently. Times are boot seconds."""

    def __init__(self) -> None:
        self.refused = 0
        self._minute = -1
        self._stored_this_minute = 0
        self._replaceable: dict[bytes, None] = {}
        self._stored: dict[bytes, tuple[float, float]] = {}  # when first and last heard
        self._waiting: dict[bytes, HeardIdentifier] = {}

    def is_stored(self, frame: bytes, boot_seconds: float) -> bool:
        """Whether a frame's 20 bytes are stored already. Once heard for 60 s, they can no longer be replaced."""
        self._start_minute(boot_seconds)
        known = self._stored.get(frame)
        if known is None:
            return False
        self._stored[frame] = (known[0], boot_seconds)
        if boot_seconds - known[0] >= REPEAT_SECONDS:
            self._replaceable.pop(frame, None)
        return True

    def waiting_entry(self, heard: HeardIdentifier) -> HeardIdentifier:
        """Return the waiting entry of an identifier that is not stored, or `heard` as a new waiting entry."""
        entry = self._waiting.setdefault(heard.frame, heard)
        if len(self._waiting) > WAITING_IDENTIFIERS:
            del self._waiting[next(iter(self._waiting))]
        return entry

    def admit(self, entry: HeardIdentifier, *, singles: bool) -> tuple[bool, bytes | None]:
        """Decide whether to store a waiting entry.

        singles: whether the log is small enough to store identifiers that were heard once.
        Returns whether to store the entry now, and the frame to remove from the open page in exchange, or None.
        """
        room = self._stored_this_minute < IDENTIFIERS_PER_MINUTE
        leaving = None
        if not (entry.is_repeated or (singles and room)) or not (room or self._replaceable):
            self.refused += len(entry.bursts) == 1 and len(entry.bursts[0].rssi_dbm) == 1
            return False, None
        if room:
            self._stored_this_minute += 1
        else:
            leaving = self._replaceable.popitem()[0]
            del self._stored[leaving]
        self._waiting.pop(entry.frame, None)
        self._stored[entry.frame] = (entry.bursts[0].boot_seconds, entry.bursts[-1].boot_seconds)
        if not entry.is_repeated:
            self._replaceable[entry.frame] = None
        return True, leaving

    def note_page_closed(self) -> None:
        """Note that the page is closed, so that no frame in it may be replaced."""
        self._replaceable.clear()

    def _start_minute(self, boot_seconds: float) -> None:
        minute = int(boot_seconds // 60)
        if minute == self._minute:
            return
        self._minute = minute
        self._stored_this_minute = 0
        self._replaceable.clear()
        oldest = boot_seconds - REMEMBERED_SECONDS
        self._stored = {name: known for name, known in self._stored.items() if known[1] >= oldest}
        self._waiting = {name: entry for name, entry in self._waiting.items() if entry.bursts[0].boot_seconds >= oldest}


class EncounterLog:
    """Stores sightings, sealed and limited in number, and gives them to the matcher on this phone."""

    def __init__(
        self,
        store: Store,
        *,
        singles_bytes: int = SINGLES_BYTES,
        log_bytes: int = LOG_BYTES,
        reciprocity_bytes: int = RECIPROCITY_BYTES,
    ) -> None:
        self.power_dbm: int | None = None  # effective power this phone sends with
        self._store = store
        self._lock = threading.RLock()
        self._admission = Admission()
        self._bursts: dict[int, Burst] = {}
        self._page: Page | None = None
        self._row: int | None = None
        self._opened_at = 0.0
        self._changed = False
        self._columns: dict[int, PageColumns] = {}  # of pages as they are stored, by row
        self._reciprocity: dict[bytes, None] = {}  # reciprocity frames of the current burst, not yet in the page
        self._reciprocity_room = 0
        self._singles_bytes = singles_bytes
        self._log_bytes = log_bytes
        self._reciprocity_bytes = reciprocity_bytes
        self._closed_bytes = store.page_bytes()

    def burst_started(self, burst: Burst) -> None:
        """Remember the burst for its sightings."""
        with self._lock:
            self._store_reciprocity()
            share = min(burst.seconds_since_previous / PAGE_SECONDS, 1.0)
            self._reciprocity_room = math.ceil(PAGE_RECIPROCITY * share)
            self._bursts[burst.number] = burst
            while len(self._bursts) > 8:
                del self._bursts[next(iter(self._bursts))]

    def add_sighting(self, sighting: Sighting, stamp: Stamp, day: int) -> None:
        """Note one frame. stamp: state of the clocks at that time; day: UTC day by the best available time."""
        with self._lock:
            self._turn_page(sighting.boot_seconds, stamp, day)
            assert self._page is not None
            fresh = HeardIdentifier(sighting.identifier16, sighting.metadata4)
            known = self._admission.is_stored(fresh.frame, sighting.boot_seconds)
            if self._closed_bytes >= self._log_bytes:
                self._admission.refused += 1
                return
            if known:
                self._note(self._page.heard.setdefault(fresh.frame, fresh), sighting)
                self._changed = True
                return
            entry = self._admission.waiting_entry(fresh)
            self._note(entry, sighting)
            stored, leaving = self._admission.admit(entry, singles=self._closed_bytes < self._singles_bytes)
            if leaving is not None:
                self._page.heard.pop(leaving, None)
            if stored:
                self._page.heard[entry.frame] = entry
                self._changed = True

    def add_reciprocity_frame(self, frame: bytes) -> None:
        """Note a reciprocity frame of the current burst; it is stored if its sender's identifier is stored."""
        with self._lock:
            # Collect more frames than will be stored, to choose those of the nearest senders.
            if len(self._reciprocity) < 2 * PAGE_RECIPROCITY:
                self._reciprocity[frame] = None

    def flush(self) -> None:
        """Seal the open page if it has changed; called at least every 5 s.

        Raises HandsetDiskFull or HandsetBusy; the sightings then wait in memory for the next flush.
        """
        with self._lock:
            self._store_reciprocity()
            if self._changed and self._page is not None:
                self._row = self._write(self._row, self._page)
                self._changed = False

    def pop_refused_count(self) -> int:
        """How many new identifiers were refused since the last call; any number above 0 is a sign of a flood."""
        with self._lock:
            refused = self._admission.refused
            self._admission.refused = 0
            return refused

    def pages(self) -> Iterator[tuple[int, Page]]:
        """Yield every page with its number, oldest first, after a flush."""
        self.flush()
        for row, _, contents in self._store.rows("pages"):
            yield row, Page.from_bytes(contents)

    def columns(self) -> list[tuple[int, PageColumns]]:
        """Return the columns of every page with its number, oldest first, after a flush.

        Opens only pages that are not in memory yet.
        """
        self.flush()
        loaded: list[tuple[int, PageColumns]] = []
        for row in self._store.numbers("pages"):
            # Page by page: the radio must not wait until the whole log has been read.
            with self._lock:
                columns = self._columns.get(row)
                if columns is None:
                    contents = self._store.row("pages", row)
                    if contents is None:
                        continue
                    columns = self._columns[row] = PageColumns.from_bytes(contents)
            loaded.append((row, columns))
        if sum(len(columns) for _, columns in loaded) > KEPT_IDENTIFIERS:
            with self._lock:
                self._columns.clear()
        return loaded

    def earliest_sighting(self) -> int | None:
        """Return the earliest time in the oldest page with times, Unix seconds; None if no page has times."""
        for row in self._store.numbers("pages"):
            contents = self._store.row("pages", row)
            first = PageColumns.from_bytes(contents).first_seconds if contents else ()
            if first:
                return min(first)
        return None

    def page(self, row: int) -> Page | None:
        """Return a page, or None if it was purged."""
        contents = self._store.row("pages", row)
        if contents is None:
            return None
        return Page.from_bytes(contents)

    def stamp_earlier(self, stamp: Stamp) -> None:
        """Give the sightings of the stamp's boot a time if they have none or only a provisional one."""
        assert stamp.offset_seconds is not None
        with self._lock:
            self._close_page()
            for row, columns in self.columns():
                old = columns.stamp
                if old.boot_id != stamp.boot_id or not (old.offset_seconds is None or old.provisional):
                    continue
                page = self.page(row)
                assert page is not None  # Encounters prevents a purge during this call
                page.stamp = replace(old, offset_seconds=stamp.offset_seconds, provisional=stamp.provisional)
                times = [page.stamp.unix_seconds(heard.bursts[0].boot_seconds) for heard in page.heard.values()]
                page.day = day_at(min((time for time in times if time is not None), default=page.day * SECONDS_PER_DAY))
                self._write(row, page)

    def measure(self) -> None:
        """Measure the size of the log, and drop the columns of purged pages from memory; called after a purge."""
        with self._lock:
            self._closed_bytes = self._store.page_bytes()
            stored = set(self._store.numbers("pages"))
            self._columns = {row: columns for row, columns in self._columns.items() if row in stored}

    def _write(self, row: int | None, page: Page) -> int:
        """Seal a page into its row, or a new one, and return the row; update its columns in memory."""
        contents = page.to_bytes()
        if row is None:
            row = self._store.add("pages", page.day, contents)
        else:
            self._store.replace("pages", row, page.day, contents)
        self._columns[row] = PageColumns.from_page(page)
        return row

    def _store_reciprocity(self) -> None:
        """Add the burst's reciprocity frames to the entries of their senders, up to the limit.

        Every sender gets one frame before any sender gets a second one; the nearest senders come first.
        """
        reciprocity = self._reciprocity
        self._reciprocity = {}
        if self._page is None or not reciprocity or self._closed_bytes >= self._reciprocity_bytes:
            return
        senders: dict[bytes, list[HeardBurst]] = {}
        newest = next(reversed(self._bursts), None)
        for heard in self._page.heard.values():
            if heard.bursts[-1].number == newest:
                senders.setdefault(heard.identifier[:BINDING_LENGTH], []).append(heard.bursts[-1])
        candidates: list[tuple[int, float, int, HeardBurst, bytes]] = []
        turns: dict[int, int] = {}
        for place, frame in enumerate(reciprocity):
            for burst in senders.get(identifier_prefix(frame), ()):
                payload = frame[-RECIPROCITY_LENGTH:]
                if payload not in burst.reciprocity:
                    turn = turns[id(burst)] = turns.get(id(burst), len(burst.reciprocity)) + 1
                    candidates.append((turn, -burst.mean_rssi_dbm, place, burst, payload))
        candidates.sort(key=lambda candidate: candidate[:3])
        for *_, burst, payload in candidates[: self._reciprocity_room]:
            burst.reciprocity.append(payload)
            self._changed = True
        self._reciprocity_room -= min(len(candidates), self._reciprocity_room)

    def _note(self, entry: HeardIdentifier, sighting: Sighting) -> None:
        burst = self._bursts.get(sighting.burst)
        since = burst.seconds_since_previous if burst else 0.0
        entry.add(sighting.burst, sighting.boot_seconds, since, sighting.rssi_dbm)

    def _turn_page(self, boot_seconds: float, stamp: Stamp, day: int) -> None:
        page = self._page
        if page is not None and (
            page.stamp != stamp
            or page.day != day
            or page.power_dbm != self.power_dbm
            or boot_seconds - self._opened_at >= PAGE_SECONDS
            or len(page.heard) >= PAGE_IDENTIFIERS
        ):
            self._close_page()
        if self._page is None:
            page = Page(stamp, day, power_dbm=self.power_dbm)
            self._page = page
            self._row = None
            self._opened_at = boot_seconds

    def _close_page(self) -> None:
        self.flush()
        self._admission.note_page_closed()
        self._page = None
        self._row = None
        self._closed_bytes = self._store.page_bytes()


def identifiers_per_day(log: EncounterLog, zone: ZoneInfo) -> dict[date, int]:
    """Return how many identifiers were heard on each local day, earliest first.

    A phone changes its identifier every 10 to 20 minutes, so this is not a number of phones or of people.
    """
    frames: dict[date, set[bytes]] = {}
    for _, columns in log.columns():
        seconds = columns.first_seconds or [columns.day * SECONDS_PER_DAY] * len(columns)
        for frame, at in zip(columns.iterate_frames(), seconds, strict=True):
            frames.setdefault(datetime.fromtimestamp(at, zone).date(), set()).add(frame)
    return {day: len(day_frames) for day, day_frames in sorted(frames.items())}
