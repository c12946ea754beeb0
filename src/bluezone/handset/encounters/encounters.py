# SPDX-License-Identifier: Apache-2.0
"""Connects the phone with its radio: gives it the payloads to broadcast, and stores sightings and its state."""

import contextlib
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bluezone.handset.city.config import CityConfig
from bluezone.handset.city.histories import Downloads
from bluezone.handset.clocks import PhoneTime, Stamp, boot_id_of
from bluezone.handset.encounters.dailykeys import DailyKeys
from bluezone.handset.encounters.log import EncounterLog, identifiers_per_day
from bluezone.handset.encounters.radiostate import RadioState
from bluezone.handset.store import Store
from bluezone.protocol.identifiers import IDENTIFIER_LENGTH, Metadata
from bluezone.protocol.intervals import day_at
from bluezone.protocol.reciprocity import NONCE_LENGTH, NeighbourLevel, encode_reciprocity_frame, reciprocity_key
from bluezone.radio.calibration import confidence, effective_power_dbm, receiver_correction_db
from bluezone.radio.interface import Burst, Sighting
from bluezone.refusal import Refused

CLOCK_CHECK_SECONDS = 1.0
STATE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Receiver:
    """Calibration of this phone's radio: correction_db is added to every RSSI; confidence is 0..3."""

    correction_db: int
    confidence: int


@dataclass(slots=True)
class _Sent:
    """The identifier that is broadcast now, the key for its reciprocity frames, and their first nonce."""

    key: bytes
    identifier: bytes
    first_nonce: int | None = None


