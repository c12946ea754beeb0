# SPDX-License-Identifier: Apache-2.0
"""A reader for files that somebody sent in, in a separate process with little time, little memory, no network and, if
the office runs as root, no rights.

A hostile file can harm only that process: the office's process waits for at most twenty seconds and reports the result.
"""

import contextlib
import ctypes
import importlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from bluezone.refusal import Refused

# Most files take half a second; a plan of a hundred pages takes about five.
MOST_SECONDS = 15
LONGEST_WAIT_SECONDS = 20.0
MOST_MEMORY = 480 * 1024 * 1024
# The number of the user without rights on every Linux.
_UNPRIVILEGED = 65534


class LimitExceeded(Exception):
    """Reading the file takes more time or memory than allowed."""


class RefusedInside(Exception):
    """The reader refused the file. code and message: of its refusal."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def run_confined(
    job: str,
    data: bytes,
    *,
    seconds: int = MOST_SECONDS,
    memory: int = MOST_MEMORY,
    wait: float = LONGEST_WAIT_SECONDS,
    written: int = 0,
) -> Any:
    """Let one of our functions read `data` in a separate process; its result is passed as JSON.

    job: "module:function", which takes the bytes. seconds: CPU time. memory: bytes. wait: seconds until the process is
    killed. written: largest size in bytes of a file that the process writes, which it can only do in memory.
    Raises LimitExceeded, or RefusedInside for a Refused of the function.
    """
    # Do not pass on the office's environment: it may contain secrets.
    environment = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
    process = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-I", "-m", "bluezone.confinement", job, str(seconds), str(memory), str(written)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**environment, "PYTHONUTF8": "1", "OMP_THREAD_LIMIT": "1", "OPENBLAS_NUM_THREADS": "1"},
        start_new_session=True,  # so that the programs that it starts end with it
    )
    try:
        output, _ = process.communicate(data, timeout=wait)
    except subprocess.TimeoutExpired:
        raise LimitExceeded(f"the file takes more than {wait:.0f} s to be read") from None
    finally:
        _end(process)
    try:
        answer = json.loads(output)
    except ValueError:
        raise LimitExceeded("the file takes more time or memory to be read than it may have") from None
    if "refused" in answer:
        raise RefusedInside(answer["refused"], answer["message"])
    if "too_much" in answer:
        raise LimitExceeded("the file takes more memory to be read than it may have")
    return answer["found"]


def _end(process: subprocess.Popen[bytes]) -> None:
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def confine(seconds: int, memory: int, written: int = 0) -> None:
    """Give up everything that reading a file does not need: more time and memory, writing, the network, rights."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    for limit, most in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, written),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(limit)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(limit, (most, most))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        # If the kernel refuses new namespaces, the other limits still apply to the unprivileged process.
        libc.unshare(_NEW_NETWORK)
        _drop_rights()
        libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        libc.unshare(_NEW_USER | _NEW_NETWORK)


def _drop_rights() -> None:
    """Drop root's rights, unless our own files would then be unreadable."""
    if os.geteuid() == 0 and all(_is_open(place) for place in (Path(__file__), Path(sys.prefix), Path(sys.executable))):
        os.setgroups([])
        os.setresgid(_UNPRIVILEGED, _UNPRIVILEGED, _UNPRIVILEGED)
        os.setresuid(_UNPRIVILEGED, _UNPRIVILEGED, _UNPRIVILEGED)


def _is_open(place: Path) -> bool:
    """Whether every user may pass through all folders above."""
    return all(folder.stat().st_mode & 0o001 for folder in place.resolve().parents)


_NO_NEW_PRIVILEGES = 38
_NEW_USER = 0x10000000
_NEW_NETWORK = 0x40000000


def main(job: str, seconds: str, memory: str, written: str) -> None:
    """Do one job with the file on standard input, within these limits, and write the result to standard output as JSON.

    seconds: CPU time. memory, written: bytes of memory, and of a file.
    """
    confine(int(seconds), int(memory), int(written))
    answer: dict[str, Any]
    try:
        module, _, function = job.partition(":")
        answer = {"found": getattr(importlib.import_module(module), function)(sys.stdin.buffer.read())}
    except Refused as refused:
        answer = {"refused": refused.code, "message": refused.message}
    except (MemoryError, RecursionError):
        answer = {"too_much": True}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
