# SPDX-License-Identifier: Apache-2.0
"""Bulletins (clause 6): texts and their sound, approved after listening; when and where they are aired, and were.

`loudspeakers` and other parts build on the names below and on nothing else; they are looked up when they are first
used, because models cannot be imported before Django knows its apps.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bluezone.rollout.bulletins.airing import airings_between
    from bluezone.rollout.bulletins.airing import rows_of as log_rows
    from bluezone.rollout.bulletins.asking import day_span
    from bluezone.rollout.bulletins.attesting import EARLY
    from bluezone.rollout.bulletins.indicators import airings_due
    from bluezone.rollout.bulletins.models import Airing, Outlet, OutletKind, Schedule, Sound
    from bluezone.rollout.bulletins.outlets import enter, set_quiet
    from bluezone.rollout.bulletins.planning import approved_scripts, emergency_sounds, plan_ahead, seconds_of
    from bluezone.rollout.bulletins.plugging import Proven, proven, read_proven_with, when_plan_changes
    from bluezone.rollout.bulletins.presskit import stick_files
    from bluezone.rollout.bulletins.printing import air_plan_pdf
    from bluezone.rollout.bulletins.sentences import of as sentence_of

# Name -> module, and the name within it where that is another.
_WHERE = {
    "EARLY": ("attesting", ""),
    "Airing": ("models", ""),
    "Outlet": ("models", ""),
    "OutletKind": ("models", ""),
    "Proven": ("plugging", ""),
    "Schedule": ("models", ""),
    "Sound": ("models", ""),
    "air_plan_pdf": ("printing", ""),
    "airings_between": ("airing", ""),
    "airings_due": ("indicators", ""),
    "approved_scripts": ("planning", ""),
    "day_span": ("asking", ""),
    "emergency_sounds": ("planning", ""),
    "enter": ("outlets", ""),
    "log_rows": ("airing", "rows_of"),
    "plan_ahead": ("planning", ""),
    "proven": ("plugging", ""),
    "read_proven_with": ("plugging", ""),
    "seconds_of": ("planning", ""),
    "sentence_of": ("sentences", "of"),
    "set_quiet": ("outlets", ""),
    "stick_files": ("presskit", ""),
    "when_plan_changes": ("plugging", ""),
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
    module, within = _WHERE[name]
    return getattr(importlib.import_module(f"{__name__}.{module}"), within or name)
