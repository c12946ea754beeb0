# SPDX-License-Identifier: Apache-2.0
"""Nothing says that the Android app works: it has not run on a phone yet. Take this test away when it has."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
SENTENCE = "built and checked, not yet run on a phone"
CLAIM = re.compile(
    r"\b(?:android)\b[^.|\n]{0,80}\b(?:works|runs fine|is running|is ready to use|was run on (?:a|two|several) phones?|"
    r"has been tested on|is tested on|supports android)\b"
    r"|\b(?:runs|works|tested|available|released)\s+on\s+android\b"
    r"|\bandroid\b[^.|\n]{0,60}(?:chạy tốt|hoạt động tốt|đã chạy thử|đã thử trên máy)",
    re.IGNORECASE,
)
TRUE_SENTENCES = (
    "browser", "does not", "cannot", "not yet", "never", "nothing", "no ", "chưa", "web edition", "wakes", "if ",
)  # fmt: skip


def pages():
    for pattern in (
        "README.md", "docs/**/*.md", "src/**/*.md", "src/**/*.html", "src/**/words/*.js", "android/**/*.xml",
        "src/bluezone/handset/android/words-*.json",
    ):  # fmt: skip
        yield from REPOSITORY.glob(pattern)


def claims(text: str) -> list[str]:
    found = [text[max(0, hit.start() - 60) : hit.end() + 60] for hit in CLAIM.finditer(text)]
    return [words for words in found if not any(plain in words.lower() for plain in TRUE_SENTENCES)]


def test_no_page_claims_that_the_android_app_works():
    assert {str(path): found for path in pages() if (found := claims(path.read_text()))} == {}


def test_such_a_claim_would_be_found():
    for claim in ("The Android app works.", "Bluezone runs on Android.", "On Android it was run on two phones.",
                  "Bản Android hoạt động tốt."):  # fmt: skip
        assert claims(claim)


def test_where_the_app_is_told_of_it_is_said_what_it_is():
    for page in ("README.md", "docs/android.md"):
        text = re.sub(r"[\s#*]+", " ", (REPOSITORY / page).read_text())
        assert SENTENCE in text, page
