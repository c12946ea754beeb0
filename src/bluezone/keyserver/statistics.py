# SPDX-License-Identifier: Apache-2.0
"""Counts for the health authority: codes, uploads and files, without anybody's identity or time of use.

Source: contracts.md, Stores ("only keyserver's published functions cross").
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bluezone.keyserver.reports.codes import State

if TYPE_CHECKING:
    from bluezone.keyserver.service import KeyServer


@dataclass(frozen=True)
class CodeCount:
    """Codes issued on one UTC day (since 1970-01-01) for one class, and what became of them so far."""

    day: int
    klass: int
    issued: int
    used: int
    revoked: int
    expired: int


@dataclass(frozen=True)
class UploadCount:
    """Reports received on one UTC day for one class."""

    day: int
    klass: int
    uploads: int


@dataclass(frozen=True)
class FileCount:
    """One export file: its number, when its period ended (Unix seconds), its size in bytes, its name."""

    number: int
    end_timestamp: int
    size: int
    name: str


def codes_by_issue_day(server: "KeyServer") -> list[CodeCount]:
    """Codes of the last two weeks by the day they were issued; `used` has no day of its own, and gets none here."""
    now = int(server.clock())
    rows = server.codes_store.read(
        "SELECT issue_day, class, COUNT(*), SUM(CASE WHEN state = ? THEN 1 ELSE 0 END),"
        " SUM(CASE WHEN state = ? THEN 1 ELSE 0 END),"
        " SUM(CASE WHEN state = ? AND digits_expire <= ? AND link_expire <= ? THEN 1 ELSE 0 END)"
        " FROM credential GROUP BY issue_day, class ORDER BY issue_day, class",
        (State.USED, State.REVOKED, State.OPEN, now, now),
    )
    return [CodeCount(*(int(value) for value in row)) for row in rows]


def uploads_by_day(server: "KeyServer") -> list[UploadCount]:
    """Reports of the last two weeks."""
    return [UploadCount(*row) for row in server.keys_store.read("SELECT * FROM upload_count ORDER BY day, class")]


def files(server: "KeyServer") -> list[FileCount]:
    """Export files of the last two weeks, oldest first."""
    rows = server.keys_store.read(
        "SELECT number, end_timestamp, size, name FROM export_file WHERE sha256 IS NOT NULL ORDER BY number"
    )
    return [FileCount(*row) for row in rows]


def guessing_alarm_hours(server: "KeyServer") -> list[int]:
    """Hours (Unix seconds // 3600) of the last two weeks in which codes were being guessed."""
    return [hour for (hour,) in server.codes_store.read("SELECT hour FROM guessing_alarm ORDER BY hour")]


def waiting_keys(server: "KeyServer") -> int:
    """Keys that wait for the end of their embargo."""
    return int(server.keys_store.read("SELECT COUNT(*) FROM waiting_key")[0][0])
