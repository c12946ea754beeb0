# SPDX-License-Identifier: Apache-2.0
"""Published files in a bucket of an S3 server, through obstore (the extra `s3`).

The address is BLUEZONE_EXPORTS_URL, `s3://bucket/prefix`; endpoint, region and credentials come from the environment
variables that S3 programs share (AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY).
"""

import datetime
import itertools
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bluezone.keyserver.publication.folder import (
    EXPORTS_URL_VARIABLE,
    LocalFiles,
    Mirror,
    PublishedCopy,
    PublishedFiles,
    PublishedRefused,
    cache_control,
    media_type,
    published_changed,
    require_named_hash,
)
from bluezone.keyserver.storage.store import StoreRefused
from bluezone.refusal import Refused

_TIMEOUT_SECONDS = 5.0
_RETRIES = 1
# How many bytes of files that never change a process caches, and how long it uses a cached index.
_REMEMBERED_BYTES = 64 * 1024 * 1024
_INDEX_SECONDS = 10.0


class ExportsUrlInvalid(Refused):
    """BLUEZONE_EXPORTS_URL is not the address of a bucket, or the extra `s3` is not installed."""

    code = "exports_url_invalid"


class ExportsUnreachable(PublishedRefused):
    """The S3 server does not answer in time, or answers that it is unavailable."""

    code = "exports_unreachable"


class ExportsDenied(PublishedRefused):
    """The S3 server does not accept these credentials for this bucket."""

    code = "exports_denied"


class ExportsBucketMissing(PublishedRefused):
    """The bucket does not exist."""

    code = "exports_bucket_missing"


