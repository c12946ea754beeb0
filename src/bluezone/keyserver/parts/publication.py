# SPDX-License-Identifier: Apache-2.0
"""The part that publishes: export files, venue packages, indexes and the public log. It alone writes them."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from bluezone.city_settings import City
from bluezone.keyserver.configs.configfiles import ConfigFiles
from bluezone.keyserver.keys.keyfolder import SigningKeys
from bluezone.keyserver.publication.export_files import ExportFiles
from bluezone.keyserver.publication.file_repair import FileRepair
from bluezone.keyserver.publication.folder import LocalFiles, PublishedCopy, PublishedFiles
from bluezone.keyserver.publication.indexwriter import IndexWriter
from bluezone.keyserver.publication.log.journal import Journal
from bluezone.keyserver.publication.log.logwriter import LogWriter
from bluezone.keyserver.publication.series import ALL_SERIES
from bluezone.keyserver.publication.venue_packages import VenuePackages
from bluezone.keyserver.retention import purge_files
from bluezone.keyserver.storage.store import Store, Turn
from bluezone.protocol.signed.index import EXPORTS, VENUES


class Publication:
    """Publishes for one city. store: the one named `keys`.

    show: shows the signer what was signed before; takes kind and content. random_bytes: draws the seeds of padding.
    """

    def __init__(
        self,
        data_dir: Path,
        city: City,
        store: Store,
        keys: SigningKeys,
        configs: ConfigFiles,
        published: PublishedFiles,
        journal: Journal,
        log: LogWriter,
        show: Callable[[str, bytes], object],
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.city = city
        self.store = store
        self.published = published
        self.random_bytes = random_bytes
        self._data_dir = data_dir
        self._keys = keys
        self._configs = configs
        self._journal = journal
        self._log = log
        self._show = show
        self._file_repair = FileRepair(store, published)

    @property
    def export_files(self) -> ExportFiles:
        """Makes the files of keys."""
        first = self._first_number(EXPORTS)
        return ExportFiles(self.store, self.city, self._keys, self.published, self.random_bytes, first)

    @property
    def venue_packages(self) -> VenuePackages:
        """Makes the packages of venue items."""
        period = self.city.publish_period_seconds
        mean = self.city.venue_padding_mean
        first = self._first_number(VENUES)
        return VenuePackages(self.store, self.published, period, mean, self.random_bytes, first)

    @property
    def index_writer(self) -> IndexWriter:
        """Signs the lists of what was published."""
        return IndexWriter(self.store, self._configs, self._keys.signing_key, self.published, self._journal, self._show)

    def due_work(self, turn: Turn) -> tuple[Callable[[float], None], ...]:
        """What is due at each tick, in this order; each is called with the time in Unix seconds."""
        return (
            self.export_files.publish_due_file,
            self.venue_packages.publish_due_package,
            lambda _now: self._log.try_to_renew_log(),
            lambda now: self.index_writer.renew_indexes(now, turn),
        )

    def renew_lists(self, now: float, turn: Turn | None) -> None:
        """Bring the public log and the indexes up to date."""
        self._log.try_to_renew_log()
        self.index_writer.renew_indexes(now, turn)

    def adopt_leaves(self, places: Iterable[PublishedCopy]) -> list[bytes]:
        """Continue the public log from the copies that places have; returns all leaves that it has then."""
        for place in places:
            self._log.try_to_adopt_leaves(place.get)
        return self._log.leaves(0, self._log.size())

    def move_into_bucket(self) -> None:
        """If there is a bucket, move into it the files that were published in a local folder before."""
        if isinstance(self.published, LocalFiles):
            return
        from bluezone.keyserver.publication.bucket import move_into_bucket

        for series in ALL_SERIES:
            move_into_bucket(self._data_dir, series.folder, self.published)

    def check_files(self, now: float) -> None:
        """Compare published files with their hashes, and write damaged ones again."""
        self._file_repair.check(now)

    def purge_files(self, now: float) -> None:
        """Remove the files that no index lists any more."""
        purge_files(self.store, self.published, now)

    def _first_number(self, kind: str) -> int:
        epoch = self._configs.epoch()
        return epoch.branch(kind).first if epoch else 1
