# SPDX-License-Identifier: Apache-2.0
"""A process that is short of file descriptors or of memory.

Without a free descriptor it can neither open a file nor accept a caller. It answers "later" until descriptors are free
again, and continues without a restart.
"""

import errno
import os
import resource

# How long a thread pauses that was refused a descriptor for a caller: the socket stays readable meanwhile.
PAUSE_SECONDS = 0.1
# The process has used up its own descriptors, or all processes together those of the machine.
_NUMBERS = (errno.EMFILE, errno.ENFILE)
# From here on a process spares its memory; it starts with about a quarter of this.
MOST_OWN_BYTES = 384 * 1024 * 1024
_PAGE_BYTES = resource.getpagesize()


def is_shortage(error: BaseException | None) -> bool:
    """Whether an error, or one that it was raised for, means that no descriptor was free."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _NUMBERS:
            return True
        error = error.__cause__ or error.__context__
    return False


def is_short_now() -> bool:
    """Whether this process cannot open anything at the moment."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return is_shortage(error)
    return False


def is_memory_short() -> bool:
    """Whether this process has more memory than MOST_OWN_BYTES, shared memory not counted, or that cannot be seen."""
    try:
        with open("/proc/self/statm", "rb", 0) as statm:
            _, resident, shared, *_ = statm.read().split()
    except OSError:
        return True
    return (int(resident) - int(shared)) * _PAGE_BYTES > MOST_OWN_BYTES
