# SPDX-License-Identifier: Apache-2.0
"""How often a scan may be started: Android takes five starts in 30 s from one app and silently ignores the next.

Source: AOSP AppScanStats, NUM_SCAN_DURATIONS_KEPT and EXCESSIVE_SCANNING_PERIOD_MS. The system counts for the app,
not for the process, so one start is kept in hand for a process that was killed just before this one.
"""

from collections import deque

WINDOW_SECONDS = 30.0
STARTS = 4
# The system's clock and ours do not read the same moment.
MARGIN_SECONDS = 0.5


class ScanStarts:
    """Counts starts on a clock in seconds that the caller gives."""

    def __init__(self) -> None:
        self._started: deque[float] = deque(maxlen=STARTS)

    def wait_seconds(self, now: float) -> float:
        """How long until the next start is allowed, 0 if it is now."""
        if len(self._started) < STARTS:
            return 0.0
        return max(0.0, self._started[0] + WINDOW_SECONDS + MARGIN_SECONDS - now)

    def started(self, now: float) -> None:
        """Note a start."""
        self._started.append(now)

    def refused(self, now: float) -> None:
        """The system says that there were too many: none is allowed for a whole window."""
        self._started.extend([now] * STARTS)
