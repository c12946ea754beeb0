# SPDX-License-Identifier: Apache-2.0
"""The part of a phone that tells others of its owner's infection: prepare, read what would be sent, agree, send.

Source: protocol.md section 4; design.md, promise 2.
"""

from collections.abc import Iterable
from datetime import date

from bluezone.handset.city.config import CityConfig
from bluezone.handset.exposure.warnings import Warning
from bluezone.handset.report.chaff import Chaff
from bluezone.handset.report.declaration import DeclaredLevel, Declaring
from bluezone.handset.report.draft import PreviewItem, ReportDraft, ReportOutcome, ReportPreview, unix_day
from bluezone.handset.report.reporting import Reporting
from bluezone.handset.report.sentlog import Sent, SentLog
from bluezone.protocol.intervals import day_at, day_of
from bluezone.protocol.risk.assessment import Assessment
from bluezone.protocol.upload.codes import Credential


class Telling:
    """What the owner may send, and did. The phone gives it its parts."""

    city: CityConfig
    reporting: Reporting
    sent_log: SentLog
    _chaff: Chaff
    _declaring: Declaring

    def now(self) -> float:
        """Trusted Unix seconds; the phone's."""
        raise NotImplementedError

    def check(self) -> Assessment:
        """Fetch what is new; the phone's."""
        raise NotImplementedError

    def warnings(self) -> list[Warning]:
        """What the owner is told; the phone's."""
        raise NotImplementedError

    def prepare_report(self, credential: str) -> ReportDraft:
        """Ask what a code or link is worth and say what a report would send. Raises InvalidCode and as Reporting."""
        read = Credential.from_text(credential)
        if not self.city.covers(self.now()):
            self.check()
        return self.reporting.prepare(read, self.now())

    def preview_report(self, draft: ReportDraft, days: list[int] | None, visits: Iterable[int] = ()) -> ReportPreview:
        """Say exactly what `send_report` with the same choice would send. Raises VisitMissing."""
        keys = [PreviewItem("key", unix_day(day_of(k.start)), k.to_bytes().hex()) for k in draft.chosen_keys(days)]
        slots = [
            PreviewItem("slot", unix_day(day_at(slot.hour * 3600)), slot.to_bytes().hex())
            for slot in self.reporting.slots(draft, visits)
        ]
        return ReportPreview((*keys, *slots))

    def send_report(
        self, draft: ReportDraft, days: list[int] | None, visits: Iterable[int] = (), *, consent: bool
    ) -> ReportOutcome:
        """Send what was agreed to.

        days: UTC days since 1970-01-01, None for all of the draft. visits: numbers of stays of the draft, none unless
        named.
        """
        return self.reporting.send(draft, days, visits, consent=consent, now=self.now())

    def report(self, credential: str, days: list[date] | None = None, consent: bool = False) -> ReportOutcome:
        """Report with a code or link in one step; days: UTC dates to send, None for all. Raises ConsentMissing."""
        draft = self.prepare_report(credential)
        numbers = None if days is None else [(day - date(1970, 1, 1)).days for day in days]
        return self.send_report(draft, numbers, consent=consent)

    def declare(self, day: date, level: DeclaredLevel, phone: str, text: str = "", *, consent: bool) -> None:
        """Tell the health authority of a warning that this phone has given: sealed, once, and not kept here.

        day: local date of the warning. phone: where to call back, 8 to 15 digits. text: own words, at most 500.
        Raises ConsentMissing, NotWarned, DeclarationImpossible, InvalidDeclaration, ServerUnreachable,
        DeclarationNotTaken.
        """
        told = self.warnings()
        self._declaring.declare(day, level, phone, text, told, consent=consent, now=self.now())

    def go_on(self) -> None:
        """Do what is due of a pending report and of the random packets. Raises as `report`."""
        if self.reporting.pending is not None:
            self.reporting.go_on(self.now())
        if self.city.held is not None:
            self._chaff.go_on(self.now())

    def next_errand(self) -> float | None:
        """When something that has begun goes on, trusted Unix seconds; None if nothing waits."""
        pending = self.reporting.pending
        moments = [pending.upload_at if pending is not None and pending.certified else None, self._chaff.due()]
        return min((moment for moment in moments if moment is not None), default=None)

    def sent(self) -> list[Sent]:
        """Everything of the owner's that ever left the phone."""
        return self.sent_log.all()
