# SPDX-License-Identifier: Apache-2.0
"""What the agent costs while nothing happens: share of a core and memory, at the default duty cycle.

Two agents are real processes on a virtual air of another process, among neighbours: one at the default duty cycle,
one that always listens (`mains`), which is the baseline of the same run. CPU time is what the kernel counts for
the process, so that a busy machine does not change it.
"""

import asyncio
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bluezone.radio.air import Pair, Scene, VirtualAir
from bluezone.radio.air.server import AirServer
from bluezone.radio.beacon import Beacon
from bluezone.radio.interface import PROFILES, Burst, Sighting

WARM_UP_SECONDS = 20.0
MEASURED_SECONDS = 180.0
NEIGHBOURS = 5


class Deaf:
    """A neighbour: it sends contact and reciprocity frames of random bytes, and keeps nothing."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._sent = b""

    def payload(self) -> bytes:
        self._sent = self._rng.randbytes(20)
        return self._sent

    def reciprocity_frame(self, burst: int, heard: Sequence[tuple[bytes, int]]) -> bytes:
        return b"\x03" + self._sent[:4] + self._rng.randbytes(18)

    def heard_reciprocity(self, frame: bytes) -> None:
        pass

    def burst_started(self, burst: Burst) -> None:
        pass

    def heard(self, sighting: Sighting) -> None:
        pass


def run(progress: Callable[[str], None]) -> dict[str, Any]:
    """Measure; `value` is the share of one core at the default duty cycle in percent."""
    folder = Path(tempfile.mkdtemp(prefix="bluezone-idle-"))
    try:
        measured = asyncio.run(_measure(folder, progress))
        heard = _identifiers_heard(folder / "default")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    value, baseline = measured["default"], measured["mains"]
    return {
        "name": "idle",
        "value": round(value[0], 2),
        "unit": "% of one core, agent at the default duty cycle",
        "baseline": f"{baseline[0]:.2f} % always listening (mains), same run",
        "ratio": round(value[0] / baseline[0], 3),
        "memory_mb": round(value[1], 1),
        "memory_mb_interpreter_alone": round(_interpreter_mb(), 1),
        "seconds": MEASURED_SECONDS,
        "neighbours": NEIGHBOURS + 1,
        "identifiers_heard": heard,
        "limits": "3 % and 120 MB",
        "within_limits": value[0] < 3 and value[1] < 120,
    }


async def _measure(folder: Path, progress: Callable[[str], None]) -> dict[str, tuple[float, float]]:
    """CPU percent and peak memory in MB of the agent under each duty cycle."""
    loop = asyncio.get_running_loop()
    air = VirtualAir(Scene(default=Pair(1.5)), random.Random(1), origin_seconds=loop.time())
    port = await AirServer(air).start("127.0.0.1", 0)
    speakers = [asyncio.create_task(_speak(air, number)) for number in range(NEIGHBOURS)]
    agents = {duty: _agent(folder / duty, port, duty) for duty in ("default", "mains")}
    try:
        progress(f"two agents and {NEIGHBOURS} neighbours, {WARM_UP_SECONDS + MEASURED_SECONDS:.0f} seconds")
        await asyncio.sleep(WARM_UP_SECONDS)
        before, started = {duty: _cpu_seconds(agent.pid) for duty, agent in agents.items()}, time.monotonic()
        await asyncio.sleep(MEASURED_SECONDS)
        passed = time.monotonic() - started
        return {
            duty: ((_cpu_seconds(agent.pid) - before[duty]) / passed * 100, _peak_mb(agent.pid))
            for duty, agent in agents.items()
        }
    finally:
        for agent in agents.values():
            agent.terminate()
            agent.wait(20)
        for speaker in speakers:
            speaker.cancel()


async def _speak(air: VirtualAir, number: int) -> None:
    rng = random.Random(number)
    clock = asyncio.get_running_loop().time
    radio, deaf = air.light_radio(f"neighbour {number}"), Deaf(rng)
    await Beacon(radio, deaf.payload, deaf, PROFILES["saver"], clock, rng, reciprocity=deaf).run()


def _agent(data: Path, port: int, duty: str) -> subprocess.Popen[bytes]:
    command = [
        sys.executable, "-c", "from bluezone.cli.main import main; main()", "handset", "run", "--data", str(data),
        "--server", "http://127.0.0.1:9", "--trust", bytes(32).hex(),
        "--radio", f"virtual:127.0.0.1:{port}/{duty}", "--duty", duty,
    ]  # fmt: skip
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _identifiers_heard(data: Path) -> int:
    """What the measured agent wrote down: it did listen."""
    from bluezone.handset import Handset

    phone = Handset.open(data / "handset", "http://127.0.0.1:9", reading=True)
    try:
        return sum(phone.encounters.identifiers_per_day().values())
    finally:
        phone.close()


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_mb(pid: int) -> float:
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _interpreter_mb() -> float:
    """Memory of an interpreter that does nothing, for comparison."""
    told = subprocess.run(
        [sys.executable, "-c", "import pathlib; print(pathlib.Path('/proc/self/status').read_text())"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return int(next(line for line in told.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024
