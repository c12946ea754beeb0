# SPDX-License-Identifier: Apache-2.0
"""No orphans: a child process ends when the process that started it is gone, even if that one was killed outright."""

import multiprocessing
import os
import signal
import sys
import threading


def end_with_parent() -> None:
    """Send this process SIGTERM when its standard input closes: the parent holds the other end and nobody else does."""

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 64):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def end_with_multiprocessing_parent() -> None:
    """End this process at once when the one that spawned it through `multiprocessing` is gone."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        # Its supervisor is gone, so nobody would answer a clean shutdown; every store is safe to be cut off.
        os._exit(1)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
