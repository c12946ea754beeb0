# SPDX-License-Identifier: Apache-2.0
"""The listing of stores: both languages, within the lengths that stores show, and promising what holds."""

import re
from pathlib import Path

import pytest

METADATA = Path(__file__).parents[2] / "android" / "metadata"
# Characters that F-Droid and Google Play show at most.
LONGEST = {"title.txt": 30, "short_description.txt": 80, "full_description.txt": 4000, "changelogs/1.txt": 500}


@pytest.mark.parametrize("language", ["vi", "en-US"])
def test_each_text_is_there_and_no_longer_than_it_is_shown(language):
    texts = {name: (METADATA / language / name).read_text().strip() for name in LONGEST}

    assert {name: 0 < len(text) <= LONGEST[name] for name, text in texts.items()} == dict.fromkeys(LONGEST, True)


@pytest.mark.parametrize("language", ["vi", "en-US"])
def test_the_listing_names_no_disease_and_promises_no_safety(language):
    text = (METADATA / language / "full_description.txt").read_text()

    assert not re.search(r"covid|corona|sars|guarantee|100 ?%|an toàn tuyệt đối|bảo đảm", text, re.IGNORECASE)
