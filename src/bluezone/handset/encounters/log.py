# SPDX-License-Identifier: Apache-2.0
"""The encounter log: who was heard when, sealed page by page, on this phone only.

A page covers at most ten minutes. While it is open it is sealed anew at each flush, so that a kill loses only what was
heard since the last flush (5 s). Closed pages do not change any more, except that they are stamped once the first
signed file has told the time, and purged in the end. So what an index needs of them stays in memory, and is read from
the store only once in a run of the program.
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
    Heard,
    HeardBurst,
    Page,
    PageColumns,
)
from bluezone.handset.store import Store
from bluezone.protocol.intervals import SECONDS_PER_DAY, day_at
from bluezone.protocol.reciprocity import BINDING_LENGTH, bound_to
from bluezone.radio.interface import Burst, Sighting

PAGE_SECONDS = 600.0
PAGE_IDENTIFIERS = 5_500
# Identifiers heard once are stored up to the first size, those heard again up to the second.
SINGLES_BYTES = 64 * 1024 * 1024
LOG_BYTES = 96 * 1024 * 1024
# Reciprocity frames of a page of ten minutes, 44 kB, which its bursts share by the time they stand for. None are kept
# once the log has the second size: they only make more exact what the sightings say.
PAGE_RECIPROCITY = 2_000
RECIPROCITY_BYTES = 48 * 1024 * 1024
# Columns of so many stay in memory, 14 MB: twice what 200 steady neighbours leave in 14 days. More is a flood.
KEPT_IDENTIFIERS = 500_000
IDENTIFIERS_PER_MINUTE = 500
WAITING_IDENTIFIERS = 20_000
# An identifier lives at most 20 minutes (docs/protocol.md section 2); after that its absence means nothing.
REMEMBERED_SECONDS = 1500.0


class Admission:
    """Remembers what was heard recently and decides, frame by frame, what is stored. Times are boot seconds."""

    def __init__(self) -> None:
        self.refused = 0
        self._minute = -1
        self._stored_this_minute = 0
        self._replaceable: dict[bytes, None] = {}
        self._stored: dict[bytes, tuple[float, float]] = {}  # when first and last heard
        self._waiting: dict[bytes, Heard] = {}

    def stored(self, frame: bytes, boot_seconds: float) -> bool:
        """Whether a frame's 20 bytes are stored already; once heard for 60 s, they are never replaced."""
        self._turn(boot_seconds)
        known = self._stored.get(frame)
        if known is None:
            return False
        self._stored[frame] = (known[0], boot_seconds)
        if boot_seconds - known[0] >= REPEAT_SECONDS:
            self._replaceable.pop(frame, None)
        return True

    def wait(self, heard: Heard) -> Heard:
        """The waiting entry of an identifier that is not stored, made from `heard` if there is none yet."""
        entry = self._waiting.setdefault(heard.frame, heard)
        if len(self._waiting) > WAITING_IDENTIFIERS:
            del self._waiting[next(iter(self._waiting))]
        return entry

    def admit(self, entry: Heard, *, singles: bool) -> tuple[bool, bytes | None]:
        """Decide on a waiting entry.

        singles: whether identifiers heard once may be stored at all (not near the cap of the table).
        Returns whether it is stored now, and the frame that has to leave the open page for it, if any.
        """
        room = self._stored_this_minute < IDENTIFIERS_PER_MINUTE
        leaving = None
        if not (entry.repeated or (singles and room)) or not (room or self._replaceable):
            self.refused += len(entry.bursts) == 1 and len(entry.bursts[0].rssi_dbm) == 1
            return False, None
        if room:
            self._stored_this_minute += 1
        else:
            leaving = self._replaceable.popitem()[0]
            del self._stored[leaving]
        self._waiting.pop(entry.frame, None)
        self._stored[entry.frame] = (entry.bursts[0].boot_seconds, entry.bursts[-1].boot_seconds)
        if not entry.repeated:
            self._replaceable[entry.frame] = None
        return True, leaving

    def page_closed(self) -> None:
        """Note that the page is closed: nothing in it can be replaced any more."""
        self._replaceable.clear()

    def _turn(self, boot_seconds: float) -> None:
        minute = int(boot_seconds // 60)
        if minute == self._minute:
            return
        self._minute, self._stored_this_minute = minute, 0
        self._replaceable.clear()
        oldest = boot_seconds - REMEMBERED_SECONDS
        self._stored = {name: known for name, known in self._stored.items() if known[1] >= oldest}
        self._waiting = {name: entry for name, entry in self._waiting.items() if entry.bursts[0].boot_seconds >= oldest}


class EncounterLog:
    """Takes in sightings, keeps them sealed and within bounds, and gives them to the matcher on this phone."""

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
        self._reciprocity: dict[bytes, None] = {}  # reciprocity frames of the burst that runs, not yet kept
        self._reciprocity_room = 0
        self._singles_bytes, self._log_bytes, self._reciprocity_bytes = singles_bytes, log_bytes, reciprocity_bytes
        self._closed_bytes = store.page_bytes()

    def burst_started(self, burst: Burst) -> None:
        """Remember the burst for the sightings to come."""
        with self._lock:
            self._keep_reciprocity()
            share = min(burst.seconds_since_previous / PAGE_SECONDS, 1.0)
            self._reciprocity_room = math.ceil(PAGE_RECIPROCITY * share)
            self._bursts[burst.number] = burst
            while len(self._bursts) > 8:
                del self._bursts[next(iter(self._bursts))]

    def heard(self, sighting: Sighting, stamp: Stamp, day: int) -> None:
        """Note one frame. stamp: the clock it was heard under; day: UTC day by the best time there is."""
        with self._lock:
            self._turn_page(sighting.boot_seconds, stamp, day)
            assert self._page is not None
            fresh = Heard(sighting.identifier16, sighting.metadata4)
            known = self._admission.stored(fresh.frame, sighting.boot_seconds)
            if self._closed_bytes >= self._log_bytes:
                self._admission.refused += 1
                return
            if known:
                self._note(self._page.heard.setdefault(fresh.frame, fresh), sighting)
                self._changed = True
                return
            entry = self._admission.wait(fresh)
            self._note(entry, sighting)
            stored, leaving = self._admission.admit(entry, singles=self._closed_bytes < self._singles_bytes)
            if leaving is not None:
                self._page.heard.pop(leaving, None)
            if stored:
                self._page.heard[entry.frame] = entry
                self._changed = True

    def heard_reciprocity(self, frame: bytes) -> None:
        """Note a reciprocity frame of the burst that runs; it is kept if its sender's identifier is stored."""
        with self._lock:
            # Room for some more than are kept, so that the nearest are chosen of many.
            if len(self._reciprocity) < 2 * PAGE_RECIPROCITY:
                self._reciprocity[frame] = None

    def flush(self) -> None:
        """Seal what changed; called at least every 5 s.

        Raises HandsetDiskFull or HandsetBusy; what was heard then stays in memory for the next flush.
        """
        with self._lock:
            self._keep_reciprocity()
            if self._changed and self._page is not None:
                self._row = self._write(self._row, self._page)
                self._changed = False

    def take_refused(self) -> int:
        """How many new identifiers were refused since the last call; any number above 0 is a sign of a flood."""
        with self._lock:
            refused, self._admission.refused = self._admission.refused, 0
            return refused

    def pages(self) -> Iterator[tuple[int, Page]]:
        """Every page with its number, oldest first, including what was just heard."""
        self.flush()
        for row, _, contents in self._store.rows("pages"):
            yield row, Page.from_bytes(contents)

    def columns(self) -> list[tuple[int, PageColumns]]:
        """The columns of every page with its number, oldest first, including what was just heard.

        Only pages that this run of the program has neither written nor read are opened.
        """
        self.flush()
        told: list[tuple[int, PageColumns]] = []
        for row in self._store.numbers("pages"):
            # Page by page: the radio must not wait until the whole log has been read.
            with self._lock:
                columns = self._columns.get(row)
                if columns is None:
                    contents = self._store.row("pages", row)
                    if contents is None:
                        continue
                    columns = self._columns[row] = PageColumns.from_bytes(contents)
            told.append((row, columns))
        if sum(len(columns) for _, columns in told) > KEPT_IDENTIFIERS:
            with self._lock:
                self._columns.clear()
        return told

    def first_heard(self) -> int | None:
        """When the oldest page that has a time began, Unix seconds, rounded down; None where none has."""
        for row in self._store.numbers("pages"):
            contents = self._store.row("pages", row)
            first = PageColumns.from_bytes(contents).first_seconds if contents else ()
            if first:
                return min(first)
        return None

    def page(self, row: int) -> Page | None:
        """One page, or None if it was purged meanwhile."""
        contents = self._store.row("pages", row)
        return None if contents is None else Page.from_bytes(contents)

    def stamp_earlier(self, stamp: Stamp) -> None:
        """Give this boot's sightings from before the first signed file their time, from the boot clock."""
        assert stamp.offset_seconds is not None
        with self._lock:
            self._close_page()
            for row, columns in self.columns():
                old = columns.stamp
                if old.boot_id != stamp.boot_id or not (old.offset_seconds is None or old.provisional):
                    continue
                page = self.page(row)
                assert page is not None  # Encounters lets no purge run meanwhile
                page.stamp = replace(old, offset_seconds=stamp.offset_seconds, provisional=False)
                times = [page.stamp.unix_seconds(heard.bursts[0].boot_seconds) for heard in page.heard.values()]
                page.day = day_at(min((time for time in times if time is not None), default=page.day * SECONDS_PER_DAY))
                self._write(row, page)

    def measure(self) -> None:
        """Find out how large the log is and forget what is gone from it; called after a purge."""
        with self._lock:
            self._closed_bytes = self._store.page_bytes()
            stored = set(self._store.numbers("pages"))
            self._columns = {row: columns for row, columns in self._columns.items() if row in stored}

    def _write(self, row: int | None, page: Page) -> int:
        """Seal a page into its row, or a new one, and return the row; what is in memory follows what is stored."""
        contents = page.to_bytes()
        if row is None:
            row = self._store.add("pages", page.day, contents)
        else:
            self._store.replace("pages", row, page.day, contents)
        self._columns[row] = PageColumns.of(page)
        return row

    def _keep_reciprocity(self) -> None:
        """Keep reciprocity frames beside their senders: one of each before a second of any, the nearest first."""
        reciprocity, self._reciprocity = self._reciprocity, {}
        if self._page is None or not reciprocity or self._closed_bytes >= self._reciprocity_bytes:
            return
        senders: dict[bytes, list[HeardBurst]] = {}
        newest = next(reversed(self._bursts), None)
        for heard in self._page.heard.values():
            if heard.bursts[-1].number == newest:
                senders.setdefault(heard.identifier[:BINDING_LENGTH], []).append(heard.bursts[-1])
        waiting: list[tuple[int, float, int, HeardBurst, bytes]] = []
        turns: dict[int, int] = {}
        for place, frame in enumerate(reciprocity):
            for burst in senders.get(bound_to(frame), ()):
                kept = frame[-RECIPROCITY_LENGTH:]
                if kept not in burst.reciprocity:
                    turn = turns[id(burst)] = turns.get(id(burst), len(burst.reciprocity)) + 1
                    waiting.append((turn, -burst.mean_rssi_dbm, place, burst, kept))
        waiting.sort(key=lambda one: one[:3])
        for *_, burst, kept in waiting[: self._reciprocity_room]:
            burst.reciprocity.append(kept)
            self._changed = True
        self._reciprocity_room -= min(len(waiting), self._reciprocity_room)

    def _note(self, entry: Heard, sighting: Sighting) -> None:
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
            self._page, self._row, self._opened_at = page, None, boot_seconds

    def _close_page(self) -> None:
        self.flush()
        self._admission.page_closed()
        self._page, self._row = None, None
        self._closed_bytes = self._store.page_bytes()


def identifiers_per_day(log: EncounterLog, zone: ZoneInfo) -> dict[date, int]:
    """How many identifiers were heard each local day, earliest first.

    One phone changes its identifier every 10 to 20 minutes: this is not a number of phones or of people.
    """
    frames: dict[date, set[bytes]] = {}
    for _, columns in log.columns():
        seconds = columns.first_seconds or [columns.day * SECONDS_PER_DAY] * len(columns)
        for frame, at in zip(columns.each_frame(), seconds, strict=True):
            frames.setdefault(datetime.fromtimestamp(at, zone).date(), set()).add(frame)
    return {day: len(heard_then) for day, heard_then in sorted(frames.items())}
