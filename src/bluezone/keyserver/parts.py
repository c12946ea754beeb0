# SPDX-License-Identifier: Apache-2.0
"""The key server of a process that has a part of it: what is another process's is not opened, nor can it be.

codes: the codes store and the pepper; it blind-signs for codes that were issued. admission: the keys store; it alone
writes what people upload. publication: the keys store and the published files; it alone makes these. pages and public:
no store. Source: docs/adr/0024-processes-apart.md.
"""

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from bluezone.city import load_city
from bluezone.keyserver.configuration import ConfigFiles
from bluezone.keyserver.datafolder import LOCK_NAME, notes_of_publication, only_one
from bluezone.keyserver.keyfolder import PEPPER_LENGTH, Secrets, SignerAway, open_pepper
from bluezone.keyserver.publication.bucket import ObjectFiles, Remembered
from bluezone.keyserver.publication.downloads import Downloads
from bluezone.keyserver.publication.folder import EXPORTS_URL_VARIABLE, LocalFiles
from bluezone.keyserver.reports.limits import Limits, note_nothing
from bluezone.keyserver.service import KeyServer
from bluezone.keyserver.signer.client import Reminder, RemoteKeys, find_signer
from bluezone.keyserver.storage.opening import database_url, open_store
from bluezone.keyserver.storage.store import AbsentStore, Store, StoreRefused
from bluezone.logs import event
from bluezone.timekeeping import ClockGuard

logger = logging.getLogger(__name__)

# Set by `serve` for processes that have a part of a key server.
VARIABLE = "BLUEZONE_PART"
STORE_OF = {"codes": "codes", "admission": "keys", "publication": "keys"}
PUBLICATION = "publication"


def open_server(folder: Path, clock: Callable[[], float] = time.time) -> KeyServer:
    """The key server of this process: whole, or the part that `serve` gave it.

    Raises as `KeyServer.open`; for a part SignerAway where no signer answers.
    """
    part = os.environ.get(VARIABLE)
    return open_part(folder, part, clock) if part else KeyServer.open(folder, clock)


def open_part(folder: Path, part: str, clock: Callable[[], float] = time.time) -> KeyServer:
    """The part of `codes`, `admission`, `publication` or `pages`. Nothing is made, brought up to date or compared."""
    signer = find_signer(folder)
    if signer is None:
        raise SignerAway("no signer answers this process")
    keys = RemoteKeys(signer)
    # Where there is no pepper the tags of puzzles are this process's own, as long as it lives.
    pepper = open_pepper(folder / "keys") if part == "codes" else os.urandom(PEPPER_LENGTH)
    withheld = cast(Any, None)
    secrets = _Withheld(keys.signing_key, keys.export_key, keys.week_keys, withheld, withheld, pepper)
    stores: dict[str, Store] = {name: AbsentStore() for name in STORE_OF.values()}
    if name := STORE_OF.get(part):
        stores[name] = open_store(name, folder, database_url(name))
    city = load_city(folder)
    server = KeyServer(folder, city, stores["codes"], stores["keys"], secrets, clock)
    server.signer = signer
    server.publishes = server.governs = False
    server.told = (notes_of_publication(folder), server.notes)
    if url := os.environ.get(EXPORTS_URL_VARIABLE):
        server.published = bucket = ObjectFiles(url)
        server.fetch = Remembered(bucket).get
    if part != "codes":
        # Where codes are not known, wrong certificates are no guesses at them.
        server.limits = Limits(
            secrets.derived("puzzle"), clock, note_nothing, "uploads", rehearsals_a_minute=city.rehearsals_a_minute
        )
    return server


def open_publication(folder: Path, clock: Callable[[], float] = time.time) -> KeyServer:
    """What makes exports, packages, indexes and the public log, and has begun to. Raises as `open_part`.

    What it goes by of the office are files that it reads and checks: the settings, which must be those applied last;
    the configs, each signed; and the clock that the worker believes.
    """
    server = open_part(folder, PUBLICATION, clock)
    assert server.signer is not None
    server.publishes = True
    server.notes = notes_of_publication(folder)
    server.reminder = Reminder(server.signer)
    if clock is time.time:
        server.guard = ClockGuard(folder, server.keys_store.database_clock, notes=False)
    with only_one(server.notes.folder / LOCK_NAME, wait=True):
        try:
            server.begin()
        except StoreRefused as refused:
            # What is there is served meanwhile; each tick tries again.
            said = event("publication_refused", code=refused.code)
            logger.warning("publication: %s: %s", refused.code, refused.message, extra=said)
    return server


class _Withheld(Secrets):
    """Secrets of a part: what a config says of keys that are the office's is no part's to say."""

    @property
    def venue_keys(self) -> dict[str, str]:
        """None."""
        return {}

    @property
    def push_public(self) -> str:
        """None."""
        return ""


class _ShownConfigs(ConfigFiles):
    """Configs as files: what is only handed out needs no key."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder


def published_files(folder: Path) -> Downloads:
    """What phones fetch of a data folder, for a process without store and key."""
    configs = _ShownConfigs(folder / "configs")
    if url := os.environ.get(EXPORTS_URL_VARIABLE):
        return Downloads(Remembered(ObjectFiles(url)).get, configs, None)
    return Downloads(LocalFiles(folder).get, configs, folder)
