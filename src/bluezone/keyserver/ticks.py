# SPDX-License-Identifier: Apache-2.0
"""The recurring work of the key server, done by one process at a time: compare, govern, publish, purge.

The worker governs. It also publishes, unless a separate process of publication runs as another user.
"""

import errno
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from bluezone.city_settings import City, load_city
from bluezone.keyserver.configs.applied_settings import SettingsOutdated, require_newest_settings
from bluezone.keyserver.configs.configfiles import ConfigFiles
from bluezone.keyserver.datafolder import (
    LOCK_NAME,
    TURN_SECONDS,
    Notes,
    PublicationApart,
    notes_of_publication,
    pause_ticks,
)
from bluezone.keyserver.hosts.samefolder import require_same_configs, require_same_keys
from bluezone.keyserver.keys.keyfolder import SignerAway, SigningKeys, SigningRefused
from bluezone.keyserver.locks import lock_file
from bluezone.keyserver.parts.governance import Governance
from bluezone.keyserver.parts.publication import Publication
from bluezone.keyserver.publication.adoption import Adoption, HistoryForked
from bluezone.keyserver.publication.folder import PublishedCopy, PublishedRefused
from bluezone.keyserver.publication.history import History
from bluezone.keyserver.publication.indexes import Indexes
from bluezone.keyserver.publication.log.journal import Journal, journal_folder
from bluezone.keyserver.publication.log.logwriter import LogWriter
from bluezone.keyserver.publication.place import PublishedPlace, open_place
from bluezone.keyserver.signer.client import RemoteKeys, require_signer, sign_checkpoint_text, signed_heads
from bluezone.keyserver.storage.opening import database_url, open_store
from bluezone.keyserver.storage.store import Store, StoreFull, StoreRefused, StoreUnreachable, Turn
from bluezone.logs import event_fields
from bluezone.protocol.intervals import hour_at
from bluezone.protocol.signed.epoch import Epoch
from bluezone.timekeeping import ClockDoubted, ClockGuard

logger = logging.getLogger(__name__)

# If two processes share the duties: how long the tick of one waits for that of the other, on PostgreSQL.
WAIT_FOR_OTHER_SECONDS = 10.0


