# SPDX-License-Identifier: Apache-2.0
"""Bulletins (clause 6): texts and their sound, approved after listening; when and where they are aired, and were.

`loudspeakers` and other parts build on the names below and on nothing else; they are looked up when they are first
used, because models cannot be imported before Django knows its apps.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bluezone.rollout.bulletins.air.air_log import EARLY, airings_between
    from bluezone.rollout.bulletins.air.air_log import rows_of as log_rows
    from bluezone.rollout.bulletins.air.hooks import Proven, proven, read_proven_with, when_plan_changes
    from bluezone.rollout.bulletins.air.planner import (
        approved_scripts,
        emergency_sounds,
        enter,
        plan_ahead,
        seconds_of,
        set_quiet,
    )
    from bluezone.rollout.bulletins.air.press import air_plan_pdf, stick_files
    from bluezone.rollout.bulletins.indicators import airings_due
    from bluezone.rollout.bulletins.models import Airing, Outlet, OutletKind, Schedule, Sound
    from bluezone.rollout.bulletins.scope import day_span
    from bluezone.rollout.bulletins.sentences import sentence_of

# Name -> where it is to be found.
_WHERE = {
    "EARLY": "bluezone.rollout.bulletins.air.air_log.EARLY",
    "Airing": "bluezone.rollout.bulletins.models.Airing",
    "Outlet": "bluezone.rollout.bulletins.models.Outlet",
    "OutletKind": "bluezone.rollout.bulletins.models.OutletKind",
    "Proven": "bluezone.rollout.bulletins.air.hooks.Proven",
    "Schedule": "bluezone.rollout.bulletins.models.Schedule",
    "Sound": "bluezone.rollout.bulletins.models.Sound",
    "air_plan_pdf": "bluezone.rollout.bulletins.air.press.air_plan_pdf",
    "airings_between": "bluezone.rollout.bulletins.air.air_log.airings_between",
    "airings_due": "bluezone.rollout.bulletins.indicators.airings_due",
    "approved_scripts": "bluezone.rollout.bulletins.air.planner.approved_scripts",
    "day_span": "bluezone.rollout.bulletins.scope.day_span",
    "emergency_sounds": "bluezone.rollout.bulletins.air.planner.emergency_sounds",
    "enter": "bluezone.rollout.bulletins.air.planner.enter",
    "log_rows": "bluezone.rollout.bulletins.air.air_log.rows_of",
    "plan_ahead": "bluezone.rollout.bulletins.air.planner.plan_ahead",
    "proven": "bluezone.rollout.bulletins.air.hooks.proven",
    "read_proven_with": "bluezone.rollout.bulletins.air.hooks.read_proven_with",
    "seconds_of": "bluezone.rollout.bulletins.air.planner.seconds_of",
    "sentence_of": "bluezone.rollout.bulletins.sentences.sentence_of",
    "set_quiet": "bluezone.rollout.bulletins.air.planner.set_quiet",
    "stick_files": "bluezone.rollout.bulletins.air.press.stick_files",
    "when_plan_changes": "bluezone.rollout.bulletins.air.hooks.when_plan_changes",
}

__all__ = [
    "EARLY",
    "Airing",
    "Outlet",
    "OutletKind",
    "Proven",
    "Schedule",
    "Sound",
    "air_plan_pdf",
    "airings_between",
    "airings_due",
    "approved_scripts",
    "day_span",
    "emergency_sounds",
    "enter",
    "log_rows",
    "plan_ahead",
    "proven",
    "read_proven_with",
    "seconds_of",
    "sentence_of",
    "set_quiet",
    "stick_files",
    "when_plan_changes",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(name)
    module, _, within = _WHERE[name].rpartition(".")
    return getattr(importlib.import_module(module), within)
