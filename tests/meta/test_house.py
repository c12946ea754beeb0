# SPDX-License-Identifier: Apache-2.0
"""The house rules that a machine can check."""

import re
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SOURCES = sorted(path for path in (REPOSITORY / "src").rglob("*.py") if "migrations" not in path.parts)


LONGEST_MODULE = 500
LICENCE = "# SPDX-License-Identifier: Apache-2.0"


def test_every_module_is_short_and_says_what_it_is():
    guilty = []
    for path in SOURCES:
        text = path.read_text()
        lines = text.splitlines()
        broken = {
            f"has more than {LONGEST_MODULE} lines": len(lines) > LONGEST_MODULE,
            "does not begin with its licence": lines[:1] != [LICENCE],
            "does not open with a sentence on its duty": not re.match(r'# SPDX.*\n(#[^\n]*\n)*(r?"""|\Z)', text),
        }
        guilty += [f"{path.relative_to(REPOSITORY)} {what}" for what, is_so in broken.items() if is_so]

    assert guilty == []
    assert len(SOURCES) > 100, "looked in the wrong folder"


@pytest.mark.long
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
