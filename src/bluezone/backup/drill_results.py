# SPDX-License-Identifier: Apache-2.0
"""The result of the last drill, which the office and the metrics show."""

import json
from dataclasses import dataclass
from pathlib import Path

DRILL_FILE = "drill.json"


@dataclass(frozen=True)
class Drill:
    """The result of a drill.

    at: Unix seconds. backup: name of the file. followed: kind -> numbers of the newest file that the phone had before
    and after the restore. problem: code, empty if the drill succeeded.
    """

    at: int
    ok: bool
    backup: str
    followed: dict[str, tuple[int, int]]
    problem: str = ""
    message: str = ""


def last_drill(data_dir: Path) -> Drill | None:
    """The result of the last drill; None before the first, or if the file cannot be read."""
    try:
        return Drill(**json.loads((data_dir / DRILL_FILE).read_text()))
    except (OSError, ValueError, TypeError):
        return None
