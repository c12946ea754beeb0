# SPDX-License-Identifier: Apache-2.0
"""What a letter says, as proposed to a clerk: each value with the place it was read from and how sure that is.

Source of the parts: the administrative layout of Vietnamese documents (Decree 30/2020/NĐ-CP, from memory) and
Công văn 458/UBND-VP of 7 August 2020.
"""

import datetime
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

Value = TypeVar("Value", covariant=True)


class Confidence(StrEnum):
    """How sure a proposed value is; three steps, because finer ones would only look exact."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Doubt(StrEnum):
    """Why a proposed value should be looked at; pages translate it."""

    STRUCK = "struck"  # written by hand, or struck, in the original
    OCR = "ocr"  # read through what looks like errors of an optical reader
    UNMARKED = "unmarked"  # the letter does not say so; it is what such letters mean
    NO_COLON = "no_colon"  # agencies stand before a verb, not before a colon
    ADDRESSEES = "addressees"  # names nobody, so it is for all whom the letter addresses
    YEAR_ASSUMED = "year_assumed"  # day and month only; the year is the letter's
    OUTSIDE_ITS_PLACE = "outside_its_place"  # found elsewhere than the layout puts it
    INCOMPLETE = "incomplete"  # part of it is missing or impossible
    PERIOD = "period"  # a month or quarter is named, and its last day taken
    PROSE = "prose"  # taken out of running text, not from a numbered clause


@dataclass(frozen=True)
class Span:
    """Characters start..end (exclusive) of the stored text."""

    start: int
    end: int


@dataclass(frozen=True)
class Proposed(Generic[Value]):
    """A value, where it was read, and how sure that is."""

    value: Value
    span: Span
    confidence: Confidence = Confidence.HIGH
    doubts: tuple[Doubt, ...] = ()


class DocumentKind(StrEnum):
    """Kinds of administrative document, by the abbreviation in their notation (Decree 30/2020, from memory)."""

    OFFICIAL_LETTER = "official_letter"  # công văn
    DECISION = "decision"  # quyết định (QĐ)
    PLAN = "plan"  # kế hoạch (KH)
    INSTRUCTION = "instruction"  # chỉ thị (CT)
    NOTICE = "notice"  # thông báo (TB)
    REPORT = "report"  # báo cáo (BC)
    TELEGRAM = "telegram"  # công điện (CĐ)
    GUIDANCE = "guidance"  # hướng dẫn (HD)
    SUBMISSION = "submission"  # tờ trình (TTr)
    RESOLUTION = "resolution"  # nghị quyết (NQ)
    DECREE = "decree"  # nghị định (NĐ)
    CIRCULAR = "circular"  # thông tư (TT)
    LAW = "law"  # luật
    PROGRAMME = "programme"  # chương trình (CTr)
    INVITATION = "invitation"  # giấy mời (GM)
    OTHER = "other"


class Urgency(StrEnum):
    """Stamp of urgency: KHẨN, THƯỢNG KHẨN, HỎA TỐC."""

    URGENT = "urgent"
    VERY_URGENT = "very_urgent"
    EXPRESS = "express"


@dataclass(frozen=True)
class DocumentNumber:
    """Number and notation: `458` and `UBND-VP`; number is None where the letter leaves it open."""

    number: str | None
    notation: str

    def __str__(self) -> str:
        return f"{self.number or '…'}/{self.notation}"


@dataclass(frozen=True)
class DocumentReference:
    """Another document that this one carries out or rests on."""

    kind: DocumentKind
    number: str
    date: datetime.date | None
    issuer: str | None
    subject: str | None


class Authority(StrEnum):
    """In whose name a letter is signed: on behalf of a body, for a superior, by order, by delegation, acting."""

    TM = "TM"
    KT = "KT"
    TL = "TL"
    TUQ = "TUQ"
    Q = "Q"


@dataclass(frozen=True)
class AuthorityLine:
    """One line such as `KT. CHỦ TỊCH`: the authority and whom it names."""

    authority: Authority
    of: str


@dataclass(frozen=True)
class Signer:
    """Who signs: authority lines from top to bottom, the signer's own position, and the name as written."""

    authorities: tuple[AuthorityLine, ...]
    position: str | None
    name: str | None


