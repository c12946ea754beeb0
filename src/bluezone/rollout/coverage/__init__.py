# SPDX-License-Identifier: Apache-2.0
"""Coverage: what is running where, by unit and week, in classes of proof that are never added together.

A part of the rollout that counts something makes an `Indicator` and registers it when its app is ready; the pages,
the map and the reports then show it. docs/coverage.md says how.
"""

import importlib
from typing import TYPE_CHECKING, Any

from bluezone.rollout.coverage.cells import ROOT, Place, agency_place, hidden_places, places_of, unit_place
from bluezone.rollout.coverage.indicators import Figure, Indicator, Proof, Reporting, RunningShare, register, registered
from bluezone.rollout.coverage.intervals import Interval, bootstrap, wilson
from bluezone.rollout.coverage.once import once
from bluezone.rollout.coverage.suppression import SMALLEST_SHOWN, hidden_cells
from bluezone.rollout.coverage.weeks import Week, WeekUnreadable, week_or

if TYPE_CHECKING:
    from bluezone.rollout.coverage.boards.overview import figures_of
    from bluezone.rollout.coverage.views import sees_small_numbers

# What needs models, by its module: it is imported when it is asked for, since apps are read before there are any.
_LATER = {
    "figures_of": "bluezone.rollout.coverage.boards.overview",
    "sees_small_numbers": "bluezone.rollout.coverage.views",
}

__all__ = [
    "ROOT",
    "SMALLEST_SHOWN",
    "Figure",
    "Indicator",
    "Interval",
    "Place",
    "Proof",
    "Reporting",
    "RunningShare",
    "Week",
    "WeekUnreadable",
    "agency_place",
    "bootstrap",
    "figures_of",
    "hidden_cells",
    "hidden_places",
    "once",
    "places_of",
    "register",
    "registered",
    "sees_small_numbers",
    "unit_place",
    "week_or",
    "wilson",
]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(name)
    return getattr(importlib.import_module(_LATER[name]), name)
