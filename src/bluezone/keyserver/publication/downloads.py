# SPDX-License-Identifier: Apache-2.0
"""What phones fetch from the data folder: the signed indexes, and the files with their headers for caches."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath

from bluezone.keyserver.configuration import ConfigFiles
from bluezone.keyserver.publication import exports
from bluezone.keyserver.publication.folder import (
    CHANGING,
    IMMUTABLE,
    NAME_DIGITS,
    PublishedFiles,
    cache_control,
    media_type,
)
from bluezone.keyserver.publication.journal import Journal
from bluezone.keyserver.storage.store import Store, Turn
from bluezone.keyserver.venues import count_in_force, revoked
from bluezone.protocol.intervals import SECONDS_PER_DAY, SECONDS_PER_HOUR
from bluezone.protocol.primitives import Ed25519Signer
from bluezone.protocol.signed.envelope import (
    CHAIN_START,
    InvalidSignedFile,
    extend_chain,
    fingerprint,
    open_signed,
    sign_payload,
)
from bluezone.protocol.signed.index import EXPORTS, VENUES, Index, IndexEntry, InvalidIndex, decode_index, encode_index
from bluezone.refusal import Refused

LISTED_SECONDS = 14 * SECONDS_PER_DAY
# An index is signed again this often even if no file was added, so that phones see that the service is alive.
REFRESH_SECONDS = SECONDS_PER_HOUR
FILE_NAME = "index.json"
CONFIGS_FOLDER = "configs"


@dataclass(frozen=True)
class Series:
    """Files that are numbered and chained together. table: of their rows; folder: of the published files."""

    kind: str
    table: str
    folder: str

    @property
    def index_name(self) -> str:
        """Name of the index among the published files."""
        return f"{self.folder}/{FILE_NAME}"


EXPORT_FILES = Series(EXPORTS, "export_file", exports.EXPORTS_FOLDER)
VENUE_PACKAGES = Series(VENUES, "venue_package", exports.PACKAGES_FOLDER)
ALL_SERIES = (EXPORT_FILES, VENUE_PACKAGES)


def show_nobody(_kind: str, _file: bytes) -> None:
    """Do nothing: a process that signs on its own has no signer to keep informed."""


@dataclass(frozen=True)
class Indexes:
    """The indexes of one city. store: of keys; configs: each index names the newest of them."""

    store: Store
    configs: ConfigFiles
    signing_key: Ed25519Signer
    published: PublishedFiles
    journal: Journal
    # Shows the signer, by kind and content, which file was signed before the next signature.
    show: Callable[[str, bytes], object] = show_nobody

    def renew_all(self, now: float, turn: Turn | None = None) -> None:
        """Renew every index that needs it; see `renew`."""
        for series in ALL_SERIES:
            self.renew(now, series, turn)

    def renew(self, now: float, series: Series = EXPORT_FILES, turn: Turn | None = None) -> None:
        """Sign an index again if it is out of date or an hour old.

        Call it under the service's lock; raises StoreFull, StoreRefused. The index is compared with the store, not with
        what this run did: an earlier run may have been killed between sealing a file and listing it.
        """
        version = self.published.version(series.index_name)
        served = self.opened(series, version[0]) if version else None
        index = self._index(now, series, served)
        if served is not None and now - served.generated_at < REFRESH_SECONDS:
            unchanged = replace(served, generated_at=index.generated_at) == index
            if unchanged:
                return
        if version is not None and served is not None:
            self.show(series.kind, version[0])
        if series is EXPORT_FILES:
            self._show_files(index, served)
        signed = sign_payload(series.kind, encode_index(index), self.signing_key)
        if turn is not None:
            # If the turn is lost, another process may already have replaced the index by a newer one.
            turn.check()
        self._put_configs(served)
        # Before phones can fetch it: the journal must know all that phones know.
        self.journal.note_index(index)
        self.published.replace(series.index_name, signed, version[1] if version else None)

    def _show_files(self, index: Index, served: Index | None) -> None:
        listed: set[str] = set()
        if served is not None:
            listed = {entry.sha256 for entry in (*served.earlier, *served.entries)}
        for entry in (*index.earlier, *index.entries):
            if entry.sha256 in listed or self.show is show_nobody:
                continue
            content = self.published.get(f"{exports.EXPORTS_FOLDER}/{entry.name}")
            if content is not None:
                self.show("export", content)

    def _put_configs(self, served: Index | None) -> None:
        """Publish the configs next to the files, so that a server that continues after a loss finds them."""
        if served is not None and served.config_sha256 == self.configs.newest_sha256():
            return
        for number in reversed(self.configs.numbers()):
            signed = self.configs.path(number).read_bytes()
            name = f"{CONFIGS_FOLDER}/{number}.json"
            if self.journal.configs().get(number) == signed and self.published.get(name) == signed:
                break
            self.journal.note_config(number, signed)
            # In a data folder they are there already and may belong to another process.
            if self.published.get(name) != signed:
                self.published.put_if_absent(name, signed)

    def read(self, series: Series = EXPORT_FILES) -> Index | None:
        """The index that phones fetch now; None if it is missing, damaged or not ours. Raises StoreRefused."""
        data = self.published.get(series.index_name)
        return None if data is None else self.opened(series, data)

    def opened(self, series: Series, data: bytes) -> Index | None:
        """An index from its bytes; None if it is damaged or not ours."""
        public = self.signing_key.public_key().public_bytes_raw()
        try:
            return decode_index(open_signed(series.kind, data, {fingerprint(public): public}))
        except (InvalidSignedFile, InvalidIndex):
            return None

    def _index(self, now: float, series: Series, served: Index | None) -> Index:
        """The index of what the store has now. served: the one that phones and the signer follow; this continues it."""
        rows = self.store.read(
            f"SELECT number, name, sha256, size, end_timestamp, chain_before FROM {series.table}"  # noqa: S608
            " WHERE sha256 IS NOT NULL ORDER BY number"
        )
        entries = tuple(
            IndexEntry(number, name, sha256.hex(), size)
            for number, name, sha256, size, end, _ in rows
            # After an outage of two weeks the next file is old too; without it the chain would have a gap.
            if end > now - LISTED_SECONDS or (served is not None and number > served.number)
        )
        epoch = self.configs.epoch()
        first = epoch.branch(series.kind).first if epoch else 1
        earlier = tuple(entry for entry in entries if entry.number < first)
        entries = entries[len(earlier) :]
        before = {row[0]: row[5] for row in rows}
        if entries:
            chain = before[entries[0].number]
        elif rows:
            chain = extend_chain(rows[-1][5], rows[-1][2])
        else:
            chain = CHAIN_START
        venues = series is VENUE_PACKAGES
        return Index(
            kind=series.kind,
            number=max(rows[-1][0] if rows else 0, first - 1),
            generated_at=int(now),
            config_sha256=self.configs.newest_sha256(),
            chain_before=chain.hex(),
            entries=entries,
            revoked=revoked(self.store, now) if venues else (),
            registered=count_in_force(self.store, now) if venues else 0,
            epoch=epoch.number if epoch else 0,
            earlier=earlier,
            earlier_chain=before[earlier[0].number].hex() if earlier else "",
        )


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
    configs: ConfigFiles
    folder: Path | None

    def index(self) -> Served:
        """The signed index of export files."""
        return self._published(EXPORT_FILES.index_name)

    def venues_index(self) -> Served:
        """The signed index of venue packages."""
        return self._published(VENUE_PACKAGES.index_name)

    def venue_package(self, name: str) -> Served:
        """A venue package; name: `<number>-<hash>.bin`, checked by the caller to be no path."""
        return self._published(f"{exports.PACKAGES_FOLDER}/{name}")

    def export(self, name: str) -> Served:
        """An export file; name: `<number>-<hash>.zip`, checked by the caller to be no path."""
        return self._published(f"{exports.EXPORTS_FOLDER}/{name}")

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
            size = path.stat().st_size
        except OSError:
            raise _missing(name) from None
        # Its name contains the hash of its content.
        return Served(path, size, media_type(name), caching, f'"{path.stem.partition("-")[2]}"')


def _small(path: Path, caching: str) -> Served:
    """A file that is read whole, and read again after it was replaced."""
    try:
        state = path.stat()
        content, etag = _read(path, state.st_mtime_ns, state.st_ino, state.st_size)
    except OSError:
        raise _missing(path.name) from None
    return Served(content, len(content), media_type(path.name), caching, etag)


@lru_cache(maxsize=64)
def _read(path: Path, _written: int, _number: int, _size: int) -> tuple[bytes, str]:
    content = path.read_bytes()
    return content, _etag(content)


def _etag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:NAME_DIGITS]}"'


def _missing(name: str) -> FileMissing:
    return FileMissing(f"{PurePosixPath(name).name} is not here: never published, or older than 14 days")
