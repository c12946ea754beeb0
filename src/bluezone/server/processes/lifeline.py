# SPDX-License-Identifier: Apache-2.0
"""How a child process reports to `serve` that it is ready, and notices that `serve` has ended."""

import os
import signal
import sys
import threading

GRACE_SECONDS = 10.0
_PR_SET_NAME = 15


def end_with_parent() -> None:
    """Send this process SIGTERM when the parent ends.

    The standard input of this process is a pipe from the parent, which closes then.
    Current work has GRACE_SECONDS to finish. Then the process exits; no store is damaged by that.
    """

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 64):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(GRACE_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def name_process(part: str) -> None:
    """Name this process after its part, for `top`, `pgrep` and /proc/PID/comm; does nothing except on Linux."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_NAME, f"bluezone-{part}".encode(), 0, 0, 0)


def report_ready(descriptor: int) -> None:
    """Tell the parent that requests are accepted from now on."""
    os.write(descriptor, b"1")
    os.close(descriptor)
