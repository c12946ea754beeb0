# SPDX-License-Identifier: Apache-2.0
"""Earlier versions, out of the archives under tests/releases: what their programs wrote, and their phones at work."""

import io
import json
import lzma
import os
import subprocess
import sys
import tarfile
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

RELEASES = Path(__file__).parents[1] / "releases"
FIRST, BEFORE = "7a60e82", "63c4e645"


def unpack(version: str, name: str, folder: Path) -> Path:
    """Unpack an archive of a version into a new folder, which is returned."""
    folder.mkdir(mode=0o700, parents=True)
    # A small Debian has no xz for tar.
    tar = io.BytesIO(lzma.decompress((RELEASES / version / f"{name}.tar.xz").read_bytes()))
    with tarfile.open(fileobj=tar) as kept:
        kept.extraction_filter = lambda member, _: member  # as it is, modes too
        kept.extractall(folder)
    return folder


@cache
def facts(version: str) -> dict[str, Any]:
    """What is in the data of a version; "moment": Unix seconds when it was made."""
    read: dict[str, Any] = json.loads((RELEASES / version / "facts.json").read_text())
    return read


def browser(version: str, name: str, folder: Path) -> dict[str, Any]:
    """What a page of that version has stored; see tests/releases/browserstorage.py."""
    stored: dict[str, Any] = json.loads((unpack(version, "browsers", folder) / f"{name}.json").read_text())
    return stored

_UP_FOR_DAYS = """
import time
read = time.clock_gettime
time.clock_gettime = lambda clock: read(clock) + 5 * 86_400
"""


@dataclass
class EarlierPhone:
    """`bluezone handset` of an earlier version, run from its sources. folder: its data folder.

    The machine it runs on has been up for days, as phones are.
    """

    sources: Path
    folder: Path
    server: str
    trust: str
    options: tuple[str, ...] = field(default=("--radio", "virtual:127.0.0.1:1"))

    def ask(self, *arguments: str) -> tuple[int, Any]:
        """Run a command with --json; returns (exit code, JSON)."""
        done = self._run("from bluezone.cli.main import main\nmain()\n", "handset", *arguments,
                         "--data", str(self.folder), "--server", self.server, "--trust", self.trust, "--json",
                         *self.options)  # fmt: skip
        lines = done.stdout.splitlines()
        assert lines, done.stderr
        return done.returncode, json.loads(lines[-1])

    def run(self, script: str, *arguments: str) -> str:
        """Run a script with its modules; what it printed."""
        done = self._run(script, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _run(self, script: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, "PYTHONPATH": str(self.sources / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            [sys.executable, "-c", _UP_FOR_DAYS + script, *arguments],
            env=environment, capture_output=True, text=True, timeout=300, cwd=self.sources,
        )  # fmt: skip


def since(version: str) -> float:
    """Seconds that have passed since the data of a version was made."""
    return time.time() - facts(version)["moment"]
