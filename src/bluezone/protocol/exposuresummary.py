# SPDX-License-Identifier: Apache-2.0
"""Daily summaries as Exposure Notification v2 computes them: informational, no level depends on them.

Source: specs/exposure-notification.md section 6, DailySummary.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from bluezone.protocol.exposurewindow import ExposureWindow
from bluezone.protocol.profile import SummaryWeights


@dataclass(frozen=True)
class DailySummary:
    """Sums over a day's windows, in weighted seconds (15 minutes at weight 1 are 900).

    weighted_duration_sum counts attenuation alone; score_sum and maximum_score (the largest window) also
    report type and infectiousness.
    """

    score_sum: float
    maximum_score: float
    weighted_duration_sum: float


def summarise(windows: Iterable[ExposureWindow], weights: SummaryWeights) -> DailySummary:
    """Summarise the windows of one day; windows without a score are left out, as Exposure Notification does."""
    durations: list[float] = []
    scores: list[float] = []
    for window in windows:
        duration = math.fsum(
            instance.seconds_since_last_scan * weights.attenuation_weight(instance.typical_attenuation_db)
            for instance in window.scan_instances
        )
        factor = weights.report_type.get(window.report_type, 0.0) * weights.infectiousness.get(
            window.infectiousness, 0.0
        )
        if duration * factor > 0:
            durations.append(duration)
            scores.append(duration * factor)
    return DailySummary(math.fsum(scores), max(scores, default=0.0), math.fsum(durations))
