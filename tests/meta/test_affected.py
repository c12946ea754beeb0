# SPDX-License-Identifier: Apache-2.0
"""`make test-affected` runs the tests closest to a change first."""

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def affected(*arguments):
    command = [sys.executable, "tools/affected.py", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.splitlines()


def test_a_module_brings_its_own_tests_then_those_that_import_it_then_its_folder():
    files = affected("--of", "src/bluezone/protocol/upload/codes.py")

    assert files[0] == "tests/protocol/upload/test_codes.py"
    importer = files.index("tests/handset/report/test_reporting.py")
    assert files.index("tests/protocol/upload/test_puzzle.py") > importer
    assert len(set(files)) == len(files)


def test_a_builder_brings_the_files_that_import_it_and_a_template_its_folder():
    assert "tests/desk/test_home.py" in affected("--of", "tests/builders/pace.py")

    files = affected("--of", "src/bluezone/rollout/gates/templates/gates/gate.html")
    assert files
    assert all(name.startswith("tests/rollout/gates/") for name in files)


def test_what_no_test_knows_brings_none():
    assert affected("--of", "docs/glossary.md") == []
