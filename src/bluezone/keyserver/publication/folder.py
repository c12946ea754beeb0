# SPDX-License-Identifier: Apache-2.0
"""Where the files lie that phones fetch: a folder of this machine, or a bucket that several machines share.

A file is put once under a name that holds its hash, and is then listed in an index that is replaced; so a phone never
finds an index that lists what is not there. Names are `<folder>/<file>`, as in the address behind `/v1/`.
Source: docs/design.md, "files that phones fetch"; docs/protocol.md section 5.
"""

import base64
import hashlib
import json
import urllib.error
import urllib.request
from pathlib import Path, PurePosixPath
from typing import Protocol
from urllib.parse import urlsplit

from bluezone.keyserver.keyfolder import write_new, write_whole
from bluezone.keyserver.storage.store import StoreRefused

EXPORTS_URL_VARIABLE = "BLUEZONE_EXPORTS_URL"
# Hex digits of a file's SHA-256 in its name: enough that two files never share one.
NAME_DIGITS = 32

IMMUTABLE = "public, max-age=31536000, immutable"
# Phones poll every four hours; a minute in a cache delays nobody and spares the server a crowd.
CHANGING = "public, max-age=60"

_MEDIA_TYPES = {".json": "application/json", ".zip": "application/zip", ".bin": "application/octet-stream"}
_INDEX = "index.json"
MIRROR_SECONDS = 30.0
MIRROR_BYTES = 32 * 1024 * 1024


class PublishedRefused(StoreRefused):
    """The place of the published files did not take or give one; what is due is tried again at the next tick."""

    code = "exports_refused"


class PublishedDiffers(PublishedRefused):
    """Other bytes lie under a name that holds the hash of its content: damaged, or written by somebody else."""

    code = "published_file_differs"


class PublishedChanged(PublishedRefused):
    """Somebody else has put another index there since it was read; nothing was overwritten."""

    code = "published_index_changed"


class PublishedFiles(Protocol):
    """The place of the published files; every call is safe to repeat."""

    def put_if_absent(self, name: str, content: bytes) -> None:
        """Put a file that never changes; nothing is done where the same bytes lie there already.

        Raises PublishedDiffers where others do, and StoreRefused.
        """
        ...

    def replace(self, name: str, content: bytes, version: str | None) -> None:
        """Put a file that changes, an index, in place of the version that was read, None for none at all.

        Raises PublishedChanged where there is another, and StoreRefused.
        """
        ...

    def version(self, name: str) -> tuple[bytes, str] | None:
        """The content of a file that changes, and the name of this version; None where there is none."""
        ...

    def get(self, name: str) -> bytes | None:
        """The content of a file, None where there is none. Raises StoreRefused."""
        ...

    def names(self, folder: str) -> list[str]:
        """The names of all files of a folder, in no order. Raises StoreRefused."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file that has had its time; nothing is done where there is none. Raises StoreRefused."""
        ...


def media_type(name: str) -> str:
    """What a file is, for who fetches it."""
    return _MEDIA_TYPES[PurePosixPath(name).suffix]


def cache_control(name: str) -> str:
    """How long caches may keep a file."""
    return CHANGING if PurePosixPath(name).name == _INDEX else IMMUTABLE


def changed(name: str) -> PublishedChanged:
    """The refusal to overwrite an index that somebody else has put there."""
    return PublishedChanged(f"{name} was replaced by somebody else; it is compared again at the next tick")


class LocalFiles:
    """The folders of a data folder."""

    def __init__(self, top: Path) -> None:
        self._top = top

    def put_if_absent(self, name: str, content: bytes) -> None:
        path = self._top / name
        if self.get(name) == content:
            return
        path.parent.mkdir(exist_ok=True)
        if not write_new(path, content) and self.get(name) != content:
            raise PublishedDiffers(f"{name} holds other bytes than its name says; move it away, it is written anew")

    def replace(self, name: str, content: bytes, version: str | None) -> None:
        path = self._top / name
        path.parent.mkdir(exist_ok=True)
        held = self.version(name)
        if (held and held[1]) != version:
            raise changed(name)
        write_whole(path, content)

    def version(self, name: str) -> tuple[bytes, str] | None:
        content = self.get(name)
        return None if content is None else (content, hashlib.sha256(content).hexdigest())

    def get(self, name: str) -> bytes | None:
        try:
            return (self._top / name).read_bytes()
        except FileNotFoundError:
            return None

    def names(self, folder: str) -> list[str]:
        return [f"{folder}/{path.name}" for path in (self._top / folder).glob("[!.]*") if path.is_file()]

    def remove(self, name: str) -> None:
        (self._top / name).unlink(missing_ok=True)


class Mirror:
    """Published files at another address, to be read: a CDN, a mirror, the city's own server that still runs.

    url: `https://host`, below which `/v1/…` lies.
    """

    def __init__(self, url: str) -> None:
        if urlsplit(url).scheme not in ("http", "https"):
            raise PublishedRefused(f"{url} is neither a folder nor an address with http or https")
        self._url = url.rstrip("/")

    def get(self, name: str) -> bytes | None:
        path = name.replace("configs/", "config/").removesuffix(".json") if name.startswith("configs/") else name
        return self._fetch(path)

    def names(self, folder: str) -> list[str]:
        # An address lists nothing; but configs are numbered without a gap within an epoch.
        newest = self._fetch("config") if folder == "configs" else None
        if newest is None:
            return []
        try:
            said = json.loads(base64.b64decode(json.loads(newest)["payload"]))
            number, before = int(said["number"]), len(said["history"])
        except (ValueError, KeyError, TypeError):
            return []
        return [f"configs/{one}.json" for one in range(number - before, number + 1)]

    def version(self, name: str) -> tuple[bytes, str] | None:
        content = self.get(name)
        return None if content is None else (content, "")

    def put_if_absent(self, name: str, content: bytes) -> None:
        raise PublishedRefused("a mirror is only read")

    def replace(self, name: str, content: bytes, version: str | None) -> None:
        raise PublishedRefused("a mirror is only read")

    def remove(self, name: str) -> None:
        raise PublishedRefused("a mirror is only read")

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
