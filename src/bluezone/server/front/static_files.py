# SPDX-License-Identifier: Apache-2.0
"""Static files of this machine, read once and sent from memory."""

import mimetypes
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NoReturn

Headers = Sequence[tuple[str, str]]
IMMUTABLE = "max-age=31536000, immutable"
NOT_FOUND_BODY = b"not found"


@dataclass(frozen=True)
class ReadyAnswer:
    """An answer to send: some bytes, or a file of this machine."""

    status: int
    headers: Headers
    content: bytes | Path


class StaticFiles:
    """The files below a folder, read once. prefix: that of their addresses; it changes when any file changes."""

    def __init__(self, folder: Path, prefix: str) -> None:
        self._folder = folder
        self.prefix = prefix

    @cached_property
    def _known(self) -> dict[str, ReadyAnswer]:
        # Not `glob`, which omits folders that cannot be opened now.
        folders = os.walk(self._folder, onerror=_raise)
        files = [Path(folder, name) for folder, _, names in folders for name in names]
        return {self.prefix + path.relative_to(self._folder).as_posix(): _answer_with(path) for path in files}

    def find(self, path: str) -> ReadyAnswer | None:
        """The answer for an address, a 404 if there is no such file; None if the address is not below the prefix."""
        if not path.startswith(self.prefix):
            return None
        return self._known.get(path) or ReadyAnswer(404, [("Content-Type", "text/plain")], NOT_FOUND_BODY)


def _raise(error: OSError) -> NoReturn:
    raise error


def _answer_with(path: Path) -> ReadyAnswer:
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    content = path.read_bytes()
    headers = [("Content-Type", kind), ("Content-Length", str(len(content))), ("Cache-Control", IMMUTABLE)]
    return ReadyAnswer(200, headers, content)
