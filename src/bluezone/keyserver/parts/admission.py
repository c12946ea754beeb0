# SPDX-License-Identifier: Apache-2.0
"""The part that admits what people send: uploads, sealed declarations, push subscriptions. It alone writes them."""

from collections.abc import Callable
from pathlib import Path

from bluezone.city_settings import City
from bluezone.keyserver.declarations import Declarations
from bluezone.keyserver.keys.keyfolder import Pepper
from bluezone.keyserver.keys.weekkeys import WeekKeyRing
from bluezone.keyserver.limits.limits import Limits, raise_no_alarm
from bluezone.keyserver.push import PushSubscriptions
from bluezone.keyserver.storage.store import Store
from bluezone.keyserver.uploads import Uploads


class Admission:
    """What one city admits. store: of keys; clock: returns Unix seconds.

    limits: those of uploads, the same as of codes if one process has both parts. pepper: authenticates the puzzles of
    declarations and subscriptions.
    """

    def __init__(
        self,
        data_dir: Path,
        store: Store,
        week_keys: WeekKeyRing,
        city: City,
        limits: Limits,
        pepper: Pepper,
        clock: Callable[[], float],
    ) -> None:
        self.store = store
        self.city = city
        self.limits = limits
        self.clock = clock
        self._data_dir = data_dir
        self._week_keys = week_keys
        self._declaration_limits = Limits(pepper.derived("declaration puzzle"), clock, raise_no_alarm, "declarations")
        self._push_limits = Limits(pepper.derived("push puzzle"), clock, raise_no_alarm, "push subscriptions")

    @property
    def uploads(self) -> Uploads:
        """Keys and slots of reports: the third call of a report."""
        return Uploads(self.store, self._week_keys, self.limits, self.clock)

    @property
    def declarations(self) -> Declarations:
        """Sealed declarations."""
        return Declarations(self.store, self._data_dir, self._declaration_limits, self.clock)

    @property
    def push(self) -> PushSubscriptions:
        """Push subscriptions of browsers, which get a message when there are new files."""
        return PushSubscriptions(self.store, self._push_limits, self.city.push_services, self.clock)

    def share_limits(self, descriptor: int) -> None:
        """Count attempts together with the other processes that have this memory."""
        for place, limits in enumerate((self.limits, self._declaration_limits, self._push_limits)):
            limits.share_tally(descriptor, place)
