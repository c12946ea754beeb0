# SPDX-License-Identifier: Apache-2.0
"""Whether this phone is running: Bluetooth has sent and heard within 15 minutes, and since when.

Source: docs/glossary.md, "running phone"; docs/texts.md section 1, states A and B1.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from bluezone.protocol.gate.passes import State

RUNNING_SECONDS = 900.0

Bluetooth = Literal["running", "listening", "off"]


@dataclass(frozen=True, slots=True)
class RadioState:
    """What the radio last did, on the boot clock of `boot_id`; None where it never did.

    running_since: boot seconds since when it has run without a gap of 15 minutes.
    problem: code of what stands in the way right now, None if nothing does; problem_since: boot seconds.
    """

    boot_id: str = ""
    sent: float | None = None
    heard: float | None = None
    off_since: float | None = None
    running_since: float | None = None
    problem: str | None = None
    problem_since: float | None = None

    def noted(
        self, boot_id: str, now: float, sent: float | None, heard: float | None,
        problem: str | None = None, problem_since: float | None = None,
    ) -> "RadioState":  # fmt: skip
        """The state after the radio was looked at. now, sent, heard, problem_since: boot seconds."""
        before = self if self.boot_id == boot_id else RadioState(boot_id)
        sent = before.sent if sent is None else sent
        heard = before.heard if heard is None else heard
        told = replace(before, sent=sent, heard=heard, problem=problem, problem_since=problem_since)
        working = told.bluetooth(boot_id, now) != "off"
        return replace(
            told,
            off_since=None if working else (before.off_since if before.off_since is not None else sent),
            running_since=_since(before, told, boot_id, now),
        )

    def bluetooth(self, boot_id: str, now: float) -> Bluetooth:
        """ "running" if it has both sent and heard within 15 minutes, "listening" if it has only sent, else "off"."""
        if self.boot_id != boot_id or not _recent(self.sent, now):
            return "off"
        return "running" if _recent(self.heard, now) else "listening"

    def claimed(self, boot_id: str, now: float) -> State:
        """What a pass says of it at a gate."""
        bluetooth = self.bluetooth(boot_id, now)
        if bluetooth == "off":
            return State(0)
        speaking = State.BLUETOOTH_ON | State.ADVERTISING
        return speaking | State.HEARD if bluetooth == "running" else speaking

    def to_json(self) -> dict[str, Any]:
        """The state as it is stored."""
        return asdict(self)


def _recent(moment: float | None, now: float) -> bool:
    return moment is not None and now - moment <= RUNNING_SECONDS


def _since(before: RadioState, told: RadioState, boot_id: str, now: float) -> float | None:
    if told.bluetooth(boot_id, now) != "running":
        return None
    # The radio is not looked at while the processor sleeps, so a gap shows only afterwards.
    unbroken = _follows(before.sent, told.sent) and _follows(before.heard, told.heard)
    return before.running_since if before.running_since is not None and unbroken else now


def _follows(before: float | None, after: float | None) -> bool:
    return before is None or after is None or after - before <= RUNNING_SECONDS
