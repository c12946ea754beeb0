# SPDX-License-Identifier: Apache-2.0
"""All that other parts of the rollout use of coverage."""

from bluezone.rollout.coverage.expected.yields import Answers
from bluezone.rollout.coverage.figures import Interval, Week, WeekUnreadable, bootstrap, week_or, wilson
from bluezone.rollout.coverage.indicators import (
    RUNNING,
    Doors,
    Figure,
    HelpDone,
    Indicator,
    Proof,
    Reporting,
    RunningShare,
    newest_of,
    once,
    registered,
)
from bluezone.rollout.coverage.overview import city_unit, figures_of, latest_week, overview
from bluezone.rollout.coverage.suppression import (
    ROOT,
    SMALLEST_SHOWN,
    Cell,
    agency_cell,
    cells_of,
    hidden_cells,
    hidden_cells_of,
    sees_small_numbers,
    unit_cell,
)

__all__ = [
    "ROOT",
    "RUNNING",
    "SMALLEST_SHOWN",
    "Answers",
    "Cell",
    "Doors",
    "Figure",
    "HelpDone",
    "Indicator",
    "Interval",
    "Proof",
    "Reporting",
    "RunningShare",
    "Week",
    "WeekUnreadable",
    "agency_cell",
    "bootstrap",
    "cells_of",
    "city_unit",
    "figures_of",
    "hidden_cells",
    "hidden_cells_of",
    "latest_week",
    "newest_of",
    "once",
    "overview",
    "registered",
    "sees_small_numbers",
    "unit_cell",
    "week_or",
    "wilson",
]
