# SPDX-License-Identifier: Apache-2.0
"""All that other parts of the rollout use of the bulletins."""

from bluezone.rollout.bulletins.air.air_log import EARLY, airings_between
from bluezone.rollout.bulletins.air.air_log import rows_of as log_rows
from bluezone.rollout.bulletins.air.planner import (
    Proven,
    approved_scripts,
    emergency_sounds,
    enter,
    plan_ahead,
    proven,
    read_proven_with,
    seconds_of,
    set_quiet,
    when_plan_changes,
)
from bluezone.rollout.bulletins.air.press import air_plan_pdf, stick_files
from bluezone.rollout.bulletins.air.timetable import stop_at
from bluezone.rollout.bulletins.indicators import airings_due
from bluezone.rollout.bulletins.models import Airing, Outlet, OutletKind, Schedule, Sound
from bluezone.rollout.bulletins.scope import day_span, may_air_at, sentence_of, stays_in_the_ward

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
    "may_air_at",
    "plan_ahead",
    "proven",
    "read_proven_with",
    "seconds_of",
    "sentence_of",
    "set_quiet",
    "stays_in_the_ward",
    "stick_files",
    "stop_at",
    "when_plan_changes",
]
