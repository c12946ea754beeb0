#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Name the files of tests that a change concerns, the closest first: `make test-affected` runs them.

Usage: affected.py [REVISION]      what changed since REVISION (default: HEAD), the working tree included
       affected.py --of PATH...    as if these files had changed
For a module of src/bluezone these are, in this order: the file of tests with its name in the mirrored folder, the files
that import it, and the rest of the mirrored folder. For any other file in a package (a template, a list, a style sheet)
it is the mirrored folder. A file of tests brings itself, a builder the files that import it.
Standard library only.
"""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
SOURCE = Path("src/bluezone")
TESTS = Path("tests")
# Their pages and engines run in browsers.
IN_BROWSERS = {".js", ".mjs", ".css"}


def changed_since(revision: str) -> list[Path]:
    """Paths that differ from a revision, new files included."""
    commands = [
        ["git", "diff", "--name-only", "--diff-filter=d", revision],
        ["git", "ls-files", "--others", "--exclude-standard"],
    ]
    names: list[str] = []
    for command in commands:
        names += subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.splitlines()
    return [Path(name) for name in sorted(set(names))]


def tests_for(changed: Iterable[Path]) -> list[Path]:
    """Files of tests, each once, the closest to what changed first."""
    imports = {path: path.read_text() for path in sorted((REPOSITORY / TESTS).rglob("*.py"))}
    steps = [list(_steps(path, imports)) for path in changed]
    ordered: dict[Path, None] = {}
    # The closest tests of each changed file come before the farther ones of any.
    for distance in range(max(map(len, steps), default=0)):
        for of_file in steps:
            if distance < len(of_file):
                ordered.update(dict.fromkeys(of_file[distance]))
    return [path.relative_to(REPOSITORY) for path in ordered]


def _steps(path: Path, imports: dict[Path, str]) -> Iterator[list[Path]]:
    """The files of tests of one changed file, in lists of growing distance."""
    if TESTS in path.parents:
        if path.name.startswith("test_"):
            yield [REPOSITORY / path]
        elif path.suffix == ".py":
            yield _importers(".".join(path.with_suffix("").parts), imports)
            yield _in_folder(REPOSITORY / path.parent) if path.name == "conftest.py" else []
        return
    if SOURCE not in path.parents:
        return
    below = path.relative_to(SOURCE)
    folder = _mirrored(below.parent)
    if path.suffix == ".py":
        yield [test for test in _in_folder(folder) if test.stem == f"test_{below.stem}"]
        yield _importers(".".join(("bluezone", *below.with_suffix("").parts)), imports)
    yield _in_folder(folder)


def _mirrored(package: Path) -> Path:
    """The folder of tests of a package, or of the closest package around it that has one."""
    for candidate in (package, *package.parents):
        if (REPOSITORY / TESTS / candidate).is_dir():
            return REPOSITORY / TESTS / candidate
    return REPOSITORY / TESTS


def _in_folder(folder: Path) -> list[Path]:
    """The files of tests in a folder and below, but not all tests there are."""
    return sorted(folder.rglob("test_*.py") if folder != REPOSITORY / TESTS else folder.glob("test_*.py"))


def _importers(module: str, imports: dict[Path, str]) -> list[Path]:
    """The files of tests that import a module."""
    package, _, name = module.removesuffix(".__init__").rpartition(".")
    imported = re.compile(
        rf"^\s*(?:from {re.escape(package)}\.{name} import |import {re.escape(package)}\.{name}\b"
        rf"|from {re.escape(package)} import (?:\([^)]*|[^(\n]*)\b{name}\b)",
        re.MULTILINE,
    )
    return [path for path, text in imports.items() if path.name.startswith("test_") and imported.search(text)]


def main() -> int:
    """Print the files, one a line."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--of"]:
        changed = [Path(argument) for argument in arguments[1:]]
    else:
        changed = changed_since(*arguments or ["HEAD"])
    for path in tests_for(changed):
        print(path)
    if scripts := [str(path) for path in changed if path.suffix in IN_BROWSERS]:
        print(f"affected: also run tests/browser for {', '.join(scripts)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
