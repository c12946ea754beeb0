# SPDX-License-Identifier: Apache-2.0
"""The key server of one city in one process, composed of its parts.

`KeyServer.open` is how the public origin, the worker and the health authority's office use it.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bluezone.city_settings import City, load_city
from bluezone.keyserver.codes.issued_codes import Codes
from bluezone.keyserver.configs.applied_settings import AppliedSettings
from bluezone.keyserver.configs.configfiles import ConfigFiles
from bluezone.keyserver.configs.configuration import ConfigWriter
from bluezone.keyserver.datafolder import LOCK_NAME, TURN_SECONDS, Notes, may_publish
from bluezone.keyserver.declarations import Declarations
from bluezone.keyserver.hosts.sealing import SealedFolder, fetch_folder, open_sealed_folder, open_shared_secrets
from bluezone.keyserver.keys.keyfolder import Secrets
from bluezone.keyserver.locks import lock_file
from bluezone.keyserver.moves import require_settled
from bluezone.keyserver.parts.admission import Admission
from bluezone.keyserver.parts.codes import CodesPart
from bluezone.keyserver.parts.governance import Governance
from bluezone.keyserver.parts.health import Health
from bluezone.keyserver.parts.pages import Pages
from bluezone.keyserver.parts.process import Parts
from bluezone.keyserver.parts.publication import Publication
from bluezone.keyserver.publication.adoption import Adoption
from bluezone.keyserver.publication.downloads import Downloads
from bluezone.keyserver.publication.history import Adopter, History
from bluezone.keyserver.publication.indexes import Indexes
from bluezone.keyserver.publication.indexwriter import show_to_no_signer
from bluezone.keyserver.publication.log.journal import Journal, journal_folder
from bluezone.keyserver.publication.log.logwriter import LogWriter
from bluezone.keyserver.publication.log.witnesses import agreed_config
from bluezone.keyserver.publication.place import open_place
from bluezone.keyserver.push import PushSubscriptions
from bluezone.keyserver.signer.client import (
    Connection,
    Operation,
    RemoteKeys,
    find_signer,
    sign_checkpoint_text,
    signed_heads,
)
from bluezone.keyserver.storage.opening import database_url, open_store
from bluezone.keyserver.storage.store import Store
from bluezone.keyserver.ticks import Ticks, clock_servers
from bluezone.keyserver.venues.alerts import VenueAlerts
from bluezone.keyserver.venues.registrar import Registrar
from bluezone.networks import origin_of, speaks_tls
from bluezone.timekeeping import ClockGuard


@dataclass(eq=False, repr=False)
class KeyServer:
    """One city's key server, usable from any thread. Create it with `open`, end it with `close`.

    origin: address of the public site. shared: what the folder shares with other hosts, None if it shares nothing.
    signer: None if this process signs. publication: None if the published files are another user's.
    clock: returns Unix seconds.
    """

    data_dir: Path
    city: City
    origin: str
    secrets: Secrets
    shared: SealedFolder | None
    signer: Connection | None
    codes_part: CodesPart
    admission: Admission
    governance: Governance
    publication: Publication | None
    pages: Pages
    public_log: LogWriter
    ticks: Ticks
    clock: Callable[[], float]

    @property
    def parts(self) -> Parts:
        """What answers calls of the anonymous API."""
        stores = {"codes": self.codes_store, "keys": self.keys_store}
        health = Health(stores, self.signer, self.pages)
        return Parts(self.city, health, self.codes_part, self.admission, self.pages, self.public_log)

    @property
    def codes_store(self) -> Store:
        """The store of codes."""
        return self.codes_part.store

    @property
    def keys_store(self) -> Store:
        """The store of keys."""
        return self.admission.store

    @property
    def codes(self) -> Codes:
        """Verification codes: issued, looked up, revoked."""
        return self.codes_part.codes

    @property
    def declarations(self) -> Declarations:
        """Sealed declarations."""
        return self.admission.declarations

    @property
    def push(self) -> PushSubscriptions:
        """Push subscriptions of browsers, which get a message when there are new files."""
        return self.admission.push

    @property
    def registrar(self) -> Registrar:
        """Codes of venues."""
        return Registrar(self.keys_store, self.secrets.venue_key, self.origin, self.clock)

    @property
    def venue_alerts(self) -> VenueAlerts:
        """Alerts by the health authority."""
        return VenueAlerts(self.keys_store, self.registrar, self.clock)

    @property
    def configs(self) -> ConfigWriter:
        """The signed configs."""
        return self.governance.configs

    @property
    def indexes(self) -> Indexes:
        """The signed lists of what was published."""
        return self.pages.indexes

    @property
    def downloads(self) -> Downloads:
        """The files as phones fetch them."""
        return self.pages.downloads

    def tick(self, now: float | None = None) -> bool:
        """Do what is due; see Ticks.tick."""
        return self.ticks.tick(now)

    def apply_settings(self) -> int:
        """Apply this process's settings in place of those applied last, as a person has decided.

        Returns their number.
        """
        with self.ticks.exclusive_turn():
            self.governance.apply_settings()
        return self.governance.newest_settings()

    def close(self) -> None:
        """Close the stores."""
        self.codes_store.close()
        self.keys_store.close()

    @classmethod
    def open(
        cls, data_dir: str | Path, clock: Callable[[], float] = time.time, guard: ClockGuard | None = None
    ) -> "KeyServer":
        """Open the key server of a data folder, making stores, keys, config and index that are missing.

        guard: detects a wrong clock; None for the default: a guard of this machine's clock, or none if `clock` is
        simulated.
        Databases: BLUEZONE_CODES_URL and BLUEZONE_KEYS_URL, else BLUEZONE_DATABASE_URL, else SQLite files.
        Raises CityMissing, CityInvalid, StoreTooNew, StoreRefused, KeyFileExposed, MasterKeyInvalid, MasterKeyWrong.
        """
        folder = Path(data_dir).resolve()
        fetch_folder(folder)
        # Missing or invalid settings are refused before anything is made.
        load_city(folder)
        require_settled(folder)
        with lock_file(folder / LOCK_NAME, wait=True), ExitStack() as opened:
            codes_store = open_store("codes", folder, database_url("codes"))
            opened.callback(codes_store.close)
            keys_store = open_store("keys", folder, database_url("keys"))
            opened.callback(keys_store.close)
            shared = open_sealed_folder(keys_store, folder)
            signer = find_signer(folder)
            signing = (lambda: RemoteKeys(signer)) if signer else (lambda: None)
            secrets = open_shared_secrets(folder, shared, lambda: keys_store.exclusive(TURN_SECONDS), signing)
            server = _compose(folder, codes_store, keys_store, secrets, shared, signer, clock, guard)
            server.ticks.start()
            opened.pop_all()
        return server


def _compose(
    folder: Path,
    codes_store: Store,
    keys_store: Store,
    secrets: Secrets,
    shared: SealedFolder | None,
    signer: Connection | None,
    clock: Callable[[], float],
    guard: ClockGuard | None,
) -> KeyServer:
    applied = AppliedSettings(keys_store)
    # Read after `AppliedSettings` was created, so that settings which others apply from now on count as newer.
    city = load_city(folder)
    origin = origin_of(city.public_host, tls=speaks_tls(folder))
    notes = Notes(folder)
    place = open_place(folder)
    journal = Journal(journal_folder(folder), secrets.signing_key)
    show = signer.show if signer else show_to_no_signer
    read_configs = ConfigFiles(folder / "configs", secrets.city_key)
    sign_checkpoint = partial(sign_checkpoint_text, secrets.signing_key)
    public_log = LogWriter(keys_store, read_configs, secrets.city_key, journal, sign_checkpoint)
    configs = ConfigWriter(
        folder / "configs",
        secrets,
        agree=lambda proposed, current: agreed_config(proposed, current, public_log),
        before_written=shared.seal_new_file if shared else None,
    )

    def sync() -> None:
        if shared is None:
            return
        shared.sync()
        if signer:
            # There may be new week keys; the signer then publishes their public halves.
            signer.request_operation(Operation.OPEN)

    codes_part = CodesPart(codes_store, secrets.pepper, secrets.week_keys, city, origin, clock)
    admission = Admission(folder, keys_store, secrets.week_keys, city, codes_part.limits, secrets.pepper, clock)
    governance = Governance(folder, city, codes_store, keys_store, secrets, configs, applied, notes, sync, show)
    publication = None
    if may_publish(folder):
        publication = Publication(
            folder, city, keys_store, secrets, read_configs, place.files, journal, public_log, show
        )
    pages = Pages(city, read_configs, place, secrets.city_key, (notes,), clock)
    history = History(
        folder, keys_store, read_configs, secrets, pages.indexes, show,
        partial(signed_heads, secrets.signing_key), place.files, journal,
        Adoption(keys_store, place.files, secrets, city.padding_mean, city.embargo_seconds),
        publishes=publication is not None,
        adopter=Adopter(codes_part.codes, configs, secrets.week_keys),
    )  # fmt: skip
    if guard is None and clock is time.time:
        guard = ClockGuard(folder, keys_store.database_clock, servers=clock_servers(city, place))
    ticks = Ticks(
        folder, city, (codes_store, keys_store), secrets, read_configs, history, notes, guard, sync, governance,
        publication, clock,
    )  # fmt: skip
    return KeyServer(
        folder, city, origin, secrets, shared, signer, codes_part, admission, governance, publication, pages,
        public_log, ticks, clock,
    )  # fmt: skip
