# SPDX-License-Identifier: Apache-2.0
"""The files that phones fetch, with their headers for caches: configs, indexes, export files and venue packages."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from threading import Lock

from bluezone.keyserver.configs.configfiles import ConfigFolder
from bluezone.keyserver.publication.folder import (
    CHANGING,
    IMMUTABLE,
    NAME_DIGITS,
    PublishedDiffers,
    PublishedRefused,
    cache_control,
    has_named_hash,
    media_type,
)
from bluezone.keyserver.publication.series import EXPORT_FILES, EXPORTS_FOLDER, PACKAGES_FOLDER, VENUE_PACKAGES
from bluezone.refusal import Refused
from bluezone.shortage import is_memory_short

# The most bytes of published files that a process has in memory: two weeks of a city's, or the last two days of a
# country's.
MOST_CONTENT_BYTES = 64 * 1024 * 1024
# What changes when a file is replaced or changed; only the kernel sets the last one, the time of the change itself.
Identity = tuple[Path, int, int, int, int, int]


class FileMissing(Refused):
    """No such file: it is older than 14 days, or was never published."""

    code = "file_missing"


@dataclass(frozen=True)
class Served:
    """A file as it is served. content: its bytes, or its path on this machine; size: in bytes."""

    content: bytes | Path
    size: int
    media_type: str
    cache_control: str
    etag: str

    @property
    def whole(self) -> bytes:
        """Its bytes, read from disk if they are there."""
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()


@dataclass(frozen=True)
class Downloads:
    """What phones fetch from one city.

    fetch: returns the content of a published file by its name, None if there is none.
    folder: of the published files on this machine, None if they are fetched from elsewhere.
    """

    fetch: Callable[[str], bytes | None]
    configs: ConfigFolder
    folder: Path | None

    def index(self) -> Served:
        """The signed index of export files."""
        return self._published(EXPORT_FILES.index_name)

    def venues_index(self) -> Served:
        """The signed index of venue packages."""
        return self._published(VENUE_PACKAGES.index_name)

    def venue_package(self, name: str) -> Served:
        """A venue package. name: `<number>-<hash>.bin`; the caller has checked that it is not a path."""
        return self._published(f"{PACKAGES_FOLDER}/{name}")

    def export(self, name: str) -> Served:
        """An export file. name: `<number>-<hash>.zip`; the caller has checked that it is not a path."""
        return self._published(f"{EXPORTS_FOLDER}/{name}")

    def config(self, number: int | None) -> Served:
        """The signed config of a number, or the current one."""
        path = self.configs.path(self.configs.newest_number() if number is None else number)
        return _small(path, CHANGING if number is None else IMMUTABLE)

    def _published(self, name: str) -> Served:
        if self.folder is None:
            content = self.fetch(name)
            if content is None:
                raise _missing(name)
            return Served(content, len(content), media_type(name), cache_control(name), _etag(content))
        path = self.folder / name
        caching = cache_control(name)
        if caching == CHANGING:
            return _small(path, caching)
        try:
            state = path.stat()
            identity = (path, state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
            is_sound = _is_sound(identity)
        except FileNotFoundError:
            raise _missing(name) from None
        except OSError as error:
            raise PublishedRefused(f"{path.name} cannot be read: {error.strerror}") from None
        if not is_sound:
            raise PublishedDiffers(f"{path.name} is damaged; it will be written again")
        content = _contents.find(identity)
        # The name contains the hash of the content.
        etag = f'"{path.stem.partition("-")[2]}"'
        return Served(path if content is None else content, state.st_size, media_type(name), caching, etag)


class Contents:
    """The contents of sound files: those that were requested last, up to a number of bytes."""

    def __init__(self, most_bytes: int = MOST_CONTENT_BYTES) -> None:
        self._most_bytes = most_bytes
        self._contents: OrderedDict[Identity, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def find(self, identity: Identity) -> bytes | None:
        """The content of a file to send from memory; None if it is not here, or if memory is short.

        Sending from memory costs half as much as sending from a file. But each slow client has a copy meanwhile.
        """
        with self._lock:
            content = self._contents.get(identity)
            if content is None or is_memory_short():
                return None
            self._contents.move_to_end(identity)
        return content

    def add(self, identity: Identity, content: bytes) -> None:
        """Add the content of a file; those that were not requested for the longest time have to go."""
        with self._lock:
            self._bytes += len(content) - len(self._contents.pop(identity, b""))
            self._contents[identity] = content
            while self._bytes > self._most_bytes:
                self._bytes -= len(self._contents.popitem(last=False)[1])


_contents = Contents()


def _small(path: Path, caching: str) -> Served:
    """A small file, served from memory; it is read again after it was replaced."""
    try:
        state = path.stat()
        content, etag = _read(path, state.st_mtime_ns, state.st_ino, state.st_size)
    except FileNotFoundError:
        raise _missing(path.name) from None
    except OSError as error:
        raise PublishedRefused(f"{path.name} cannot be read: {error.strerror}") from None
    return Served(content, len(content), media_type(path.name), caching, etag)


@lru_cache(maxsize=64)
def _read(path: Path, _modified_ns: int, _inode: int, _size: int) -> tuple[bytes, str]:
    """Content and ETag of a file; the other parameters are the cache's key and change when the file is replaced."""
    content = path.read_bytes()
    return content, _etag(content)


@lru_cache(maxsize=4096)
def _is_sound(identity: Identity) -> bool:
    """Whether a file has the hash in its name; it is read once, and again after it was replaced or changed."""
    path = identity[0]
    content = path.read_bytes()
    if not has_named_hash(path.name, content):
        return False
    _contents.add(identity, content)
    return True


def _etag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:NAME_DIGITS]}"'


def _missing(name: str) -> FileMissing:
    return FileMissing(f"{PurePosixPath(name).name} is not here: never published, or older than 14 days")
