# SPDX-License-Identifier: Apache-2.0
"""The app's words: those of the face where the face says the same, and those only an Android app needs.

Vietnamese and English, side by side in words-vi.json and words-en.json; the face's are read from its own catalogues.
"""

import json
import re
from functools import cache
from pathlib import Path

from bluezone.face.files import STATIC

LANGUAGES = ("vi", "en")
_ENTRY = re.compile(r'^\s*("(?:[^"\\]|\\.)+"):\s*("(?:[^"\\]|\\.)*"),?\s*$', re.MULTILINE)


@cache
def face_words(language: str) -> dict[str, str]:
    """Every sentence of the face by its name. language: "vi" or "en"."""
    text = (STATIC / "words" / f"{language}.js").read_text("utf-8")
    return {json.loads(name): json.loads(words) for name, words in _ENTRY.findall(text)}


@cache
def own_words(language: str) -> dict[str, str]:
    """Every sentence that only the app says, by its name. language: "vi" or "en"."""
    words: dict[str, str] = json.loads((Path(__file__).parent / f"words-{language}.json").read_text("utf-8"))
    return words
