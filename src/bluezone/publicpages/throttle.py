# SPDX-License-Identifier: Apache-2.0
"""How many requests for help one network may open: counted in memory under a key that is forgotten every hour.

No address is written anywhere. Whoever is over the limit is told when to try again, and whom to call.
"""

import datetime
import hmac
import os
import threading
from collections import Counter

from bluezone.devices.refusals import DeviceRefused

# An office or a school behind one address may ask for several people.
HELP_A_NETWORK_AN_HOUR = 20
HELP_AN_HOUR = 600


class TooManyRequests(DeviceRefused):
    """Too many requests for help from this network within the hour; `until` says when the next is looked at."""

    code = "help_too_many"
    status = 429

    def __init__(self, until: datetime.datetime) -> None:
        super().__init__(f"too many requests for help, try again after {until:%H:%M} UTC or call the hotline")
        self.until = until


class HourlyLimit:
    """Counts of the present hour of this process. each: limit of one network; all_together: of all."""

    def __init__(self, each: int, all_together: int) -> None:
        self._each, self._all = each, all_together
        self._lock = threading.Lock()
        self._hour: datetime.datetime | None = None
        self._key = b""
        self._counts: Counter[bytes] = Counter()

    def count(self, network: str, now: datetime.datetime) -> None:
        """Count one request; raises TooManyRequests when it is one too many."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        with self._lock:
            if hour != self._hour:
                self._hour, self._key = hour, os.urandom(32)
                self._counts.clear()
            name = hmac.digest(self._key, network.encode(), "sha256")[:16]
            if self._counts[name] >= self._each or self._counts.total() >= self._all:
                raise TooManyRequests(hour + datetime.timedelta(hours=1))
            self._counts[name] += 1


help_limit = HourlyLimit(HELP_A_NETWORK_AN_HOUR, HELP_AN_HOUR)
