# SPDX-License-Identifier: Apache-2.0
"""The phone: it connects its parts and does the work that concerns all of them: check, purge, errands, erase."""

import random
import threading
from datetime import timedelta
from pathlib import Path

from bluezone.handset import retention
from bluezone.handset.city.config import CityConfig, parse_trust
from bluezone.handset.city.histories import Downloads
from bluezone.handset.city.neighbours import Neighbours
from bluezone.handset.city.pages import CityPages
from bluezone.handset.client import Client
from bluezone.handset.clocks import Clock, PhoneTime, SystemClock, TrustedTime
from bluezone.handset.encounters.encounters import Encounters
from bluezone.handset.exposure.risk import Risk
from bluezone.handset.exposure.venue_overlaps import VenueFollower
from bluezone.handset.journal import Journal
from bluezone.handset.report.calls import Calls
from bluezone.handset.report.declaration import Declarations
from bluezone.handset.report.rehearsals import Rehearsals
from bluezone.handset.report.report import Report
from bluezone.handset.sentlog import SentLog
from bluezone.handset.store import Store
from bluezone.handset.vault import PLAIN_KEY, KeySealing
from bluezone.handset.venues.event_codes import Events
from bluezone.handset.venues.gatepasses import GatePasses
from bluezone.handset.venues.stays import Stays
from bluezone.protocol.risk.assessment import Assessment
from bluezone.protocol.signed.index import EXPORTS, VENUES
from bluezone.refusal import Refused

# Names in the store: the local days with a successful check; the latest warning's day and end.
CHECKED_DAYS = "checked_days"
LAST_WARNING = "last_warning"


