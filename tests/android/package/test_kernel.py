# SPDX-License-Identifier: Apache-2.0
"""The package's own kernels answer as Python does: x86-64's on this processor, arm64's under qemu-user."""

import os
import random
import shutil
import subprocess
import sys
from array import array
from pathlib import Path

import pytest

from bluezone.protocol.identifiers import rolling_proximity_identifier
from bluezone.protocol.keys import KEY_LENGTH

REPOSITORY = Path(__file__).parents[3]
CASE = Path(__file__).with_name("kernelcase.c")
DAY = 20_781
KEYS, NOISE = 60, 400
# The tests whose answers depend on the kernel.
VECTORS = ("tests/protocol/test_matching.py", "tests/protocol/test_matching_ways.py", "tests/protocol/test_kernel.py")


def case() -> tuple[bytes, list[str]]:
    """What kernelcase.c reads, and the lines that it must print, after Python's own identifiers."""
    rng = random.Random(5)
    keys = [rng.randbytes(KEY_LENGTH) for _ in range(KEYS)]
    start = DAY * 144
    met = [(row, start + rng.randrange(144)) for row in range(KEYS) if row % 3]
    sightings = [rolling_proximity_identifier(keys[row], interval) for row, interval in met]
    intervals = [interval for _row, interval in met]
    sightings += [rng.randbytes(16) for _ in range(NOISE)]
    intervals += [start] * NOISE
    seconds = array("q", [600 * interval for interval in intervals])
    counts = array("q", [len(sightings), KEYS, -12, 12])
    columns = [array("q", [value] * KEYS) for value in (start, 144)]
    parts = (counts, b"".join(sightings), seconds, b"".join(keys), *columns)
    expected = [f"{row} {interval} {at}" for at, (row, interval) in enumerate(met)]
    return b"".join(bytes(part) for part in parts), expected


def answers(printed: str) -> dict[str, list[str]]:
    """The matches of each processor by its name."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in printed.splitlines():
        if " " in line:
            found[name].append(line)
        else:
            name = line
            found[name] = []
    return found


def test_the_kernel_for_arm64_phones_finds_the_same_under_emulation(unpacked, tmp_path):
    compiler, emulator = shutil.which("aarch64-linux-gnu-gcc"), shutil.which("qemu-aarch64")
    if compiler is None or emulator is None:
        pytest.skip("needs sudo apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user")
    program, root = tmp_path / "case", Path("/usr/aarch64-linux-gnu")
    subprocess.run([compiler, "-O1", "-o", program, CASE], check=True)
    (tmp_path / "libc.so").symlink_to(root / "lib" / "libc.so.6")  # bionic's name for it
    given, expected = case()
    done = subprocess.run(
        [
            emulator, "-L", root, "-E", f"LD_LIBRARY_PATH={tmp_path}", program,
            unpacked / "lib" / "arm64-v8a" / "libbzkernel.so",
        ],
        input=given, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = answers(done.stdout.decode())

    assert list(found) == ["armv8", "portable"]
    assert [sorted(matches) for matches in found.values()] == [sorted(expected)] * 2


def test_the_kernel_for_x86_64_phones_answers_the_projects_vectors(unpacked, tmp_path):
    (tmp_path / "libc.so").symlink_to(next(Path("/lib").glob("*-linux-gnu/libc.so.6")))
    kernel = unpacked / "lib" / "x86_64" / "libbzkernel.so"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "-m", "not slow", *VECTORS],
        env={
            **os.environ, "LD_LIBRARY_PATH": str(tmp_path), "BLUEZONE_KERNEL_LIBRARY": str(kernel),
            "BLUEZONE_PRIMITIVES": "libcrypto",
        },
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout[-3000:]
