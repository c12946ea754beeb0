# SPDX-License-Identifier: Apache-2.0
"""What a canary last reported, and the file that stores it for the office and for the next start."""

import json
import math
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bluezone.keyserver.securefiles import write_atomically
from bluezone.refusal import Refused

# Folder in the data folder. Each file is of one canary, and its modification time is that of the canary's last round.
FOLDER = "canary"
# A canary that has made no round for this long does not run. The longest rounds take a few minutes.
SILENT_SECONDS = 900.0
_SUFFIX = ".json"
_MOST_BYTES = 16 * 1024 * 1024
# The year 9999, in Unix seconds.
_LATEST = 253_370_764_800


@dataclass(frozen=True)
class CanaryState:
    """The state of one canary. All times are Unix seconds.

    began_at: when it started without stored state. number: of the newest export file that it has received, 0 before
    the first. received_at: when it received this file, 0.0 before the first. period_end: end of the file's period.
    problem: code of the refusal in the last round, "" if it was not refused. problem_since: time of the first of these
    refusals in a row, 0.0 without one.
    """

    began_at: float
    number: int = 0
    received_at: float = 0.0
    period_end: int = 0
    problem: str = ""
    problem_since: float = 0.0

    def trouble_at(self, period_seconds: int) -> float:
        """From when on a phone in its place lacks a file that is due, or is refused; infinity for never.

        period_seconds: time between two files, 0 in a demo, in which no file is ever due.
        """
        moments = [math.inf]
        if self.problem:
            moments.append(self.problem_since)
        if period_seconds and self.number:
            moments.append((self.period_end // period_seconds + 1) * period_seconds)
        elif period_seconds:
            moments.append(self.began_at + period_seconds)
        return min(moments)


def load_state(path: Path) -> tuple[CanaryState, dict[str, Any]] | None:
    """The state and the phone's values in a canary's file; None if there is no file, or it cannot be read.

    The office reads files of the user that the Internet reaches, so what is in their place may be anything.
    """
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            stored = json.loads(file.read(_MOST_BYTES))
        state = CanaryState(**stored["state"])
        times = (state.began_at, state.received_at, state.period_end, state.problem_since)
        valid = all(0 <= moment <= _LATEST for moment in times) and int(state.number) >= 0
        return (state, dict(stored["values"])) if valid and isinstance(state.problem, str) else None
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def save_state(path: Path, state: CanaryState, values: dict[str, Any]) -> bool:
    """Store a canary's state and its phone's values; returns whether the disk took them."""
    try:
        path.parent.mkdir(mode=0o755, exist_ok=True)
        write_atomically(path, json.dumps({"state": asdict(state), "values": values}).encode())
    except (OSError, Refused):
        return False
    return True


def note_round(path: Path, now: float) -> None:
    """Note the time of a round, Unix seconds, on a canary's file; a full disk allows that."""
    with suppress(OSError):
        os.utime(path, (now, now))


def last_states(data_dir: Path) -> Iterator[tuple[str, float, CanaryState]]:
    """Yield name, time of the last round (Unix seconds) and state of each canary of a data folder."""
    for path in sorted((data_dir / FOLDER).glob(f"*{_SUFFIX}")):
        with suppress(OSError):
            stored = load_state(path)
            if stored:
                yield path.stem, path.stat().st_mtime, stored[0]


def state_file(data_dir: Path, name: str) -> Path:
    """The file of a canary. name: as `last_states` yields it."""
    return data_dir / FOLDER / f"{name}{_SUFFIX}"
