# SPDX-License-Identifier: Apache-2.0
"""Lock files, with which only one process at a time does a piece of work."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def assign_to_folder_owner(path: Path) -> None:
    """Give a file that root has made to the owner of its folder, so that its processes can use it."""
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


@contextmanager
def lock_file(path: Path, wait: bool, shared: bool = False) -> Iterator[bool]:
    """Lock the file at `path` while the block runs; yields whether it is locked.

    wait: wait until other processes release it; otherwise yield False at once. shared: other processes that also set
    `shared` may have the lock at the same time.
    """
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    assign_to_folder_owner(path)
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, kind | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(descriptor)
        yield False
        return
    try:
        yield True
    finally:
        os.close(descriptor)
