# SPDX-License-Identifier: Apache-2.0
"""The key server of one city: what its parts share, and what is due again and again.

`KeyServer.open` is how the web process, the tick and the health authority's office get at it.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

from bluezone.city import City, load_city
from bluezone.keyserver.configuration import ConfigFiles
from bluezone.keyserver.exportindex import renew_indexes
from bluezone.keyserver.limits import Limits
from bluezone.keyserver.lock import only_one
from bluezone.keyserver.mingling import mingle_once_an_hour
from bluezone.keyserver.publication import publish
from bluezone.keyserver.retention import forget
from bluezone.keyserver.secrets import Secrets, open_secrets
from bluezone.keyserver.store import Store, Transaction, open_store
from bluezone.keyserver.venuepackages import publish_packages
from bluezone.keyserver.wsgi import Application, WsgiApplication
from bluezone.protocol.intervals import hour_at

LOCK_NAME = "keyserver.lock"
# Its time says when the last tick was done, to whichever process asks.
TICK_NAME = "tick.done"
# How many limits `share_limits` shares.
LIMITS = 3


class KeyServer:
    """One city's key server, usable from any thread. Make it with `open`, end it with `close`.

    clock: returns Unix seconds. application: the WSGI callable for `/v1/*`.
    random_bytes: draws the seeds of padding; tests replace it to be repeatable.
    """

    def __init__(
        self,
        data_dir: Path,
        city: City,
        codes_store: Store,
        keys_store: Store,
        secrets: Secrets,
        clock: Callable[[], float],
    ) -> None:
        self.data_dir = data_dir
        self.city = city
        self.codes_store = codes_store
        self.keys_store = keys_store
        self.secrets = secrets
        self.clock = clock
        self.random_bytes: Callable[[int], bytes] = os.urandom
        self.configs = ConfigFiles(data_dir / "configs", secrets)
        self.limits = Limits(secrets.derived("puzzle"), clock, self._note_alarm)
        self.declaration_limits = Limits(secrets.derived("declaration puzzle"), clock, _note_nothing, "declarations")
        self.push_limits = Limits(secrets.derived("push puzzle"), clock, _note_nothing, "push subscriptions")
        self.application: WsgiApplication = Application(self)

    def share_limits(self, descriptor: int) -> None:
        """Count tries together with the other processes that have this memory (LIMITS tallies)."""
        for place, limits in enumerate((self.limits, self.declaration_limits, self.push_limits)):
            limits.share(descriptor, place)

    @classmethod
    def open(cls, data_dir: str | Path, clock: Callable[[], float] = time.time) -> "KeyServer":
        """Open the key server of a data folder, making stores, keys, config and index that are missing.

        Databases: BLUEZONE_CODES_URL and BLUEZONE_KEYS_URL, else BLUEZONE_DATABASE_URL, else SQLite files.
        Raises CityMissing, CityInvalid, StoreTooNew, StoreRefused, KeyFileExposed.
        """
        folder = Path(data_dir).resolve()
        city = load_city(folder)
        with only_one(folder / LOCK_NAME, wait=True):
            secrets = open_secrets(folder / "keys")
            codes_store = open_store("codes", folder, _database_url("codes"))
            try:
                keys_store = open_store("keys", folder, _database_url("keys"))
            except BaseException:
                codes_store.close()
                raise
            server = cls(folder, city, codes_store, keys_store, secrets, clock)
            try:
                server._prepare(clock())
                renew_indexes(server, clock())
            except BaseException:
                server.close()
                raise
        return server

    def tick(self, now: float | None = None) -> bool:
        """Do what is due: week keys, config, files, indexes, retention. Idempotent; call it every minute or so.

        now: Unix seconds, the clock's if None. Returns False if another process is at it.
        Raises StoreRefused; whatever was not done is due at the next tick.
        """
        moment = self.clock() if now is None else now
        with only_one(self.data_dir / LOCK_NAME, wait=False) as alone:
            if not alone:
                return False
            self._prepare(moment)
            hour_is_new = mingle_once_an_hour(self.keys_store, hour_at(moment))
            publish(self, moment)
            publish_packages(self, moment)
            renew_indexes(self, moment)
            forget(self, moment)
            if hour_is_new:
                self.codes_store.tidy()
                self.keys_store.tidy()
            self._note_tick(moment)
            return True

    def ticked_at(self) -> float | None:
        """When the last tick on this data folder was done, Unix seconds; None before the first."""
        try:
            return (self.data_dir / TICK_NAME).stat().st_mtime
        except FileNotFoundError:
            return None

    def close(self) -> None:
        """Close the stores."""
        self.codes_store.close()
        self.keys_store.close()

    def _prepare(self, now: float) -> None:
        self.secrets.week_keys.rotate(now)
        self.configs.renew(self.city, self.data_dir, now)

    def _note_tick(self, moment: float) -> None:
        path = self.data_dir / TICK_NAME
        path.touch(mode=0o600)
        os.utime(path, (moment, moment))

    def _note_alarm(self, hour: int) -> None:
        def action(transaction: Transaction) -> None:
            transaction.execute("INSERT INTO guessing_alarm VALUES (?) ON CONFLICT DO NOTHING", (hour,))

        self.codes_store.write(action)


def _note_nothing(_hour: int) -> None:
    """Many declarations or subscriptions are no attack on codes: a warning in the log is enough."""


def _database_url(store: str) -> str | None:
    return os.environ.get(f"BLUEZONE_{store.upper()}_URL") or os.environ.get("BLUEZONE_DATABASE_URL") or None
