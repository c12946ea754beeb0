# SPDX-License-Identifier: Apache-2.0
"""What other parts of the rollout use of coverage, and nothing else."""

from bluezone.rollout.coverage.figures import Interval, Week, WeekUnreadable, bootstrap, week_or, wilson
from bluezone.rollout.coverage.indicators import (
    Doors,
    Figure,
    HelpDone,
    Indicator,
    Proof,
    Reporting,
    RunningShare,
    once,
    registered,
)
from bluezone.rollout.coverage.overview import figures_of
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
    "SMALLEST_SHOWN",
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
    "figures_of",
    "hidden_cells",
    "hidden_cells_of",
    "once",
    "registered",
    "sees_small_numbers",
    "unit_cell",
    "week_or",
    "wilson",
]