class Purpose(StrEnum):
    """What a recipient gets the letter for: để thực hiện, để biết (and để báo cáo), lưu."""

    ACTION = "action"
    INFORMATION = "information"
    FILE = "file"


@dataclass(frozen=True)
class Recipient:
    """A line of Nơi nhận. `refers_to` is "addressees" for Như kính gửi, "article 3" for Như Điều 3, else None."""

    name: str
    purpose: Purpose
    refers_to: str | None = None


@dataclass(frozen=True)
class Addressee:
    """A name under Kính gửi; `collective` when it stands for several agencies (các phòng, ban …)."""

    name: str
    collective: bool


class PartyRole(StrEnum):
    """chủ trì, phối hợp."""

    LEAD = "lead"
    COOPERATING = "cooperating"


@dataclass(frozen=True)
class TaskParty:
    """An agency of a task, or a name that stands for several."""

    name: str
    role: PartyRole
    collective: bool


class Every(StrEnum):
    """How often something is due again."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


@dataclass(frozen=True)
class Due:
    """When something is due: once (date), or again and again (every, with ISO weekday 1..7 or day of the month).

    inclusive: False where the letter says "trước" (before), so the day itself is already late.
    """

    date: datetime.date | None = None
    time: datetime.time | None = None
    every: Every | None = None
    weekday: int | None = None
    day_of_month: int | None = None
    inclusive: bool = True


@dataclass(frozen=True)
class ProposedTask:
    """One order. label: the clause's own, `1`, `III.2` or `Điều 2`; `Ý 1` for the first of a list of dashes or of
    prose, `Bảng 1` for a row of a table. text: the order without its label and points.
    """

    label: str
    text: Proposed[str]
    points: tuple[Proposed[str], ...]
    parties: tuple[Proposed[TaskParty], ...]
    due: Proposed[Due] | None

    def names(self, role: PartyRole) -> tuple[str, ...]:
        """Return the names of the parties with this role."""
        return tuple(party.value.name for party in self.parties if party.value.role is role)


@dataclass(frozen=True)
class Proposal:
    """Everything read from a letter; what was not found is None or empty, and a clerk fills it in.

    co_issuers: the other bodies of a joint letter. unsure: passages that may order something and are no task here, as
    it is not sure that this letter orders it. converted_from: "tcvn3" or "vni" for text of an old font.
    """

    text: str
    kind: Proposed[DocumentKind]
    number: Proposed[DocumentNumber] | None
    date: Proposed[datetime.date] | None
    place: Proposed[str] | None
    issuer: Proposed[str] | None
    superior: Proposed[str] | None
    subject: Proposed[str] | None
    basis: tuple[Proposed[DocumentReference], ...]
    addressees: tuple[Proposed[Addressee], ...]
    tasks: tuple[ProposedTask, ...]
    due: Proposed[Due] | None
    signers: tuple[Proposed[Signer], ...]
    recipients: tuple[Proposed[Recipient], ...]
    urgency: Proposed[Urgency] | None = None
    co_issuers: tuple[Proposed[str], ...] = ()
    converted_from: str | None = None
    unsure: tuple[Proposed[str], ...] = ()

    @property
    def unread(self) -> tuple[str, ...]:
        """The fields every letter has that were not found in this one, by their names here."""
        found: dict[str, object] = {
            "number": self.number and self.number.value.number,
            "date": self.date,
            "issuer": self.issuer,
            "subject": self.subject,
            "tasks": self.tasks,
            "signers": self.signers and self.signers[0].value.name,
            "recipients": self.recipients or self.addressees,
        }
        return tuple(name for name, value in found.items() if not value)
