# SPDX-License-Identifier: Apache-2.0
"""Follows the two signed histories of files: which files this phone has matched, and which it must fetch next.

Export files have one history, venue packages the other. The phone reads only files in these histories.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from bluezone.handset.city.config import CityConfig
from bluezone.handset.city.epochs import Position, known_heads, read_position, store_heads, store_position
from bluezone.handset.client import MAX_EXPORT_BYTES, Client
from bluezone.handset.clocks import current_moment
from bluezone.handset.store import NamedValues
from bluezone.protocol.exports.files import Export, read_export, verify_export
from bluezone.protocol.intervals import SECONDS_PER_HOUR
from bluezone.protocol.primitives import read_p256_pem
from bluezone.protocol.signed.config import Config
from bluezone.protocol.signed.envelope import extend_chain, open_signed
from bluezone.protocol.signed.index import (
    EXPORTS,
    VENUES,
    Index,
    IndexEntry,
    IndexGap,
    IndexHistoryDiffers,
    IndexRolledBack,
    chain_heads,
    chain_value,
    decode_index,
    follow_index,
)
from bluezone.refusal import Refused

MAX_PACKAGE_BYTES = 8 * 1024 * 1024
REVOKED = "venues_revoked"


class FileUntrusted(Refused):
    """A fetched file is not the file in the signed index, or it is not signed by the city."""

    code = "file_untrusted"


class ConfigMismatch(Refused):
    """The index names a config that is not in this phone's history: the server gives phones different configs."""

    code = "config_mismatch"


class IndexFollower:
    """Follows one index. kind: "exports" or "venues", also the folder under /v1 and the name in the store."""

    def __init__(self, store: NamedValues, client: Client, city: CityConfig, kind: str) -> None:
        self._store = store
        self._client = client
        self._city = city
        self._kind = kind
        # When the server gave the index, Unix seconds by its own clock; None if unknown.
        self.index_answered_at: float | None = None

    @property
    def position(self) -> Position:
        """How far this phone has followed the index."""
        return read_position(self._store, self._kind)

    def fetch_index(self, first_files: int | None = None) -> tuple[Index, list[IndexEntry]]:
        """Fetch the index and return it with the entries still to fetch, oldest first.

        first_files: how many of the newest files a new phone fetches, None for all.
        Raises FileUntrusted, ConfigMismatch, IndexRefused and as Client.
        """
        data = self._client.get(f"/v1/{self._kind}/index.json")
        self.index_answered_at = self._client.answered_at
        index = decode_index(open_signed(self._kind, data, self._city.trusted()))
        if index.kind != self._kind:
            raise FileUntrusted(f"the index lists {index.kind}, expected {self._kind}")
        if not self._city.is_in_history(index.config_sha256):
            # The server may have published a new config between the two calls.
            self._city.update()
            if not self._city.is_in_history(index.config_sha256):
                raise ConfigMismatch("the index names a config that is not in this phone's history")
        return index, self._entries(index, first_files)

    def _entries(self, index: Index, first_files: int | None) -> list[IndexEntry]:
        position = self.position
        if index.epoch != self._city.epochs.number:
            raise IndexRolledBack(f"index is of epoch {index.epoch}, config of {self._city.epochs.number}")
        if index.generated_at < position.generated_at:
            raise IndexRolledBack(
                f"index was made at {index.generated_at}, one of {position.generated_at} is known here"
            )
        if position.number == 0 and not position.generated_at:
            # A new phone must match the files from before the epoch as well.
            wants_earlier = first_files is None or first_files > len(index.entries)
            self._save(replace(position, epoch=index.epoch, rescan=wants_earlier and bool(index.earlier)))
            if first_files is not None:
                self._start_at(index, max(index.first_number, index.number - first_files + 1))
        elif position.epoch != index.epoch:
            self._enter_epoch(index, position)
        position = self.position
        try:
            entries = follow_index(index, position.number, position.chain)
        except IndexGap:
            # An honest index lists the next file for two weeks. If more time has passed, the phone has missed files and
            # continues after them. This makes no new key trusted, because the configs are followed without a gap.
            if not position.has_missed_files(index, self._city.clock):
                raise IndexHistoryDiffers(
                    f"index begins with file {index.first_number}, though {position.number} is not that long ago"
                ) from None
            self._start_at(index, index.first_number)
            self._store.put("notice", f"{self._kind}_missed")
            entries = list(index.entries)
        if position.number == 0 and entries:
            self._start_at(index, index.first_number)
        store_heads(self._store, index)
        return entries

    def _enter_epoch(self, index: Index, position: Position) -> None:
        """Continue in the epoch of the config; the files from before the epoch will be matched again."""
        first, ancestor, head = self._city.epochs.branch_of(index)
        if index.first_number < first or (index.first_number == first and index.chain_before != head):
            raise IndexHistoryDiffers(f"index does not continue with {first} after file {ancestor}, as its epoch says")
        # If the phone has seen the ancestor, `check_epoch` has compared the heads.
        has_seen_ancestor = max(known_heads(self._store, self._kind)) >= ancestor
        if not has_seen_ancestor and chain_heads(index).get(position.number) != position.chain.hex():
            if not position.has_missed_files(index, self._city.clock):
                raise IndexHistoryDiffers(f"index does not lead from file {position.number} to its epoch")
            self._store.put("notice", f"{self._kind}_missed")
        self._save(replace(position, number=first - 1, chain=bytes.fromhex(head), epoch=index.epoch, rescan=True))

    def _start_at(self, index: Index, number: int) -> None:
        """Move to the position before file `number` of an index, as if all earlier files were matched."""
        self._save(replace(self.position, number=number - 1, chain=chain_value(index, number - 1)))

    def entries_before_epoch(self, index: Index) -> list[IndexEntry]:
        """Return the files from before the epoch that must still be matched again, oldest first."""
        return list(index.earlier) if self.position.rescan else []

    def note_rescanned(self) -> None:
        """Note that the files from before the epoch were matched again."""
        if self.position.rescan:
            self._save(replace(self.position, rescan=False))

    def fetch_bytes(self, entry: IndexEntry, most_bytes: int) -> bytes:
        """Fetch one file and compare it with its entry in the index. Raises FileUntrusted."""
        if entry.size > most_bytes:
            raise FileUntrusted(f"file {entry.number} is {entry.size} bytes, expected at most {most_bytes}")
        data = self._client.get(f"/v1/{self._kind}/{entry.name}", entry.size)
        if len(data) != entry.size or hashlib.sha256(data).hexdigest() != entry.sha256:
            raise FileUntrusted(f"file {entry.number} is not the file in the index")
        return data

    def note_matched(self, entry: IndexEntry) -> None:
        """Note that a file was matched; call it in the transaction that stores its matches."""
        position = self.position
        chain = extend_chain(position.chain, bytes.fromhex(entry.sha256))
        self._save(replace(position, number=entry.number, chain=chain))

    def note_complete(self, index: Index) -> None:
        """Note that every file in the index was matched."""
        position = self.position
        newest = max(position.generated_at, index.generated_at)
        self._save(replace(position, generated_at=newest, moment=current_moment(self._city.clock)))

    def _save(self, position: Position) -> None:
        store_position(self._store, self._kind, position)


