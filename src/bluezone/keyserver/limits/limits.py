# SPDX-License-Identifier: Apache-2.0
"""Guessing is slowed, nobody is locked out: a puzzle before further tries, and the counts for it in memory that
several processes may share.
"""

import fcntl
import hmac
import logging
import mmap
import os
import struct
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bluezone.logs import event_fields
from bluezone.protocol.intervals import hour_at
from bluezone.protocol.upload.puzzle import CHALLENGE_LENGTH, MOST_BITS, PUZZLE_BITS, PUZZLE_SECONDS, is_solution

RECENT = 60
_CELLS = 1 << 18
_BITS = 1 << 20
# Of three in turn two are in use: puzzles of this period and, until they run out, of the one before.
_PERIODS = 3
_MOST = 255
_KEY_LENGTH = 32

# Hour of the counts, hour of the last alarm, place in the ring; minute of the rehearsals, how many in it and in the one
# before, hour of their last warning; hour of the invalid tries, how many in it and in the one before; then periods of
# the bitmaps, key, ring, cells, bits.
_HEAD = struct.Struct("=qqq")
_REHEARSED = struct.Struct("=qqqq")
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

    def look(self, name: bytes, number: int) -> int:
        """Count 0 or 1 questions about one code from one network; how many there were this hour before, at most 255."""
        before = self.tries(name)
        self._add_to(name, number)
        return before

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
        """Count one invalid try."""
        self._add_to(network, 1)
        hour, here, before = self._missed(now)
        _MISSED.pack_into(self._memory, _MISSED_AT, hour, here + 1, before)
        counted, alarmed, ring = _HEAD.unpack_from(self._memory)
        struct.pack_into("=d", self._memory, _RING_AT + ring * 8, now)
        _HEAD.pack_into(self._memory, 0, counted, alarmed, (ring + 1) % RECENT)

    def misses(self, now: float) -> tuple[int, float]:
        """Invalid tries of this hour, and of the last 60 minutes, as if those of the hour before had come evenly."""
        _hour, here, before = self._missed(now)
        return here, here + before * (1 - now % 3600 / 3600)

    def _missed(self, now: float) -> tuple[int, int, int]:
        hour, here, before = _MISSED.unpack_from(self._memory, _MISSED_AT)
        this = hour_at(now)
        return (hour, here, before) if hour == this else (this, 0, here if hour == this - 1 else 0)

    def _add_to(self, network: bytes, number: int) -> None:
        cell = self._cell(network)
        self._memory[cell] = min(self._memory[cell] + number, _MOST)

    def take_back(self, network: bytes) -> None:
        """Count one try of a network less."""
        cell = self._cell(network)
        self._memory[cell] = max(self._memory[cell] - 1, 0)

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


TRIES_PER_NETWORK_AN_HOUR = 10
TRIES_A_MINUTE = RECENT
# Of one code from one network, with whatever answer: a patient asks once or twice. What others ask counts apart, or it
# would tell that somebody uses the code.
LOOKS_AN_HOUR = 60
# Invalid tries of an hour are told on at this number and at each doubling of it.
FIRST_TOLD = 64

# The first byte is how many bits more than 20 the puzzle asks for; the other seven are Unix seconds.
_ISSUED = struct.Struct(">Q8s")
_BITS_SHIFT = 56
_ISSUED_AT = (1 << _BITS_SHIFT) - 1
_TAG_LENGTH = CHALLENGE_LENGTH - _ISSUED.size

log = logging.getLogger(__name__)


