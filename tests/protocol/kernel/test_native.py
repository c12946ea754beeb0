# SPDX-License-Identifier: Apache-2.0
"""The native matcher as C: under sanitizers, a fuzzer, another architecture and an instruction counter."""

import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from array import array
from pathlib import Path

import pytest
from tests.builders.processes import without_moved_clock

from bluezone.protocol.exports.columns import KeyColumns
from bluezone.protocol.kernel import PROCESSORS, WHY_NOT, native_matcher
from bluezone.protocol.matching import SightingIndex

HERE = Path(__file__).parent
HARNESS = HERE / "harness.c"
REPOSITORY = HERE.parents[2]
SANITIZERS = "-fsanitize=address,undefined"


def program(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"needs {name}: sudo apt-get install {package}")
    return found


def run(*command: object, seconds: float = 120) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        # A sanitizer must be the first of all libraries.
        env=without_moved_clock(),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_where_there_is_a_compiler_the_native_matcher_is_built():
    if shutil.which("cc") is None:
        pytest.skip("needs a C compiler: sudo apt-get install gcc libc6-dev")

    assert PROCESSORS, WHY_NOT
    assert PROCESSORS[-1] == "portable"


def test_every_processor_finds_what_a_plain_loop_finds_and_stays_inside_its_memory(tmp_path):
    compiler = program("gcc", "gcc")
    run(compiler, "-O1", "-g", SANITIZERS, "-fno-sanitize-recover=all", "-o", tmp_path / "harness", HARNESS)

    assert run(tmp_path / "harness", 150).startswith("150 cases, the same on ")


def test_a_build_of_other_source_is_not_used(tmp_path):
    """Copied whole, and the source changed by one byte."""
    if not PROCESSORS:
        pytest.skip(f"the native matcher is {WHY_NOT}")
    package = tmp_path / "bluezone"
    shutil.copytree(REPOSITORY / "src" / "bluezone" / "protocol", package / "protocol")
    (package / "__init__.py").write_text("")
    (package / "refusal.py").write_bytes((REPOSITORY / "src" / "bluezone" / "refusal.py").read_bytes())
    ask = "from bluezone.protocol import kernel; print(kernel.PROCESSORS, kernel.WHY_NOT)"

    def said() -> str:
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        command = [sys.executable, "-c", ask]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    assert said().startswith(str(PROCESSORS))
    with (package / "protocol" / "_kernel.c").open("a") as source:
        source.write("\n")
    assert said().startswith("() built from other source")


def test_other_threads_run_while_it_searches():
    """With Python's lock held, the counting thread would get no turn before the end of the search.

    The keys are ready columns, so that Python has nothing to prepare, which would let go of the lock by itself.
    """
    if not PROCESSORS:
        pytest.skip(f"the native matcher is {WHY_NOT}")
    rng, count = random.Random(3), 10_000
    columns = [array("q", [value]) * count for value in (20781 * 144, 144, 0, 0, 0)]
    keys = KeyColumns(rng.randbytes(16 * count), *columns)
    index = SightingIndex(rng.randbytes(16 * 10), processor="portable")

    def share_of_turns() -> float:
        """How far this thread counts during a search, to how far it counts for as long without one."""
        begun = time.perf_counter()
        turns = _count_while(threading.Thread(target=index.match, args=(keys,)))
        seconds = time.perf_counter() - begun
        return turns / _count_while(threading.Thread(target=time.sleep, args=(seconds,)))

    # With the lock held it would be none. Many tries, because other programs may want the second processor meanwhile.
    shares = []
    while len(shares) < 20 and max(shares, default=0) < 0.1:
        shares.append(share_of_turns())
    assert max(shares) >= 0.1, shares


def _count_while(working: threading.Thread) -> int:
    turns = 0
    working.start()
    while working.is_alive():
        turns += 1
    return turns


@pytest.mark.parametrize("changing", [bytearray(32), memoryview(bytes(32)), array("q", [0] * 4)])
def test_what_another_thread_could_write_to_is_not_read_twice(changing):
    chosen = native_matcher(PROCESSORS[0] if PROCESSORS else "python")
    if chosen is None:
        pytest.skip(f"the native matcher is {WHY_NOT}")
    for call in (
        lambda: chosen[0].index(changing, 16, None, range(1)),
        lambda: chosen[0].index(bytes(64), 16, changing, range(1)),
        lambda: chosen[0].read_keys(changing, 0, 0),
        lambda: chosen[0].search(chosen[0].index(b"", 16, None, range(1)), changing, bytes(16), bytes(16), 0),
    ):
        with pytest.raises(TypeError):
            call()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_fuzzer_finds_nothing_in_ten_minutes(tmp_path):
    """BLUEZONE_FUZZ_SECONDS shortens it."""
    compiler = program("clang", "clang")
    if not list(Path(run(compiler, "-print-runtime-dir").strip()).glob("*fuzzer*")):
        pytest.skip("needs clang's own runtime: sudo apt-get install libclang-rt-14-dev (or that of your clang)")
    seconds = int(os.environ.get("BLUEZONE_FUZZ_SECONDS", "600"))
    fuzzer = tmp_path / "fuzzer"
    flags = ["-O1", "-g", "-DBLUEZONE_FUZZ", "-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all"]
    # Six seconds of work, which a busy machine may make two minutes of.
    run(compiler, *flags, "-o", fuzzer, HARNESS, seconds=400)

    run(fuzzer, f"-max_total_time={seconds}", "-max_len=8192", f"-artifact_prefix={tmp_path}/", seconds=seconds + 120)


