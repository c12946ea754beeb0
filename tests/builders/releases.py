# SPDX-License-Identifier: Apache-2.0
"""Earlier versions from the archives under tests/releases: the data that their programs wrote, and their phones."""

import io
import json
import lzma
import os
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.builders.serving import BLUEZONE, RunningServer, serving

RELEASES = Path(__file__).parents[1] / "releases"
FIRST, BEFORE = "7a60e82", "63c4e645"
LATER_SECONDS = 2 * 3600


def unpack(version: str, name: str, folder: Path) -> Path:
    """Unpack an archive of a version into a new folder, which is returned."""
    folder.mkdir(mode=0o700, parents=True)
    # A minimal Debian has no xz for tar.
    tar = io.BytesIO(lzma.decompress((RELEASES / version / f"{name}.tar.xz").read_bytes()))
    with tarfile.open(fileobj=tar) as archive:
        archive.extraction_filter = lambda member, _: member  # unchanged, including modes
        archive.extractall(folder)
    return folder


@cache
def facts(version: str) -> dict[str, Any]:
    """Facts about the data of a version. "moment": when the data were made, Unix seconds."""
    read: dict[str, Any] = json.loads((RELEASES / version / "facts.json").read_text())
    return read


def browser(version: str, name: str, folder: Path) -> dict[str, Any]:
    """The storage of a page of that version; see tests/releases/browserstorage.py."""
    stored: dict[str, Any] = json.loads((unpack(version, "browsers", folder) / f"{name}.json").read_text())
    return stored


# Check that the code is that of the version, and let the machine seem to have been up for days, as phones are.
_BEGINNING = """
import os, pathlib, time, bluezone
assert pathlib.Path(bluezone.__file__).is_relative_to(os.environ["PYTHONPATH"]), bluezone.__file__
read = time.clock_gettime
time.clock_gettime = lambda clock: read(clock) + 5 * 86_400
"""


@dataclass
class EarlierPhone:
    """`bluezone handset` of an earlier version, run from its sources. folder: its data folder."""

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
        """Run a script with its modules; returns its output."""
        done = self._run(script, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _run(self, script: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, "PYTHONPATH": str(self.sources / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            [sys.executable, "-c", _BEGINNING + script, *arguments],
            env=environment, capture_output=True, text=True, timeout=300, cwd=self.sources,
        )  # fmt: skip


def moment(version: str) -> float:
    """When a test opens the data of a version, Unix seconds: later, so that everything that waited is due."""
    return float(facts(version)["moment"] + LATER_SECONDS)


@contextmanager
def upgraded(version: str, folder: Path) -> Iterator[RunningServer]:
    """Today's `serve` on the data folder of a version, at that moment."""
    data = unpack(version, "office", folder / "office") / "data"
    # As an operator does after a long stop.
    command(moment(version), "clock", "--confirm", "--data", data)
    with serving(data, environment=wrong_clock(moment(version))) as running:
        yield running


def wrong_clock(then: float) -> dict[str, str]:
    """The environment in which a program's clock starts at another moment; skips the test without faketime."""
    if not shutil.which("faketime"):
        pytest.skip("needs faketime")
    # From the true time, wherever another day has been set for all tests.
    true_time = time.time() - float(os.environ.get("FAKETIME", "0"))
    offset = f"{then - true_time:+.0f}s"
    output = subprocess.run(["faketime", "-f", offset, "env"], capture_output=True, text=True, check=True).stdout
    variables = dict(line.partition("=")[::2] for line in output.splitlines())
    return {
        "LD_PRELOAD": variables["LD_PRELOAD"], "FAKETIME": variables["FAKETIME"], "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }  # fmt: skip


def command(then: float, *arguments: object) -> Any:
    """Run a command of today at another moment; returns its JSON."""
    done = subprocess.run(
        [BLUEZONE, *map(str, arguments), "--json"],
        env={**os.environ, **wrong_clock(then)}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def program(then: float, *arguments: object) -> Iterator[None]:
    """Run a program of today at another moment, and end it with SIGTERM."""
    running = subprocess.Popen(
        [BLUEZONE, *map(str, arguments)], env={**os.environ, **wrong_clock(then)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
    finally:
        running.terminate()
        running.wait(120)
