# SPDX-License-Identifier: Apache-2.0
"""The data folder: names in it, the notes of processes that tick, and who publishes its files."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bluezone.keyserver.locks import lock_file
from bluezone.keyserver.publication.series import EXPORTS_FOLDER
from bluezone.keyserver.securefiles import write_whole
from bluezone.refusal import Refused

LOCK_NAME = "keyserver.lock"
# How long a process that opens waits for the tick of another machine.
TURN_SECONDS = 60.0
# Its time is that of the last tick, for every process.
TICK_NAME = "tick.done"
# Contains the code of the reason why nothing is signed.
PROBLEM_NAME = "signing.held"
# Sockets of processes that run as different users, the notes of the one that publishes, and the keys of TLS that they
# were given: created again at each start.
RUN_FOLDER = "run"


class PublicationApart(Refused):
    """The published files of this data folder are another user's, and the command would write them."""

    code = "publication_apart"


def may_publish(data_dir: Path) -> bool:
    """Whether this process may write published files: `serve` may have given them to another user."""
    exports = data_dir / EXPORTS_FOLDER
    return os.access(exports if exports.exists() else data_dir, os.W_OK)


@dataclass(frozen=True)
class Notes:
    """What a process that ticks notes for all others, in a folder where it alone writes."""

    folder: Path

    def signing_problem(self) -> str | None:
        """Why nothing is signed now, a code, as of the last tick or start; None if it is."""
        try:
            return (self.folder / PROBLEM_NAME).read_text() or None
        except FileNotFoundError:
            return None

    def set_signing_problem(self, code: str | None) -> None:
        """Note why nothing is signed, None if it is."""
        if code is None:
            (self.folder / PROBLEM_NAME).unlink(missing_ok=True)
        elif self.signing_problem() != code:
            write_whole(self.folder / PROBLEM_NAME, code.encode())

    def ticked_at(self) -> float | None:
        """When the last tick was done, Unix seconds; None before the first."""
        try:
            return (self.folder / TICK_NAME).stat().st_mtime
        except FileNotFoundError:
            return None

    def set_ticked_at(self, moment: float) -> None:
        """Note that a tick was done at a moment (Unix seconds)."""
        path = self.folder / TICK_NAME
        path.touch(mode=0o600)
        os.utime(path, (moment, moment))


def notes_of_publication(data_dir: Path) -> Notes:
    """The notes of the process that publishes, if it has a separate user."""
    return Notes(data_dir / RUN_FOLDER / "publication")


@contextmanager
def pause_ticks(data_dir: Path) -> Iterator[None]:
    """Keep every process of this folder from ticking, and wait until none does."""
    apart = notes_of_publication(data_dir).folder
    with ExitStack() as locks:
        for folder in (data_dir, apart) if apart.is_dir() else (data_dir,):
            locks.enter_context(lock_file(folder / LOCK_NAME, wait=True))
        yield
