# SPDX-License-Identifier: Apache-2.0
"""The measure of size counts code alone: neither layout, nor comments, nor docstrings."""

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
TWINS = {
    ".py": (
        "def act(x):\n    return x\n",
        '"""Why."""\n\n\ndef act(\n    x,\n):\n    """What."""\n    # How.\n    return x\n',
    ),
    ".js": ("const act = (x) => x;\n", "/** What. */\nconst act =\n  (x) => x; // how\n"),
    ".java": ("class Act { int x = 1; }\n", "/* What. */\nclass Act {\n  int x = 1; // how\n}\n"),
    ".c": ("int act(int x) { return x; }\n", "/* What. */\nint act(int x) {\n  return x;  // how\n}\n"),
}


def size_of(path):
    sys.path.insert(0, str(REPOSITORY / "tools"))
    try:
        import size
    finally:
        sys.path.remove(str(REPOSITORY / "tools"))
    return size.size_of(path)


@pytest.mark.parametrize("suffix", TWINS)
def test_layout_comments_and_docstrings_do_not_count_and_a_statement_does(tmp_path, suffix):
    dense, airy = TWINS[suffix]
    sizes = []
    for name, text in {"dense": dense, "airy": airy, "more": dense + dense}.items():
        path = tmp_path / f"{name}{suffix}"
        path.write_text(text)
        sizes.append(size_of(path))

    assert sizes[0] == sizes[1]
    assert sizes[2] > sizes[0] + 4


def test_the_table_has_a_line_for_each_package():
    table = subprocess.run(
        [sys.executable, "tools/size.py", "tools", "src/bluezone/audit"], cwd=REPOSITORY, capture_output=True, text=True
    )

    assert "src/bluezone/audit" in table.stdout
    assert "together" in table.stdout
