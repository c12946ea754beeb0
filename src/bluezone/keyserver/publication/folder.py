# SPDX-License-Identifier: Apache-2.0
"""Places for the files that phones fetch: a folder of this machine, or a bucket that several machines share.

A file is put there once, under a name that contains its hash, and a new index lists it only after that. So an index
never lists a file that is missing. Names are `<folder>/<file>`, as in addresses after `/v1/`.
Source: docs/design.md, "files that phones fetch"; docs/protocol.md section 5.
"""

import base64
import hashlib
import json
import os
import urllib.error
import urllib.request
from pathlib import Path, PurePosixPath
from typing import Protocol
from urllib.parse import urlsplit

from bluezone.keyserver.securefiles import write_atomically, write_new_file
from bluezone.keyserver.storage.store import StoreRefused

EXPORTS_URL_VARIABLE = "BLUEZONE_EXPORTS_URL"
# Hex digits of a file's SHA-256 in its name: enough that no two files share a name.
NAME_DIGITS = 32

IMMUTABLE = "public, max-age=31536000, immutable"
# Phones poll every four hours, so a minute in a cache hardly delays them, and it saves the server many requests.
CHANGING = "public, max-age=60"

_MEDIA_TYPES = {".json": "application/json", ".zip": "application/zip", ".bin": "application/octet-stream"}
_INDEX = "index.json"
MIRROR_SECONDS = 30.0
MIRROR_BYTES = 32 * 1024 * 1024


class PublishedRefused(StoreRefused):
    """The place of the published files failed to store or return one; the next tick tries again."""

    code = "exports_refused"


class PublishedDiffers(PublishedRefused):
    """A published file has other content than it should have: damaged, or written by another program."""

    code = "published_file_differs"


class PublishedChanged(PublishedRefused):
    """Another process has replaced the index since it was read; nothing was overwritten."""

    code = "published_index_changed"


class PublishedCopy(Protocol):
    """A place from which published files can be read."""

    def get(self, name: str) -> bytes | None:
        """The content of a file, None if there is none. Raises StoreRefused."""
        ...

    def names(self, folder: str) -> list[str]:
        """The names of all files in a folder, in no particular order. Raises StoreRefused."""
        ...


class PublishedFiles(PublishedCopy, Protocol):
    """The place of the published files; every call is safe to repeat."""

    def put_if_absent(self, name: str, content: bytes) -> None:
        """Put a file that never changes; does nothing if the same bytes are there already.

        Other bytes are overwritten if the name contains the hash of `content`, as they are then damaged; else raises
        PublishedDiffers. Raises StoreRefused.
        """
        ...

    def replace(self, name: str, content: bytes, version: str | None) -> None:
        """Replace a file that changes, that is, an index.

        version: the version that the caller has read, None if there was no file.
        Raises PublishedChanged if another version is there, and StoreRefused.
        """
        ...

    def version(self, name: str) -> tuple[bytes, str] | None:
        """The content of a file that changes, and the name of this version; None if there is no file."""
        ...

    def overwrite(self, name: str, content: bytes) -> None:
        """Replace a damaged file; otherwise such a file never changes. Raises PublishedDiffers, StoreRefused.

        content: must have the hash that the name contains.
        """
        ...

    def remove(self, name: str) -> None:
        """Remove an expired file; does nothing if there is none. Raises StoreRefused."""
        ...


def media_type(name: str) -> str:
    """The media type of a file, for the Content-Type header."""
    return _MEDIA_TYPES[PurePosixPath(name).suffix]


def cache_control(name: str) -> str:
    """How long caches may keep a file."""
    return CHANGING if PurePosixPath(name).name == _INDEX else IMMUTABLE


def has_named_hash(name: str, content: bytes) -> bool:
    """Whether the content has the hash that a file's name contains."""
    return PurePosixPath(name).stem.partition("-")[2] == hashlib.sha256(content).hexdigest()[:NAME_DIGITS]


def require_named_hash(name: str, content: bytes) -> None:
    """Raises PublishedDiffers if the content does not have the hash that the file's name contains."""
    if not has_named_hash(name, content):
        raise PublishedDiffers(f"{name} does not have the content that it should have")


def published_changed(name: str) -> PublishedChanged:
    """The refusal to overwrite an index that another process has put there."""
    return PublishedChanged(f"{name} was replaced by another program; it is compared again at the next tick")


class LocalFiles:
    """The published files in a data folder. top: the data folder."""

    def __init__(self, top: Path) -> None:
        self._top = top

    def put_if_absent(self, name: str, content: bytes) -> None:
        path = self._top / name
        if self.get(name) == content:
            return
        path.parent.mkdir(exist_ok=True)
        if not write_new_file(path, content) and self.get(name) != content:
            self.overwrite(name, content)

    def replace(self, name: str, content: bytes, version: str | None) -> None:
        path = self._top / name
        path.parent.mkdir(exist_ok=True)
        current = self.version(name)
        if (current and current[1]) != version:
            raise published_changed(name)
        write_atomically(path, content)

    def version(self, name: str) -> tuple[bytes, str] | None:
        content = self.get(name)
        return None if content is None else (content, hashlib.sha256(content).hexdigest())

    def get(self, name: str) -> bytes | None:
        try:
            return (self._top / name).read_bytes()
        except FileNotFoundError:
            return None

    def names(self, folder: str) -> list[str]:
        # Not `glob`, which finds nothing in a folder that cannot be opened now.
        try:
            with os.scandir(self._top / folder) as entries:
                names = [entry.name for entry in entries if entry.is_file()]
        except FileNotFoundError:
            return []
        return [f"{folder}/{name}" for name in names if not name.startswith(".")]

    def overwrite(self, name: str, content: bytes) -> None:
        require_named_hash(name, content)
        path = self._top / name
        path.parent.mkdir(exist_ok=True)
        write_atomically(path, content)

    def remove(self, name: str) -> None:
        (self._top / name).unlink(missing_ok=True)


class Mirror:
    """Published files at another address, which can only be read: a CDN, a mirror, or the city's old server.

    url: `https://host`, without `/v1/…`.
    """

    def __init__(self, url: str) -> None:
        if urlsplit(url).scheme not in ("http", "https"):
            raise PublishedRefused(f"{url} is neither a folder nor an address with http or https")
        self._url = url.rstrip("/")

    def get(self, name: str) -> bytes | None:
        if name.startswith("configs/"):
            return self._fetch(name.replace("configs/", "config/").removesuffix(".json"))
        return self._fetch(name)

    def names(self, folder: str) -> list[str]:
        # No address lists its files, but configs are numbered without a gap within an epoch.
        newest = self._fetch("config") if folder == "configs" else None
        if newest is None:
            return []
        try:
            config = json.loads(base64.b64decode(json.loads(newest)["payload"]))
            number = int(config["number"])
            count_before = len(config["history"])
        except (ValueError, KeyError, TypeError):
            return []
        return [f"configs/{earlier}.json" for earlier in range(number - count_before, number + 1)]

    def _fetch(self, path: str) -> bytes | None:
        try:
            with urllib.request.urlopen(f"{self._url}/v1/{path}", timeout=MIRROR_SECONDS) as answer:  # noqa: S310 - http alone
                return bytes(answer.read(MIRROR_BYTES))
        except urllib.error.HTTPError as error:
            if error.code in (404, 410):
                return None
            raise PublishedRefused(f"{self._url} answers {error.code} for {path}") from None
        except OSError as error:
            raise PublishedRefused(f"{self._url} does not answer: {error}") from None
