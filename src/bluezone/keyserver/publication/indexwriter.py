# SPDX-License-Identifier: Apache-2.0
"""Sign the indexes of export files and venue packages, which list the files that the store has."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from bluezone.keyserver.configs.configfiles import ConfigFiles
from bluezone.keyserver.publication.folder import PublishedFiles
from bluezone.keyserver.publication.indexes import Indexes
from bluezone.keyserver.publication.log.journal import Journal
from bluezone.keyserver.publication.series import (
    ALL_SERIES,
    CONFIGS_FOLDER,
    EXPORT_FILES,
    EXPORTS_FOLDER,
    LISTED_SECONDS,
    MOST_LISTED,
    VENUE_PACKAGES,
    Series,
)
from bluezone.keyserver.storage.store import Store, Turn
from bluezone.keyserver.venues.registrar import count_valid, list_revoked
from bluezone.protocol.intervals import SECONDS_PER_HOUR
from bluezone.protocol.primitives import Ed25519Signer
from bluezone.protocol.signed.envelope import CHAIN_START, extend_chain, sign_payload
from bluezone.protocol.signed.index import Index, IndexEntry, encode_index

# An index is signed again this often even if no file was added, so that phones see that the service is alive.
REFRESH_SECONDS = SECONDS_PER_HOUR


def show_to_no_signer(_kind: str, _file: bytes) -> None:
    """Do nothing: a process that signs on its own has no signer to keep informed."""


@dataclass(frozen=True)
class IndexWriter:
    """Signs the indexes of one city. store: of keys; configs: each index names the newest of them."""

    store: Store
    configs: ConfigFiles
    signing_key: Ed25519Signer
    published: PublishedFiles
    journal: Journal
    # Called with kind and content of a file that the signer must know before it signs the next index.
    show: Callable[[str, bytes], object] = show_to_no_signer

    @property
    def _indexes(self) -> Indexes:
        return Indexes(self.published.get, self.signing_key.public_key().public_bytes_raw())

    def renew_indexes(self, now: float, turn: Turn | None = None) -> None:
        """Renew every index that needs it; see `renew_index`."""
        for series in ALL_SERIES:
            self.renew_index(now, series, turn)

    def renew_index(self, now: float, series: Series = EXPORT_FILES, turn: Turn | None = None) -> None:
        """Sign an index again if it is out of date or an hour old.

        It lists whatever the store has, including files of an earlier process that was killed before listing them.
        Call it under the service's lock. Raises StoreFull, StoreRefused.
        """
        version = self.published.version(series.index_name)
        served = self._indexes.open_index(series, version[0]) if version else None
        index = self._index(now, series, served)
        if served is not None and now - served.generated_at < REFRESH_SECONDS:
            is_unchanged = replace(served, generated_at=index.generated_at) == index
            if is_unchanged:
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
            if entry.sha256 in listed or self.show is show_to_no_signer:
                continue
            content = self.published.get(f"{EXPORTS_FOLDER}/{entry.name}")
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
            # In a data folder a config is there already, and may belong to another process.
            if self.published.get(name) != signed:
                self.published.put_if_absent(name, signed)

    def _index(self, now: float, series: Series, served: Index | None) -> Index:
        """The index of the store's files. served: the published index, which the new one must continue."""
        rows = self.store.read(
            f"SELECT number, name, sha256, size, end_timestamp, chain_before FROM {series.table}"  # noqa: S608
            " WHERE sha256 IS NOT NULL ORDER BY number"
        )
        entries = tuple(
            IndexEntry(number, name, sha256.hex(), size)
            for number, name, sha256, size, end, _ in rows
            # A file that was never listed is listed even if it is old, so that an outage leaves no gap in the chain.
            if end > now - LISTED_SECONDS or (served is not None and number > served.number)
        )[-MOST_LISTED:]
        epoch = self.configs.epoch()
        first = epoch.branch(series.kind).first if epoch else 1
        earlier = tuple(entry for entry in entries if entry.number < first)
        entries = entries[len(earlier) :]
        chain_before = {row[0]: row[5] for row in rows}
        if entries:
            chain = chain_before[entries[0].number]
        elif rows:
            chain = extend_chain(rows[-1][5], rows[-1][2])
        else:
            chain = CHAIN_START
        is_of_venues = series is VENUE_PACKAGES
        return Index(
            kind=series.kind,
            number=max(rows[-1][0] if rows else 0, first - 1),
            generated_at=int(now),
            config_sha256=self.configs.newest_sha256(),
            chain_before=chain.hex(),
            entries=entries,
            revoked=list_revoked(self.store, now) if is_of_venues else (),
            registered=count_valid(self.store, now) if is_of_venues else 0,
            epoch=epoch.number if epoch else 0,
            earlier=earlier,
            earlier_chain=chain_before[earlier[0].number].hex() if earlier else "",
        )
