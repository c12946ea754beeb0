# SPDX-License-Identifier: Apache-2.0
"""Find the test files that may have tests marked `serve` or `postgres`, so that .ci/run collects no others.

It searches the text of a file, of the builders that it imports, and of the conftest.py files in its folder and above.
The result may contain a file without such a test; tests/conftest.py refuses a marked test in a file that is not in the
result. It needs no installation: `python3 tests/builders/marked.py serve|postgres` prints the files.
"""

import functools
import re
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
MARKS = ("serve", "postgres")
# As in processes.py: builders that start a process of bluezone, and builders that do not count.
_STARTERS = ("serving.py", "offices.py", "commands.py")
_LEFT_OUT = ("stores.py", "processes.py")
_STARTS_PROCESS = re.compile(r"^import subprocess$(?s:.*)\b(?:BLUEZONE|executable)\b", re.MULTILINE)
_IMPORTS = re.compile(r"^\s*(?:from|import) (tests\.[\w.]+)(?: import ([\w, ]+))?", re.MULTILINE)


def files_of(mark: str) -> set[Path]:
    """Every file of tests that may have a test with this mark."""
    return {
        path for path in TESTS.rglob("test_*.py") if any(_may_have(mark, file) for file in (path, *_conftests(path)))
    }


def _conftests(path: Path) -> list[Path]:
    """The conftest.py files with fixtures for a test file, without tests/conftest.py."""
    return [up / "conftest.py" for up in path.parents if TESTS in up.parents and (up / "conftest.py").exists()]


@functools.cache
def _may_have(mark: str, path: Path, above: frozenset[Path] = frozenset()) -> bool:
    text = path.read_text()
    if f"mark.{mark}" in text:
        return True
    if mark == "postgres":
        return False
    imported: set[Path] = set()
    for module, names in _IMPORTS.findall(text):
        imported.update(_modules(module, names))
    imported -= above | {path}
    starts = path.name in _STARTERS or _STARTS_PROCESS.search(text)
    return bool(starts) or any(_may_have(mark, module_path, above | {path}) for module_path in imported)


def _modules(module: str, names: str) -> list[Path]:
    """The files of `from MODULE import NAMES`: the module itself, or the named modules of a package."""
    path = TESTS.parent / module.replace(".", "/")
    within = [path / f"{name.split()[0]}.py" for name in names.split(",") if name.strip()]
    return [file for file in (path.with_suffix(".py"), *within) if file.exists() and file.name not in _LEFT_OUT]


if __name__ == "__main__":
    print(*sorted(path.relative_to(TESTS.parent) for path in files_of(sys.argv[1])))  # noqa: T201
