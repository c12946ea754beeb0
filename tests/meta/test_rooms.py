# SPDX-License-Identifier: Apache-2.0
"""The rooms of the house: files that newcomers are sent to exist, and no room is overfull."""

import re
from collections import Counter
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
SOURCE = REPOSITORY / "src" / "bluezone"
MOST_MODULES = 15


def test_every_file_that_answers_a_newcomer_s_question_exists():
    page = (REPOSITORY / "docs" / "contributing" / "where-is-what.md").read_text("utf-8")
    named = re.findall(r"\| `([\w/]+\.py)` \|", page)

    assert len(named) >= 20
    assert [name for name in named if not (SOURCE / name).is_file()] == []


def test_no_folder_holds_more_modules_than_one_sees_at_a_glance():
    modules = [path for path in SOURCE.rglob("*.py") if path.name != "__init__.py" and path.parent.name != "migrations"]
    folders = Counter(path.parent for path in modules)

    assert {str(folder.relative_to(SOURCE)): count for folder, count in folders.items() if count > MOST_MODULES} == {}
