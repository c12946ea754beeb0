# SPDX-License-Identifier: Apache-2.0
"""The files that phones fetch, served from the data folder with the headers that let caches do the work.

Source: protocol.md section 5; specs/stack.md A.5 (only the index and the newest config change).
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bluezone.keyserver import exportindex
from bluezone.keyserver.publication import exports_folder
from bluezone.keyserver.venuepackages import venues_folder
from bluezone.refusal import Refused

if TYPE_CHECKING:
    from bluezone.keyserver.service import KeyServer

IMMUTABLE = "public, max-age=31536000, immutable"
# Phones poll every four hours; a minute in a cache delays nobody and spares the server a crowd.
CHANGING = "public, max-age=60"


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
    return _read(exports_folder(server) / exportindex.FILE_NAME, "application/json", CHANGING)


def venues_index(server: "KeyServer") -> Served:
    """The signed index of venue packages."""
    return _read(venues_folder(server) / exportindex.FILE_NAME, "application/json", CHANGING)


def venue_package(server: "KeyServer", name: str) -> Served:
    """A venue package; name: `<number>-<hash>.bin`, checked by the caller to be no path."""
    return _read(venues_folder(server) / name, "application/octet-stream", IMMUTABLE)


def config(server: "KeyServer", number: int | None) -> Served:
    """The signed config of a number, or the one in force."""
    if number is None:
        return _read(server.configs.path(server.configs.newest_number()), "application/json", CHANGING)
    return _read(server.configs.path(number), "application/json", IMMUTABLE)


def export(server: "KeyServer", name: str) -> Served:
    """An export file; name: `<number>-<hash>.zip`, checked by the caller to be no path."""
    return _read(exports_folder(server) / name, "application/zip", IMMUTABLE)


def _read(path: Path, media_type: str, cache_control: str) -> Served:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise FileMissing(f"{path.name} is not here: never published, or older than 14 days") from None
    return Served(content, media_type, cache_control, f'"{hashlib.sha256(content).hexdigest()[:32]}"')
