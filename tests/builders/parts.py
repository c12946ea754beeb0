# SPDX-License-Identifier: Apache-2.0
"""Which files of tests can hold what a part of .ci/run runs, by their text alone.

Collecting all tests takes each of three workers a quarter of a minute of a core, so a part names its files. They may be
too many, never too few: tests/conftest.py refuses a test whose file is left out here.
"""

import re
import sys
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[1]
_STARTS = re.compile(r"\bsubprocess\b.*\b(?:BLUEZONE|executable)\b", re.DOTALL)
# As in tests/builders/processes.py: what they start is made once and kept, or nothing.
_STARTS_ONCE = {TESTS / "builders" / name for name in ("stores.py", "processes.py")}
_COMMANDS = TESTS / "builders" / "commands.py"
_IMPORTS = re.compile(r"from (tests[.\w]*) import (\([^)]*|[^\n]*)|import (tests[.\w]*)")


def may_hold(mark: str, file: Path) -> bool:
    """Whether a file of tests, with the conftest files above it, may hold tests with the mark `postgres` or `serve`."""
    return any(_mentions(mark, one) for one in (file, *_conftests(file)))


def files(mark: str) -> list[Path]:
    """All files of tests that may, in order."""
    return [file for file in sorted(TESTS.rglob("test_*.py")) if may_hold(mark, file)]


@cache
def _mentions(mark: str, file: Path) -> bool:
    return f"mark.{mark}" in _text(file) or (mark == "serve" and _may_start(file, frozenset()))


def _may_start(file: Path, above: frozenset[Path]) -> bool:
    if _STARTS.search(_text(file)) or file == _COMMANDS:
        return True
    return any(_may_start(one, above | {file}) for one in _imported(file) - above - _STARTS_ONCE)


@cache
def _imported(file: Path) -> set[Path]:
    """The modules of tests that a file takes something from."""
    named = {f"{package}.{name}" if name else package
             for package, names, module in _IMPORTS.findall(_text(file)) for package in [package or module]
             for name in ["", *re.findall(r"\w+", names)]}  # fmt: skip
    paths = {TESTS.parent.joinpath(*name.split(".")).with_suffix(".py") for name in named}
    return {path for path in paths if path.exists()}


@cache
def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _conftests(file: Path) -> list[Path]:
    """Those above a file, but for the one of all tests: it starts nothing for who does not ask."""
    between = [TESTS.joinpath(*up.parts) for up in file.relative_to(TESTS).parents if up.parts]
    return [folder / "conftest.py" for folder in between if (folder / "conftest.py").exists()]


if __name__ == "__main__":
    sys.stdout.write(" ".join(str(file.relative_to(TESTS.parent)) for file in files(sys.argv[1])))
