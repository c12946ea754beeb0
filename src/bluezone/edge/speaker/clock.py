# SPDX-License-Identifier: Apache-2.0
"""The time a loudspeaker plays by: the server's, measured at each poll and continued by a clock that nobody sets.

A machine whose own clock is 20 minutes off plays on time and says so. One that has lost its time and cannot ask the
server plays nothing: a bulletin in the middle of the night is worse than none.
"""

from collections.abc import Callable

from bluezone.edge.speaker.book import SpeakerBook

# A slower answer says too little about the moment at which it was given.
MOST_ROUND_TRIP_SECONDS = 1.0
# Where the network is always slow, a slow answer is better than none until a quick one comes.
FIRST_ROUND_TRIP_SECONDS = 5.0
# Beyond this a machine's own clock is called wrong, at the machine and in the office.
TOLERATED_SECONDS = 5.0
_KEPT_AGAIN_SECONDS = 60.0


class SpeakerClock:
    """wall: the machine's clock in Unix seconds; boot: seconds that only ever go forward."""

    def __init__(self, book: SpeakerBook, wall: Callable[[], float], boot: Callable[[], float]) -> None:
        self._book, self._wall, self._boot = book, wall, boot
        self._offset = float(book.get("clock_offset") or 0.0)
        self._last_known = float(book.get("last_known") or 0.0)
        self._anchor: tuple[float, float] | None = None
        self._kept_at = boot()

    def now(self) -> float:
        """Unix seconds as the server counts them."""
        if self._anchor is not None:
            server, boot = self._anchor
            return server + self._boot() - boot
        return self._wall() + self._offset

    def take_server_time(self, server: float, asked: float, answered: float) -> None:
        """Take the server's time from one question. asked, answered: of the boot clock, around it."""
        trip = answered - asked
        if trip < 0 or trip > (FIRST_ROUND_TRIP_SECONDS if self._anchor is None else MOST_ROUND_TRIP_SECONDS):
            return
        then = server + trip / 2
        if self._anchor is None or abs(then - self._at(answered)) > trip / 2 + 0.02:
            self._anchor = (then, answered)
        offset = self.now() - self._wall()
        if abs(offset - self._offset) > 1.0:
            self._offset = offset
            self._book.put("clock_offset", str(offset))
        if self._last_known == 0.0 or self._boot() - self._kept_at >= _KEPT_AGAIN_SECONDS:
            self._kept_at, self._last_known = self._boot(), self.now()
            self._book.put("last_known", str(self._last_known))

    @property
    def is_measured(self) -> bool:
        """Whether the server was asked since the start."""
        return self._anchor is not None

    @property
    def is_sure(self) -> bool:
        """Whether to play by this time: measured since the start, or at least not before the last known one."""
        return self._anchor is not None or (self._last_known > 0 and self.now() >= self._last_known)

    @property
    def off_seconds(self) -> float:
        """By how much the machine's own clock is behind (ahead: negative)."""
        return self.now() - self._wall()

    @property
    def is_wrong(self) -> bool:
        """Whether the machine's own clock is off by more than what is tolerated."""
        return abs(self.off_seconds) > TOLERATED_SECONDS

    def _at(self, boot: float) -> float:
        assert self._anchor is not None
        return self._anchor[0] + boot - self._anchor[1]
