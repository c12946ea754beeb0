# SPDX-License-Identifier: Apache-2.0
"""How often a public form is taken from one network for nothing. Beyond that each costs the sender's browser a puzzle,
and nobody is refused: a flood must not keep the citizens of a city from asking for help.
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
from bluezone.identity.signin import network_of
from bluezone.keyserver.reports.limits import Limits
from bluezone.protocol.upload.puzzle import PUZZLE_HEADER, read_puzzle

# Of an IPv6 /48, which one customer may hold with 256 networks in it, so many times as much as of one network.
_WIDER, _WIDER_BYTES = 4, 6


class FormLimit:
    """Counts of the present hour of this process. each: free ones of one network; all_together: of all."""

    def __init__(self, each: int, all_together: int) -> None:
        self._each, self._all = each, all_together
        self._lock = threading.Lock()
        self._hour: datetime.datetime | None = None
        self._key = b""
        self._counts: Counter[bytes] = Counter()
        self._total = 0

    def check(self, request: HttpRequest, now: datetime.datetime) -> None:
        """Count one request. Raises PuzzleRequired beyond the limits, unless it brings the answer to a puzzle: in the
        field `puzzle` or the header `X-Bluezone-Puzzle`, 80 hex digits.
        """
        network = bytes.fromhex(network_of(request))
        hour = now.replace(minute=0, second=0, microsecond=0)
        with self._lock:
            if hour != self._hour:
                self._hour, self._key, self._total = hour, os.urandom(32), 0
                self._counts.clear()
            own, wider = (hmac.digest(self._key, part, "sha256")[:16] for part in (network, network[:_WIDER_BYTES]))
            names = {own: self._each} | ({wider: _WIDER * self._each} if len(network) > _WIDER_BYTES else {})
            over = self._total >= self._all or any(self._counts[name] >= most for name, most in names.items())
            # What costs a puzzle is not counted, or one network's flood would use up everybody's share.
            if not over:
                self._counts.update(names.keys())
                self._total += 1
        if over:
            self._ask(request, network)

    def _ask(self, request: HttpRequest, network: bytes) -> None:
        said = request.POST.get("puzzle", "") or request.headers.get(PUZZLE_HEADER, "")
        challenge = _puzzles().challenge_always(*read_puzzle(said))
        if challenge is not None:
            raise PuzzleRequired(challenge)
        # Many solved puzzles make the next ones harder; a flood that solves none makes nothing harder for others.
        _puzzles().count(network, invalid=True)


@functools.cache
def _puzzles() -> Limits:
    """Puzzles of this process; those of another are taken too, but each may redeem one once."""
    key = hmac.digest(settings.SECRET_KEY.encode(), b"form puzzle", "sha256")
    return Limits(key, time.time, lambda _hour: None, "public forms beyond their limits")
