# SPDX-License-Identifier: Apache-2.0
"""A process of `serve` that begins as a copy of `serve` itself, with everything loaded: half of a start's work.

Only the first processes of a `serve` begin so. Who is started again after a death, or at SIGHUP with the program that
is installed then, is a new interpreter, as everywhere but on Linux, where forking after loading is not safe.
"""

import contextlib
import gc
import importlib
import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Sequence

AVAILABLE = sys.platform == "linux"
_LOOK_SECONDS = 0.02
_HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)


class Forked:
    """What a supervisor needs of subprocess.Popen. stdin: our end of the pipe that tells the process that we live."""

    def __init__(self, pid: int, stdin: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdin = io.FileIO(stdin, "w")

    def poll(self) -> int | None:
        """Its exit code, negative for a signal; None while it lives."""
        if self.returncode is None:
            with contextlib.suppress(ChildProcessError):
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises subprocess.TimeoutExpired."""
        until = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if until is not None and time.monotonic() >= until:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
            time.sleep(_LOOK_SECONDS)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended: its number may be another's by now."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


def fork_main(arguments: Sequence[str], handed: Collection[int]) -> Forked:
    """Run `main()` of the module that comes first, the rest as its command line, in a copy of this process.

    handed: the descriptors that it keeps beside the standard ones. No other thread may run here.
    Raises OSError when the system does not let it start.
    """
    stdin, ours = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    # What is loaded here is never collected there, so that its memory stays shared.
    gc.freeze()
    try:
        pid = os.fork()
    except OSError:
        os.close(stdin)
        os.close(ours)
        raise
    if pid:
        os.close(stdin)
        return Forked(pid, ours)
    code = 1
    try:
        _become(arguments, stdin, handed)
        importlib.import_module(arguments[0]).main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(BaseException):
            for thread in threading.enumerate():
                if thread is not threading.current_thread() and not thread.daemon:
                    thread.join()
            sys.stderr.flush()
        os._exit(code)


def _become(arguments: Sequence[str], stdin: int, handed: Collection[int]) -> None:
    """Leave the parent's session, signals, descriptors and command line."""
    os.setsid()
    for number in _HANDLED:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    os.dup2(stdin, 0)
    os.dup2(2, 1)
    for descriptor in {int(name) for name in os.listdir("/proc/self/fd")} - {0, 1, 2, *handed}:
        # The one that listed them is gone already.
        with contextlib.suppress(OSError):
            os.close(descriptor)
    # Standard input may have been closed when `serve` began.
    sys.stdin = sys.stdin or open(0)  # noqa: SIM115 - for the life of the process
    sys.argv = list(arguments)
