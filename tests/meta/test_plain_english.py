# SPDX-License-Identifier: Apache-2.0
"""The lint for plain English sees banned words in prose and banned names in code, and nothing else."""

import sys
import tomllib
from pathlib import Path

LINT = Path(__file__).parents[2] / "tools" / "plain_english.py"


def findings(tmp_path, monkeypatch, text):
    sys.path.insert(0, str(LINT.parent))
    try:
        import plain_english
    finally:
        sys.path.remove(str(LINT.parent))
    module = tmp_path / "module.py"
    module.write_text(text)
    rules = plain_english.read_rules()
    monkeypatch.setattr(plain_english, "REPOSITORY", tmp_path)
    return list(plain_english.findings(module, rules))


def test_words_count_in_docstrings_and_comments_and_names_where_they_are_bound(tmp_path, monkeypatch):
    text = '"""Nobody knows."""\ntext = "nobody"\nkept = 1  # made anew\n\n\ndef act(told):\n    return told + kept\n'

    assert findings(tmp_path, monkeypatch, text) == [
        "module.py:1 word nobody",
        "module.py:3 name kept",
        "module.py:3 word anew",
        "module.py:6 name told",
    ]


def test_the_vocabulary_names_every_banned_word_and_name():
    rules = tomllib.loads((LINT.parent / "plain_english.toml").read_text())
    page = " ".join((LINT.parents[1] / "docs" / "contributing" / "vocabulary.md").read_text().split())

    assert [word for word in rules["words"] if f"*{word}*" not in page] == []
    assert [name for name in rules["names"] if f"`{name}`" not in page] == []
