# SPDX-License-Identifier: Apache-2.0
"""Rehearsals of reports, called random packets on screens: they hide from network observers who really reports.

On average a phone rehearses once in five days, in addition to real reports. The times are stored, so that a restart
neither skips nor repeats a rehearsal. Source: docs/protocol.md section 4, "Chaff"; docs/attacks.md row 16.
"""

import dataclasses
import random

from bluezone.handset.city.config import CityConfig
from bluezone.handset.report.calls import Calls
from bluezone.handset.report.stages import PendingReport, read_pending, store_pending
from bluezone.handset.sentlog import SentLog
from bluezone.handset.store import Store
from bluezone.protocol.blindrsa import PublicKey, blind, finalize
from bluezone.protocol.intervals import SECONDS_PER_DAY, day_at, first_interval
from bluezone.protocol.upload import HIGH, STANDARD, Status, Verify1Request, Verify2Request
from bluezone.protocol.upload.codes import Credential

REHEARSALS_A_DAY = 0.2
KEYS_IN_A_REHEARSAL = 14
# Uniform delay between first and second call, seconds: as long as an owner takes to read the draft and agree.
READING_SECONDS = (15.0, 180.0)
# Names in the phone's store.
NEXT_REHEARSAL = "next_chaff"
# {"at": when the second call is due, "credential": hex}.
SECOND_CALL = "chaff_second"
PENDING_UPLOAD = "chaff_upload"


class Rehearsals:
    """Runs rehearsals when they are due. Times are trusted Unix seconds."""

    def __init__(self, store: Store, city: CityConfig, sent: SentLog, calls: Calls, rng: random.Random) -> None:
        self._store = store
        self._city = city
        self._sent = sent
        self._calls = calls
        self._rng = rng

    def advance(self, now: float) -> bool:
        """Make the next call if it is due; return whether a call was made. Raises as Calls."""
        pending = read_pending(self._store, PENDING_UPLOAD)
        if pending is not None and now >= pending.upload_at:
            store_pending(self._store, PENDING_UPLOAD, None)
            self._calls.upload(pending.upload_request(is_rehearsal=True))
            return True
        second = self._store.get(SECOND_CALL)
        if second is not None and now >= second["at"]:
            self._store.put(SECOND_CALL, None)
            self._redeem(Credential.from_link(bytes.fromhex(second["credential"])), now)
            return True
        due = self._store.get(NEXT_REHEARSAL)
        if due is None or due - now > 100 * SECONDS_PER_DAY:
            self._draw_next(now)
            return False
        if now < due:
            return False
        # Drawn before the call, so that a phone does not rehearse more often after a time without network.
        self._draw_next(now)
        self._begin(now)
        return True

    def next_call_at(self) -> float | None:
        """Return when the next call of a started rehearsal is due, None if no rehearsal was started."""
        pending = read_pending(self._store, PENDING_UPLOAD)
        second = self._store.get(SECOND_CALL)
        moments: list[float] = []
        if pending is not None:
            moments.append(pending.upload_at)
        if second is not None:
            moments.append(second["at"])
        return min(moments, default=None)

    def _draw_next(self, now: float) -> None:
        self._store.put(NEXT_REHEARSAL, now + self._rng.expovariate(REHEARSALS_A_DAY) * SECONDS_PER_DAY)

    def _begin(self, now: float) -> None:
        self._sent.count_random_packet()
        credential = self._rng.randbytes(16)
        self._calls.check_code(Verify1Request(is_rehearsal=True, credential=Credential.from_link(credential)))
        at = now + self._rng.uniform(*READING_SECONDS)
        self._store.put(SECOND_CALL, {"at": at, "credential": credential.hex()})

    def _redeem(self, credential: Credential, now: float) -> None:
        config = self._city.current
        if config is None:
            return
        key = self._city.rehearsal_key(now)
        report, inverse = self._random_report(key.kid, PublicKey(key.n, key.e), now)
        request = Verify2Request(
            is_rehearsal=True, credential=credential, kid=key.kid, blinded=bytes.fromhex(report.blinded)
        )
        answer = self._calls.redeem_code(request)
        if answer.status is Status.OK:
            public = PublicKey(key.n, key.e)
            signature = finalize(public, report.input_message(), answer.blind_signature, inverse)
            wait = self._rng.uniform(0, config.waits["verify_to_upload_seconds"])
            store_pending(self._store, PENDING_UPLOAD, report.with_signature(signature, now + wait))

    def _random_report(self, kid: int, public: PublicKey, now: float) -> tuple[PendingReport, int]:
        """Return a report of random keys with its blinded commitment, and the inverse to unblind the answer."""
        today = day_at(now)
        keys = tuple(
            (self._rng.randbytes(16).hex(), first_interval(day), HIGH if day > today - 6 else STANDARD)
            for day in range(today - KEYS_IN_A_REHEARSAL + 1, today + 1)
        )
        rand = self._rng.randbytes(32).hex()
        salt = self._rng.randbytes(32).hex()
        report = PendingReport(
            kind=1, credential="", klass=0, kid=kid, rand=rand, salt=salt, keys=keys, blinded="", inverse=""
        )
        blinded = blind(public, report.input_message())
        return dataclasses.replace(report, blinded=blinded.message.hex()), blinded.inverse