class Ticks:
    """The ticks of one process. clock: returns Unix seconds.

    stores: those of this process, the keys store last. notes: where this process notes its ticks.
    guard: checks the clock before work that cannot be undone; None if time is simulated.
    sync: exchanges keys, configs and settings with the hosts that share the database.
    governance, publication: None if another process has that part.
    """

    def __init__(
        self,
        data_dir: Path,
        city: City,
        stores: Sequence[Store],
        keys: SigningKeys,
        configs: ConfigFiles,
        history: History,
        notes: Notes,
        guard: ClockGuard | None,
        sync: Callable[[], None],
        governance: Governance | None,
        publication: Publication | None,
        clock: Callable[[], float],
    ) -> None:
        self.city = city
        self.notes = notes
        self.guard = guard
        self.history = history
        self.governance = governance
        self.publication = publication
        self.sync = sync
        self.clock = clock
        # Whether this folder's keys or configs differ from those that the hosts of its database share.
        self.folder_differs = False
        # Why nothing is signed now, as a code; None while the store agrees with what was published.
        self.history_problem: str | None = None
        self._data_dir = data_dir
        self._stores = stores
        self._keys_store = stores[-1]
        self._keys = keys
        self._configs = configs
        self._hour = -1

    def start(self) -> None:
        """Do the first round; if this process publishes, bring the published files up to date.

        What is refused is logged and retried at each tick. Call it under the service's lock. Raises StoreRefused if the
        stores do not answer.
        """
        try:
            self._begin()
        except OSError as error:
            refused = folder_refusal(error)
            logger.error("%s: %s", refused.code, refused.message, extra=event_fields("tick_refused", code=refused.code))

    def _begin(self) -> None:
        try:
            with self._keys_store.exclusive(TURN_SECONDS) as turn:
                is_clock_trusted = self._trusts_clock(self.clock())
                if is_clock_trusted:
                    refusal = self._prepare(self.clock())
                    if refusal is not None:
                        raise refusal
                if self.publication is None:
                    return
                self.publication.move_into_bucket()
                if is_clock_trusted:
                    self.publication.renew_lists(self.clock(), turn)
        except SettingsOutdated as refused:
            logger.error("settings: %s: %s", refused.code, refused.message, extra=event_fields("settings_outdated"))
        except StoreFull as refused:
            logger.error("%s: %s", refused.code, refused.message, extra=event_fields("tick_refused", code=refused.code))
        except (HistoryForked, PublishedRefused, SignerAway, SigningRefused) as refused:
            # Uploads are accepted and files served meanwhile.
            details = event_fields("signer_away", code=refused.code)
            if isinstance(refused, HistoryForked):
                details = event_fields("history_forked", code=refused.code)
            elif isinstance(refused, PublishedRefused):
                details = event_fields("published_files_away", code=refused.code)
            level = logging.WARNING if isinstance(refused, PublishedRefused) else logging.ERROR
            logger.log(level, "%s: %s", refused.code, refused.message, extra=details)

    def tick(self, now: float | None = None) -> bool:
        """Do what is due. Idempotent; call it every minute or so.

        now: Unix seconds; None for the time of the clock. Returns False if another process is ticking.
        Raises StoreRefused, ClockDoubted; the work that was not done is due at the next tick.
        """
        try:
            return self._tick(now)
        except OSError as error:
            # A folder that is full or read-only must not end the process: the next tick tries again.
            raise folder_refusal(error) from None

    def _tick(self, now: float | None) -> bool:
        moment = self.clock() if now is None else now
        has_all_duties = self.governance is not None and self.publication is not None
        with lock_file(self.notes.folder / LOCK_NAME, wait=False) as locked:
            if not locked:
                return False
            # The lock file is for one machine, the turn for all that share the database.
            with self._keys_store.exclusive(0 if has_all_duties else WAIT_FOR_OTHER_SECONDS) as turn:
                if turn is None:
                    return False
                if now is None and self.guard:
                    self._require_clock(self.guard, moment)
                self._run_duties(moment, turn)
                self.notes.set_ticked_at(moment)
                return True

    def _run_duties(self, now: float, turn: Turn) -> None:
        refusal = self._prepare(now)
        hour_is_new = self._begin_hour(hour_at(now))
        refusals: list[StoreRefused] = [] if refusal is None else [refusal]
        # Before the store is compared with what was published, nothing more may be published. Repairing and purging
        # are always safe.
        publishing = self.publication.due_work(turn) if self.publication and refusal is None else ()
        # First, because the signer refuses to be shown a damaged file, and nothing after it would be done.
        repairing = (self.publication.check_files,) if self.publication else ()
        for duty in (*repairing, *publishing, self.purge):
            # The turn is lost when PostgreSQL restarts.
            turn.check()
            try:
                duty(now)
            except PublishedRefused as refused:
                # A bucket that does not answer must not delay the other duties, above all deletion.
                refusals.append(refused)
        if hour_is_new:
            for store in self._stores:
                store.erase_deleted_rows()
        if refusals:
            raise refusals[0]

    def _begin_hour(self, hour: int) -> bool:
        """Mingle the rows of the hours before this one; returns whether the stores should be tidied after that."""
        is_new = hour != self._hour
        self._hour = hour
        return self.governance.mingle_once_an_hour(hour) if self.governance else is_new

    def purge(self, now: float) -> None:
        """Delete what has expired at `now` (Unix seconds), and add decoys. Safe to interrupt and to repeat."""
        if self.governance:
            self.governance.purge(now)
        if self.publication:
            self.publication.purge_files(now)

    def adopt_missing(
        self, sources: Sequence[PublishedCopy], seen: Mapping[str, int] | None = None
    ) -> dict[str, list[int]]:
        """Adopt the published files that this store has lost; see History.adopt_missing.

        Also raises StoreBusy if another process has the turn too long, and PublicationApart.
        """
        publication = self._require_publishing()
        with self.exclusive_turn():
            self.history.leaves = publication.adopt_leaves(sources)
            return self.history.adopt_missing(sources, seen or {})

    def propose_epoch(self, above: Mapping[str, int], sources: Sequence[PublishedCopy]) -> Epoch:
        """The record of the next epoch, for the recovery key to sign; see History.propose_epoch."""
        with self.exclusive_turn():
            return self.history.propose_epoch(self.clock(), above, sources)

    def open_epoch(self, record: str, sources: Sequence[PublishedCopy]) -> Epoch:
        """Continue in a new epoch; see History.open_epoch. Also raises ClockDoubted, PublicationApart."""
        publication = self._require_publishing()
        with self.exclusive_turn():
            if self.guard:
                self.guard.require(self.clock())
            publication.adopt_leaves(sources)
            return self.history.open_epoch(record, self.clock(), sources)

    @contextmanager
    def exclusive_turn(self) -> Iterator[None]:
        """Take the turn and keep every process of this folder from ticking; syncs with other hosts before and after."""
        with pause_ticks(self._data_dir), self._keys_store.exclusive(TURN_SECONDS):
            self.sync()
            yield
            self.sync()

    def close(self) -> None:
        """Close the stores."""
        for store in self._stores:
            store.close()

    def _trusts_clock(self, now: float) -> bool:
        try:
            if self.guard:
                self._require_clock(self.guard, now)
        except ClockDoubted as refused:
            # Files are still served and uploads accepted, but nothing is signed.
            logger.error("clock: %s: %s", refused.code, refused.message, extra=event_fields("clock_doubted"))
            return False
        return True

    def _require_clock(self, guard: ClockGuard, now: float) -> None:
        try:
            guard.require(now)
        except ClockDoubted as refused:
            # On a full disk the doubt cannot be noted; the tick is refused for it all the same, and its meter shows it.
            with suppress(StoreFull, OSError):
                self.notes.set_signing_problem(refused.code)
            raise

    def _require_publishing(self) -> Publication:
        if self.publication is None:
            raise PublicationApart("the published files here are another user's; run this as root")
        return self.publication

    def _prepare(self, now: float) -> StoreRefused | None:
        """Compare with what was published, and make missing keys and configs.

        Returns why nothing may be published, None if it may.
        """
        self.sync()
        self.history.repair_configs()
        self.folder_differs = True
        require_same_keys(self._keys_store, self._keys)
        self.folder_differs = False
        refusal = self._compare()
        # A config that is merely lost was adopted from journal or bucket; an old copy of the folder lacks more.
        self.folder_differs = True
        require_same_configs(self._keys_store, self._configs)
        self.folder_differs = False
        if self.governance:
            outdated = self.governance.renew_config(now, history_is_known=refusal is None)
            return refusal or outdated
        self.notes.set_signing_problem(self.history_problem)
        if refusal is None:
            require_newest_settings(self._keys_store, self.city, self._data_dir)
        return refusal

    def _compare(self) -> StoreRefused | None:
        """Compare the store with what was published; return why they do not agree, None if they do."""
        try:
            self.history.adopt_missing()
        except (HistoryForked, PublishedRefused) as refused:
            self.history_problem = refused.code if isinstance(refused, HistoryForked) else None
            self.notes.set_signing_problem(self.history_problem)
            return refused
        self.history_problem = None
        return None


