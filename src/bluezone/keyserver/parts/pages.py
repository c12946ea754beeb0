# SPDX-License-Identifier: Apache-2.0
"""The part with the public data: configs, indexes, files, the state of publication. It has no store and no key."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bluezone.city_settings import City, load_city
from bluezone.keyserver.configs.configfiles import ConfigFiles, ConfigFolder
from bluezone.keyserver.datafolder import Notes, notes_of_publication
from bluezone.keyserver.publication.downloads import Downloads
from bluezone.keyserver.publication.indexes import Indexes
from bluezone.keyserver.publication.place import PublishedPlace, open_place
from bluezone.keyserver.signer.client import RemoteKeys, require_signer
from bluezone.keyserver.storage.store import StoreDamaged
from bluezone.protocol.intervals import week_name
from bluezone.protocol.signed.index import Index
from bluezone.protocol.upload import CLINICAL_CLASS, CONFIRMED_CLASS


class Pages:
    """The public data of one city. clock: returns Unix seconds.

    city_key: the city's public key, 32 bytes. notes: those of the processes that tick; of the publishing process first.
    """

    def __init__(
        self,
        city: City,
        configs: ConfigFiles,
        place: PublishedPlace,
        city_key: bytes,
        notes: Sequence[Notes],
        clock: Callable[[], float],
    ) -> None:
        self.city = city
        self.configs = configs
        self.city_key = city_key
        self.clock = clock
        self.downloads = Downloads(place.fetch, configs, place.folder)
        self.indexes = Indexes(place.files.get, city_key)
        self._notes = notes

    def signing_problem(self) -> str | None:
        """The code of the reason why nothing is signed, as of the last tick or start; None if files are signed."""
        return next((code for notes in self._notes if (code := notes.signing_problem())), None)

    def is_config_sound(self, index: Index | None) -> bool:
        """Whether phones can read the newest config, if there is one, and the index names none that is missing here."""
        number = self.configs.newest_number()
        try:
            is_readable = number == 0 or bool(self.configs.payload(number))
            return is_readable and (index is None or self.configs.has(index.config_sha256))
        except StoreDamaged:
            return False

    def has_upload_keys(self, now: float) -> bool:
        """Whether the newest config, if there is one, names this week's keys for reports."""
        try:
            config = self.configs.newest_config()
        except StoreDamaged:
            # Reported by `is_config_sound`.
            return True
        if config is None:
            return True
        keys = [key for key in config.week_keys if key.purpose == "upload" and key.week == week_name(now)]
        return {key.klass for key in keys} == {CONFIRMED_CLASS, CLINICAL_CLASS}

    def ticked_at(self) -> float | None:
        """When the last tick was done, Unix seconds; None before the first.

        If several processes tick: the last tick of the process that is furthest behind.
        """
        return min((moment for notes in self._notes if (moment := notes.ticked_at()) is not None), default=None)


def pages_of(folder: Path, city: City, city_key: bytes, notes: Sequence[Notes], clock: Callable[[], float]) -> Pages:
    """The pages of a data folder."""
    return Pages(city, ConfigFiles(folder / "configs", city_key), open_place(folder), city_key, notes, clock)


def open_pages(folder: Path, clock: Callable[[], float] = time.time) -> Pages:
    """The pages of a process without a store. Raises SignerAway, CityInvalid."""
    keys = RemoteKeys(require_signer(folder))
    return pages_of(folder, load_city(folder), keys.city_key, (notes_of_publication(folder), Notes(folder)), clock)


def open_downloads(folder: Path) -> Downloads:
    """The files that phones fetch, for a process that has no public key: it does not verify them."""
    place = open_place(folder)
    return Downloads(place.fetch, ConfigFolder(folder / "configs"), place.folder)
