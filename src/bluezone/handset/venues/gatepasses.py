# SPDX-License-Identifier: Apache-2.0
"""Passes for gates. The owner's tap makes a new pass, which is shown for at most a minute and never stored.

Source: docs/protocol.md section 7; docs/attacks.md rows 30 and 34.
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
# The second pass is for a gate that could not read the first. A third would be for another person.
PASSES_A_MINUTE = 2


class PassTooSoon(Refused):
    """Two passes were made within a minute; `seconds` is the time until the next is allowed."""

    code = "pass_too_soon"

    def __init__(self, seconds: float) -> None:
        super().__init__(f"two passes were shown within a minute; the next can be made in {seconds:.0f} s")
        self.seconds = seconds


@dataclass(frozen=True)
class ShownPass:
    """text: of the QR code. until: boot seconds at which the pass is hidden."""

    text: str
    until: float


class GatePasses:
    """Makes passes, and reports when one is shown and hidden; usable from any thread.

    on_session: called with the session of a pass, 16 bytes, when it is shown, and with None when it is hidden. In
                between, the agent makes the beacon answer gates.
    answered:   returns whether the shown pass has answered a gate's challenge.
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
        self._made_at: list[float] = []
        self._session: bytes | None = None

    def show(self) -> ShownPass:
        """Make a pass with the state of Bluetooth, and show it. Raises PassTooSoon for the third within a minute."""
        with self._lock:
            now = self._clock.boot_seconds()
            self._made_at = [moment for moment in self._made_at if now - moment < SHOWN_SECONDS]
            if len(self._made_at) >= PASSES_A_MINUTE:
                raise PassTooSoon(self._made_at[0] + SHOWN_SECONDS - now)
            self._made_at.append(now)
            session = self._random(SESSION_LENGTH)
            self._session = session
        self.on_session(session)
        state = self._radio_state().pass_state(boot_id_of(self._clock), now)
        step = int(self._clock.wall_seconds()) // STEP_SECONDS
        return ShownPass(pass_text(PassA(state, step, session)), now + SHOWN_SECONDS)

    def hide(self, session: bytes | None = None) -> None:
        """Hide the shown pass. session: hide only the pass with these 16 bytes."""
        with self._lock:
            if self._session is None or session not in (None, self._session):
                return
            self._session = None
        self.on_session(None)
