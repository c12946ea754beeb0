# SPDX-License-Identifier: Apache-2.0
"""Guessing is slowed, nobody is locked out: after too many invalid tries a puzzle comes before each answer.

Counts are kept in memory, under a keyed hash of the network whose key is forgotten every hour, so that no
address is ever stored. Rehearsals (chaff) count too, over all in a minute of their own: a rehearsal looks up no code,
so a country's many must not use up the few guesses that keep codes safe (docs/adr/0010-rehearsals-of-a-country.md).
Source: protocol.md section 4, "Limits"; attacks.md rows 4 and 16.
"""

import hmac
import ipaddress
import logging
import os
import struct
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence

from bluezone.protocol.intervals import hour_at
from bluezone.protocol.puzzle import CHALLENGE_LENGTH, PUZZLE_SECONDS, solved

TRIES_PER_NETWORK_AN_HOUR = 10
TRIES_A_MINUTE = 60

_IPV6_BITS = 56
_ISSUED = struct.Struct(">Q8s")
_TAG_LENGTH = CHALLENGE_LENGTH - _ISSUED.size

log = logging.getLogger(__name__)


def network_of(remote: str, forwarded: str | None, trusted: Sequence[str]) -> bytes:
    """The network a request came from: the whole IPv4 address, or the first 56 bits of an IPv6 address.

    remote:    address of the peer.
    forwarded: its `X-Forwarded-For`, believed only if the peer is in `trusted`; proxies append on the right,
               so the last address that is not a trusted proxy is the client.
    Returns 4 or 7 bytes; zero bytes where there is no address (a Unix socket).
    """
    if not trusted:
        forwarded = None
    networks = [ipaddress.ip_network(network) for network in trusted]
    hops = [remote, *reversed([hop.strip() for hop in (forwarded or "").split(",") if hop.strip()])]
    client = None
    for hop in hops:
        address = _address(hop)
        if address is None:
            break
        client = address
        if not any(address in network for network in networks):
            break
    if client is None:
        return bytes(4)
    return client.packed if client.version == 4 else client.packed[: _IPV6_BITS // 8]


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


class Limits:
    """Invalid tries of this process, and the puzzles that answer too many of them.

    key:   32 secret bytes, the same in all processes, that authenticate the puzzles.
    clock: returns Unix seconds.
    alarm: called with the hour when tries over all exceed the limit, at most once an hour.
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
    ) -> None:
        self._what = what
        self._rehearsals_a_minute = rehearsals_a_minute
        self._key = key
        self._clock = clock
        self._alarm = alarm
        self._lock = threading.Lock()
        self._hour = -1
        self._hour_key = b""
        self._tries: Counter[bytes] = Counter()
        self._recent: deque[float] = deque()
        self._rehearsed: deque[float] = deque()
        self._alarmed = self._warned = -1
        self._used: dict[bytes, float] = {}

    def challenge_for(self, network: bytes, challenge: bytes, nonce: bytes) -> bytes | None:
        """Return None if the request may go on, else the 32-byte challenge it has to solve first.

        network:          as `network_of` returns it.
        challenge, nonce: what the request brought; an answered challenge lets one request through.
        """
        now = self._clock()
        with self._lock:
            self._forget(now)
            over = (
                self._tries[self._name(network)] >= TRIES_PER_NETWORK_AN_HOUR
                or len(self._recent) >= TRIES_A_MINUTE
                or len(self._rehearsed) >= self._rehearsals_a_minute
            )
        return self.challenge_always(challenge, nonce) if over else None

    def challenge_always(self, challenge: bytes, nonce: bytes) -> bytes | None:
        """The same for a call that costs a puzzle each time."""
        now = self._clock()
        if self._redeem(challenge, nonce, now):
            return None
        issued = _ISSUED.pack(int(now), os.urandom(8))
        return issued + self._tag(issued)

    def count(self, network: bytes, invalid: bool, rehearsal: bool = False) -> None:
        """Count one call if it was an invalid try or a rehearsal; a valid code is never counted.

        A rehearsal counts as one whatever came of it. Every call is passed through here, so that counting does not
        make some of them longer.
        """
        now = self._clock()
        with self._lock:
            self._forget(now)
            name = self._name(network)
            if not invalid and not rehearsal:
                return
            self._tries[name] += 1
            (self._rehearsed if rehearsal else self._recent).append(now)
            alarm = len(self._recent) >= TRIES_A_MINUTE and self._alarmed != self._hour
            if alarm:
                self._alarmed = self._hour
            warning = len(self._rehearsed) >= self._rehearsals_a_minute and self._warned != self._hour
            if warning:
                self._warned = self._hour
        if alarm:
            log.warning("more than %d %s in a minute: every request must solve a puzzle", TRIES_A_MINUTE, self._what)
            self._alarm(hour_at(now))
        if warning:
            log.warning(
                "more than %d rehearsals in a minute: every request must solve a puzzle; rehearsals_a_minute is for"
                " fewer phones, or somebody floods",
                self._rehearsals_a_minute,
            )

    def _forget(self, now: float) -> None:
        if hour_at(now) != self._hour:
            self._hour = hour_at(now)
            self._hour_key = os.urandom(32)
            self._tries.clear()
        for recent in (self._recent, self._rehearsed):
            while recent and recent[0] <= now - 60:
                recent.popleft()

    def _name(self, network: bytes) -> bytes:
        return hmac.digest(self._hour_key, network, "sha256")[:16]

    def _tag(self, issued: bytes) -> bytes:
        return hmac.digest(self._key, issued, "sha256")[:_TAG_LENGTH]

    def _redeem(self, challenge: bytes, nonce: bytes, now: float) -> bool:
        issued = challenge[: _ISSUED.size]
        if not hmac.compare_digest(challenge[_ISSUED.size :], self._tag(issued)):
            return False
        if now - _ISSUED.unpack(issued)[0] >= PUZZLE_SECONDS or not solved(challenge, nonce):
            return False
        with self._lock:
            # Oldest first, so that only what has run out is looked at.
            while self._used and now - next(iter(self._used.values())) >= PUZZLE_SECONDS:
                del self._used[next(iter(self._used))]
            if challenge in self._used:
                return False
            self._used[challenge] = now
            return True
