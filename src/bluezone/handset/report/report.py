# SPDX-License-Identifier: Apache-2.0
"""The owner's report of an infection: code, consent, certificate and upload.

The process may be killed at any instant. The pending report is stored before each call, so that the phone then repeats
the same call: the server signs the same blinded value again, and an upload that arrives twice counts once.
Source: docs/protocol.md section 4; docs/design.md, promise 2; docs/attacks.md rows 17 and 44.
"""

import random
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta
from itertools import chain

from bluezone.handset.city.config import CityConfig
from bluezone.handset.city.publiclog import WeekKeyUntrusted
from bluezone.handset.clocks import PhoneTime
from bluezone.handset.encounters.dailykeys import DailyKeys
from bluezone.handset.report.calls import Answer, Calls
from bluezone.handset.report.stages import (
    PendingReport,
    PreviewItem,
    ReportDraft,
    ReportOutcome,
    ReportPreview,
    read_pending,
    store_pending,
    unix_day,
)
from bluezone.handset.sentlog import Kind, SentLog
from bluezone.handset.store import Store
from bluezone.handset.venues.stays import Stay, StayMissing, Stays
from bluezone.protocol.blindrsa import PublicKey, blind, finalize
from bluezone.protocol.intervals import day_at, day_of
from bluezone.protocol.upload import (
    MAX_KEY_AGE_DAYS,
    SlipRequest,
    Slot,
    Status,
    UploadKey,
    Verify1Request,
    Verify2Answer,
    Verify2Request,
    commitment,
    infectious_level,
)
from bluezone.protocol.upload.codes import LINK_LENGTH, Credential
from bluezone.protocol.upload.requests import SLIP_KIND
from bluezone.protocol.upload.slips import Slip, is_slip, read_slip, use_slip
from bluezone.protocol.venues.stays import limit_to_upload
from bluezone.refusal import Refused

PENDING = "report"
# Time from the draft to the upload, in addition to the wait: a key must not become too old in between.
LEEWAY_SECONDS = 3600
# When to try again after the city has taken as many reports as are plausible on a day.
LATER_SECONDS = (1800, 5400)


class ConsentMissing(Refused):
    """The owner has not agreed to exactly what would be sent, so nothing was sent."""

    code = "consent_missing"


class NothingToReport(Refused):
    """There is nothing to send: no keys or stays of the infectious days, or the owner deselected all of them."""

    code = "nothing_to_report"


class ReportPending(Refused):
    """Another report has its certificate and will be sent automatically; no new code is needed."""

    code = "report_pending"


class CodeWrong(Refused):
    """The server does not know the code."""

    code = "code_wrong"


class CodeUsedOrExpired(Refused):
    """The code was used or has expired."""

    code = "code_used_or_expired"


class OnsetMissing(Refused):
    """A slip needs the day of the first symptoms, or of the sample, which is written on it by hand."""

    code = "onset_missing"


class OnsetImpossible(Refused):
    """The day of the first symptoms, or of the sample, is over 14 days ago, or is to come; nothing was sent."""

    code = "onset_impossible"


class ReportRefused(Refused):
    """The server does not accept the report; the message contains its status."""

    code = "report_refused"