@pytest.mark.slow
def test_the_instructions_of_armv8_answer_the_same_under_emulation(tmp_path):
    compiler = program("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu libc6-dev-arm64-cross")
    emulator = program("qemu-aarch64", "qemu-user")
    run(compiler, "-O2", "-static", "-o", tmp_path / "harness", HARNESS)

    assert run(emulator, tmp_path / "harness", 200) == "200 cases, the same on armv8 portable\n"


@pytest.fixture(scope="module")
def counting(tmp_path_factory):
    """Instructions a key costs on a processor; setup cancels out between two sizes."""
    compiler, valgrind = program("gcc", "gcc"), program("valgrind", "valgrind")
    folder = tmp_path_factory.mktemp("callgrind")
    run(compiler, "-O3", "-g", "-o", folder / "harness", HARNESS)

    def instructions(processor: str, keys: int, *spread: int) -> int:
        output = folder / "out"
        count = [valgrind, "--tool=callgrind", f"--callgrind-out-file={output}"]
        run(*count, folder / "harness", "cost", processor, keys, 10_000, *spread)
        found = re.search(r"^(?:summary|totals): (\d+)", output.read_text(), re.MULTILINE)
        assert found is not None
        return int(found[1])

    return lambda processor, *spread: (
        (instructions(processor, 1500, *spread) - instructions(processor, 500, *spread)) / 1000
    )


@pytest.mark.slow
@pytest.mark.parametrize("processor", ["aes", "portable"])
def test_a_key_costs_no_more_instructions_than_recorded(counting, processor):
    """Counted, so that a noisy machine cannot hide a regression; Valgrind does not know SHA-NI and VAES.

    Counts belong to a compiler: another major version is named and skipped.
    """
    recorded = json.loads((HERE / "instructions.json").read_text())
    version = run("gcc", "-dumpversion").split(".")[0].strip()
    if version not in recorded[processor] or "x86_64" not in run("gcc", "-dumpmachine"):
        pytest.skip(f"instructions are recorded for gcc {' '.join(recorded[processor])} on x86-64, this is {version}")

    per_key = counting(processor)
    assert per_key == pytest.approx(recorded[processor][version], rel=0.03)


@pytest.mark.slow
def test_what_no_sighting_can_match_is_not_computed(counting):
    """Sightings in one interval of 16: an identifier in 16 is made. In none of the key's day: not even its hashes.

    Some 400 instructions are the harness's own, which draws the key.
    """
    whole = counting("portable")

    assert counting("portable", 16) < whole / 4
    assert counting("portable", 1440) < whole / 200


@pytest.mark.slow
def test_a_wheel_holds_a_build_of_the_source_it_holds_or_none(tmp_path):
    """First with a compiler, then in the same folder with one that fails, when what the first left is older."""
    program("cc", "gcc")
    tree = tmp_path / "tree"
    skipped = shutil.ignore_patterns(".venv", ".git", "build", "*.egg-info", "__pycache__", ".*cache", "*.so")
    shutil.copytree(REPOSITORY, tree, ignore=skipped)
    # A build left behind from other source, newer than everything.
    (tree / "src" / "bluezone" / "protocol" / "kernel.native.so").write_bytes(b"stale")
    wheel = built_wheel(tree)
    assert "-cp311-abi3-" in wheel.name
    with zipfile.ZipFile(wheel) as held:
        source = held.read("bluezone/protocol/_kernel.c")
        built = held.read("bluezone/protocol/kernel.native.so")
    assert hashlib.sha256(source).hexdigest().encode() in built

    assert list((tree / "build").glob("lib*/bluezone/protocol/kernel.native.so"))
    with zipfile.ZipFile(built_wheel(tree, CC="false")) as held:
        assert "bluezone/protocol/_kernel.c" in held.namelist()
        assert "bluezone/protocol/kernel.native.so" not in held.namelist()


def built_wheel(tree: Path, **environment: str) -> Path:
    build = "from setuptools import build_meta; print(build_meta.build_wheel('.'))"
    done = subprocess.run(
        [sys.executable, "-c", build],
        cwd=tree,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=280,
    )
    return tree / done.stdout.split()[-1]
