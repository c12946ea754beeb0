# SPDX-License-Identifier: Apache-2.0
"""Files that are sent without a thread: granian reads them as fast as who asks takes them."""

import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

Headers = Sequence[tuple[str, str]]
KEPT = "max-age=31536000, immutable"
NOTHING = b"not found"


@dataclass(frozen=True)
class Sent:
    """What is sent: some bytes, or a file of this machine."""

    status: int
    headers: Headers
    content: bytes | Path


class StaticFiles:
    """The files below a folder, all known by name beforehand. prefix: their address, which changes with any of them."""

    def __init__(self, folder: Path, prefix: str) -> None:
        self._folder, self.prefix = folder, prefix

    @cached_property
    def _known(self) -> dict[str, Sent]:
        files = (path for path in self._folder.rglob("*") if path.is_file())
        return {self.prefix + path.relative_to(self._folder).as_posix(): _sent(path) for path in files}

    def find(self, path: str) -> Sent | None:
        """What is sent at an address; None where it is not below the prefix."""
        if not path.startswith(self.prefix):
            return None
        return self._known.get(path) or Sent(404, [("Content-Type", "text/plain")], NOTHING)


def _sent(path: Path) -> Sent:
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    length = str(path.stat().st_size)
    return Sent(200, [("Content-Type", kind), ("Content-Length", length), ("Cache-Control", KEPT)], path)
