# SPDX-License-Identifier: Apache-2.0
"""Guessing is slowed, nobody is locked out: after too many invalid tries a puzzle comes before each answer.

Counts are kept in memory, under a keyed hash of the network whose key is forgotten every hour, so that no
address is ever stored; the processes of one `serve` count together. Rehearsals (chaff) count too, over all in a minute
of their own: a rehearsal looks up no code, so a country's many must not use up the few guesses that keep codes safe
(docs/adr/0010-rehearsals-of-a-country.md).
Source: docs/protocol.md section 4, "Limits"; docs/attacks.md rows 4 and 16.
"""

import hmac
import ipaddress
import logging
import os
import struct
from collections.abc import Callable, Sequence

from bluezone.keyserver.reports.tally import RECENT, Tally
from bluezone.logs import event
from bluezone.protocol.intervals import hour_at
from bluezone.protocol.upload.puzzle import CHALLENGE_LENGTH, PUZZLE_SECONDS, solved

TRIES_PER_NETWORK_AN_HOUR = 10
TRIES_A_MINUTE = RECENT

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
    """Invalid tries, and the puzzles that answer too many of them.

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
        self._tally = Tally()

    def share(self, descriptor: int, place: int) -> None:
        """Count together with the other processes that have this memory (tally.shared_memory), from now on."""
        self._tally = Tally(descriptor, place)

    def challenge_for(self, network: bytes, challenge: bytes, nonce: bytes) -> bytes | None:
        """Return None if the request may go on, else the 32-byte challenge it has to solve first.

        network:          as `network_of` returns it.
        challenge, nonce: what the request brought; an answered challenge lets one request through.
        """
        now = self._clock()
        with self._tally.alone():
            self._tally.turn(hour_at(now))
            over = (
                self._tally.tries(network) >= TRIES_PER_NETWORK_AN_HOUR or self._many(now) or self._many_rehearsals(now)
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
        with self._tally.alone():
            self._tally.turn(hour_at(now))
            guess = invalid and not rehearsal
            if guess:
                self._tally.add(network, now)
            else:
                self._tally.add_rehearsals(network, now, int(rehearsal))
            alarm = guess and self._many(now) and self._tally.alarm(hour_at(now))
            warning = self._many_rehearsals(now) and rehearsal and self._tally.warn(hour_at(now), now)
        if alarm:
            said = event("tries_over_limit", what=self._what, a_minute=TRIES_A_MINUTE)
            sentence = "more than %d %s in a minute: every request must solve a puzzle"
            log.warning(sentence, TRIES_A_MINUTE, self._what, extra=said)
            self._alarm(hour_at(now))
        if warning:
            said = event("rehearsals_over_limit", a_minute=self._rehearsals_a_minute)
            sentence = (
                "more than %d rehearsals in a minute: every request must solve a puzzle; rehearsals_a_minute is for"
                " fewer phones, or somebody floods"
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
        issued_at = _ISSUED.unpack(issued)[0]
        if now - issued_at >= PUZZLE_SECONDS or not solved(challenge, nonce):
            return False
        with self._tally.alone():
            return self._tally.redeem(tag, issued_at)