def folder_refusal(error: OSError) -> StoreRefused:
    """The refusal for a data folder that cannot be written or read now."""
    kind = StoreFull if error.errno in (errno.ENOSPC, errno.EDQUOT) else StoreUnreachable
    return kind(f"the data folder cannot be used: {error.strerror}")


def open_publication(folder: Path, clock: Callable[[], float] = time.time) -> Ticks:
    """The ticks of the process that only publishes, after a first round. Raises SignerAway, CityInvalid, StoreRefused.

    It learns the office's decisions from files that it checks: the settings, which must be those applied last; the
    signed configs; and the state of the clock that the worker trusts.
    """
    signer = require_signer(folder)
    keys = RemoteKeys(signer)
    store = open_store("keys", folder, database_url("keys"))
    city = load_city(folder)
    place = open_place(folder)
    configs = ConfigFiles(folder / "configs", keys.city_key)
    journal = Journal(journal_folder(folder), keys.signing_key)
    log = LogWriter(store, configs, keys.city_key, journal, partial(sign_checkpoint_text, keys.signing_key))
    history = History(
        folder, store, configs, keys, Indexes(place.files.get, keys.city_key), signer.show,
        partial(signed_heads, keys.signing_key), place.files, journal,
        Adoption(store, place.files, keys, city.padding_mean, city.embargo_seconds), publishes=True, adopter=None,
    )  # fmt: skip
    publication = Publication(folder, city, store, keys, configs, place.files, journal, log, signer.show)
    guard = None
    if clock is time.time:
        guard = ClockGuard(folder, store.database_clock, notes=False, servers=clock_servers(city, place))
    notes = notes_of_publication(folder)
    ticks = Ticks(
        folder, city, (store,), keys, configs, history, notes, guard, _nothing_to_sync, None, publication, clock
    )
    with lock_file(notes.folder / LOCK_NAME, wait=True):
        try:
            ticks.start()
        except StoreRefused as refused:
            # The published files are served meanwhile; each tick tries again.
            details = event_fields("publication_refused", code=refused.code)
            logger.warning("publication: %s: %s", refused.code, refused.message, extra=details)
    return ticks


def clock_servers(city: City, place: PublishedPlace) -> list[str]:
    """Addresses of the servers that a first start asks for the time: the one that is set, and the bucket's."""
    return [address for address in (city.clock_server, place.server) if address]


def _nothing_to_sync() -> None:
    """With keys that are sealed in the database, one user runs everything: there is no process that only publishes."""
