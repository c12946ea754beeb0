# SPDX-License-Identifier: Apache-2.0
"""Lets real handset code live through a collection: sealed log, matching, windows and assessment, as on a phone.

Recordings have contact frames only. The reciprocity frames beside them are written by the phones' own code, of what the
collection says that the sender heard in its latest burst.
"""

import bisect
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from bench.accuracy.recordings import Collection, Phone

from bluezone.handset.clocks import Stamp
from bluezone.handset.encounters.dailykeys import OwnIdentifiers
from bluezone.handset.encounters.encounters import Receiver
from bluezone.handset.encounters.log import EncounterLog
from bluezone.handset.exposure.exposures import EncounterIndex, build_file_windows
from bluezone.handset.store import Store
from bluezone.protocol.exports.columns import KeyColumns
from bluezone.protocol.identifiers import Metadata, crypt_metadata, rolling_proximity_identifiers
from bluezone.protocol.intervals import SECONDS_PER_DAY, SECONDS_PER_INTERVAL
from bluezone.protocol.keys import INTERVALS_PER_KEY, DiagnosisKey, ReportType, TemporaryExposureKey
from bluezone.protocol.reciprocity import ENTRIES, NONCE_LENGTH, encode_reciprocity_frame, reciprocity_key
from bluezone.protocol.risk.assessment import DayExposure, Profile, assess_exposure
from bluezone.protocol.risk.nearness import SegmentedEncounter
from bluezone.protocol.risk.windows import ExposureWindow
from bluezone.radio.frames import plausible_rssi
from bluezone.radio.interface import LONGEST_BURST_GAP_SECONDS, Burst, Sighting

START = 20_760 * SECONDS_PER_DAY + SECONDS_PER_INTERVAL  # a day's first ten minutes are left free
BOOT_SECONDS = 1_000.0
WINDOW_SECONDS = 300.0
# A burst holds some four of a neighbour's frames, a second apart, with four entries each.
TOLD_NEIGHBOURS = 4 * ENTRIES


@dataclass(frozen=True)
class Slice:
    """Five minutes of one direction. attenuation_db: of every frame; near: share of the time judged near, 0..1.

    seconds: what each burst stands for, beside its frames.
    """

    at: float
    attenuations_db: tuple[tuple[float, ...], ...]
    seconds: tuple[float, ...]
    near: float


@dataclass(frozen=True)
class Meeting:
    """What one phone makes of another whose owner turns out to be ill. day: the worst day, None if never heard."""

    phone: str
    case: str
    day: DayExposure | None
    slices: tuple[Slice, ...]


def live_through(collection: Collection, profile: Profile, *, reciprocity: bool) -> Iterator[Meeting]:
    """Let each phone live through the collection, and be told of every other one as a case, one at a time.

    reciprocity: whether phones tell their neighbours how they heard them.
    """
    seconds_zero = min(next(iter(phone.bursts.values())) for phone in collection.phones.values() if phone.bursts)
    senders = {name: _Sender(phone, seconds_zero) for name, phone in collection.phones.items()}
    for phone in collection.phones.values():
        if phone.bursts:
            with _log() as log:
                _hear(log, phone, senders, seconds_zero, reciprocity)
                index, sent = EncounterIndex(log), OwnIdentifiers(senders[phone.name].keys())
                for sender in senders.values():
                    if sender.phone is not phone:
                        yield _meeting(index, phone, sender, profile, sent)


