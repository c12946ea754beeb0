# SPDX-License-Identifier: Apache-2.0
"""The phone: one object that the radio talks to, that fetches and matches, and that reports for its owner."""

import random
import threading
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bluezone.handset.city.config import CityConfig
from bluezone.handset.city.histories import Downloads, Held
from bluezone.handset.city.pages import CityPages
from bluezone.handset.city.trust import parse_trust
from bluezone.handset.client import Client
from bluezone.handset.clocks import Clock, Stamp, SystemClock, TrustedTime, boot_id_of
from bluezone.handset.encounters.dailykeys import DailyKeys
from bluezone.handset.encounters.log import EncounterLog, identifiers_per_day
from bluezone.handset.encounters.radiostate import RadioState
from bluezone.handset.exposure.assessment import Judging
from bluezone.handset.exposure.exposures import Exposures, HeardIndex, Receiver, windows_of_file
from bluezone.handset.exposure.venuechecks import VenueChecks
from bluezone.handset.report.calls import Plays
from bluezone.handset.report.chaff import Chaff
from bluezone.handset.report.declaration import Declaring
from bluezone.handset.report.owner import Telling
from bluezone.handset.report.reporting import Reporting
from bluezone.handset.report.sentlog import SentLog
from bluezone.handset.store import Store
from bluezone.handset.vault import AS_IT_IS, KeySealing
from bluezone.handset.venues.checkin import Visiting
from bluezone.handset.venues.gatepasses import GatePasses
from bluezone.handset.venues.visits import Visits
from bluezone.protocol.identifiers import Metadata
from bluezone.protocol.intervals import day_at
from bluezone.protocol.risk.assessment import Assessment, parse_profile
from bluezone.radio.calibration import confidence, effective_power_dbm, receiver_correction_db
from bluezone.radio.interface import Burst, Sighting
from bluezone.refusal import Refused

KEPT_DAYS = 14
LOOK_SECONDS = 1.0
STATE_SECONDS = 60.0