class Limits:
    """Invalid tries, and the puzzles that answer too many of them.

    key:   32 secret bytes, the same in all processes, that authenticate the puzzles.
    clock: returns Unix seconds.
    alarm: called with the hour when tries over all exceed the limit, at most once an hour.
    note:  called with the hour and the number of its invalid tries, at 64 and at each doubling.
    what:  the word for them in the log.
    rehearsals_a_minute: rehearsed calls over all in a minute, beyond which everybody is asked for a puzzle too.
    """

    def __init__(
        self,
        key: bytes,
        clock: Callable[[], float],
        alarm: Callable[[int], None],
        what: str = "invalid codes",
        rehearsals_a_minute: int = TRIES_A_MINUTE,
        note: Callable[[int, int], None] = lambda _hour, _misses: None,
    ) -> None:
        self._note = note
        self._what = what
        self._rehearsals_a_minute = rehearsals_a_minute
        self._key = key
        self._clock = clock
        self._alarm = alarm
        self._tally = Tally()

    def share(self, descriptor: int, place: int) -> None:
        """Count together with the other processes that have this memory (tally.shared_memory), from now on."""
        self._tally = Tally(descriptor, place)

    def challenge_for(
        self, network: bytes, challenge: bytes, nonce: bytes, code: bytes = b"", rehearsal: bool = False
    ) -> bytes | None:
        """Return None if the request may go on, else the 32-byte challenge it has to solve first.

        network:          as `network_of` returns it.
        challenge, nonce: what the request brought; an answered challenge lets one request through.
        code:             hash of the code that is asked about, which counts but in a rehearsal; empty for other calls.
        """
        now = self._clock()
        with self._tally.alone():
            self._tally.turn(hour_at(now))
            over = (
                self._tally.tries(network) >= TRIES_PER_NETWORK_AN_HOUR or self._many(now) or self._many_rehearsals(now)
            )
            if code:
                over = self._tally.look(network + code, int(not rehearsal)) >= LOOKS_AN_HOUR or over
        return self.challenge_always(challenge, nonce) if over else None

    def admit(self, network: bytes, challenge: bytes, nonce: bytes) -> bytes | None:
        """The same for calls that count if they go through, right or wrong: looked at and counted in one step. So of
        many at once no more go through than one after the other. Who is only asked for a puzzle does not count: a flood
        that solves none must not make the puzzles of others harder.
        """
        now = self._clock()
        with self._tally.alone():
            self._tally.turn(hour_at(now))
            over = self._tally.tries(network) >= TRIES_PER_NETWORK_AN_HOUR or self._many(now)
            if not over:
                self._tally.add(network, now)
        if not over:
            return None
        asked = self.challenge_always(challenge, nonce)
        if asked is None:
            self.count(network, invalid=True)
        return asked

    def forgive(self, network: bytes) -> None:
        """Take back one try that `admit` counted, because it was right."""
        with self._tally.alone():
            self._tally.turn(hour_at(self._clock()))
            self._tally.take_back(network)

    def challenge_always(self, challenge: bytes, nonce: bytes) -> bytes | None:
        """The same for a call that costs a puzzle each time."""
        now = self._clock()
        if self._redeem(challenge, nonce, now):
            return None
        with self._tally.alone():
            _here, misses = self._tally.misses(now)
        # By what is guessed, never by how many codes are open: that would tell everybody how many are ill.
        more = min((int(misses) // (60 * TRIES_A_MINUTE)).bit_length(), MOST_BITS - PUZZLE_BITS)
        issued = _ISSUED.pack(more << _BITS_SHIFT | int(now), os.urandom(8))
        return issued + self._tag(issued)

    def count(self, network: bytes, invalid: bool, rehearsal: bool = False) -> None:
        """Count one call if it was an invalid try or a rehearsal; a valid code is never counted.

        A rehearsal counts as one whatever came of it. Every call is passed through here, so that counting does not
        make some of them longer.
        """
        now = self._clock()
        with self._tally.alone():
            self._tally.turn(hour_at(now))
            guess = invalid and not rehearsal
            if guess:
                self._tally.add(network, now)
            else:
                self._tally.add_rehearsals(network, now, int(rehearsal))
            misses = self._tally.misses(now)[0] if guess else 0
            alarm = guess and self._many(now) and self._tally.alarm(hour_at(now))
            warning = self._many_rehearsals(now) and rehearsal and self._tally.warn(hour_at(now), now)
        if misses >= FIRST_TOLD and misses.bit_count() == 1:
            self._note(hour_at(now), misses)
        if alarm:
            said = event_fields("tries_over_limit", what=self._what, a_minute=TRIES_A_MINUTE)
            sentence = "more than %d %s in a minute: every request must solve a puzzle"
            log.warning(sentence, TRIES_A_MINUTE, self._what, extra=said)
            self._alarm(hour_at(now))
        if warning:
            said = event_fields("rehearsals_over_limit", a_minute=self._rehearsals_a_minute)
            sentence = (
                "more than %d rehearsals in a minute: every request must solve a puzzle; rehearsals_a_minute is for"
                " fewer phones, or someone floods the server"
            )
            log.warning(sentence, self._rehearsals_a_minute, extra=said)

    def _many(self, now: float) -> bool:
        """Whether the last sixty tries were made within a minute."""
        return self._tally.since() > now - 60

    def _many_rehearsals(self, now: float) -> bool:
        return self._tally.rehearsals(now) >= self._rehearsals_a_minute

    def _tag(self, issued: bytes) -> bytes:
        return hmac.digest(self._key, issued, "sha256")[:_TAG_LENGTH]

    def _redeem(self, challenge: bytes, nonce: bytes, now: float) -> bool:
        issued, tag = challenge[: _ISSUED.size], challenge[_ISSUED.size :]
        if not hmac.compare_digest(tag, self._tag(issued)):
            return False
        issued_at = _ISSUED.unpack(issued)[0] & _ISSUED_AT
        if now - issued_at >= PUZZLE_SECONDS or not is_solution(challenge, nonce):
            return False
        with self._tally.alone():
            return self._tally.redeem(tag, issued_at)


def note_nothing(_hour: int) -> None:
    """Many declarations or subscriptions are no attack on codes: a warning in the log is enough."""
