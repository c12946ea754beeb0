# SPDX-License-Identifier: Apache-2.0
"""The files that phones fetch, served from the data folder with the headers that let caches do the work.

Source: docs/protocol.md section 5; docs/design.md, "files that phones fetch".
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from bluezone.keyserver.configuration import ConfigFiles
from bluezone.keyserver.publication import exports, packages
from bluezone.keyserver.publication.folder import CHANGING, IMMUTABLE, cache_control, media_type
from bluezone.keyserver.publication.index import EXPORT_FILES, VENUE_PACKAGES
from bluezone.refusal import Refused


class FileMissing(Refused):
    """No such file: it is older than 14 days, or was never published."""

    code = "file_missing"


@dataclass(frozen=True)
class Served:
    """A file as it is served."""

    content: bytes
    media_type: str
    cache_control: str
    etag: str


@dataclass(frozen=True)
class Downloads:
    """What phones fetch from one city. fetch: the content of a published file by its name, None where there is none."""

    fetch: Callable[[str], bytes | None]
    configs: ConfigFiles

    def index(self) -> Served:
        """The signed index of export files."""
        return self._published(EXPORT_FILES.index_name)

    def venues_index(self) -> Served:
        """The signed index of venue packages."""
        return self._published(VENUE_PACKAGES.index_name)

    def venue_package(self, name: str) -> Served:
        """A venue package; name: `<number>-<hash>.bin`, checked by the caller to be no path."""
        return self._published(f"{packages.FOLDER}/{name}")

    def export(self, name: str) -> Served:
        """An export file; name: `<number>-<hash>.zip`, checked by the caller to be no path."""
        return self._published(f"{exports.FOLDER}/{name}")

    def config(self, number: int | None) -> Served:
        """The signed config of a number, or the one in force."""
        path = self.configs.path(self.configs.newest_number() if number is None else number)
        content = path.read_bytes() if path.exists() else None
        return _served(path.name, content, CHANGING if number is None else IMMUTABLE)

    def _published(self, name: str) -> Served:
        return _served(name, self.fetch(name), cache_control(name))


def _served(name: str, content: bytes | None, caching: str) -> Served:
    if content is None:
        raise FileMissing(f"{PurePosixPath(name).name} is not here: never published, or older than 14 days")
    return Served(content, media_type(name), caching, f'"{hashlib.sha256(content).hexdigest()[:32]}"')