class Handset(Visiting, Judging, Telling):
    """One phone. Make it with `open`, end it with `close`; usable from any thread.

    It is a radio Listener (`burst_started`, `heard`) and gives the Beacon its `payload`.
    """

    def __init__(self, store: Store, client: Client, clock: Clock, rng: random.Random, model: str | None) -> None:
        self.store = store
        self.clock = clock
        self._lock = threading.RLock()
        self._checking = threading.Lock()
        self.use_radio(model or store.get("radio_model", "unknown"))
        self.city = CityConfig(store, client)
        self._downloads = Downloads(store, client, self.city)
        self.log = EncounterLog(store)
        self._keys = DailyKeys(store, rng.randbytes)
        self._exposures = Exposures(store)
        self.sent_log = SentLog(store)
        self.pages = CityPages(store, client, self.sent_log)
        plays = Plays(client, rng.randbytes)
        self._visits = Visits(store)
        self._venues = VenueChecks(store, client, self.city, self._visits)
        self.reporting = Reporting(store, self.city, self._keys, self._visits, self.sent_log, plays, rng)
        self._declaring = Declaring(client, self.city, self.sent_log)
        self._chaff = Chaff(store, self.city, self.sent_log, plays, rng)
        self.passes = GatePasses(clock, lambda: self.radio_state)
        self._run = rng.getrandbits(31)
        self.time = TrustedTime.from_json(store.get("time"))
        self._looked = self._state_kept_at = float("-inf")
        self.radio_state = RadioState(**store.get("radio", {}))
        self.store_problem: str | None = None
        self._reading = self.forgotten = False
        self.refused_identifiers = int(store.get("refused_identifiers", 0))

    @classmethod
    def open(
        cls,
        directory: str | Path,
        server_url: str,
        clock: Clock | None = None,
        rng: random.Random | None = None,
        radio_model: str | None = "virtual",
        *,
        trust: str | None = None,
        reading: bool = False,
        sealing: KeySealing = AS_IT_IS,
    ) -> "Handset":
        """Open the phone in a folder, making it if there is none.

        server_url:  `https://host[:port]`. radio_model: the adapter, as radio/calibration.py knows it;
                     None takes the one that `use_radio` was last told.
        clock, rng:  the machine's clocks and SystemRandom unless given.
        trust:       the city's Ed25519 public key, needed once: hex, base64, PEM, or a file with one of them.
        reading:     only look at a phone that another process may be running.
        sealing:     how the key of the store lies in its file (vault.py).
        Raises InvalidServerAddress, InvalidTrust, HandsetBusy, HandsetStoreTooNew, HandsetKeyDamaged, HandsetMissing.
        """
        public = parse_trust(trust) if trust else None
        client = Client(server_url)
        store = Store.open(Path(directory), reading=reading, sealing=sealing)
        try:
            handset = cls(store, client, clock or SystemClock(), rng or random.SystemRandom(), radio_model)
            handset._reading = reading
            if not reading:
                handset._begin()
                handset.city.pin(public)
        except BaseException:
            store.close()
            raise
        return handset

    def _begin(self) -> None:
        boot = self.clock.boot_seconds()
        self.time.started(boot_id_of(self.clock), boot, self.clock.wall_seconds())
        if self.store.get("installed_at") is None:
            self.store.put("installed_at", self.now())
        self.purge()
        self._look(boot)
        self._keep_state()

    def now(self) -> float:
        """The best time there is, Unix seconds (see trustedtime.py)."""
        return self.time.now(self.clock.boot_seconds(), self.clock.wall_seconds())

    def zone(self) -> ZoneInfo:
        """The city's zone; before the first config the one the product was made for."""
        config = self.city.held
        return ZoneInfo(config.zone if config else "Asia/Ho_Chi_Minh")

    def today(self) -> date:
        """The local date."""
        return self.local(self.now()).date()

    def local(self, unix_seconds: float) -> datetime:
        """A moment in the city's zone."""
        return datetime.fromtimestamp(unix_seconds, UTC).astimezone(self.zone())

    def payload(self) -> bytes:
        """Identifier and encrypted metadata of this moment, 20 bytes; the Beacon asks at each rotation."""
        with self._lock:
            return self._keys.payload(self.now(), self._metadata)

    def use_radio(self, model: str) -> None:
        """Send and measure by what radio/calibration.py knows of this adapter. Raises InvalidCalibration."""
        self._model = model
        self._metadata = Metadata(effective_power_dbm(model), confidence(model))
        self._receiver = Receiver(receiver_correction_db(model), confidence(model))

    def burst_started(self, burst: Burst) -> None:
        """A scan burst began."""
        self._look(burst.boot_seconds)
        self.log.burst_started(burst)

    def heard(self, sighting: Sighting) -> None:
        """A contact frame was heard. A full disk costs this sighting, never the phone's life."""
        if sighting.boot_seconds - self._looked >= LOOK_SECONDS:
            self._look(sighting.boot_seconds)
        try:
            self.log.heard(sighting, self._stamp, self._stamp_day)
        except Refused as refused:
            self.store_problem = refused.code

    def note_radio(
        self, sent: float | None, heard: float | None, problem: str | None = None, since: float | None = None
    ) -> None:
        """Say when the radio last sent and heard, and which refusal stands in the way since when; boot seconds."""
        with self._lock:
            told = (boot_id_of(self.clock), self.clock.boot_seconds(), sent, heard, problem, since)
            self.radio_state = self.radio_state.noted(*told)

    def _look(self, boot: float) -> None:
        """Compare the clocks and renew the stamp for what is heard from now on."""
        with self._lock:
            wall = self.clock.wall_seconds()
            self.time.look(boot, wall)
            self._looked = boot
            self._renew_stamp()
            self._stamp_day = day_at(self.time.now(boot, wall))

    def _renew_stamp(self) -> None:
        self._stamp: Stamp = self.time.stamp(self._run, self._downloads.held.number)

    def flush(self) -> None:
        """Make durable what was heard; called at least every 5 s. Raises HandsetDiskFull, HandsetBusy."""
        try:
            self.log.flush()
            if self.clock.boot_seconds() - self._state_kept_at >= STATE_SECONDS:
                self._keep_state()
        except Refused as refused:
            self.store_problem = refused.code
            raise
        self.store_problem = None

    def _keep_state(self) -> None:
        refused = self.log.take_refused()
        with self._lock, self.store.transaction():
            self._state_kept_at = self.clock.boot_seconds()
            self.refused_identifiers += refused
            self.store.put("refused_identifiers", self.refused_identifiers)
            self.store.put("time", self.time.to_json())
            self.store.put("radio", self.radio_state.to_json())
            self.store.put("radio_model", self._model)

    def purge(self) -> int:
        """Remove what is older than 14 days, if the time is known; returns how many rows that was."""
        with self._lock:
            if not self.time.known:
                return 0
            today = day_at(self.now())
            self._visits.settle(self.now())
            self._keys.drop_future(today)
            gone = self.store.purge(today - KEPT_DAYS)
            self.log.purged()
            return gone

    def check(self) -> Assessment:
        """Download what is new, verify it, match it here, and score. Every refusal keeps the old state.

        Raises ServerUnreachable, FileUntrusted, InvalidSignedFile, ConfigRefused, IndexRefused and the like.
        """
        with self._checking:
            try:
                self._take_in_new_files()
                # After the exports, whether or not there are visits: what a phone fetches says nothing of its owner.
                self._venues.check(str(self.zone()), self.now, self.store.get("installed_at", self.now()))
            except Refused as refused:
                self.store.put("check_problem", {"code": refused.code, "at": self.now()})
                raise
            self.pages.fetch()
            with self.store.transaction():
                self.store.put("checked_at", self.now())
                self.store.put("check_problem", None)
        self.purge()
        return self.assessment()

    def _take_in_new_files(self) -> None:
        index, config, entries = self._downloads.follow()
        profile = parse_profile(config.profile)
        self._take_time(max(config.generated_at, index.generated_at))
        heard, own = HeardIndex(self.log) if entries else None, self._keys.own()
        for entry in entries:
            export = self._downloads.fetch(entry, config)
            assert heard is not None
            windows = windows_of_file(heard, export.columns, entry.number, own, self._receiver, config.zone, profile)
            with self.store.transaction():
                self._exposures.add(windows)
                self._downloads.taken_in(entry)
        self._downloads.followed(index)
        with self._lock:
            self._renew_stamp()

    def _take_time(self, generated_at: int) -> None:
        """Take the time from signed files, then stamp what was heard before the first of them."""
        with self._lock:
            first = self.time.offset_seconds is None or self.time.provisional
            self.time.signed_file_seen(generated_at, self.clock.boot_seconds(), self.clock.wall_seconds())
            self._renew_stamp()
            if first:
                self.log.stamp_earlier(self._stamp)
            self._keep_state()

    @property
    def held_exports(self) -> Held:
        """Which lists were taken in, and how old the newest is."""
        return self._downloads.held

    def encounters_per_day(self) -> dict[date, int]:
        """How many identifiers were heard each local day; see encounterlog.py for what that is not."""
        return identifiers_per_day(self.log, self.zone())

    def forget(self) -> None:
        """Erase everything and destroy the key; the phone is gone afterwards, and nothing is written any more."""
        self._reading = self.forgotten = True
        self.store.erase()

    def close(self) -> None:
        """Flush and let go of the folder."""
        try:
            if not self._reading:
                self.flush()
                self._keep_state()
        finally:
            self.store.close()