class _Sender:
    """A phone as the others hear it: a key a day, its identifiers with sealed metadata by interval, and its frames."""

    def __init__(self, phone: Phone, seconds_zero: float) -> None:
        self.phone = phone
        self._zero = seconds_zero
        self._starts = list(phone.bursts.values())
        self._numbers = list(phone.bursts)
        self._keys: dict[int, bytes] = {}
        self._frames: dict[int, tuple[bytes, bytes]] = {}
        self._metadata = Metadata(phone.radio.effective_power_dbm, phone.radio.confidence).to_bytes()

    def frame(self, unix_seconds: float) -> tuple[bytes, bytes]:
        """Identifier and metadata sent at a moment."""
        interval = int(unix_seconds // SECONDS_PER_INTERVAL)
        if interval not in self._frames:
            day, within = divmod(interval, INTERVALS_PER_KEY)
            key = self._keys.setdefault(day, os.urandom(16))
            identifier = rolling_proximity_identifiers(key, day * INTERVALS_PER_KEY)[within]
            self._frames[interval] = (identifier, crypt_metadata(key, identifier, self._metadata))
        return self._frames[interval]

    def reciprocity(self, seconds: float, senders: "dict[str, _Sender]") -> Iterator[bytes]:
        """The frames that tell what it heard in its latest burst before a moment of the collection."""
        place = bisect.bisect_right(self._starts, seconds) - 1
        if place < 0 or seconds - self._starts[place] > LONGEST_BURST_GAP_SECONDS:
            return
        levels: dict[str, list[int]] = defaultdict(list)
        for name, rssi_dbm in self.phone.frames.get(self._numbers[place], ()):
            levels[name].append(rssi_dbm)
        then = START + self._starts[place] - self._zero
        heard = [
            (senders[name].frame(then)[0], round(float(np.mean(dbm))) + self.phone.radio.receiver_correction_db)
            for name, dbm in levels.items()
        ]
        heard.sort(key=lambda neighbour: -neighbour[1])
        now = START + seconds - self._zero
        identifier, _ = self.frame(now)
        key = reciprocity_key(self._keys[int(now // SECONDS_PER_DAY)])
        for first in range(0, min(len(heard), TOLD_NEIGHBOURS), ENTRIES):
            yield encode_reciprocity_frame(
                key, identifier, os.urandom(NONCE_LENGTH), heard[first : first + ENTRIES], os.urandom
            )

    def keys(self) -> list[TemporaryExposureKey]:
        """Its own keys, as a phone keeps them."""
        return [TemporaryExposureKey(key, day * INTERVALS_PER_KEY) for day, key in self._keys.items()]

    def published(self) -> KeyColumns:
        """Its keys as an export file has them, of the first day of illness each."""
        return KeyColumns.from_keys(
            DiagnosisKey(key, day * INTERVALS_PER_KEY, INTERVALS_PER_KEY, ReportType.CONFIRMED_TEST, 0, 0)
            for day, key in sorted(self._keys.items())
        )


@contextmanager
def _log() -> Iterator[EncounterLog]:
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder))
        try:
            yield EncounterLog(store)
        finally:
            store.close()


def _hear(
    log: EncounterLog, phone: Phone, senders: dict[str, _Sender], seconds_zero: float, reciprocity: bool
) -> None:  # fmt: skip
    since, own = _since(phone), senders[phone.name]
    log.power_dbm = phone.radio.effective_power_dbm
    for burst, seconds in phone.bursts.items():
        boot = BOOT_SECONDS + seconds - seconds_zero
        stamp = Stamp("b", 1, START - BOOT_SECONDS, False, True, 0, 0)
        log.burst_started(Burst(burst, boot, since[burst]))
        for sender, rssi_dbm in phone.frames.get(burst, ()):
            if sender != phone.name and plausible_rssi(rssi_dbm):
                identifier, metadata = senders[sender].frame(START + seconds - seconds_zero)
                log.add_sighting(
                    Sighting(identifier, metadata, rssi_dbm, burst, boot), stamp, int(START // SECONDS_PER_DAY)
                )
        own.frame(START + seconds - seconds_zero)
        if reciprocity:
            for sender in {name for name, rssi_dbm in phone.frames.get(burst, ()) if plausible_rssi(rssi_dbm)}:
                for frame in senders[sender].reciprocity(seconds, senders):
                    log.add_reciprocity_frame(frame)
    log.flush()


def _since(phone: Phone) -> dict[int, float]:
    """Seconds each burst stands for, as a beacon says them: since the one before, at most five minutes."""
    gaps = np.diff(list(phone.bursts.values()))
    usual = float(np.median(gaps)) if len(gaps) else 30.0
    seconds = [min(gap, LONGEST_BURST_GAP_SECONDS) for gap in [usual, *gaps.tolist()]]
    return dict(zip(phone.bursts, seconds, strict=True))


def _meeting(
    index: EncounterIndex, phone: Phone, sender: _Sender, profile: Profile, sent: OwnIdentifiers
) -> Meeting:  # fmt: skip
    keys, receiver = sender.published(), Receiver(phone.radio.receiver_correction_db, phone.radio.confidence)
    windows = build_file_windows(index, keys, 1, set(), receiver, "UTC", profile, sent) if len(keys.keys) else []
    windows.sort(key=lambda window: window.day)
    today = datetime.fromtimestamp(START + 14 * SECONDS_PER_DAY, UTC).date()
    days = assess_exposure(windows, replace(profile, max_age_days=None), today).days
    worst = max(days, key=lambda day: day.score, default=None)
    return Meeting(phone.name, sender.phone.name, worst, tuple(_slices(windows, phone, sender, profile)))


def _slices(windows: list[ExposureWindow], phone: Phone, sender: _Sender, profile: Profile) -> Iterator[Slice]:
    """The windows cut into five minutes; an instance is the burst in which the sender was heard, in order."""
    assert profile.nearness is not None
    heard = {
        burst: levels
        for burst in phone.bursts
        if (levels := [rssi for name, rssi in phone.frames.get(burst, ()) if name == sender.phone.name])
        and any(plausible_rssi(rssi) for rssi in levels)
    }
    instances = [(window, instance) for window in windows for instance in window.scan_instances]
    parts: dict[int, list[tuple[int, ExposureWindow, int]]] = {}
    for place, (burst, (window, _)) in enumerate(zip(heard, instances, strict=False)):
        parts.setdefault(int(phone.bursts[burst] // WINDOW_SECONDS), []).append((burst, window, place))
    power = sender.phone.radio.effective_power_dbm - phone.radio.receiver_correction_db
    for number, part in parts.items():
        own = tuple(instances[place][1] for _, _, place in part)
        judged = SegmentedEncounter(replace(part[0][1], scan_instances=own), profile.nearness).near_minutes()
        yield Slice(
            (number + 0.5) * WINDOW_SECONDS,
            tuple(tuple(max(power - rssi, 0) for rssi in heard[burst] if plausible_rssi(rssi)) for burst, _, _ in part),
            tuple(instance.seconds_since_last_scan for instance in own),
            judged.expected / judged.heard if judged.heard else 0.0,
        )
