# SPDX-License-Identifier: Apache-2.0
"""The pass that a phone shows at a gate: new each time, shown only when its owner taps, for at most a minute.

Source: docs/protocol.md section 7; docs/attacks.md rows 30 and 34. Nothing of it is stored.
"""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass

from bluezone.handset.clocks import Clock, boot_id_of
from bluezone.handset.encounters.radiostate import RadioState
from bluezone.protocol.gate.passes import SESSION_LENGTH, STEP_SECONDS, PassA, pass_text
from bluezone.refusal import Refused

SHOWN_SECONDS = 60.0
# One for the owner, and one more if the first was not read; a third would be for somebody else's use.
PASSES_A_MINUTE = 2


class PassTooSoon(Refused):
    """Two passes were made within a minute; `seconds` says when the next may be."""

    code = "pass_too_soon"

    def __init__(self, seconds: float) -> None:
        super().__init__(f"two passes were shown within a minute; the next can be made in {seconds:.0f} s")
        self.seconds = seconds


@dataclass(frozen=True)
class ShownPass:
    """text: what the QR code says. until: boot seconds at which it is taken away."""

    text: str
    until: float


class GatePasses:
    """Makes passes and says when one is on show; usable from any thread.

    on_session: called with the pass's 16 bytes when it is shown and with None when it is taken away; the agent lets
                the beacon answer gates meanwhile. answered: whether a gate's challenge was answered with it.
    """

    def __init__(
        self, clock: Clock, radio_state: Callable[[], RadioState], random_bytes: Callable[[int], bytes] = os.urandom
    ) -> None:
        self.on_session: Callable[[bytes | None], None] = lambda _session: None
        self.answered: Callable[[], bool] = lambda: False
        self._clock = clock
        self._radio_state = radio_state
        self._random = random_bytes
        self._lock = threading.Lock()
        self._made: list[float] = []
        self._session: bytes | None = None

    def show(self) -> ShownPass:
        """Make a pass that says how Bluetooth is, and show it. Raises PassTooSoon for the third within a minute."""
        with self._lock:
            now = self._clock.boot_seconds()
            self._made = [moment for moment in self._made if now - moment < SHOWN_SECONDS]
            if len(self._made) >= PASSES_A_MINUTE:
                raise PassTooSoon(self._made[0] + SHOWN_SECONDS - now)
            self._made.append(now)
            self._session = session = self._random(SESSION_LENGTH)
        self.on_session(session)
        state = self._radio_state().claimed(boot_id_of(self._clock), now)
        step = int(self._clock.wall_seconds()) // STEP_SECONDS
        return ShownPass(pass_text(PassA(state, step, session)), now + SHOWN_SECONDS)

    def hide(self, session: bytes | None = None) -> None:
        """Take away the pass on show, or this one if it still is."""
        with self._lock:
            if self._session is None or session not in (None, self._session):
                return
            self._session = None
        self.on_session(None)
