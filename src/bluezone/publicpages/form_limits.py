# SPDX-License-Identifier: Apache-2.0
"""How many public forms of one network are free. Each further one costs the sender's browser a puzzle.

None is refused: a flood must not keep the citizens of a city from asking for help.
"""

import datetime
import functools
import hmac
import os
import threading
import time
from collections import Counter

from django.conf import settings
from django.http import HttpRequest

from bluezone.devices.refusals import PuzzleRequired
from bluezone.identity.signin.attempts import network_of
from bluezone.keyserver.limits.limits import Limits
from bluezone.protocol.upload.puzzle import PUZZLE_HEADER, read_solution

# An IPv6 /48 may be one customer with many networks, so all of them together get this many times the limit of one.
_WIDER = 4
_WIDER_BYTES = 6


class FormLimit:
    """Counts of the current hour of this process. each: free forms of one network; all_together: of all networks."""

    def __init__(self, each: int, all_together: int) -> None:
        self._each = each
        self._all = all_together
        self._lock = threading.Lock()
        self._hour: datetime.datetime | None = None
        self._key = b""
        self._counts: Counter[bytes] = Counter()
        self._total = 0

    def check(self, request: HttpRequest, now: datetime.datetime) -> None:
        """Count one request. Raises PuzzleRequired beyond the limits, unless it has the solution of a puzzle.

        The solution is in the field `puzzle` or the header `X-Bluezone-Puzzle`, 80 hex digits.
        """
        network = bytes.fromhex(network_of(request))
        hour = now.replace(minute=0, second=0, microsecond=0)
        with self._lock:
            if hour != self._hour:
                self._hour = hour
                self._key = os.urandom(32)
                self._total = 0
                self._counts.clear()
            limits = {self._name(network): self._each}
            if len(network) > _WIDER_BYTES:
                limits[self._name(network[:_WIDER_BYTES])] = _WIDER * self._each
            over = self._total >= self._all or any(self._counts[name] >= most for name, most in limits.items())
            # Forms that cost a puzzle are not counted, or one network's flood would use up everybody's share.
            if not over:
                self._counts.update(limits.keys())
                self._total += 1
        if over:
            self._require_puzzle(request, network)

    def _name(self, network: bytes) -> bytes:
        """The name under which a network is counted this hour, which does not reveal it."""
        return hmac.digest(self._key, network, "sha256")[:16]

    def _require_puzzle(self, request: HttpRequest, network: bytes) -> None:
        solution = request.POST.get("puzzle", "") or request.headers.get(PUZZLE_HEADER, "")
        challenge = _puzzles().challenge_always(*read_solution(solution))
        if challenge is not None:
            raise PuzzleRequired(challenge)
        # Many solved puzzles make the next ones harder; a flood that solves none makes nothing harder for others.
        _puzzles().count_call(network, invalid=True)


@functools.cache
def _puzzles() -> Limits:
    """Puzzles of this process; those of another are accepted, too, but each process redeems a puzzle only once."""
    key = hmac.digest(settings.SECRET_KEY.encode(), b"form puzzle", "sha256")
    return Limits(key, time.time, lambda _hour: None, "public forms beyond their limits")
