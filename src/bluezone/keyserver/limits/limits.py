# SPDX-License-Identifier: Apache-2.0
"""Decide when a request has to solve a puzzle first, so that guessing is slow and no one is locked out."""

import hmac
import logging
import os
import struct
from collections.abc import Callable

from bluezone.keyserver.limits.tally import RECENT, Tally
from bluezone.logs import event_fields
from bluezone.protocol.intervals import hour_at
from bluezone.protocol.upload.puzzle import CHALLENGE_LENGTH, MOST_BITS, PUZZLE_BITS, PUZZLE_SECONDS, is_solution

TRIES_PER_NETWORK_AN_HOUR = 10
TRIES_A_MINUTE = RECENT
# Checks of one code from one network, whatever the answer; a patient needs one or two. Each network is counted
# separately, because a puzzle would otherwise show that another network checks the same code.
CODE_CHECKS_AN_HOUR = 60
# The invalid tries of an hour are noted at this number and at each doubling of it.
FIRST_NOTED = 64

# A challenge before its tag: eight bytes, and eight random bytes. The first of these bytes is the number of bits that
# the puzzle requires beyond 20; the next seven are Unix seconds.
_ISSUED = struct.Struct(">Q8s")
_BITS_SHIFT = 56
_ISSUED_AT = (1 << _BITS_SHIFT) - 1
_TAG_LENGTH = CHALLENGE_LENGTH - _ISSUED.size

log = logging.getLogger(__name__)


