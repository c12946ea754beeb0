# SPDX-License-Identifier: Apache-2.0
"""What a process of `serve` and `serve` itself have to say to each other: "I am ready" and "I am gone"."""

import os
import signal
import sys
import threading

GRACE_SECONDS = 10.0
_PR_SET_NAME = 15


def end_with_parent() -> None:
    """Send this process SIGTERM when its standard input closes: the parent holds the other end and nobody else does.

    What is under way has a few seconds; then the process is cut off, which every store is safe against.
    """

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 64):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(GRACE_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def name_process(part: str) -> None:
    """Let `top`, `pgrep` and /proc/PID/comm call this process by its part; on Linux, elsewhere nothing happens."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_NAME, f"bluezone-{part}".encode(), 0, 0, 0)


def say_ready(descriptor: int) -> None:
    """Tell the parent that requests are taken from now on."""
    os.write(descriptor, b"1")
    os.close(descriptor)