class Encounters:
    """Implements the radio's Listener and Reciprocity, and gives the Beacon its payloads.

    Usable from any thread. It also keeps the phone's trusted time up to date, because every sighting is stamped.

    receiver:            calibration of the radio.
    radio_state:         when the radio last sent and heard, and its problem.
    store_problem:       code of the refusal because of which sightings cannot be stored; None if they can.
    refused_identifiers: how many identifiers were not stored because too many came.
    """

    def __init__(
        self, store: Store, time: PhoneTime, city: CityConfig, downloads: Downloads, rng: random.Random,
        model: str | None,
    ) -> None:  # fmt: skip
        self._store = store
        self._time = time
        self._city = city
        self._downloads = downloads
        self._rng = rng
        self._lock = threading.RLock()
        self.log = EncounterLog(store)
        self.use_radio(model or store.get("radio_model", "unknown"))
        self._sent: _Sent | None = None
        self.keys = DailyKeys(store, rng.randbytes)
        self.radio_state = RadioState(**store.get("radio", {}))
        self.store_problem: str | None = None
        self.refused_identifiers = int(store.get("refused_identifiers", 0))
        self._run = rng.getrandbits(31)
        self._looked = float("-inf")
        self._state_kept_at = float("-inf")

    def start(self) -> None:
        """Note that the program was started, perhaps after a restart of the machine."""
        clock = self._time.clock
        self._time.source.note_start(boot_id_of(clock), clock.boot_seconds(), clock.wall_seconds())

    def use_radio(self, model: str) -> None:
        """Use the calibration of an adapter in radio/calibration.py. Raises InvalidCalibration."""
        self._model = model
        self._metadata = Metadata(effective_power_dbm(model), confidence(model))
        self.receiver = Receiver(receiver_correction_db(model), confidence(model))
        self.log.power_dbm = self._metadata.transmit_power_dbm

    def payload(self) -> bytes:
        """Return identifier and encrypted metadata for now, 20 bytes; the Beacon calls this at each rotation."""
        with self._lock:
            now = self._time.now()
            payload = self.keys.payload(now, self._metadata)
            if self._sent is None or self._sent.identifier != payload[:IDENTIFIER_LENGTH]:
                key = self.keys.key_of_day(day_at(now)).key
                self._sent = _Sent(reciprocity_key(key), payload[:IDENTIFIER_LENGTH])
            return payload

    def reciprocity_frame(self, burst: int, heard: Sequence[NeighbourLevel]) -> bytes | None:
        """Return a frame from which neighbours learn how this radio heard them, for the current identifier.

        heard: at most four identifiers and their mean RSSI in dBm in burst `burst`, uncorrected.
        Returns None if the city's config does not allow reciprocity frames.
        """
        with self._lock:
            if self._sent is None or not self._reciprocal:
                return None
            if self._sent.first_nonce is None:
                self._sent.first_nonce = self._rng.getrandbits(8 * NONCE_LENGTH)
            # Every burst has a different number, so no two levels of a neighbour have the same mask.
            nonce = (self._sent.first_nonce + burst) % 256**NONCE_LENGTH
            corrected = [(identifier, rssi_dbm + self.receiver.correction_db) for identifier, rssi_dbm in heard]
            nonce_bytes = nonce.to_bytes(NONCE_LENGTH, "big")
            return encode_reciprocity_frame(
                self._sent.key, self._sent.identifier, nonce_bytes, corrected, self._rng.randbytes
            )

    def heard_reciprocity(self, frame: bytes) -> None:
        """Note a reciprocity frame of the current burst; it cannot be read before its sender's key is published."""
        if self._reciprocal:
            self.log.add_reciprocity_frame(frame)

    def burst_started(self, burst: Burst) -> None:
        """Note that a scan burst began."""
        self.check_clocks(burst.boot_seconds)
        self.log.burst_started(burst)

    def heard(self, sighting: Sighting) -> None:
        """Note a frame with an identifier. If it cannot be stored, for example on a full disk, it is lost."""
        if sighting.boot_seconds - self._looked >= CLOCK_CHECK_SECONDS:
            self.check_clocks(sighting.boot_seconds)
        try:
            self.log.add_sighting(sighting, self._stamp, self._stamp_day)
        except Refused as refused:
            self.store_problem = refused.code

    def note_radio(
        self, sent: float | None, heard: float | None, problem: str | None = None, since: float | None = None
    ) -> None:
        """Note when the radio last sent and heard. problem: code of a refusal that has stopped it since `since`.

        All times are boot seconds.
        """
        clock = self._time.clock
        with self._lock:
            self.radio_state = self.radio_state.updated(
                boot_id_of(clock), clock.boot_seconds(), sent, heard, problem, since
            )

    @property
    def _reciprocal(self) -> bool:
        # While the store is locked, the radio continues, but without reciprocity frames.
        with contextlib.suppress(Refused):
            config = self._city.current
            return config is None or config.reciprocity
        return False

    def identifiers_per_day(self) -> dict[date, int]:
        """Return how many identifiers were heard on each local day; see `log.identifiers_per_day`."""
        return identifiers_per_day(self.log, self._time.zone())

    def check_clocks(self, boot: float) -> None:
        """Compare the clocks at `boot`, boot seconds, and renew the stamp for later sightings."""
        with self._lock:
            wall = self._time.clock.wall_seconds()
            self._time.source.check_wall_clock(boot, wall)
            self._looked = boot
            self.renew_stamp()
            self._stamp_day = day_at(self._time.source.now(boot, wall))

    def renew_stamp(self) -> None:
        """Take a new stamp, with the current time and newest export file, for later sightings."""
        with self._lock:
            self._stamp: Stamp = self._time.source.stamp(self._run, self._downloads.position.number)

    def accept_signed_time(self, generated_at: int, answered_at: float | None = None) -> None:
        """Set the trusted time from signed files; the first time, earlier sightings get a time too.

        generated_at: the largest `generated_at` of the files, Unix seconds. answered_at: when the server gave them,
        by its own clock; None if unknown.
        """
        clock = self._time.clock
        source = self._time.source
        with self._lock:
            first = source.offset_seconds is None or source.provisional
            source.accept_signed_time(generated_at, clock.boot_seconds(), clock.wall_seconds(), answered_at)
            self.renew_stamp()
            if first:
                self.log.stamp_earlier(self._stamp)
            self.store_state()

    def flush(self) -> None:
        """Store new sightings; called at least every 5 s. Raises HandsetDiskFull, HandsetBusy."""
        try:
            self.log.flush()
            if self._time.clock.boot_seconds() - self._state_kept_at >= STATE_SECONDS:
                self.store_state()
        except Refused as refused:
            self.store_problem = refused.code
            raise
        self.store_problem = None

    def store_state(self) -> None:
        """Store the time, the state of the radio and its model. Raises HandsetDiskFull, HandsetBusy."""
        refused = self.log.pop_refused_count()
        with self._lock, self._store.transaction():
            self._state_kept_at = self._time.clock.boot_seconds()
            self.refused_identifiers += refused
            self._store.put("refused_identifiers", self.refused_identifiers)
            self._store.put("time", self._time.source.to_json())
            self._store.put("radio", self.radio_state.to_json())
            self._store.put("radio_model", self._model)

    def purge(self, oldest_day: int, today: int) -> int:
        """Remove all rows of days before `oldest_day` from the store, and keys of days after `today`.

        Both are UTC days since 1970-01-01. Returns the number of rows that were too old.
        """
        with self._lock:
            self.keys.remove_future(today)
            purged = self._store.purge(oldest_day)
            self.log.measure()
            return purged