class Handset:
    """One phone, opened with `open` and closed with `close`; usable from any thread.

    time:         trusted Unix seconds and the city's dates.
    city:         the signed config.
    downloads:    the city's export files.
    venue_packages: the city's venue packages.
    pages:        news of the city, and requests for help.
    neighbours:   other cities that this phone follows.
    encounters:   what the radio broadcasts and hears.
    journal:      the owner's private notes.
    stays:        at venues.
    events:       codes that the owner made.
    passes:       QR codes to show at a gate.
    risk:         whether a case was near, and the warnings.
    report:       the owner's report.
    declarations: messages to the health authority about a warning.
    tls:          whether calls to the server use TLS.
    sent_log:     all data of the owner that ever left the phone.
    forgotten:    whether the owner has erased everything.
    """

    def __init__(self, store: Store, client: Client, clock: Clock, rng: random.Random, model: str | None) -> None:
        self.store = store
        self.clock = clock
        self.tls = client.tls
        self.city = CityConfig(store, client, lambda: self.time.now() if self.time.source.is_known else None, clock)
        self.downloads = Downloads(store, client, self.city)
        self.time = PhoneTime(clock, TrustedTime.from_json(store.get("time")), self.city.zone)
        self.encounters = Encounters(store, self.time, self.city, self.downloads, rng, model)
        self.journal = Journal(store, self.time)
        self.neighbours = Neighbours(store, self.city, self.time)
        self.stays = Stays(store, self.city, self.time, self.neighbours)
        self.events = Events(store, self.city, self.time, tls=client.tls)
        self.passes = GatePasses(clock, lambda: self.encounters.radio_state)
        self.venue_packages = VenueFollower(store, client, self.city, self.stays, self.time)
        self.risk = Risk(
            store, self.city, self.downloads, self.venue_packages, self.encounters, self.stays, self.time,
            self.neighbours,
        )  # fmt: skip
        self.sent_log = SentLog(store)
        self.pages = CityPages(store, client, self.sent_log)
        calls = Calls(client, rng.randbytes)
        self.report = Report(
            store, self.city, self.encounters.keys, self.stays, self.sent_log, calls, rng, self.time, self.check
        )
        self.declarations = Declarations(client, self.city, self.risk, self.sent_log, self.time)
        self._rehearsals = Rehearsals(store, self.city, self.sent_log, calls, rng)
        self._checking = threading.Lock()
        self._reading = False
        self.is_erased = False

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
        sealing: KeySealing = PLAIN_KEY,
    ) -> "Handset":
        """Open the phone in a folder, or create it there.

        server_url:  `https://host[:port]`.
        radio_model: the adapter's name in radio/calibration.py, None for the last one used (`Encounters.use_radio`).
        clock, rng:  None for the machine's clocks and SystemRandom.
        trust:       the city's Ed25519 public key, needed once: hex, base64, PEM, or a file with one of them.
        reading:     change nothing, because another process may be running the phone.
        sealing:     how the key file protects the store's key (vault.py).
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
        self.encounters.start()
        if self.store.get("installed_at") is None:
            self.store.put("installed_at", self.time.now())
        self.purge()
        self.encounters.check_clocks(self.clock.boot_seconds())
        self.encounters.store_state()

    def purge(self) -> int:
        """Delete what must not be retained longer (`retention`); return the number of deleted rows."""
        return retention.purge_handset(self.time, self.encounters, self.stays, self.events, self.journal)

    def check(self) -> Assessment:
        """Fetch new files, verify and match them, and return the assessment. A refusal keeps the old state.

        Raises ServerUnreachable, FileUntrusted, InvalidSignedFile, ConfigRefused, IndexRefused and the like.
        """
        with self._checking:
            began = self.clock.boot_seconds()
            try:
                self.risk.match_new_files()
            except Refused as refused:
                self.store.put("check_problem", {"code": refused.code, "at": self.time.now()})
                raise
            self._check_log()
            self.pages.fetch()
            # What happened while it fetched may not be in what it compared. The check may have corrected the time.
            lasted = self.clock.boot_seconds() - began
            with self.store.transaction():
                self.store.put("checked_at", self.time.now() - lasted)
                self.store.put("check_problem", None)
                self._note_day()
        # Last, so that a slow neighbour cannot delay the files of the owner's city.
        self.risk.match_neighbour_files()
        with self.store.transaction():
            self._note_day()
        self.purge()
        return self.risk.assessment()

    def _check_log(self) -> None:
        """Compare the public log with the files that were fetched; a contradiction only leads to a notice."""
        config = self.city.current
        sha256 = self.city.current_sha256
        if config is None or sha256 is None:
            return
        positions = {EXPORTS: self.downloads.position, VENUES: self.venue_packages.position}
        heads = {
            kind: (position.epoch, position.number, position.chain.hex())
            for kind, position in positions.items()
            if position.number and self.city.epochs.is_of_current_epoch(kind, position.number)
        }
        self.city.public_log.check(config, sha256, heads, self.time.now())

    def _note_day(self) -> None:
        """Store that today was checked, and the end of the latest warning, which the page announces later."""
        today = self.time.today()
        checked_days = {*self.store.get(CHECKED_DAYS, []), today.isoformat()}
        oldest = (today - timedelta(days=retention.RETAINED_DAYS)).isoformat()
        self.store.put(CHECKED_DAYS, sorted(day for day in checked_days if day >= oldest))
        warnings = self.risk.warnings()
        if warnings:
            latest = max(warnings, key=lambda warning: warning.day)
            self.store.put(LAST_WARNING, {"day": latest.day.isoformat(), "watchUntil": latest.watch_until.isoformat()})
        elif self.store.get(LAST_WARNING, {"watchUntil": ""})["watchUntil"] >= today.isoformat():
            # The warning disappeared early, by new rules or because the owner removed the stay: announce no end.
            self.store.put(LAST_WARNING, None)

    def make_due_calls(self) -> None:
        """Make the calls of a pending report and of rehearsals that are due. Raises as `Report.advance`."""
        if self.report.pending is not None:
            self.report.advance()
        if self.city.current is not None:
            self._rehearsals.advance(self.time.now())

    def next_call_at(self) -> float | None:
        """Return when the next call of a report or rehearsal is due, trusted Unix seconds; None if none is pending."""
        pending = self.report.pending
        rehearsal = self._rehearsals.next_call_at()
        moments: list[float] = []
        if pending is not None and pending.upload_at:
            moments.append(pending.upload_at)
        if rehearsal is not None:
            moments.append(rehearsal)
        return min(moments, default=None)

    def erase(self) -> None:
        """Erase everything and destroy the key. `close` then stores nothing."""
        self._reading = True
        self.is_erased = True
        self.store.erase()

    def close(self) -> None:
        """Store what is in memory, and release the folder."""
        try:
            if not self._reading:
                self.encounters.flush()
                self.encounters.store_state()
        finally:
            self.store.close()
