# SPDX-License-Identifier: Apache-2.0
"""The parts of the key server in one process; they answer calls of the anonymous API.

The worker has already prepared the data folder, so a part does not check it against the published files.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bluezone.city_settings import City, load_city
from bluezone.keyserver.datafolder import Notes, notes_of_publication
from bluezone.keyserver.keys.keyfolder import open_pepper, random_pepper
from bluezone.keyserver.limits.limits import Limits, raise_no_alarm
from bluezone.keyserver.parts.admission import Admission
from bluezone.keyserver.parts.codes import CodesPart
from bluezone.keyserver.parts.health import Health
from bluezone.keyserver.parts.pages import Pages, pages_of
from bluezone.keyserver.publication.log.publiclog import PublicLog
from bluezone.keyserver.signer.client import RemoteKeys, require_signer
from bluezone.keyserver.storage.opening import database_url, open_store
from bluezone.networks import origin_of, speaks_tls

# Set by `serve` for a process that has a part of the key server: the name of the part.
VARIABLE = "BLUEZONE_PART"
# How many tallies the memory for `Parts.share_limits` must have room for.
TALLIES = 3


@dataclass(frozen=True)
class Parts:
    """The parts of one process; None for a part that another process has."""

    city: City
    health: Health | None = None
    codes: CodesPart | None = None
    admission: Admission | None = None
    pages: Pages | None = None
    log: PublicLog | None = None

    def share_limits(self, descriptor: int) -> None:
        """Count attempts in a shared memory, together with the other processes that have it open.

        descriptor: that of `tally.shared_memory`, with room for TALLIES tallies.
        """
        if self.codes:
            self.codes.share_limits(descriptor)
        if self.admission:
            self.admission.share_limits(descriptor)


def open_codes(folder: Path, clock: Callable[[], float] = time.time) -> Parts:
    """The parts of the codes process. Raises SignerAway, CityInvalid, KeyFileExposed, StoreRefused."""
    signer = require_signer(folder)
    keys = RemoteKeys(signer)
    pepper = open_pepper(folder / "keys")
    store = open_store("codes", folder, database_url("codes"))
    city = load_city(folder)
    origin = origin_of(city.public_host, tls=speaks_tls(folder))
    codes = CodesPart(store, pepper, keys.week_keys, city, origin, clock)
    return Parts(city, Health({"codes": store}, signer), codes)


def open_admission(folder: Path, clock: Callable[[], float] = time.time) -> Parts:
    """The parts of the admission process. Raises SignerAway, CityInvalid, StoreRefused."""
    signer = require_signer(folder)
    keys = RemoteKeys(signer)
    pepper = random_pepper()
    store = open_store("keys", folder, database_url("keys"))
    city = load_city(folder)
    # Invalid certificates are not guesses at codes, so they raise no alarm.
    limits = Limits(
        pepper.derived("puzzle"), clock, raise_no_alarm, "uploads", rehearsals_a_minute=city.rehearsals_a_minute
    )
    admission = Admission(folder, store, keys.week_keys, city, limits, pepper, clock)
    pages = pages_of(folder, city, keys.city_key, (notes_of_publication(folder), Notes(folder)), clock)
    log = PublicLog(store, pages.configs, keys.city_key)
    return Parts(city, Health({"keys": store}, signer, pages), admission=admission, pages=pages, log=log)