class Downloads(IndexFollower):
    """Follows the index of export files and fetches new files."""

    def __init__(self, store: NamedValues, client: Client, city: CityConfig) -> None:
        super().__init__(store, client, city, EXPORTS)

    def follow(self) -> tuple[Index, Config, list[IndexEntry]]:
        """Fetch config and index and return them with the entries still to fetch, oldest first."""
        self._city.update()
        index, entries = self.fetch_index()
        config = self._city.current
        assert config is not None
        return index, config, entries

    def fetch(self, entry: IndexEntry, config: Config) -> Export:
        """Fetch one file and check it against the index and the city's signature. Raises FileUntrusted."""
        export = read_export(self.fetch_bytes(entry, MAX_EXPORT_BYTES))
        if any(verify_export(export, read_p256_pem(pem)) == "verified" for pem in config.export_keys):
            return export
        raise FileUntrusted(f"file {entry.number} is not signed by a key of the city's config")


class VenuePackages(IndexFollower):
    """Follows the index of venue packages and fetches new packages."""

    def __init__(self, store: NamedValues, client: Client, city: CityConfig) -> None:
        super().__init__(store, client, city, VENUES)

    def fetch_new(self, age_seconds: float) -> Iterator[tuple[bytes, Callable[[], None]]]:
        """Yield new packages, oldest first, each with a function to call in the transaction that stores its matches.

        age_seconds: time since the phone was installed; older packages are not needed, because there are no older
        stays. Raises as IndexFollower.
        """
        index, entries = self.fetch_index(int(max(age_seconds, 0) // SECONDS_PER_HOUR) + 2)
        for entry in self.entries_before_epoch(index):
            yield self.fetch_bytes(entry, MAX_PACKAGE_BYTES), lambda: None
        self.note_rescanned()
        for entry in entries:
            yield self.fetch_bytes(entry, MAX_PACKAGE_BYTES), partial(self.note_matched, entry)
        with self._store.transaction():
            self._store.put(REVOKED, list(index.revoked))
            self.note_complete(index)


def revoked_codes(store: NamedValues) -> frozenset[str]:
    """Return the venue codes that a city has revoked, from the last index: SHA256(V) in hex."""
    return frozenset(store.get(REVOKED, []))
