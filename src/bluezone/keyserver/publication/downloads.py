# SPDX-License-Identifier: Apache-2.0
"""The files that phones fetch, served from the data folder with the headers that let caches do the work.

Source: protocol.md section 5; specs/stack.md A.5 (only the index and the newest config change).
"""

import hashlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from bluezone.keyserver.publication import exports
from bluezone.keyserver.publication import index as publication_index
from bluezone.keyserver.publication.folder import CHANGING, IMMUTABLE, cache_control, media_type
from bluezone.keyserver.venues import packages
from bluezone.refusal import Refused

if TYPE_CHECKING:
    from bluezone.keyserver.service import KeyServer


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


def index(server: "KeyServer") -> Served:
    """The signed index of export files."""
    return _published(server, publication_index.EXPORT_FILES.index_name)


def venues_index(server: "KeyServer") -> Served:
    """The signed index of venue packages."""
    return _published(server, publication_index.VENUE_PACKAGES.index_name)


def venue_package(server: "KeyServer", name: str) -> Served:
    """A venue package; name: `<number>-<hash>.bin`, checked by the caller to be no path."""
    return _published(server, f"{packages.FOLDER}/{name}")


def export(server: "KeyServer", name: str) -> Served:
    """An export file; name: `<number>-<hash>.zip`, checked by the caller to be no path."""
    return _published(server, f"{exports.FOLDER}/{name}")


def config(server: "KeyServer", number: int | None) -> Served:
    """The signed config of a number, or the one in force."""
    path = server.configs.path(server.configs.newest_number() if number is None else number)
    content = path.read_bytes() if path.exists() else None
    return _served(path.name, content, CHANGING if number is None else IMMUTABLE)


def _published(server: "KeyServer", name: str) -> Served:
    return _served(name, server.downloads(name), cache_control(name))


def _served(name: str, content: bytes | None, caching: str) -> Served:
    if content is None:
        raise FileMissing(f"{PurePosixPath(name).name} is not here: never published, or older than 14 days")
    return Served(content, media_type(name), caching, f'"{hashlib.sha256(content).hexdigest()[:32]}"')
