# SPDX-License-Identifier: Apache-2.0
"""The owner's report of an infection, from a code to the upload, with consent; it survives a kill at any instant.

The pending report is stored before each call, so that after a kill the same call is made again: the server signs the
same blinded value again, and an upload that arrived twice counts once.
Source: docs/protocol.md section 4; docs/design.md, promise 2; docs/attacks.md rows 17 and 44.
"""

import random
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date

from bluezone.handset.city.config import CityConfig, WeekKeyUntrusted
from bluezone.handset.clocks import PhoneTime
from bluezone.handset.encounters.dailykeys import DailyKeys
from bluezone.handset.report.calls import Answer, Calls
from bluezone.handset.report.stages import (
    PendingReport,
    PreviewItem,
    ReportDraft,
    ReportOutcome,
    ReportPreview,
    keep_pending,
    read_pending,
    unix_day,
)
from bluezone.handset.sentlog import Kind, SentLog
from bluezone.handset.store import Store
from bluezone.handset.venues import Visit, VisitMissing, Visits
from bluezone.protocol.blindrsa import PublicKey, blind, finalize
from bluezone.protocol.intervals import day_at, day_of
from bluezone.protocol.upload import (
    MAX_KEY_AGE_DAYS,
    Slot,
    Status,
    UploadKey,
    Verify1Request,
    Verify2Request,
    commitment,
    infectious_level,
)
from bluezone.protocol.upload.codes import Credential
from bluezone.protocol.venues.stays import within_bounds
from bluezone.refusal import Refused

PENDING = "report"
# From reading the draft to the upload, beside the wait: a key must not grow too old on the way.
LEEWAY_SECONDS = 3600


class ConsentMissing(Refused):
    """The owner has not agreed to exactly what would be sent, so nothing was sent."""

    code = "consent_missing"


class NothingToReport(Refused):
    """This phone has no random codes of the days that matter, or all of them were left out or sent before."""

    code = "nothing_to_report"


class ReportPending(Refused):
    """A report is certified and will be sent by itself; no new code is needed."""

    code = "report_pending"


class CodeWrong(Refused):
    """The server does not know the code."""

    code = "code_wrong"


class CodeUsedOrExpired(Refused):
    """The code was used or its time is over."""

    code = "code_used_or_expired"


class ReportRefused(Refused):
    """The server does not take the report; the message says which status it gave."""

    code = "report_refused"


