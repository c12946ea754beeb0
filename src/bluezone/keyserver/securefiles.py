# SPDX-License-Identifier: Apache-2.0
"""Files that are never half written, and private files that other users of the machine cannot read."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bluezone.keyserver.storage.store import StoreFull
from bluezone.refusal import Refused


class KeyFileExposed(Refused):
    """A private key can be read by other users of this machine."""

    code = "key_file_exposed"


def write_atomically(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file so that readers see the old content or the new one, never a part, even after a crash.

    mode: permission bits. Raises StoreFull if it cannot be written.
    """
    with _written_temporarily(path, content, mode) as temporary:
        temporary.replace(path)


def write_new_file(path: Path, content: bytes, mode: int = 0o644) -> bool:
    """Like `write_atomically`, but only if there is no file yet; returns whether this call wrote it."""
    try:
        with _written_temporarily(path, content, mode) as temporary:
            os.link(temporary, path)
    except FileExistsError:
        return False
    return True


@contextmanager
def _written_temporarily(path: Path, content: bytes, mode: int) -> Iterator[Path]:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        descriptor = os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
        sync_folder(path.parent)
    except FileExistsError:
        raise
    except OSError as error:
        raise StoreFull(f"{path.name} cannot be written: {error.strerror}") from None
    finally:
        temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Write the names in a folder to the disk, so that new and renamed files survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_secret(path: Path, shared: bool = False) -> bytes:
    """Return the content of a private file; raises KeyFileExposed if other users may read it.

    shared: whether its group may read it; `serve` gives the file to the group of the only other process that needs it.
    """
    mode = path.stat().st_mode & 0o777
    if mode & (0o037 if shared else 0o077):
        raise KeyFileExposed(f"{path.name} has permissions {mode:03o}, expected 600; it may have been read by others")
    return path.read_bytes()


def erase_file(path: Path) -> None:
    """Overwrite a private file and remove it; does nothing if there is no file.

    A program cannot do more: flash memory writes elsewhere and may still contain the old bytes.
    """
    try:
        with path.open("r+b") as file:
            file.write(os.urandom(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    except FileNotFoundError:
        return
