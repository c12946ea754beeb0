# SPDX-License-Identifier: Apache-2.0
"""Everything in `coverage` that other parts of the rollout may import."""

from bluezone.rollout.coverage.expected.yields import Answers
from bluezone.rollout.coverage.indicators import (
    RUNNING,
    DoorCounts,
    Figure,
    HelpCounts,
    Indicator,
    Proof,
    Reporting,
    RunningShare,
    newest_denominators,
    read_once,
    registered_indicators,
)
from bluezone.rollout.coverage.intervals import Interval, bootstrap_interval, wilson_interval
from bluezone.rollout.coverage.overview import city_unit, figures_of, latest_week, read_overview
from bluezone.rollout.coverage.suppression import (
    ROOT,
    SMALLEST_SHOWN,
    Cell,
    agency_cell,
    cells_of,
    may_see_small_numbers,
    suppressed_cells,
    suppressed_sums,
    unit_cell,
)

__all__ = [
    "ROOT",
    "RUNNING",
    "SMALLEST_SHOWN",
    "Answers",
    "Cell",
    "DoorCounts",
    "Figure",
    "HelpCounts",
    "Indicator",
    "Interval",
    "Proof",
    "Reporting",
    "RunningShare",
    "agency_cell",
    "bootstrap_interval",
    "cells_of",
    "city_unit",
    "figures_of",
    "latest_week",
    "may_see_small_numbers",
    "newest_denominators",
    "read_once",
    "read_overview",
    "registered_indicators",
    "suppressed_cells",
    "suppressed_sums",
    "unit_cell",
    "wilson_interval",
]
