# SPDX-License-Identifier: Apache-2.0
"""Files that people send in, kept under a token that cannot be guessed."""

import hashlib
import secrets
import unicodedata

from bluezone.letters.letter import Letter
from bluezone.rollout.directives.models import StoredFile

# What a browser may show by itself; all else is only downloaded.
SHOWN_INLINE = frozenset({"image/jpeg", "image/png"})


def store(letter: Letter, name: str) -> StoredFile:
    """Keep a file as it came. Raises what `Letter.check` refuses; nothing is kept then."""
    made: StoredFile = StoredFile.objects.create(
        content_type=letter.check(),
        token=secrets.token_urlsafe(32),
        name=_plain(name),
        sha256=hashlib.sha256(letter.data).hexdigest(),
        size=len(letter.data),
        content=letter.data,
        signatures=letter.signatures,
    )
    return made


def _plain(name: str) -> str:
    """A file name without folders and control characters."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(sign for sign in last if sign.isprintable()).strip(" .")[-200:] or "tệp"
