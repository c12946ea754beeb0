# SPDX-License-Identifier: Apache-2.0
"""Which identifiers are stored when somebody floods the air with random ones.

Source: protocol.md section 2 "Flood"; specs/attacks.md rows 3 and 19. At most 500 new identifiers are stored a
minute. An identifier heard again at least 60 s later is a person who stayed: it takes the place of one
heard once, and brings its earlier sightings along. A flood that repeats its identifiers is residual.
"""

from bluezone.handset.heard import REPEAT_SECONDS, Heard

IDENTIFIERS_PER_MINUTE = 500
WAITING_IDENTIFIERS = 20_000
# An identifier lives at most 20 minutes (protocol.md section 2); after that its absence means nothing.
REMEMBERED_SECONDS = 1500.0


class Admission:
    """Remembers what was heard lately and decides, frame by frame, what is stored. Times are boot seconds."""

    def __init__(self) -> None:
        self.refused = 0
        self._minute = -1
        self._stored_this_minute = 0
        self._replaceable: dict[bytes, None] = {}
        self._stored: dict[bytes, tuple[float, float]] = {}  # when first and last heard
        self._waiting: dict[bytes, Heard] = {}

    def stored(self, frame: bytes, boot_seconds: float) -> bool:
        """Whether a frame's 20 bytes are stored already; those of one that stayed are safe from now on."""
        self._turn(boot_seconds)
        known = self._stored.get(frame)
        if known is None:
            return False
        self._stored[frame] = (known[0], boot_seconds)
        if boot_seconds - known[0] >= REPEAT_SECONDS:
            self._replaceable.pop(frame, None)
        return True

    def wait(self, heard: Heard) -> Heard:
        """The waiting entry of an identifier that is not stored, made from `heard` if there is none yet."""
        entry = self._waiting.setdefault(heard.frame, heard)
        if len(self._waiting) > WAITING_IDENTIFIERS:
            del self._waiting[next(iter(self._waiting))]
        return entry

    def admit(self, entry: Heard, *, singles: bool) -> tuple[bool, bytes | None]:
        """Decide on a waiting entry.

        singles: whether identifiers heard once may be stored at all (not near the cap of the table).
        Returns whether it is stored now, and the frame that has to leave the open page for it, if any.
        """
        room = self._stored_this_minute < IDENTIFIERS_PER_MINUTE
        leaving = None
        if not (entry.repeated or (singles and room)) or not (room or self._replaceable):
            self.refused += len(entry.bursts) == 1 and len(entry.bursts[0].rssi_dbm) == 1
            return False, None
        if room:
            self._stored_this_minute += 1
        else:
            leaving = self._replaceable.popitem()[0]
            del self._stored[leaving]
        self._waiting.pop(entry.frame, None)
        self._stored[entry.frame] = (entry.bursts[0].boot_seconds, entry.bursts[-1].boot_seconds)
        if not entry.repeated:
            self._replaceable[entry.frame] = None
        return True, leaving

    def page_closed(self) -> None:
        """What stands in a closed page stays there."""
        self._replaceable.clear()

    def _turn(self, boot_seconds: float) -> None:
        minute = int(boot_seconds // 60)
        if minute == self._minute:
            return
        self._minute, self._stored_this_minute = minute, 0
        self._replaceable.clear()
        oldest = boot_seconds - REMEMBERED_SECONDS
        self._stored = {name: known for name, known in self._stored.items() if known[1] >= oldest}
        self._waiting = {name: entry for name, entry in self._waiting.items() if entry.bursts[0].boot_seconds >= oldest}
