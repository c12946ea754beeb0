# SPDX-License-Identifier: Apache-2.0
"""Static files: one folder, served at an address that changes with its content, so that browsers can cache it."""

import functools
import hashlib
from pathlib import Path

STATIC_FOLDER = Path(__file__).parent / "static"


@functools.cache
def static_url() -> str:
    """`/static/<12 hex digits>/`; the digits are from a hash of all files' names and contents."""
    digest = hashlib.sha256()
    for path in sorted(STATIC_FOLDER.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(STATIC_FOLDER).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return f"/static/{digest.hexdigest()[:12]}/"
