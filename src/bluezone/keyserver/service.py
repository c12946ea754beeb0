# SPDX-License-Identifier: Apache-2.0
"""The key server of one city: its parts put together, and what is due again and again.

`KeyServer.open` is how the web process, the tick and the health authority's office get at it. Each part is given what
it works with and nothing else; no part knows the whole.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bluezone.city import City, load_city
from bluezone.keyserver.configuration import KIND as CONFIG_KIND
from bluezone.keyserver.configuration import AppliedSettings, ConfigFiles, SettingsOutdated
from bluezone.keyserver.datafolder import (
    LOCK_NAME,
    TURN_SECONDS,
    Notes,
    PublicationApart,
    kept_still,
    may_publish,
    note_folder,
    only_one,
    require_same_folder,
    require_settled,
)
from bluezone.keyserver.declarations import Declarations
from bluezone.keyserver.keyfolder import ApprovalMissing, Secrets, SignerAway, SigningRefused
from bluezone.keyserver.publication.adoption import Adoption, HistoryForked
from bluezone.keyserver.publication.downloads import Downloads
from bluezone.keyserver.publication.exports import ExportFiles
from bluezone.keyserver.publication.folder import EXPORTS_URL_VARIABLE, LocalFiles, PublishedFiles, PublishedRefused
from bluezone.keyserver.publication.history import History
from bluezone.keyserver.publication.indexes import Indexes
from bluezone.keyserver.publication.indexwriter import IndexWriter, show_nobody
from bluezone.keyserver.publication.journal import Journal, journal_folder
from bluezone.keyserver.publication.packages import VenuePackages
from bluezone.keyserver.publication.padding import mingle_once_an_hour
from bluezone.keyserver.publication.publiclog import PublicLog
from bluezone.keyserver.publication.series import ALL_SERIES
from bluezone.keyserver.publication.witnesses import agreed_config
from bluezone.keyserver.push import PushSubscriptions
from bluezone.keyserver.reports.codes import Codes
from bluezone.keyserver.reports.decoys import put_decoys
from bluezone.keyserver.reports.limits import Limits, note_nothing
from bluezone.keyserver.reports.submission import Uploads, Verification
from bluezone.keyserver.retention import forget, forget_files
from bluezone.keyserver.sealing import (
    SealedFolder,
    fetch_folder,
    secrets_of,
    shared_folder,
)
from bluezone.keyserver.signer.client import Ask, Connection, Reminder, RemoteKeys, find_signer
from bluezone.keyserver.statistics import note_guesses, note_guessing_alarm
from bluezone.keyserver.storage.opening import database_url, open_store
from bluezone.keyserver.storage.store import Store, StoreFull, StoreRefused, Turn
from bluezone.keyserver.venues import Registrar, VenueAlerts
from bluezone.logs import event
from bluezone.networks import origin_of, speaks_tls
from bluezone.protocol.intervals import hour_at
from bluezone.protocol.signed.epoch import Epoch
from bluezone.protocol.signed.index import EXPORTS, VENUES
from bluezone.timekeeping import ClockDoubted, ClockGuard

logger = logging.getLogger(__name__)

# How long the tick of one of two processes that share the duties waits for that of the other, on PostgreSQL.
BESIDE_SECONDS = 10.0
# Why a change of the config does not go out, beside the codes of refusals.
APPROVAL_MISSING = ApprovalMissing.code
LIMITS = 3  # of `share_limits`


class KeyServer:
    """One city's key server, usable from any thread. Make it with `open`, end it with `close`.

    clock: returns Unix seconds. guard: asked before what cannot be taken back; None where time is simulated.
    random_bytes: draws the seeds of padding; tests replace it to be repeatable.
    publishes: whether files, indexes and the public log are this process's; governs: whether configs, week keys, codes
    and forgetting are. Where processes are users apart, two share what is due.
    published: where the published files lie. fetch: the content of one by its name, as phones are given it.
    The parts are put together anew whenever they are asked for, so that they see what was replaced here.
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
        self.data_dir, self.city = data_dir, city
        self.origin = origin_of(city.public_host, tls=speaks_tls(data_dir))
        self.codes_store = codes_store
        self.keys_store = keys_store
        self.secrets = secrets
        self.clock = clock
        self.publishes = self.governs = True
        self._hour = -1
        # What this process says of its ticks, and what is told of them: by the process that publishes first.
        self.notes = Notes(data_dir)
        self.told: tuple[Notes, ...] = (self.notes,)
        self.guard: ClockGuard | None = None
        self.random_bytes: Callable[[int], bytes] = os.urandom
        self.configs = ConfigFiles(data_dir / "configs", secrets)
        self.configs.agreed = lambda wanted, held: agreed_config(wanted, held, self.public_log)
        self.journal = Journal(journal_folder(data_dir), secrets.signing_key)
        # Why nothing is signed now: a code, None while what is here and what was published agree.
        self.history_problem: str | None = None
        self.applied = AppliedSettings(keys_store)
        # What this folder has in common with those of other hosts; None where they see the same files.
        self.shared: SealedFolder | None = None
        # What signs where this process holds no keys, and what tells it of what was signed elsewhere.
        self.signer: Connection | None = None
        self.reminder: Reminder | None = None
        # Whether other settings than those of this process were applied after them, so that it signs nothing.
        self.settings_outdated = False
        # Whether this folder's keys or configs are not those that the hosts of its database share.
        self.folder_differs = False
        self.limits = Limits(
            secrets.derived("puzzle"),
            clock,
            lambda hour: note_guessing_alarm(self.codes_store, hour),
            rehearsals_a_minute=city.rehearsals_a_minute,
            note=lambda hour, guesses: note_guesses(self.codes_store, hour, guesses),
        )
        self.declaration_limits = Limits(secrets.derived("declaration puzzle"), clock, note_nothing, "declarations")
        self.push_limits = Limits(secrets.derived("push puzzle"), clock, note_nothing, "push subscriptions")
        # Published files, and how phones are given them; a bucket in place of the data folder if one is set.
        self.published: PublishedFiles = LocalFiles(data_dir)
        self.fetch: Callable[[str], bytes | None] = self.published.get

    @property
    def codes(self) -> Codes:
        """Verification codes: issued, looked up, revoked."""
        return Codes(self.codes_store, self.secrets, self.clock, self.city.zone, self.origin)

    @property
    def verification(self) -> Verification:
        """The first two calls of a report."""
        return Verification(self.codes, self.secrets.week_keys, self.limits, self.clock)

    @property
    def uploads(self) -> Uploads:
        """The third call of a report."""
        return Uploads(self.keys_store, self.secrets.week_keys, self.limits, self.clock)

    @property
    def declarations(self) -> Declarations:
        """Sealed declarations."""
        return Declarations(self.keys_store, self.data_dir, self.declaration_limits, self.clock)

    @property
    def push(self) -> PushSubscriptions:
        """Browsers that want to be told of new files."""
        return PushSubscriptions(self.keys_store, self.push_limits, self.city.push_services, self.clock)

    @property
    def registrar(self) -> Registrar:
        """Codes of venues."""
        return Registrar(self.keys_store, self.secrets.venue_key, self.origin, self.clock)

    @property
    def venue_alerts(self) -> VenueAlerts:
        """Alerts by the health authority."""
        return VenueAlerts(self.keys_store, self.registrar, self.clock)

    @property
    def export_files(self) -> ExportFiles:
        """What makes the files of keys."""
        return ExportFiles(
            self.keys_store, self.city, self.secrets, self.published, self.random_bytes, self._first_number(EXPORTS)
        )

    @property
    def venue_packages(self) -> VenuePackages:
        """What makes the packages of venue items."""
        period, mean = self.city.publish_period_seconds, self.city.venue_padding_mean
        return VenuePackages(
            self.keys_store, self.published, period, mean, self.random_bytes, self._first_number(VENUES)
        )

    @property
    def indexes(self) -> Indexes:
        """The signed lists of what was published."""
        return Indexes(self.published, self.secrets.signing_key.public_key().public_bytes_raw())

    @property
    def index_writer(self) -> IndexWriter:
        """Signs the lists of what was published."""
        return IndexWriter(
            self.keys_store, self.configs, self.secrets.signing_key, self.published, self.journal, self._show
        )

    @property
    def _show(self) -> Callable[[str, bytes], object]:
        return self.reminder.show if self.reminder else show_nobody

    @property
    def public_log(self) -> PublicLog:
        """The public log, which witnesses watch."""
        return PublicLog(self.keys_store, self.configs, self.journal, self.secrets.signing_key)

    @property
    def history(self) -> History:
        """What was published against what is known here."""
        return History(
            self.data_dir, self.keys_store, self.codes, self.configs, self.secrets, self.indexes, self._show,
            self.published, self.journal,
            Adoption(
                self.keys_store, self.published, self.secrets, self.city.padding_mean, self.city.embargo_seconds
            ),
            self.governs, self.publishes,
        )  # fmt: skip

    @property
    def downloads(self) -> Downloads:
        """The files as phones fetch them."""
        here = isinstance(self.published, LocalFiles)
        return Downloads(self.fetch, self.configs, self.data_dir if here else None)

    def share_limits(self, descriptor: int) -> None:
        """Count tries together with the other processes that have this memory (LIMITS tallies)."""
        for place, limits in enumerate((self.limits, self.declaration_limits, self.push_limits)):
            limits.share(descriptor, place)

    @classmethod
    def open(cls, data_dir: str | Path, clock: Callable[[], float] = time.time) -> "KeyServer":
        """Open the key server of a data folder, making stores, keys, config and index that are missing.

        Databases: BLUEZONE_CODES_URL and BLUEZONE_KEYS_URL, else BLUEZONE_DATABASE_URL, else SQLite files.
        Raises CityMissing, CityInvalid, StoreTooNew, StoreRefused, KeyFileExposed, MasterKeyInvalid, MasterKeyWrong.
        """
        folder = Path(data_dir).resolve()
        fetch_folder(folder)
        city = load_city(folder)
        require_settled(folder)
        with only_one(folder / LOCK_NAME, wait=True):
            with ExitStack() as opened:
                codes_store = open_store("codes", folder, database_url("codes"))
                opened.callback(codes_store.close)
                keys_store = open_store("keys", folder, database_url("keys"))
                opened.callback(keys_store.close)
                shared = shared_folder(keys_store, folder)
                signer = find_signer(folder)
                signing = (lambda: RemoteKeys(signer)) if signer else (lambda: None)
                secrets = secrets_of(folder, shared, lambda: keys_store.exclusive(TURN_SECONDS), signing)
                opened.pop_all()
            server = cls(folder, city, codes_store, keys_store, secrets, clock)
            server.signer = signer
            server.reminder = Reminder(signer) if signer else None
            server.publishes = may_publish(folder)
            if shared:
                server.shared = shared
                server.configs.before_written = shared.keep
            # Read again, because others may have been applied between reading them and opening the store.
            server.city = load_city(folder)
            if clock is time.time:
                server.guard = ClockGuard(folder, keys_store.database_clock)
            with ExitStack() as begun:
                begun.callback(server.close)
                server.begin()
                begun.pop_all()
        return server

    def begin(self) -> None:
        """Bring up to date what phones fetch, as far as it is this process's; what is refused each tick tries again.

        Call it under the service's lock. Raises StoreRefused where the stores do not answer.
        """
        try:
            self._find_published(os.environ.get(EXPORTS_URL_VARIABLE))
            with self.keys_store.exclusive(TURN_SECONDS) as turn:
                believed = self._believes(self.clock())
                refusal = self._prepare(self.clock()) if believed else None
                if refusal is not None:
                    raise refusal
                if self.publishes:
                    self._bring_over()
                    if believed:
                        self.public_log.keep_up()
                        self.index_writer.renew_all(self.clock(), turn)
        except SettingsOutdated as refused:
            logger.error("settings: %s: %s", refused.code, refused.message, extra=event("settings_outdated"))
        except StoreFull as refused:
            logger.error("%s: %s", refused.code, refused.message, extra=event("tick_refused", code=refused.code))
        except (HistoryForked, PublishedRefused, SignerAway, SigningRefused) as refused:
            # Reports are taken and files served meanwhile.
            said = event("signer_away", code=refused.code)
            if isinstance(refused, HistoryForked):
                said = event("history_forked", code=refused.code)
            elif isinstance(refused, PublishedRefused):
                said = event("published_files_away", code=refused.code)
            level = logging.WARNING if isinstance(refused, PublishedRefused) else logging.ERROR
            logger.log(level, "%s: %s", refused.code, refused.message, extra=said)

    def tick(self, now: float | None = None) -> bool:
        """Do what is due: week keys, config, files, indexes, retention. Idempotent; call it every minute or so.

        now: Unix seconds, the clock's if None. Returns False if another process is at it.
        Raises StoreRefused, ClockDoubted; whatever was not done is due at the next tick.
        """
        moment = self.clock() if now is None else now
        with only_one(self.notes.folder / LOCK_NAME, wait=False) as alone:
            if not alone:
                return False
            # The lock file speaks for one machine, the turn for all that share the database.
            with self.keys_store.exclusive(0 if self.publishes and self.governs else BESIDE_SECONDS) as turn:
                if turn is None:
                    return False
                if now is None and self.guard:
                    self._require_clock(self.guard, moment)
                self._do_what_is_due(moment, turn)
                self.notes.tick(moment)
                return True

    def _do_what_is_due(self, now: float, turn: Turn) -> None:
        refusal = self._prepare(now)
        hour_is_new = self._turns_hour(hour_at(now))
        # A turn is lost when PostgreSQL is restarted: what it holds cannot be done twice, and an index asks again.
        refusals: list[StoreRefused] = [] if refusal is None else [refusal]
        publishing: tuple[Callable[[float], None], ...] = (
            self.export_files.publish,
            self.venue_packages.publish,
            lambda _at: self.public_log.keep_up(),
            lambda at: self.index_writer.renew_all(at, turn),
        )
        # What was not compared with what was published must not go on from it; forgetting may.
        duties = (*(publishing if self.publishes and refusal is None else ()), self.forget)
        for duty in duties:
            turn.check()
            try:
                duty(now)
            except PublishedRefused as refused:
                # A bucket that does not answer holds up no other duty, least of all forgetting.
                refusals.append(refused)
        if hour_is_new:
            self.codes_store.tidy()
            self.keys_store.tidy()
        if refusals:
            raise refusals[0]

    def _turns_hour(self, hour: int) -> bool:
        # Who does not mingle writes random keys: what shows which rows came together is emptied by both.
        is_new, self._hour = hour != self._hour, hour
        return mingle_once_an_hour(self.keys_store, hour) if self.governs else is_new

    def take_over(
        self, sources: Sequence[PublishedFiles], seen: Mapping[str, int] | None = None
    ) -> dict[str, list[int]]:
        """Take over what was published and this store has forgotten; arguments, result and refusals as History.compare.

        Raises also StoreBusy where another process holds the turn too long.
        """
        self._require_publishing()
        with self._alone():
            return self.history.compare(sources, seen or {})

    def propose_epoch(self, above: Mapping[str, int], sources: Sequence[PublishedFiles]) -> Epoch:
        """The record of the next epoch, for the recovery key to sign; see History.propose."""
        with self._alone():
            return self.history.propose(self.clock(), above, sources)

    def open_epoch(self, record: str, sources: Sequence[PublishedFiles]) -> Epoch:
        """Go on in a new epoch; see History.open_epoch. Raises also ClockDoubted, PublicationApart."""
        self._require_publishing()
        with self._alone():
            if self.guard:
                self.guard.require(self.clock())
            return self.history.open_epoch(record, self.clock(), sources)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with kept_still(self.data_dir), self.keys_store.exclusive(TURN_SECONDS):
            self.sync()
            yield
            self.sync()

    def sync(self) -> None:
        """Fetch and give keys, configs and settings where the database holds them for all. Raises StoreRefused."""
        if self.shared:
            self.shared.sync()
            if self.signer:
                # What came may be week keys, whose public halves it shows.
                self.signer.ask(Ask.OPEN)

    def _believes(self, now: float) -> bool:
        try:
            if self.guard:
                self._require_clock(self.guard, now)
        except ClockDoubted as refused:
            # What is there goes on being served and reports are taken; nothing is signed.
            logger.error("clock: %s: %s", refused.code, refused.message, extra=event("clock_doubted"))
            return False
        return True

    def _require_clock(self, guard: ClockGuard, now: float) -> None:
        try:
            guard.require(now)
        except ClockDoubted as refused:
            self.notes.hold(refused.code)
            raise

    def _require_publishing(self) -> None:
        if not self.publishes:
            raise PublicationApart("the published files here are another user's; run this as root")

    def held(self) -> str | None:
        """Why nothing is signed now, a code, as the last tick or start on this data folder found; None if it is."""
        return next((code for notes in self.told if (code := notes.held())), None)

    def signer_problem(self) -> str | None:
        """Why the signer does not answer this process, a code; None where it does or this process signs itself."""
        if self.signer is None:
            return None
        try:
            self.signer.require_answer()
        except StoreRefused as refused:
            return refused.code
        return None

    def forget(self, now: float) -> None:
        """Delete what has had its time at `now` (Unix seconds) and put decoys in. Safe to interrupt and to repeat."""
        if self.governs:
            put_decoys(self.codes_store, self.keys_store, now, self.codes.zone, self.city.padding_mean)
            forget(self.codes_store, self.keys_store, now, self.city.hold_seconds)
        if self.publishes:
            forget_files(self.keys_store, self.published, now)

    def ticked_at(self) -> float | None:
        """When the last tick on this data folder was done, Unix seconds; None before the first."""
        return min((moment for notes in self.told if (moment := notes.ticked_at()) is not None), default=None)

    def close(self) -> None:
        """Close the stores."""
        self.codes_store.close()
        self.keys_store.close()

    def _find_published(self, url: str | None) -> None:
        if not url:
            return
        # obstore comes with the extra `s3`; a city on one machine does not have it.
        from bluezone.keyserver.publication.bucket import ObjectFiles, Remembered

        bucket = ObjectFiles(url)
        self.published, self.fetch = bucket, Remembered(bucket).get

    def _bring_over(self) -> None:
        if isinstance(self.published, LocalFiles):
            return
        from bluezone.keyserver.publication.bucket import bring_over

        for series in ALL_SERIES:
            bring_over(self.data_dir, series.folder, self.published)

    def _first_number(self, kind: str) -> int:
        epoch = self.configs.epoch()
        return epoch.branch(kind).first if epoch else 1

    def _prepare(self, now: float) -> StoreRefused | None:
        """Make what is missing; returns why nothing may be signed, None if all that was published is known here."""
        self.sync()
        self.folder_differs = True
        require_same_folder(self.keys_store, self.secrets, self.configs)
        self.folder_differs = False
        refusal = self._compared()
        if not self.governs:
            self.notes.hold(self.history_problem)
            if refusal is None:
                self.applied.require_newest(self.keys_store, self.configs.settings_digest(self.city, self.data_dir))
            return refusal
        self.secrets.week_keys.rotate(now)
        # Before a config announces them.
        self.sync()
        # A city that has no config yet has published nothing.
        if refusal is None or not self.configs.newest_number():
            try:
                self.applied.require(self.keys_store, self.configs.settings_digest(self.city, self.data_dir))
            except SettingsOutdated as outdated:
                self.settings_outdated = True
                if refusal is None:
                    self.notes.hold(None)
                return refusal or outdated
            self.settings_outdated = False
            if self.reminder and (newest := self.configs.newest_number()):
                self.reminder.show(CONFIG_KIND, self.configs.path(newest).read_bytes())
            self.configs.renew(self.city, self.data_dir, now)
            if refusal is None:
                self.notes.hold(APPROVAL_MISSING if self.configs.waits_for_approval else None)
            note_folder(self.keys_store, self.secrets, self.configs)
        return refusal

    def apply_settings(self) -> int:
        """Put this process's settings after all that were applied, as a person says; returns their number."""
        with self._alone():
            self.applied.apply(self.keys_store, self.configs.settings_digest(self.city, self.data_dir))
        return self.applied.newest(self.keys_store)[0]

    def _compared(self) -> StoreRefused | None:
        try:
            self.history.compare()
        except (HistoryForked, PublishedRefused) as refused:
            self.history_problem = refused.code if isinstance(refused, HistoryForked) else None
            self.notes.hold(self.history_problem)
            return refused
        self.history_problem = None
        return None
