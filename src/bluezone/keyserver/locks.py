# SPDX-License-Identifier: Apache-2.0
"""Lock files: one process at a time does what must not be done twice."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def give_to_owner(path: Path) -> None:
    """Give a file that root has made to the owner of its folder, so that its processes can use it."""
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


@contextmanager
def lock_file(path: Path, wait: bool, shared: bool = False) -> Iterator[bool]:
    """Hold the lock file at `path`; yields False, without waiting, if another holder has it and `wait` is false.

    shared: hold it together with others that share it, but not with one that wants it alone.
    """
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    give_to_owner(path)
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