class Limits:
    """Counts invalid tries, and demands puzzles when there are too many of them.

    key:   32 secret bytes, the same in all processes, that authenticate the puzzles.
    clock: returns Unix seconds.
    alarm: called with the hour when the tries of all networks exceed the limit, at most once an hour.
    note:  called with the hour and the number of its invalid tries, at 64 and at each doubling.
    what:  the name of the tries in the log.
    rehearsals_a_minute: with more rehearsals in a minute, from all networks, every request has to solve a puzzle.
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

    def share_tally(self, descriptor: int, place: int) -> None:
        """Count together with the other processes that have this memory (`tally.shared_memory`), from now on."""
        self._tally = Tally(descriptor, place)

    def challenge_for(
        self, network: bytes, challenge: bytes, nonce: bytes, code: bytes = b"", rehearsal: bool = False
    ) -> bytes | None:
        """Return None if the request may proceed, else the 32-byte challenge that it has to solve first.

        network:          as `network_of` returns it.
        challenge, nonce: of the request; a solved challenge lets one request through.
        code:             hash of the code that is checked, counted except in a rehearsal; empty for other calls.
        """
        now = self._clock()
        if code or not self._tally.is_hour(hour_at(now)):
            is_over = self._count_code_check(network, code, now, int(not rehearsal))
        else:
            # Only read, so without the lock of the processes, which costs more than all else here. What another call
            # counts at the same moment may be missed.
            is_over = self._must_solve(network, now)
        if not is_over:
            return None
        return self.challenge_always(challenge, nonce)

    def _count_code_check(self, network: bytes, code: bytes, now: float, number: int) -> bool:
        """Count `number` checks of a code, if there is one; returns whether a puzzle has to be solved."""
        with self._tally.exclusive():
            self._tally.begin_hour(hour_at(now))
            is_over = self._must_solve(network, now)
            if not code:
                return is_over
            return self._tally.count_code_check(network + code, number) >= CODE_CHECKS_AN_HOUR or is_over

    def challenge_at_hand(self, network: bytes, challenge: bytes, nonce: bytes) -> bytes | None:
        """The challenge for a request without a code that has to solve one and has not; otherwise None.

        None does not mean that the request may proceed: `challenge_for` decides that. This function never waits for
        another thread or process.
        """
        now = self._clock()
        if self._is_solved(challenge, nonce, now) or not self._tally.is_hour(hour_at(now)):
            return None
        return self._new_challenge(now) if self._must_solve(network, now) else None

    def admit_try(self, network: bytes, challenge: bytes, nonce: bytes) -> bytes | None:
        """Like `challenge_for`, but a call that may proceed is counted as a try, even if it turns out to be right.

        Check and count are one step, so that simultaneous calls cannot exceed the limit. A call that gets a challenge
        is not counted: a flood of calls that solve no puzzle must not make the puzzles of others harder.
        """
        now = self._clock()
        with self._tally.exclusive():
            self._tally.begin_hour(hour_at(now))
            is_over = self._is_over_limit(network, now)
            if not is_over:
                self._tally.add_miss(network, now)
        if not is_over:
            return None
        new_challenge = self.challenge_always(challenge, nonce)
        if new_challenge is None:
            self.count_call(network, invalid=True)
        return new_challenge

    def subtract_try(self, network: bytes) -> None:
        """Subtract one try that `admit_try` has counted and that turned out to be right."""
        with self._tally.exclusive():
            self._tally.begin_hour(hour_at(self._clock()))
            self._tally.remove_try(network)

    def challenge_always(self, challenge: bytes, nonce: bytes) -> bytes | None:
        """Like `challenge_for`, for a call that costs a puzzle each time."""
        now = self._clock()
        if self._use_solution(challenge, nonce, now):
            return None
        return self._new_challenge(now)

    def _new_challenge(self, now: float) -> bytes:
        _this_hour, misses = self._tally.misses(now)
        # Puzzles get harder with the number of guesses. The number of open codes must not matter: it shows how many
        # people are ill.
        extra_bits = min((int(misses) // (60 * TRIES_A_MINUTE)).bit_length(), MOST_BITS - PUZZLE_BITS)
        issued = _ISSUED.pack(extra_bits << _BITS_SHIFT | int(now), os.urandom(8))
        return issued + self._tag(issued)

    def count_call(self, network: bytes, invalid: bool, rehearsal: bool = False) -> None:
        """Count one call if it was an invalid try or a rehearsal; a valid code is never counted.

        A rehearsal counts as one, whatever its answer. Call it for every request, so that all take equally long.
        """
        now = self._clock()
        with self._tally.exclusive():
            self._tally.begin_hour(hour_at(now))
            is_guess = invalid and not rehearsal
            if is_guess:
                self._tally.add_miss(network, now)
            else:
                self._tally.add_rehearsals(network, now, int(rehearsal))
            misses = self._tally.misses(now)[0] if is_guess else 0
            is_alarm = is_guess and self._has_many_tries(now) and self._tally.note_alarm(hour_at(now))
            is_warning = self._has_many_rehearsals(now) and rehearsal and self._tally.note_warning(hour_at(now), now)
        is_power_of_two = misses.bit_count() == 1
        if misses >= FIRST_NOTED and is_power_of_two:
            self._note(hour_at(now), misses)
        if is_alarm:
            fields = event_fields("tries_over_limit", what=self._what, a_minute=TRIES_A_MINUTE)
            sentence = "more than %d %s in a minute: every request must solve a puzzle"
            log.warning(sentence, TRIES_A_MINUTE, self._what, extra=fields)
            self._alarm(hour_at(now))
        if is_warning:
            fields = event_fields("rehearsals_over_limit", a_minute=self._rehearsals_a_minute)
            sentence = (
                "more than %d rehearsals in a minute: every request must solve a puzzle; either rehearsals_a_minute is"
                " too small for this number of phones, or someone floods the server"
            )
            log.warning(sentence, self._rehearsals_a_minute, extra=fields)

    def _must_solve(self, network: bytes, now: float) -> bool:
        return self._is_over_limit(network, now) or self._has_many_rehearsals(now)

    def _is_over_limit(self, network: bytes, now: float) -> bool:
        return self._tally.tries(network) >= TRIES_PER_NETWORK_AN_HOUR or self._has_many_tries(now)

    def _has_many_tries(self, now: float) -> bool:
        """Whether the last TRIES_A_MINUTE tries were made within a minute."""
        return self._tally.oldest_recent() > now - 60

    def _has_many_rehearsals(self, now: float) -> bool:
        return self._tally.rehearsals(now) >= self._rehearsals_a_minute

    def _tag(self, issued: bytes) -> bytes:
        return hmac.digest(self._key, issued, "sha256")[:_TAG_LENGTH]

    def _is_solved(self, challenge: bytes, nonce: bytes, now: float) -> bool:
        issued, tag = challenge[: _ISSUED.size], challenge[_ISSUED.size :]
        if not hmac.compare_digest(tag, self._tag(issued)):
            return False
        return now - _issued_at(issued) < PUZZLE_SECONDS and is_solution(challenge, nonce)

    def _use_solution(self, challenge: bytes, nonce: bytes, now: float) -> bool:
        if not self._is_solved(challenge, nonce, now):
            return False
        issued, tag = challenge[: _ISSUED.size], challenge[_ISSUED.size :]
        with self._tally.exclusive():
            return self._tally.use_puzzle(tag, _issued_at(issued))


def _issued_at(issued: bytes) -> int:
    return int(_ISSUED.unpack(issued)[0] & _ISSUED_AT)


def raise_no_alarm(_hour: int) -> None:
    """Raise no alarm: for declarations and subscriptions, the warning in the log is enough."""
