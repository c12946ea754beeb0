# SPDX-License-Identifier: Apache-2.0
"""Whether this phone is running, which means that Bluetooth has sent and heard within 15 minutes, and since when.

Source: docs/glossary.md, "running phone"; docs/texts.md section 1, states A and B1.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from bluezone.protocol.gate.passes import BluetoothState

RUNNING_SECONDS = 900.0

Bluetooth = Literal["running", "listening", "off"]


@dataclass(frozen=True, slots=True)
class RadioState:
    """When the radio last sent and heard. All times are boot seconds of the start `boot_id`; None for never.

    off_since:     since when Bluetooth has been off, None if it is not.
    running_since: start of the current period without a gap of 15 minutes.
    problem:       code of the problem that stops the radio now, None without a problem.
    """

    boot_id: str = ""
    sent: float | None = None
    heard: float | None = None
    off_since: float | None = None
    running_since: float | None = None
    problem: str | None = None
    problem_since: float | None = None

    def updated(
        self, boot_id: str, now: float, sent: float | None, heard: float | None,
        problem: str | None = None, problem_since: float | None = None,
    ) -> "RadioState":  # fmt: skip
        """Return the new state. now: boot seconds; sent, heard: None if unchanged."""
        before = self if self.boot_id == boot_id else RadioState(boot_id)
        sent = before.sent if sent is None else sent
        heard = before.heard if heard is None else heard
        after = replace(before, sent=sent, heard=heard, problem=problem, problem_since=problem_since)
        if after.bluetooth(boot_id, now) != "off":
            off_since = None
        elif before.off_since is not None:
            off_since = before.off_since
        else:
            off_since = sent
        return replace(after, off_since=off_since, running_since=_running_since(before, after, boot_id, now))

    def bluetooth(self, boot_id: str, now: float) -> Bluetooth:
        """Return "running" if it has sent and heard within 15 minutes, "listening" if only sent, else "off"."""
        if self.boot_id != boot_id or not _recent(self.sent, now):
            return "off"
        return "running" if _recent(self.heard, now) else "listening"

    def pass_state(self, boot_id: str, now: float) -> BluetoothState:
        """The state as a gate pass claims it."""
        bluetooth = self.bluetooth(boot_id, now)
        if bluetooth == "off":
            return BluetoothState(0)
        sending = BluetoothState.BLUETOOTH_ON | BluetoothState.ADVERTISING
        return sending | BluetoothState.HEARD if bluetooth == "running" else sending

    def to_json(self) -> dict[str, Any]:
        """The state as it is stored."""
        return asdict(self)


def _recent(moment: float | None, now: float) -> bool:
    return moment is not None and now - moment <= RUNNING_SECONDS


def _running_since(before: RadioState, after: RadioState, boot_id: str, now: float) -> float | None:
    if after.bluetooth(boot_id, now) != "running":
        return None
    # While the processor sleeps, no state is noted, so a gap becomes visible only afterwards.
    unbroken = _follows(before.sent, after.sent) and _follows(before.heard, after.heard)
    if before.running_since is not None and unbroken:
        return before.running_since
    return now


def _follows(before: float | None, after: float | None) -> bool:
    return before is None or after is None or after - before <= RUNNING_SECONDS
