# SPDX-License-Identifier: Apache-2.0
"""All that other parts of the rollout use of the bulletins."""

from bluezone.rollout.bulletins.air.air_log import EARLY, airings_between
from bluezone.rollout.bulletins.air.air_log import log_rows as log_rows
from bluezone.rollout.bulletins.air.machine_reports import MachineReports, set_report_reader
from bluezone.rollout.bulletins.air.outlets import create_outlet, set_quiet_hours
from bluezone.rollout.bulletins.air.planner import (
    approved_scripts,
    emergency_sounds,
    on_plan_change,
    plan_airings,
    script_seconds,
)
from bluezone.rollout.bulletins.air.press import air_plan_pdf, stick_files
from bluezone.rollout.bulletins.air.timetable import stop_schedule_at
from bluezone.rollout.bulletins.indicators import airings_due
from bluezone.rollout.bulletins.models import Airing, Outlet, OutletKind, Schedule, Sound
from bluezone.rollout.bulletins.page_input import day_span
from bluezone.rollout.bulletins.permissions import is_heard_in_ward_only, may_air_at
from bluezone.rollout.bulletins.sentences import sentence_of

__all__ = [
    "EARLY",
    "Airing",
    "MachineReports",
    "Outlet",
    "OutletKind",
    "Schedule",
    "Sound",
    "air_plan_pdf",
    "airings_between",
    "airings_due",
    "approved_scripts",
    "create_outlet",
    "day_span",
    "emergency_sounds",
    "is_heard_in_ward_only",
    "log_rows",
    "may_air_at",
    "on_plan_change",
    "plan_airings",
    "script_seconds",
    "sentence_of",
    "set_quiet_hours",
    "set_report_reader",
    "stick_files",
    "stop_schedule_at",
]
