# SPDX-License-Identifier: Apache-2.0
"""What the web edition's scripts demand of a browser (Chrome 90) and of a network (under 60 kB)."""

import gzip
import json
import re
import shutil
import subprocess

import pytest
from tests.builders.processes import without_moved_clock

from bluezone.face.files import STATIC

ESBUILD = "0.28.2"
ENTRIES = [
    "engine/interface.js",
    "engine/web/engine.js",
    "outbox.js",
    "service-worker-module.js",
    "engine/web/puzzleworker.js",
]
LOG = ("lognotes.js", "publiclog.js")
PASSES = ("passes.js", "gatepass.js", "tokens.js", "base45.js", "ed25519sign.js")
# Methods that came after Chrome 90 and that a compiler for syntax does not see; each has a way around or is not used.
NEWER = {
    r"\.at\(-?\d": "Array.at: Chrome 92",
    r"Object\.hasOwn\(": "Chrome 93",
    r"structuredClone\(": "Chrome 98",
    r"randomUUID": "Chrome 92",
    r"\.findLast(Index)?\(": "Chrome 97",
    r"AbortSignal\.(timeout|any)": "Chrome 103",
    r"\.(toSorted|toReversed|toSpliced|with)\(": "Chrome 110",
    r"Array\.fromAsync": "Chrome 121",
    r"Promise\.withResolvers": "Chrome 119",
    r"Object\.groupBy": "Chrome 117",
    r"\.(toHex|fromHex|toBase64|fromBase64)\(\)": "Chrome 140",
    r"cause:": "Error cause: Chrome 93",
    r"\bstatic \{": "Chrome 94",
    r"crypto\.subtle\.\w+\([^)]*X25519": "Chrome 133",
}


def scripts():
    own = [STATIC / "outbox.js", STATIC / "locks.js", STATIC / "uuid7.js", *STATIC.glob("service-worker*.js")]
    engine = STATIC / "engine"
    return [*own, *sorted((engine / "web").glob("*.js")), engine / "interface.js", engine / "refusal.js"]


def test_no_script_uses_what_chrome_90_has_not():
    found = [
        f"{path.name}: {why}"
        for path in scripts()
        for pattern, why in NEWER.items()
        if re.search(pattern, path.read_text())
    ]
    assert found == []


@pytest.fixture(scope="module")
def esbuild(tmp_path_factory):
    """esbuild as installed, or from npm for this run; without either the test says so and skips."""
    installed, npm = shutil.which("esbuild"), shutil.which("npm")
    if installed:
        return installed
    folder = tmp_path_factory.mktemp("esbuild")
    wanted = ["install", "--prefix", folder, "--no-audit", "--no-fund", f"esbuild@{ESBUILD}"]
    # Certificates of the registry are not valid on every day to which the clock may be moved.
    environment = without_moved_clock()
    if npm is None or subprocess.run([npm, *wanted], env=environment, capture_output=True, timeout=300).returncode:
        pytest.skip(f"needs esbuild: npm install --global esbuild@{ESBUILD}")
    return folder / "node_modules" / ".bin" / "esbuild"


@pytest.mark.long
@pytest.mark.parametrize("entry", ENTRIES)
def test_no_syntax_has_to_be_rewritten_for_chrome_90(esbuild, entry):
    built = [
        subprocess.run(
            [esbuild, entry, "--bundle", f"--target={target}", "--format=esm", "--external:./handset.js"],
            cwd=STATIC, capture_output=True, text=True, check=False,
        )
        for target in ("chrome90", "esnext")
    ]  # fmt: skip
    assert [one.returncode for one in built] == [0, 0], built[0].stderr
    assert built[0].stdout == built[1].stdout


def loaded_at_the_start():
    """The engine's modules and vendored code that a page loads to open it, by following their imports."""
    found, left = set(), [STATIC / "engine" / "interface.js", STATIC / "engine" / "web" / "engine.js"]
    while left:
        path = left.pop().resolve()
        if path not in found:
            found.add(path)
            left += [path.parent / name for name in re.findall(r'from "(\.[^"]+)"', path.read_text())]
    return found


def test_engine_and_vendored_code_are_under_68_kilobytes_compressed_and_what_comes_later_under_12_more():
    start = loaded_at_the_start()
    # For declarations, puzzles, passes and the service worker's own look: fetched when the first one is needed.
    later = {path for path in (STATIC / "engine" / "web").glob("*.js") if path.name not in LOG} - start
    sizes = [sum(len(gzip.compress(path.read_bytes(), 9)) for path in files) for files in (start, later)]
    assert STATIC / "vendor" / "noble-ed25519.js" in start
    assert sizes[0] < 68_000
    assert sizes[1] < 12_000


def test_passes_for_gates_add_under_7_kilobytes_when_the_first_one_is_shown():
    sizes = {name: len(gzip.compress((STATIC / "engine" / "web" / name).read_bytes(), 9)) for name in PASSES}
    assert sum(sizes.values()) < 7_000, json.dumps(sizes)


def test_the_public_log_adds_under_7_kilobytes_where_somebody_watches_and_nothing_elsewhere():
    assert not {path.name for path in loaded_at_the_start()} & set(LOG)
    assert sum(len(gzip.compress((STATIC / "engine" / "web" / name).read_bytes(), 9)) for name in LOG) < 7_000


def test_every_module_says_what_it_is():
    for path in scripts():
        lines = path.read_text().splitlines()
        assert lines[0] == "// SPDX-License-Identifier: Apache-2.0", path
        assert max(map(len, lines)) <= 140, path
