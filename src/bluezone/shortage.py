# SPDX-License-Identifier: Apache-2.0
"""A process without free file descriptors: which errors mean that. It can neither open a file nor accept a caller.

It answers "later" until descriptors are free again, and continues without a restart.
"""

import errno
import os

# How long a thread pauses that was refused a descriptor for a caller: the socket stays readable meanwhile.
PAUSE_SECONDS = 0.1
# The process has used up its own descriptors, or all processes together those of the machine.
_NUMBERS = (errno.EMFILE, errno.ENFILE)


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
