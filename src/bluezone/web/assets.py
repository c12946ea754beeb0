# SPDX-License-Identifier: Apache-2.0
"""Static files: one folder, served under an address that changes with their content, so browsers may keep them."""

import functools
import hashlib
from pathlib import Path

STATIC_FOLDER = Path(__file__).parent / "static"


@functools.cache
def static_url() -> str:
    """`/static/<12 hex digits>/`, the digits taken from every file's name and bytes."""
    digest = hashlib.sha256()
    for path in sorted(STATIC_FOLDER.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(STATIC_FOLDER).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return f"/static/{digest.hexdigest()[:12]}/"
