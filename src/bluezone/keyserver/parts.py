# SPDX-License-Identifier: Apache-2.0
"""The key server of a process that has a part of it: what is another process's is not opened, nor can it be.

codes: the codes store and the pepper; it blind-signs for codes that were issued. admission: the keys store; it alone
writes what people upload. pages and public: no store. Source: docs/adr/0024-processes-apart.md.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from bluezone.city import load_city
from bluezone.keyserver.configuration import ConfigFiles
from bluezone.keyserver.keyfolder import PEPPER_LENGTH, Secrets, SignerAway, open_pepper
from bluezone.keyserver.publication.bucket import ObjectFiles, Remembered
from bluezone.keyserver.publication.downloads import Downloads
from bluezone.keyserver.publication.folder import EXPORTS_URL_VARIABLE, LocalFiles
from bluezone.keyserver.reports.limits import Limits
from bluezone.keyserver.sealing import database_url, open_store
from bluezone.keyserver.service import KeyServer, note_nothing
from bluezone.keyserver.signer.client import RemoteKeys, find_signer
from bluezone.keyserver.storage.store import AbsentStore, Store

# Set by `serve` for processes that have a part of a key server.
VARIABLE = "BLUEZONE_PART"
STORE_OF = {"codes": "codes", "admission": "keys"}


def open_server(folder: Path, clock: Callable[[], float] = time.time) -> KeyServer:
    """The key server of this process: whole, or the part that `serve` gave it.

    Raises as `KeyServer.open`; for a part SignerAway where no signer answers.
    """
    part = os.environ.get(VARIABLE)
    return open_part(folder, part, clock) if part else KeyServer.open(folder, clock)


def open_part(folder: Path, part: str, clock: Callable[[], float] = time.time) -> KeyServer:
    """The part of `codes`, `admission` or `pages`. Nothing is made, brought up to date or compared: that was done."""
    signer = find_signer(folder)
    if signer is None:
        raise SignerAway("no signer answers this process")
    keys = RemoteKeys(signer)
    # Where there is no pepper the tags of puzzles are this process's own, as long as it lives.
    pepper = open_pepper(folder / "keys") if part == "codes" else os.urandom(PEPPER_LENGTH)
    withheld = cast(Any, None)
    secrets = Secrets(keys.signing_key, keys.export_key, keys.week_keys, withheld, withheld, pepper)
    stores: dict[str, Store] = {name: AbsentStore() for name in STORE_OF.values()}
    if name := STORE_OF.get(part):
        stores[name] = open_store(name, folder, database_url(name))
    city = load_city(folder)
    server = KeyServer(folder, city, stores["codes"], stores["keys"], secrets, clock)
    server.signer = signer
    if url := os.environ.get(EXPORTS_URL_VARIABLE):
        server.published = bucket = ObjectFiles(url)
        server.fetch = Remembered(bucket).get
    if part != "codes":
        # Where codes are not known, wrong certificates are no guesses at them.
        server.limits = Limits(
            secrets.derived("puzzle"), clock, note_nothing, "uploads", rehearsals_a_minute=city.rehearsals_a_minute
        )
    return server


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
