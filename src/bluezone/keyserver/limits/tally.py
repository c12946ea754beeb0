# SPDX-License-Identifier: Apache-2.0
"""Counts of invalid tries and rehearsals, in memory that several processes can share."""

import fcntl
import hmac
import mmap
import os
import struct
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bluezone.protocol.intervals import hour_at
from bluezone.protocol.upload.puzzle import PUZZLE_SECONDS

RECENT = 60
_CELLS = 1 << 18
_BITS = 1 << 20
# Bitmaps of used puzzles, one for each period of PUZZLE_SECONDS, reused in turn. Puzzles of this period and of the
# previous one may still be valid.
_PERIODS = 3
_MOST = 255
_KEY_LENGTH = 32

# The layout of the memory: head, rehearsals, misses; then the periods of the bitmaps, key, ring, cells, bits.
# Hour of the counts, hour of the last alarm, position in the ring.
_HEAD = struct.Struct("=qqq")
# Minute of the newest rehearsal, rehearsals in it and in the minute before, hour of the last warning.
_REHEARSED = struct.Struct("=qqqq")
# Hour of the newest invalid try, invalid tries in it and in the hour before.
_MISSED = struct.Struct("=qqq")
_MISSED_AT = _HEAD.size + _REHEARSED.size
_PERIOD_AT = _MISSED_AT + _MISSED.size
_KEY_AT = _PERIOD_AT + _PERIODS * 8
_RING_AT = _KEY_AT + _KEY_LENGTH
_CELLS_AT = _RING_AT + RECENT * 8
_BITS_AT = _CELLS_AT + _CELLS
# A whole number of pages, so that one file holds several.
SIZE = -(-(_BITS_AT + _PERIODS * _BITS // 8) // 65_536) * 65_536


class Tally:
    """Counts of one kind of call.

    descriptor: that of shared memory with at least (place + 1) * SIZE bytes; None for memory of this process alone.
    """

    def __init__(self, descriptor: int | None = None, place: int = 0) -> None:
        self._descriptor = descriptor
        self._start = place * SIZE
        self._memory = mmap.mmap(-1 if descriptor is None else descriptor, SIZE, offset=self._start)
        self._threads = threading.Lock()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Exclude every other thread and process; a killed process releases the lock automatically."""
        with self._threads:
            if self._descriptor is None:
                yield
                return
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX, 1, self._start)
            try:
                yield
            finally:
                fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, self._start)

    def begin_hour(self, hour: int) -> None:
        """In a new hour, discard the counts by network, and the key under which networks were counted."""
        counted, alarmed, ring = _HEAD.unpack_from(self._memory)
        if counted != hour:
            _HEAD.pack_into(self._memory, 0, hour, alarmed, ring)
            self._memory[_KEY_AT : _KEY_AT + _KEY_LENGTH] = os.urandom(_KEY_LENGTH)
            self._memory[_CELLS_AT : _CELLS_AT + _CELLS] = bytes(_CELLS)

    def is_hour(self, hour: int) -> bool:
        """Whether the counts by network are those of an hour."""
        return bool(_HEAD.unpack_from(self._memory)[0] == hour)

    def count_code_check(self, name: bytes, number: int) -> int:
        """Count 0 or 1 checks of one code from one network; return the count before, for this hour, at most 255."""
        before = self.tries(name)
        self._add_to(name, number)
        return before

    def tries(self, network: bytes) -> int:
        """Tries counted for a network this hour, at most 255."""
        return self._memory[self._cell(network)]

    def add_rehearsals(self, network: bytes, now: float, number: int) -> None:
        """Count 0 or 1 rehearsals, for their network and for this minute; both take the same time."""
        self._add_to(network, number)
        minute, current, before, warned = self._rehearsed(now)
        _REHEARSED.pack_into(self._memory, _HEAD.size, minute, current + number, before, warned)

    def rehearsals(self, now: float) -> float:
        """Estimated rehearsals of the last 60 seconds, assuming that those of the previous minute came evenly."""
        _minute, current, before, _warned = self._rehearsed(now)
        return current + before * (1 - now % 60 / 60)

    def note_warning(self, hour: int, now: float) -> bool:
        """Note a warning of too many rehearsals; return whether it is the first of its hour."""
        minute, current, before, warned = self._rehearsed(now)
        _REHEARSED.pack_into(self._memory, _HEAD.size, minute, current, before, hour)
        return bool(warned != hour)

    def _rehearsed(self, now: float) -> tuple[int, int, int, int]:
        minute, current, before, warned = _REHEARSED.unpack_from(self._memory, _HEAD.size)
        this_minute = int(now // 60)
        if minute == this_minute:
            return minute, current, before, warned
        if minute == this_minute - 1:
            return this_minute, 0, current, warned
        return this_minute, 0, 0, warned

    def add_miss(self, network: bytes, now: float) -> None:
        """Count one invalid try."""
        self._add_to(network, 1)
        hour, current, before = self._missed(now)
        _MISSED.pack_into(self._memory, _MISSED_AT, hour, current + 1, before)
        counted, alarmed, ring = _HEAD.unpack_from(self._memory)
        struct.pack_into("=d", self._memory, _RING_AT + ring * 8, now)
        _HEAD.pack_into(self._memory, 0, counted, alarmed, (ring + 1) % RECENT)

    def misses(self, now: float) -> tuple[int, float]:
        """Invalid tries of this hour, and those of the last 60 minutes, assuming an even rate in the previous hour."""
        _hour, current, before = self._missed(now)
        return current, current + before * (1 - now % 3600 / 3600)

    def _missed(self, now: float) -> tuple[int, int, int]:
        hour, current, before = _MISSED.unpack_from(self._memory, _MISSED_AT)
        this_hour = hour_at(now)
        if hour == this_hour:
            return hour, current, before
        if hour == this_hour - 1:
            return this_hour, 0, current
        return this_hour, 0, 0

    def _add_to(self, network: bytes, number: int) -> None:
        cell = self._cell(network)
        self._memory[cell] = min(self._memory[cell] + number, _MOST)

    def remove_try(self, network: bytes) -> None:
        """Subtract one try of a network."""
        cell = self._cell(network)
        self._memory[cell] = max(self._memory[cell] - 1, 0)

    def oldest_recent(self) -> float:
        """When the oldest of the last RECENT tries was made, Unix seconds; 0 if there were fewer."""
        ring = _HEAD.unpack_from(self._memory)[2]
        return float(struct.unpack_from("=d", self._memory, _RING_AT + ring * 8)[0])

    def note_alarm(self, hour: int) -> bool:
        """Note an alarm; return whether it is the first of its hour."""
        counted, alarmed, ring = _HEAD.unpack_from(self._memory)
        _HEAD.pack_into(self._memory, 0, counted, hour, ring)
        return bool(alarmed != hour)

    def use_puzzle(self, tag: bytes, issued_at: int) -> bool:
        """Note that a puzzle is used; returns False if it was used before.

        Also False, with a chance of one in a million for each used puzzle, because two puzzles may share a bit.
        """
        period = issued_at // PUZZLE_SECONDS
        bitmap = period % _PERIODS
        period_at = _PERIOD_AT + bitmap * 8
        begin = _BITS_AT + bitmap * (_BITS // 8)
        if struct.unpack_from("=q", self._memory, period_at)[0] != period:
            struct.pack_into("=q", self._memory, period_at, period)
            self._memory[begin : begin + _BITS // 8] = bytes(_BITS // 8)
        bit = int.from_bytes(tag[:8], "big") % _BITS
        at = begin + bit // 8
        mask = 1 << bit % 8
        if self._memory[at] & mask:
            return False
        self._memory[at] |= mask
        return True

    def _cell(self, network: bytes) -> int:
        key = self._memory[_KEY_AT : _KEY_AT + _KEY_LENGTH]
        return _CELLS_AT + int.from_bytes(hmac.digest(key, network, "sha256")[:8], "big") % _CELLS


def shared_memory(size: int) -> int:
    """A descriptor of `size` zero bytes of memory, which exist as long as a process has it open."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("bluezone")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, size)
    return descriptor