class Report:
    """Drives one report at a time. Times are trusted Unix seconds.

    refresh:    fetches what is new of the city; called where its config does not cover this week.
    on_rekeyed: called when today's key was given away and replaced.
    """

    def __init__(
        self, store: Store, city: CityConfig, keys: DailyKeys, visits: Visits, sent: SentLog, calls: Calls,
        rng: random.Random, time: PhoneTime, refresh: Callable[[], object],
    ) -> None:  # fmt: skip
        self._store = store
        self._city = city
        self._keys = keys
        self._visits = visits
        self._sent = sent
        self._calls = calls
        self._rng = rng
        self._time = time
        self._refresh = refresh
        # The page and the agent may both go on with a report; only one call is made at a time.
        self._lock = threading.RLock()
        self.on_rekeyed: Callable[[], None] = lambda: None

    @property
    def pending(self) -> PendingReport | None:
        """The report under way, if any."""
        return read_pending(self._store, PENDING)

    def prepare(self, credential: str) -> ReportDraft:
        """Ask what a code or link is worth and say what a report would send; the code is not used.

        Raises InvalidCode, CodeWrong, CodeUsedOrExpired, WeekKeyUntrusted, NothingToReport, ReportPending,
        ServerUnreachable, and as `refresh`.
        """
        read = Credential.from_text(credential)
        if not self._city.covers(self._time.now()):
            self._refresh()
        return self._draft(read, self._time.now())

    def _draft(self, credential: Credential, now: float) -> ReportDraft:
        self._refuse_if_certified()
        answer = self._logged("code_checked", now, lambda: self._calls.verify1(Verify1Request(credential=credential)))
        _check_status(answer.status)
        self._city.require_trusted(answer.kid, answer.klass, now)
        today, by_then = day_at(now), day_at(now + self._longest_wait() + LEEWAY_SECONDS)
        chosen = []
        for day, key in sorted(self._keys.reportable(today).items()):
            level = infectious_level(day, answer.onset_day)
            if level is not None and by_then - day <= MAX_KEY_AGE_DAYS:
                chosen.append((key, level))
        visits = tuple(visit for visit in self._visits.reportable(now) if _matters(visit, answer.onset_day, today))
        if not chosen and not visits:
            raise NothingToReport("this phone has no codes of the days in which you could infect others")
        return ReportDraft(credential, answer.klass, answer.kid, tuple(chosen), visits, now, answer.onset_day)

    def preview(self, draft: ReportDraft, days: Iterable[int] | None, visits: Iterable[int] = ()) -> ReportPreview:
        """Say exactly what `send` with the same choice would send. Raises VisitMissing."""
        keys = [PreviewItem("key", unix_day(day_of(k.start)), k.to_bytes().hex()) for k in draft.chosen_keys(days)]
        slots = [
            PreviewItem("slot", self._time.local(slot.hour * 3600).date(), slot.to_bytes().hex())
            for slot in self.slots(draft, visits)
        ]
        return ReportPreview((*keys, *slots))

    def slots(self, draft: ReportDraft, visits: Iterable[int]) -> tuple[Slot, ...]:
        """What a report would send of the chosen stays. Raises VisitMissing for one that is not in the draft."""
        wanted, offered = set(visits), {visit.id for visit in draft.visits}
        if not wanted <= offered:
            raise VisitMissing("a chosen visit is not among those that can be sent; nothing was sent")
        return within_bounds(slot for number in wanted for slot in self._visits.slots(number, draft.prepared_at))

    def send(
        self, draft: ReportDraft, days: Iterable[int] | None, visits: Iterable[int] = (), *, consent: bool
    ) -> ReportOutcome:
        """Use the code for a certificate of exactly the chosen days and stays, and upload after the wait.

        days: UTC days since 1970-01-01 to send, None for all of the draft. visits: numbers of stays of the draft, none
        unless named.
        Raises ConsentMissing, NothingToReport, VisitMissing, and as `go_on`.
        """
        if not consent:
            raise ConsentMissing("nothing was sent: the owner has not agreed")
        stays = tuple(visits)
        keys, slots = draft.chosen_keys(days), self.slots(draft, stays)
        if not keys and not slots:
            raise NothingToReport("no day is chosen, so there is nothing to send; the code was not used")
        with self._lock:
            now = self._time.now()
            self._refuse_if_certified()
            # Whatever becomes of the report, from here on its owner is a patient.
            self._store.put("agreed_at", now)
            keep_pending(self._store, PENDING, replace(self._blinded(draft, keys, slots, now), visits=stays))
            self._sent.note_report_refused(False)
            return self.go_on()

    def prepare_and_send(
        self, credential: str, days: Iterable[date] | None = None, *, consent: bool = False
    ) -> ReportOutcome:
        """Report with a code or link in one step. days: UTC dates to send, None for all. Raises as the two steps."""
        draft = self.prepare(credential)
        numbers = None if days is None else [(day - unix_day(0)).days for day in days]
        return self.send(draft, numbers, consent=consent)

    def go_on(self) -> ReportOutcome:
        """Do what is next for the pending report; safe to repeat.

        Raises ServerUnreachable, ServerAnswerRefused (everything is kept), CodeWrong, CodeUsedOrExpired,
        WeekKeyUntrusted, ReportRefused (it is dropped, and the page says so until the next).
        """
        with self._lock:
            pending = self.pending
            if pending is None:
                raise NothingToReport("no report is under way")
            now = self._time.now()
            if not pending.certified:
                pending = self._certify(pending, now)
            if now < pending.upload_at:
                return ReportOutcome("waiting", pending.days, pending.upload_at)
            return self._upload(pending, now)

    def _refuse_if_certified(self) -> None:
        pending = self.pending
        if pending is not None and pending.certified:
            raise ReportPending("a report is ready and will be sent by itself; no new code is needed")

    def _blinded(
        self, draft: ReportDraft, keys: tuple[UploadKey, ...], slots: tuple[Slot, ...], now: float
    ) -> PendingReport:
        week_key = self._city.require_trusted(draft.kid, draft.klass, now)
        rand, salt = self._rng.randbytes(32), self._rng.randbytes(32)
        blinded = blind(PublicKey(week_key.n, week_key.e), rand + commitment(salt, keys, slots))
        return PendingReport(
            kind=draft.credential.kind, credential=draft.credential.value.hex(), klass=draft.klass, kid=draft.kid,
            rand=rand.hex(), salt=salt.hex(), keys=tuple((key.key.hex(), key.start, key.level) for key in keys),
            slots=tuple((slot.hour, slot.slot_key.hex(), slot.start_minute, slot.end_minute) for slot in slots),
            blinded=blinded.message.hex(), inverse=f"{blinded.inverse:x}",
        )  # fmt: skip

    def _certify(self, pending: PendingReport, now: float) -> PendingReport:
        try:
            week_key = self._city.require_trusted(pending.kid, pending.klass, now)
        except WeekKeyUntrusted:
            self._drop()
            raise
        request = Verify2Request(
            credential=pending.read_credential(), kid=pending.kid, blinded=bytes.fromhex(pending.blinded)
        )
        answer = self._logged("certificate_asked", now, lambda: self._calls.verify2(request))
        if answer.status is not Status.OK:
            self._drop()
            _check_status(answer.status)
        if answer.kid != pending.kid:
            self._drop()
            raise ReportRefused(f"the server signed with key {answer.kid}, expected {pending.kid}")
        public = PublicKey(week_key.n, week_key.e)
        inverse = int(pending.inverse, 16)
        signature = finalize(public, pending.input_message(), answer.blind_signature, inverse)
        certified = pending.with_signature(signature, now + self._rng.uniform(0, self._longest_wait()))
        keep_pending(self._store, PENDING, certified)
        return certified

    def _drop(self) -> None:
        with self._store.transaction():
            keep_pending(self._store, PENDING, None)
            self._sent.note_report_refused(True)

    def _longest_wait(self) -> float:
        config = self._city.current
        assert config is not None
        return config.waits["verify_to_upload_seconds"]

    def _upload(self, pending: PendingReport, now: float) -> ReportOutcome:
        days, slots = pending.days, len(pending.slots)
        answer = self._logged("keys_sent", now, lambda: self._calls.upload(pending.request()), days, slots)
        if answer.status is not Status.OK:
            self._drop()
            raise ReportRefused(f"the server did not take the report: {answer.status.name.lower()}")
        today = day_at(now)
        with self._store.transaction():
            self._keys.uploaded({bytes.fromhex(key) for key, _, _ in pending.keys}, today)
            self._visits.mark_reported(pending.visits)
            keep_pending(self._store, PENDING, None)
            self._store.put("reported_at", now)
        if today in pending.days:
            self.on_rekeyed()
        return ReportOutcome("sent", pending.days, now)

    def _logged(
        self, kind: Kind, now: float, call: Callable[[], Answer], days: tuple[int, ...] = (), slots: int = 0
    ) -> Answer:
        """Write the request into the list of what was sent, make it, and write down how it ended."""
        number = self._sent.about_to_send(kind, now, days, slots)
        try:
            answer = call()
        except Refused:
            self._sent.ended(number, "not_reached")
            raise
        self._sent.ended(number, "accepted" if answer.status is Status.OK else "refused")
        return answer


def _matters(visit: Visit, onset_day: int, today: int) -> bool:
    """Whether a stay may be offered: it can be sent, and lies in the days in which the owner could infect others."""
    day = day_at(visit.in_at)
    return visit.can_send and today - day <= MAX_KEY_AGE_DAYS and infectious_level(day, onset_day) is not None


def _check_status(status: Status) -> None:
    """Raise the refusal that fits a status of the server."""
    if status is Status.CODE_INVALID:
        raise CodeWrong("the server does not know this code; check the digits. No random codes were sent")
    if status in (Status.CODE_USED, Status.CODE_EXPIRED):
        raise CodeUsedOrExpired("this code was used or has expired; ask for a new one. No random codes were sent")
    if status is not Status.OK:
        raise ReportRefused(f"the server did not go on: {status.name.lower()}. No random codes were sent")
