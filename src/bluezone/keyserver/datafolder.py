# SPDX-License-Identifier: Apache-2.0
"""The data folder: names in it, the notes of processes that tick, and who publishes its files."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bluezone.keyserver.locks import lock_file
from bluezone.keyserver.publication.series import EXPORTS_FOLDER
from bluezone.keyserver.securefiles import write_atomically
from bluezone.refusal import Refused

LOCK_NAME = "keyserver.lock"
# How long a process waits for the turn, for example when it opens while another machine ticks.
TURN_SECONDS = 60.0
# The file's modification time is that of the last tick.
TICK_NAME = "tick.done"
# Contains the code of the reason why nothing is signed now.
PROBLEM_NAME = "signing.held"
# The city's public key in hex, for the process that may not call the signer.
CITY_KEY_NAME = "city.pub"
# For processes that run as different users: their sockets, the notes of the one that publishes, and the TLS keys that
# they may read. Created again at each start.
RUN_FOLDER = "run"


class PublicationApart(Refused):
    """The published files of this data folder belong to another user, and the command would write them."""

    code = "publication_apart"


class CityKeyMissing(Refused):
    """The city's public key is not in the data folder, so nothing can be verified."""

    code = "city_key_missing"


def write_city_key(data_dir: Path, city_key: bytes) -> None:
    """Write the city's public key for the process that may not call the signer. Raises StoreFull."""
    content = city_key.hex().encode()
    path = data_dir / CITY_KEY_NAME
    if not path.exists() or path.read_bytes() != content:
        write_atomically(path, content)


def read_city_key(data_dir: Path) -> bytes:
    """The city's public key, 32 bytes. Raises CityKeyMissing."""
    try:
        return bytes.fromhex((data_dir / CITY_KEY_NAME).read_text())
    except (OSError, ValueError):
        raise CityKeyMissing(f"{CITY_KEY_NAME} in the data folder cannot be read") from None


def may_publish(data_dir: Path) -> bool:
    """Whether this process may write published files: `serve` may have given them to another user."""
    exports = data_dir / EXPORTS_FOLDER
    return os.access(exports if exports.exists() else data_dir, os.W_OK)


@dataclass(frozen=True)
class Notes:
    """What a process that ticks notes for other processes, in a folder where only it writes."""

    folder: Path

    def signing_problem(self) -> str | None:
        """The code of the reason why nothing is signed, as of the last tick or start; None if files are signed."""
        try:
            return (self.folder / PROBLEM_NAME).read_text() or None
        except FileNotFoundError:
            return None

    def set_signing_problem(self, code: str | None) -> None:
        """Note the code of the reason why nothing is signed; None if files are signed."""
        if code is None:
            (self.folder / PROBLEM_NAME).unlink(missing_ok=True)
        elif self.signing_problem() != code:
            write_atomically(self.folder / PROBLEM_NAME, code.encode())

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
    publication = notes_of_publication(data_dir).folder
    folders = (data_dir, publication) if publication.is_dir() else (data_dir,)
    with ExitStack() as locks:
        for folder in folders:
            locks.enter_context(lock_file(folder / LOCK_NAME, wait=True))
        yield
