# SPDX-License-Identifier: Apache-2.0
"""One process at a time does what must not be done twice; a killed one lets go by itself."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def only_one(path: Path, wait: bool, beside_others: bool = False) -> Iterator[bool]:
    """Hold the lock file at `path`; yields False, without waiting, if another holder has it and `wait` is false.

    beside_others: hold it together with others that ask for the same, but not beside one that wants it alone.
    """
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    kind = fcntl.LOCK_SH if beside_others else fcntl.LOCK_EX
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
