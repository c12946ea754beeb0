# SPDX-License-Identifier: Apache-2.0
"""The note that the stores of a data folder were moved to another database, or are being moved."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from bluezone.keyserver.securefiles import sync_folder
from bluezone.refusal import Refused

# Backups leave out files with such a name: an operator who restores one decides again where the stores are.
MOVE_NAME = "move.lock"


class MoveUnfinished(Refused):
    """The stores are being moved to another database, or the move was interrupted."""

    code = "move_unfinished"


class StoresMoved(Refused):
    """The stores were moved to another database than the one that the environment names."""

    code = "stores_moved"


@dataclass(frozen=True)
class Moved:
    """The note of a move. state: moving or moved; to: sqlite or postgresql; move: its id, 8 hex digits.

    target: host and name of the database; only while it is being filled.
    """

    state: str
    to: str
    move: str
    target: str = ""


def read_move(data_dir: Path) -> Moved | None:
    """The last move of this folder's stores; None if they were never moved."""
    try:
        return Moved(**json.loads((data_dir / MOVE_NAME).read_text()))
    except FileNotFoundError:
        return None


def note_move(data_dir: Path, note: Moved | None) -> None:
    """Note a move for every process that opens the folder; None removes the note."""
    path = data_dir / MOVE_NAME
    new_path = data_dir / f"new-{MOVE_NAME}"
    if note is None:
        path.unlink(missing_ok=True)
        return
    with open(os.open(new_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(asdict(note), file)
        file.flush()
        os.fsync(file.fileno())
    new_path.replace(path)
    sync_folder(data_dir)


def require_settled(data_dir: Path) -> None:
    """Refuse to open stores that were moved away, or that are not complete yet. Raises MoveUnfinished, StoresMoved."""
    note = read_move(data_dir)
    if note is None:
        return
    if note.state == "moving":
        raise MoveUnfinished(
            "the stores are being moved to another database; `bluezone move` with the same --to continues the move,"
            " and with --abandon gives it up"
        )
    common = os.environ.get("BLUEZONE_DATABASE_URL")
    configured = [bool(os.environ.get(f"BLUEZONE_{name}_URL") or common) for name in ("OFFICE", "CODES", "KEYS")]
    if note.to == "postgresql" and not all(configured):
        raise StoresMoved("the stores of this folder were moved to PostgreSQL; set BLUEZONE_DATABASE_URL")
    if note.to == "sqlite" and any(configured):
        raise StoresMoved(
            "the stores were moved into this folder; unset BLUEZONE_DATABASE_URL, and BLUEZONE_OFFICE_URL,"
            " BLUEZONE_CODES_URL and BLUEZONE_KEYS_URL"
        )
