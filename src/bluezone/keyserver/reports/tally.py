# SPDX-License-Identifier: Apache-2.0
"""What limits remember, in a piece of memory that several processes may share; never on disk, and gone with them.

Networks are counted in cells under a hash whose key is forgotten every hour: which network a cell belongs to cannot be
told, and where two meet in one cell, both are asked for a puzzle a little sooner. A puzzle that was redeemed is a bit.
"""

import fcntl
import hmac
import mmap
import os
import struct
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bluezone.protocol.upload.puzzle import PUZZLE_SECONDS

RECENT = 60
_CELLS = 1 << 18
_BITS = 1 << 20
# Of three in turn two are in use: puzzles of this period and, until they run out, of the one before.
_PERIODS = 3
_MOST = 255
_KEY_LENGTH = 32

# Hour of the counts, hour of the last alarm, place in the ring; minute of the rehearsals, how many in it and in the one
# before, hour of their last warning; then periods of the bitmaps, key, ring, cells, bits.
_HEAD = struct.Struct("=qqq")
_REHEARSED = struct.Struct("=qqqq")
_PERIOD_AT = _HEAD.size + _REHEARSED.size
_KEY_AT = _PERIOD_AT + _PERIODS * 8
_RING_AT = _KEY_AT + _KEY_LENGTH
_CELLS_AT = _RING_AT + RECENT * 8
_BITS_AT = _CELLS_AT + _CELLS
# A whole number of pages, so that one file holds several.
SIZE = -(-(_BITS_AT + _PERIODS * _BITS // 8) // 65_536) * 65_536


class Tally:
    """Counts of one kind. descriptor: of memory of at least (place + 1) * SIZE bytes, None for this process's own."""

    def __init__(self, descriptor: int | None = None, place: int = 0) -> None:
        self._descriptor, self._start = descriptor, place * SIZE
        self._memory = mmap.mmap(-1 if descriptor is None else descriptor, SIZE, offset=self._start)
        self._threads = threading.Lock()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """No other thread and no other process counts meanwhile; a killed process lets go by itself."""
        with self._threads:
            if self._descriptor is None:
                yield
                return
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX, 1, self._start)
            try:
                yield
            finally:
                fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, self._start)

    def turn(self, hour: int) -> None:
        """Forget the counts of another hour than this one, and the key under which they stood."""
        counted, alarmed, ring = _HEAD.unpack_from(self._memory)
        if counted != hour:
            _HEAD.pack_into(self._memory, 0, hour, alarmed, ring)
            self._memory[_KEY_AT : _KEY_AT + _KEY_LENGTH] = os.urandom(_KEY_LENGTH)
            self._memory[_CELLS_AT : _CELLS_AT + _CELLS] = bytes(_CELLS)

    def tries(self, network: bytes) -> int:
        """Tries counted for a network this hour, at most 255."""
        return self._memory[self._cell(network)]

    def add_rehearsals(self, network: bytes, now: float, number: int) -> None:
        """Count 0 or 1 rehearsals, as tries of their network and among those of this minute; 0 is the same work."""
        self._add_to(network, number)
        minute, here, before, warned = self._rehearsed(now)
        _REHEARSED.pack_into(self._memory, _HEAD.size, minute, here + number, before, warned)

    def rehearsals(self, now: float) -> float:
        """How many rehearsals the last 60 seconds saw, as if those of the minute before had come evenly."""
        _minute, here, before, _warned = self._rehearsed(now)
        return here + before * (1 - now % 60 / 60)

    def warn(self, hour: int, now: float) -> bool:
        """Note a warning of too many rehearsals; whether it is the first of its hour."""
        minute, here, before, warned = self._rehearsed(now)
        _REHEARSED.pack_into(self._memory, _HEAD.size, minute, here, before, hour)
        return bool(warned != hour)

    def _rehearsed(self, now: float) -> tuple[int, int, int, int]:
        minute, here, before, warned = _REHEARSED.unpack_from(self._memory, _HEAD.size)
        this = int(now // 60)
        if minute == this:
            return minute, here, before, warned
        return this, 0, here if minute == this - 1 else 0, warned

    def add(self, network: bytes, now: float) -> None:
        """Count one try."""
        self._add_to(network, 1)
        counted, alarmed, ring = _HEAD.unpack_from(self._memory)
        struct.pack_into("=d", self._memory, _RING_AT + ring * 8, now)
        _HEAD.pack_into(self._memory, 0, counted, alarmed, (ring + 1) % RECENT)

    def _add_to(self, network: bytes, number: int) -> None:
        cell = self._cell(network)
        self._memory[cell] = min(self._memory[cell] + number, _MOST)

    def since(self) -> float:
        """When the last RECENT tries began, Unix seconds; 0 while there were fewer."""
        ring = _HEAD.unpack_from(self._memory)[2]
        return float(struct.unpack_from("=d", self._memory, _RING_AT + ring * 8)[0])

    def alarm(self, hour: int) -> bool:
        """Note an alarm; whether it is the first of its hour."""
        counted, alarmed, ring = _HEAD.unpack_from(self._memory)
        _HEAD.pack_into(self._memory, 0, counted, hour, ring)
        return bool(alarmed != hour)

    def redeem(self, tag: bytes, issued_at: int) -> bool:
        """Note that a puzzle was redeemed; False when it was before. One in a million bits is taken for another."""
        period = issued_at // PUZZLE_SECONDS
        turn = period % _PERIODS
        noted, begin = _PERIOD_AT + turn * 8, _BITS_AT + turn * (_BITS // 8)
        if struct.unpack_from("=q", self._memory, noted)[0] != period:
            struct.pack_into("=q", self._memory, noted, period)
            self._memory[begin : begin + _BITS // 8] = bytes(_BITS // 8)
        bit = int.from_bytes(tag[:8], "big") % _BITS
        at, mask = begin + bit // 8, 1 << bit % 8
        if self._memory[at] & mask:
            return False
        self._memory[at] |= mask
        return True

    def _cell(self, network: bytes) -> int:
        key = self._memory[_KEY_AT : _KEY_AT + _KEY_LENGTH]
        return _CELLS_AT + int.from_bytes(hmac.digest(key, network, "sha256")[:8], "big") % _CELLS


def shared_memory(size: int) -> int:
    """A descriptor of so many zero bytes of memory, which live as long as a process has it open."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("bluezone")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, size)
    return descriptor
