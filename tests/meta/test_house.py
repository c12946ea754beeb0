# SPDX-License-Identifier: Apache-2.0
"""The house rules that a machine can check."""

import re
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SOURCES = sorted(path for path in (REPOSITORY / "src").rglob("*.py") if "migrations" not in path.parts)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_a_module_is_short_and_says_what_it_is(path):
    text = path.read_text()
    lines = text.splitlines()

    assert len(lines) <= 500
    assert lines[0] == "# SPDX-License-Identifier: Apache-2.0"
    assert re.match(r'# SPDX.*\n(#[^\n]*\n)*(r?"""|\Z)', text), "a module opens with a sentence on its duty"


def test_no_tracked_file_carries_an_address_of_a_package_index():
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    address = re.compile(r"(index-url|registry|resolved)[\"= :]+https?://", re.IGNORECASE)
    guilty = []
    for name in filter(None, listing.stdout.split("\0")):
        path = REPOSITORY / name
        if path.suffix in {".png", ".woff2", ".mo", ".zip"} or not path.is_file():
            continue
        if address.search(path.read_text(errors="replace")):
            guilty.append(name)

    assert guilty == []
