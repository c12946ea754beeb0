# SPDX-License-Identifier: Apache-2.0
"""What a start of `bluezone serve` costs until it says that it is ready, in CPU seconds of all its processes.

A first start makes keys and tables; a later one finds them. The baseline is `import django; django.setup()` with the
office's settings in a process of its own, least of several in the same run. CPU time is what the kernel counts for the
processes, so that a busy machine changes it little.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import figures

REPEATS = 3
ROWS = {"later": "later start", "first": "first start: makes keys and tables", "setup": "`django.setup()` alone"}
SETUP = "import django; django.setup()"
# Without compiled modules every process would compile them all anew.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def run(progress: Callable[[str], object], write: bool = False) -> dict[str, Any]:
    """Measure; `value` is the CPU seconds of a later start. write: whether to write docs/performance/start.md."""
    folder = Path(tempfile.mkdtemp(prefix="bluezone-start-"))
    try:
        _start(folder / "warm")  # compiles what is not compiled yet
        progress("first starts, each on a folder of its own")
        first = min(_start(folder / f"first{number}") for number in range(REPEATS))
        progress("later starts")
        later = min(_start(folder / "warm") for _ in range(REPEATS))
        setup = min(_setup(folder / "warm") for _ in range(REPEATS))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if write:
        seconds = {"later": later, "first": first, "setup": setup}
        rows = [(name, f"{seconds[row]:.2f}", f"{seconds[row] / setup:.1f}") for row, name in ROWS.items()]
        table = figures.table(["all processes until ready", "CPU seconds", "ratio"], rows)
        progress(f"written: {figures.write('start', [figures.machine(), table])}")
    return {
        "name": "start",
        "value": round(later, 2),
        "unit": "CPU seconds of all processes of serve until ready",
        "baseline": f"{setup:.2f} CPU seconds, django.setup() alone, same run",
        "ratio": round(later / setup, 1),
        "first_start": round(first, 2),
        "first_start_ratio": round(first / setup, 1),
    }


def _start(data: Path) -> float:
    """CPU seconds of one start, of the processes that still run and of those that have ended."""
    ports = [str(_free_port()) for _ in range(2)]
    bluezone = str(Path(sys.executable).with_name("bluezone"))
    command = [bluezone, "serve", "--data", str(data), "--hotline", "0209 3870 000"]
    process = subprocess.Popen(
        [*command, "--public-port", ports[0], "--office-port", ports[1]],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=_ENVIRONMENT,
    )  # fmt: skip
    assert process.stderr is not None
    said = ""
    try:
        for line in process.stderr:
            said += line
            if line.startswith("ready"):
                return sum(_cpu_seconds(number) for number in _family(process.pid))
        raise RuntimeError(f"serve ended: {said}")
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()


def _setup(data: Path) -> float:
    begun = os.times()
    variables = {"BLUEZONE_DATA": str(data), "DJANGO_SETTINGS_MODULE": "bluezone.web.settings"}
    subprocess.run([sys.executable, "-c", SETUP], check=True, env={**_ENVIRONMENT, **variables})
    ended = os.times()
    return ended.children_user + ended.children_system - begun.children_user - begun.children_system


def _family(process: int) -> list[int]:
    """A process and all that descend from it."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _fields(int(entry.name))
            if fields:
                parents[int(entry.name)] = int(fields[1])
    family = [process]
    for one in family:
        family += [number for number, parent in parents.items() if parent == one]
    return family


def _cpu_seconds(process: int) -> float:
    """Its own and of its children that have ended and were waited for."""
    fields = _fields(process)
    return sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def _fields(process: int) -> list[str]:
    """Of /proc/PID/stat, from the state on; empty when it has ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
