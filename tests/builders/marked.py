# SPDX-License-Identifier: Apache-2.0
"""The files of tests among which are all that are marked `serve` or `postgres`, so that .ci/run collects no others.

It goes by the text of a file, of the builders that it takes something from and of the conftest.py beside it and above;
it may name a file too many. tests/conftest.py refuses a test in a file that it leaves out. It needs no installation:
`python3 tests/builders/marked.py serve|postgres` prints them.
"""

import functools
import re
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
MARKS = ("serve", "postgres")
# As in processes.py: what starts a process of bluezone beside those that do it by themselves, and what does not count.
_STARTERS = ("serving.py", "offices.py", "commands.py")
_LEFT_OUT = ("stores.py", "processes.py")
_BY_ITSELF = re.compile(r"^import subprocess$(?s:.*)\b(?:BLUEZONE|executable)\b", re.MULTILINE)
_TAKEN = re.compile(r"^\s*(?:from|import) (tests\.[\w.]+)(?: import ([\w, ]+))?", re.MULTILINE)


def files_of(mark: str) -> set[Path]:
    """Every file of tests that may have a test with this mark."""
    return {path for path in TESTS.rglob("test_*.py") if any(_may_have(mark, one) for one in (path, *_beside(path)))}


def _beside(path: Path) -> list[Path]:
    """The conftest.py files whose fixtures a file of tests may use, without the one that all may."""
    return [up / "conftest.py" for up in path.parents if TESTS in up.parents and (up / "conftest.py").exists()]


@functools.cache
def _may_have(mark: str, path: Path, above: frozenset[Path] = frozenset()) -> bool:
    text = path.read_text()
    if f"mark.{mark}" in text:
        return True
    if mark == "postgres":
        return False
    taken = {found for module, names in _TAKEN.findall(text) for found in _modules(module, names)} - above - {path}
    starts = path.name in _STARTERS or _BY_ITSELF.search(text)
    return bool(starts) or any(_may_have(mark, one, above | {path}) for one in taken)


def _modules(module: str, names: str) -> list[Path]:
    """The files behind `from MODULE import NAMES`: the module itself, or those of a package that are named."""
    path = TESTS.parent / module.replace(".", "/")
    within = [path / f"{name.split()[0]}.py" for name in names.split(",") if name.strip()]
    return [one for one in (path.with_suffix(".py"), *within) if one.exists() and one.name not in _LEFT_OUT]


if __name__ == "__main__":
    print(*sorted(path.relative_to(TESTS.parent) for path in files_of(sys.argv[1])))  # noqa: T201
