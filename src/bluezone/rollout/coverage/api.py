# SPDX-License-Identifier: Apache-2.0
"""What other parts of the rollout use of coverage, and nothing else."""

from bluezone.rollout.coverage.field_work import Doors, HelpDone
from bluezone.rollout.coverage.figures.intervals import Interval, bootstrap, wilson
from bluezone.rollout.coverage.figures.sums import once
from bluezone.rollout.coverage.figures.suppression import (
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
from bluezone.rollout.coverage.figures.weeks import Week, WeekUnreadable, week_or
from bluezone.rollout.coverage.indicators import Figure, Indicator, Proof, Reporting, RunningShare, registered
from bluezone.rollout.coverage.overview import figures_of

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