class Report:
    """Makes the owner's reports, one at a time. Times are trusted Unix seconds.

    refresh:    fetches the city's new files; called if the config has no upload keys of this week.
    on_rekeyed: called after today's key was uploaded and replaced.
    """

    def __init__(
        self, store: Store, city: CityConfig, keys: DailyKeys, stays: Stays, sent: SentLog, calls: Calls,
        rng: random.Random, time: PhoneTime, refresh: Callable[[], object],
    ) -> None:  # fmt: skip
        self._store = store
        self._city = city
        self._keys = keys
        self._stays = stays
        self._sent = sent
        self._calls = calls
        self._rng = rng
        self._time = time
        self._refresh = refresh
        # Page and agent may both continue a report, but only one of them at a time.
        self._lock = threading.RLock()
        self.on_rekeyed: Callable[[], None] = lambda: None

    @property
    def pending(self) -> PendingReport | None:
        """The pending report, if any."""
        return read_pending(self._store, PENDING)

    def prepare_draft(self, credential: str, onset: date | None = None) -> ReportDraft:
        """Check a code, link or slip, and return what a report would send. It can still be used afterwards.

        onset: local date of the first symptoms, or of the sample; for slips alone, which have it written by hand.
        Raises InvalidCode, CodeWrong, CodeUsedOrExpired, OnsetMissing, OnsetImpossible, WeekKeyUntrusted,
        NothingToReport, ReportPending, ServerUnreachable, and as `refresh`.
        """
        now = self._time.now()
        (city_key,) = self._city.trusted().values()
        parsed = read_slip(credential, city_key, now) if is_slip(credential) else Credential.from_text(credential)
        onset_day = self._onset_day(onset) if isinstance(parsed, Slip) else 0
        if not self._city.has_current_week_keys(now):
            self._refresh()
        self._refuse_if_certified()
        if isinstance(parsed, Slip):
            return self._draft_with_slip(parsed, onset_day, self._time.now())
        return self._draft_with_code(parsed, self._time.now())

    def _onset_day(self, onset: date | None) -> int:
        if onset is None:
            raise OnsetMissing("enter the day of the first symptoms, or of the sample, as it is written on the slip")
        today = self._time.today()
        if not today - timedelta(days=MAX_KEY_AGE_DAYS) <= onset <= today:
            raise OnsetImpossible(f"the day {onset} is over {MAX_KEY_AGE_DAYS} days ago, or is to come")
        return (onset - unix_day(0)).days

    def _draft_with_code(self, credential: Credential, now: float) -> ReportDraft:
        answer = self._log_call(
            "code_checked", now, lambda: self._calls.check_code(Verify1Request(credential=credential))
        )
        _check_status(answer.status)
        # The phone chooses: a server that names a key could give each phone another one.
        kid = self._city.choose_upload_key(answer.klass, now).kid
        return self._draft(credential, answer.klass, kid, answer.onset_day, now)

    def _draft_with_slip(self, slip: Slip, onset_day: int, now: float) -> ReportDraft:
        """The draft of a slip, of which the server learns nothing yet.

        The first call of a rehearsal is made in its place, so that the network shows the calls of any report.
        """
        key = self._city.choose_upload_key(slip.klass, now)
        draft = self._draft(slip, slip.klass, key.kid, onset_day, now)
        self._sent.count_random_packet()
        blank = Credential.from_link(self._rng.randbytes(LINK_LENGTH))
        self._calls.check_code(Verify1Request(is_rehearsal=True, credential=blank))
        return draft

    def _draft(self, credential: Credential | Slip, klass: int, kid: int, onset_day: int, now: float) -> ReportDraft:
        today = day_at(now)
        latest_upload_day = day_at(now + self._longest_wait() + LEEWAY_SECONDS)
        chosen = []
        for day, key in sorted(self._keys.reportable_keys(today).items()):
            level = infectious_level(day, onset_day)
            if level is not None and latest_upload_day - day <= MAX_KEY_AGE_DAYS:
                chosen.append((key, level))
        stays = tuple(stay for stay in self._stays.reportable_stays(now) if _may_be_offered(stay, onset_day, today))
        if not chosen and not stays:
            raise NothingToReport("this phone has no codes of the days in which you could infect others")
        return ReportDraft(credential, klass, kid, tuple(chosen), stays, now, onset_day)

    def preview(self, draft: ReportDraft, days: Iterable[int] | None, stays: Iterable[int] = ()) -> ReportPreview:
        """Return exactly what `submit_report` would send for the same days and stays. Raises StayMissing."""
        keys = [
            PreviewItem("key", unix_day(day_of(key.start)), key.to_bytes().hex()) for key in draft.chosen_keys(days)
        ]
        slots = [
            PreviewItem("slot", self._time.local(slot.hour * 3600).date(), slot.to_bytes().hex())
            for slot in self.chosen_slots(draft, stays)
        ]
        return ReportPreview((*keys, *slots))

    def chosen_slots(self, draft: ReportDraft, stays: Iterable[int]) -> tuple[Slot, ...]:
        """Return the slots that a report would send for chosen stays. Raises StayMissing for one not in the draft."""
        chosen = set(stays)
        offered = {stay.id for stay in draft.stays}
        if not chosen <= offered:
            raise StayMissing("a chosen visit is not among those that can be sent; nothing was sent")
        return limit_to_upload(
            chain.from_iterable(self._stays.slots_of(number, draft.prepared_at) for number in chosen)
        )

    def submit_report(
        self, draft: ReportDraft, days: Iterable[int] | None, stays: Iterable[int] = (), *, consent: bool
    ) -> ReportOutcome:
        """Redeem the code for a certificate of exactly the chosen days and stays, and upload these after the wait.

        days: UTC days since 1970-01-01 to send, None for all of the draft. stays: numbers of stays of the draft.
        Raises ConsentMissing, NothingToReport, StayMissing, and as `advance`.
        """
        if not consent:
            raise ConsentMissing("nothing was sent: the owner has not agreed")
        numbers = tuple(stays)
        keys = draft.chosen_keys(days)
        slots = self.chosen_slots(draft, numbers)
        if not keys and not slots:
            raise NothingToReport("no day is chosen, so there is nothing to send; the code was not used")
        with self._lock:
            now = self._time.now()
            self._refuse_if_certified()
            # From here on the owner is a patient, even if the report fails.
            self._store.put("agreed_at", now)
            store_pending(self._store, PENDING, replace(self._blind(draft, keys, slots, now), visits=numbers))
            self._sent.note_report_refused(False)
            return self.advance()

    def prepare_and_submit(
        self,
        credential: str,
        days: Iterable[date] | None = None,
        *,
        onset: date | None = None,
        consent: bool = False,
    ) -> ReportOutcome:
        """Report with a code, link or slip in one step; days: UTC dates, None for all. onset: as `prepare_draft`.

        Raises as `prepare_draft` and `submit_report`.
        """
        draft = self.prepare_draft(credential, onset)
        numbers = None if days is None else [(day - unix_day(0)).days for day in days]
        return self.submit_report(draft, numbers, consent=consent)

    def advance(self) -> ReportOutcome:
        """Do the next step of the pending report; safe to repeat.

        Raises ServerUnreachable, ServerAnswerRefused (the report remains pending), and CodeWrong, CodeUsedOrExpired,
        WeekKeyUntrusted, ReportRefused (the report is dropped, and the page shows this until the next report).
        """
        with self._lock:
            pending = self.pending
            if pending is None:
                raise NothingToReport("no report is under way")
            now = self._time.now()
            if not pending.is_certified and now >= pending.upload_at:
                pending = self._certify(pending, now)
            if not pending.is_certified:
                return ReportOutcome("later", pending.days, pending.upload_at)
            if now < pending.upload_at:
                return ReportOutcome("waiting", pending.days, pending.upload_at)
            return self._upload(pending, now)

    def _refuse_if_certified(self) -> None:
        pending = self.pending
        if pending is not None and pending.is_certified:
            raise ReportPending("a report is ready and will be sent automatically; no new code is needed")

    def _blind(
        self, draft: ReportDraft, keys: tuple[UploadKey, ...], slots: tuple[Slot, ...], now: float
    ) -> PendingReport:
        week_key = self._city.require_trusted(draft.kid, draft.klass, now)
        rand = self._rng.randbytes(32)
        salt = self._rng.randbytes(32)
        blinded = blind(PublicKey(week_key.n, week_key.e), rand + commitment(salt, keys, slots))
        credential = draft.credential
        kind = SLIP_KIND if isinstance(credential, Slip) else credential.kind
        content = credential.to_bytes() if isinstance(credential, Slip) else credential.value
        return PendingReport(
            kind=kind, credential=content.hex(), klass=draft.klass, kid=draft.kid,
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
        answer = self._log_call("certificate_asked", now, lambda: self._redeem(pending))
        if answer.status is Status.LATER:
            # Nothing was used. The same values are sent again, so that no answer that is lost uses up the slip.
            later = replace(pending, upload_at=now + self._rng.uniform(*LATER_SECONDS))
            store_pending(self._store, PENDING, later)
            return later
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
        store_pending(self._store, PENDING, certified)
        return certified

    def _redeem(self, pending: PendingReport) -> Verify2Answer:
        credential = pending.read_credential()
        blinded = bytes.fromhex(pending.blinded)
        if isinstance(credential, Slip):
            return self._calls.use_slip(SlipRequest(use=use_slip(credential, pending.kid, blinded)))
        return self._calls.redeem_code(Verify2Request(credential=credential, kid=pending.kid, blinded=blinded))

    def _drop(self) -> None:
        with self._store.transaction():
            store_pending(self._store, PENDING, None)
            self._sent.note_report_refused(True)

    def _longest_wait(self) -> float:
        config = self._city.current
        assert config is not None
        return config.waits["verify_to_upload_seconds"]

    def _upload(self, pending: PendingReport, now: float) -> ReportOutcome:
        answer = self._log_call(
            "keys_sent", now, lambda: self._calls.upload(pending.upload_request()), pending.days, len(pending.slots)
        )
        if answer.status is not Status.OK:
            self._drop()
            raise ReportRefused(f"the server did not take the report: {answer.status.name.lower()}")
        today = day_at(now)
        with self._store.transaction():
            self._keys.mark_uploaded({bytes.fromhex(key) for key, _, _ in pending.keys}, today)
            self._stays.mark_reported(pending.visits)
            store_pending(self._store, PENDING, None)
            self._store.put("reported_at", now)
        if today in pending.days:
            self.on_rekeyed()
        return ReportOutcome("sent", pending.days, now)

    def _log_call(
        self, kind: Kind, now: float, call: Callable[[], Answer], days: tuple[int, ...] = (), slots: int = 0
    ) -> Answer:
        """Log a request, make the call, and log the outcome. Returns the answer; raises as `call`."""
        number = self._sent.log_request(kind, now, days, slots)
        try:
            answer = call()
        except Refused:
            self._sent.log_outcome(number, "not_reached")
            raise
        self._sent.log_outcome(number, "accepted" if answer.status is Status.OK else "refused")
        return answer


def _may_be_offered(stay: Stay, onset_day: int, today: int) -> bool:
    """Whether a stay can be sent and was on a day on which the owner could infect others."""
    day = day_at(stay.in_at)
    return stay.can_send and today - day <= MAX_KEY_AGE_DAYS and infectious_level(day, onset_day) is not None


def _check_status(status: Status) -> None:
    """Raise the refusal for a status of the server that is not OK."""
    if status is Status.CODE_INVALID:
        raise CodeWrong("the server does not know this code; check the digits. No random codes were sent")
    if status in (Status.CODE_USED, Status.CODE_EXPIRED):
        raise CodeUsedOrExpired("this code was used or has expired; ask for a new one. No random codes were sent")
    if status is not Status.OK:
        raise ReportRefused(f"the server refused the request: {status.name.lower()}. No random codes were sent")