def server_address() -> str:
    """The address of the S3 server, of the environment or Amazon's of the region."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT")
    return endpoint or f"https://s3.{os.environ.get('AWS_REGION', 'us-east-1')}.amazonaws.com"


class ObjectFiles:
    """A bucket, or the part of it below a prefix. timeout_seconds: for one attempt; a call is attempted twice."""

    def __init__(self, url: str, timeout_seconds: float | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme != "s3" or not parts.hostname or parts.query or parts.username:
            raise ExportsUrlInvalid(f"{EXPORTS_URL_VARIABLE} is not s3://bucket/prefix")
        try:
            import obstore
            from obstore import exceptions
            from obstore.store import S3Store
        except ImportError:
            raise ExportsUrlInvalid(
                f"{EXPORTS_URL_VARIABLE} needs obstore; install bluezone with the extra s3"
            ) from None
        self._obstore: Any = obstore
        self._exceptions: Any = exceptions
        self._bucket = parts.hostname
        timeout = datetime.timedelta(seconds=timeout_seconds or _TIMEOUT_SECONDS)
        try:
            self._store: Any = S3Store.from_url(
                url,
                # A server on this machine or in a private network need not have TLS: published files are signed.
                client_options={
                    "allow_http": server_address().startswith("http://"),
                    "timeout": timeout,
                    "connect_timeout": timeout,
                },
                retry_config={"max_retries": _RETRIES, "retry_timeout": timeout},
            )
        except exceptions.BaseError as error:
            raise ExportsUrlInvalid(f"{EXPORTS_URL_VARIABLE}: {_first_line(error)}") from None

    def put_if_absent(self, name: str, content: bytes) -> None:
        try:
            with self._translated(name):
                self._put(name, content, "create")
        except FileExistsError:
            # The file may come from an earlier attempt of ours that got no answer, or from another machine.
            if self.get(name) != content:
                self.overwrite(name, content)

    def replace(self, name: str, content: bytes, version: str | None) -> None:
        try:
            with self._translated(name):
                # If-None-Match: * or If-Match: when two machines publish at once, the slower one is refused.
                self._put(name, content, "create" if version is None else {"e_tag": version})
        except FileExistsError:
            stored = self.version(name)
            # Equal content comes from an earlier attempt of ours that got no answer.
            if stored is None or stored[0] != content:
                raise published_changed(name) from None

    def version(self, name: str) -> tuple[bytes, str] | None:
        try:
            with self._translated(name):
                result = self._obstore.get(self._store, name)
                return bytes(result.bytes()), str(result.meta["e_tag"])
        except FileNotFoundError:
            return None

    def get(self, name: str) -> bytes | None:
        stored = self.version(name)
        return None if stored is None else stored[0]

    def names(self, folder: str) -> list[str]:
        with self._translated(folder):
            pages = self._obstore.list(self._store, folder)
            return [entry["path"] for entry in itertools.chain.from_iterable(pages)]

    def overwrite(self, name: str, content: bytes) -> None:
        require_named_hash(name, content)
        with self._translated(name):
            self._put(name, content, "overwrite")

    def remove(self, name: str) -> None:
        try:
            with self._translated(name):
                self._obstore.delete(self._store, name)
        except FileNotFoundError:
            return

    def _put(self, name: str, content: bytes, mode: str | dict[str, str]) -> None:
        attributes = {"Cache-Control": cache_control(name), "Content-Type": media_type(name)}
        try:
            self._obstore.put(self._store, name, content, mode=mode, attributes=attributes, use_multipart=False)
        except FileNotFoundError:
            # Only the bucket can be missing for a PUT.
            raise ExportsBucketMissing(f"there is no bucket {self._bucket}") from None

    @contextmanager
    def _translated(self, name: str) -> Iterator[None]:
        """Turn exceptions of obstore into refusals, except FileExistsError and FileNotFoundError."""
        raised = self._exceptions
        try:
            yield
        except (raised.AlreadyExistsError, raised.PreconditionError):
            raise FileExistsError from None
        except FileNotFoundError as error:
            # obstore raises this for a missing object and for a missing bucket.
            if "NoSuchBucket" in str(error):
                raise ExportsBucketMissing(f"there is no bucket {self._bucket}") from None
            raise FileNotFoundError from None
        except (raised.PermissionDeniedError, raised.UnauthenticatedError):
            raise ExportsDenied(f"the server refuses these credentials for the bucket {self._bucket}") from None
        except raised.GenericError as error:
            # No exception class exists for a refused listing.
            if "403 Forbidden" in str(error):
                raise ExportsDenied(f"the server refuses these credentials for the bucket {self._bucket}") from None
            raise ExportsUnreachable(f"{name}: {_first_line(error)}") from None
        except raised.BaseError as error:
            raise PublishedRefused(f"{name}: {_first_line(error)}") from None


class CachedFiles:
    """A cache for a bucket: few calls reach the bucket, and while it does not answer, phones get the last index."""

    def __init__(self, files: PublishedFiles) -> None:
        self._files = files
        self._lock = threading.Lock()
        self._fetching = threading.Lock()
        self._fixed: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._changing: dict[str, tuple[bytes, float]] = {}

    def get(self, name: str) -> bytes | None:
        """The content of a file, None if there is none. Raises PublishedDiffers, StoreRefused."""
        if name.endswith("/index.json"):
            return self._index(name)
        with self._lock:
            if name in self._fixed:
                self._fixed.move_to_end(name)
                return self._fixed[name]
        content = self._files.get(name)
        if content is not None:
            # A phone would not believe it, and a cache in between might serve it for a year.
            require_named_hash(name, content)
            self._remember(name, content)
        return content

    def _remember(self, name: str, content: bytes) -> None:
        with self._lock:
            if name not in self._fixed:
                self._size += len(content)
            self._fixed[name] = content
            while self._size > _REMEMBERED_BYTES:
                _, oldest = self._fixed.popitem(last=False)
                self._size -= len(oldest)

    def _index(self, name: str) -> bytes | None:
        cached = self._changing.get(name)
        if cached is None:
            content = self._files.get(name)
            if content is not None:
                self._changing[name] = (content, time.monotonic())
            return content
        # One thread fetches, the others use the cached index: a slow bucket must not block every thread.
        if time.monotonic() - cached[1] >= _INDEX_SECONDS and self._fetching.acquire(blocking=False):
            try:
                cached = (self._files.get(name) or cached[0], time.monotonic())
            except StoreRefused:
                # The index contains the time of its signature; phones warn when that is long ago.
                cached = (cached[0], time.monotonic())
            finally:
                self._fetching.release()
            self._changing[name] = cached
        return cached[0]


def open_named_place(text: str) -> PublishedCopy:
    """The place of published files that an operator named: a data folder, a mirror's folder or address, a bucket."""
    folder = Path(text).resolve()
    if folder.is_dir():
        # The copy of a site has its files where their addresses say.
        return LocalFiles(folder / "v1" if (folder / "v1").is_dir() else folder)
    return ObjectFiles(text) if text.startswith("s3://") else Mirror(text)


def move_into_bucket(data_dir: Path, folder: str, files: PublishedFiles) -> None:
    """Move files into the bucket that were published in a local folder before the bucket was configured.

    Indexes are not moved, because they are signed again. Raises StoreRefused; the next start moves the remaining files.
    """
    for path in sorted((data_dir / folder).glob("[0-9]*-*.*")):
        files.put_if_absent(f"{folder}/{path.name}", path.read_bytes())
        path.unlink()


def _first_line(error: Exception) -> str:
    # The other lines are the whole answer of the server.
    return str(error).splitlines()[0].split(" - ")[0]
