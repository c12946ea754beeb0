# SPDX-License-Identifier: Apache-2.0
"""What an edXML file says: a document with its attachments, or the state a document has reached at a recipient.

All text is NFC without blanks around it; empty text stands for an element that is not there. Times are aware.
"""

import datetime
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class BusinessKind(IntEnum):
    """What a document does to an earlier one (BussinessDocType)."""

    NEW = 0
    REVOCATION = 1
    UPDATE = 2
    REPLACEMENT = 3


class StatusCode(StrEnum):
    """The state of a document at its recipient (StatusCode), and the answers to a recall."""

    ARRIVED = "01"  # đã đến
    SENT_BACK = "02"  # từ chối tiếp nhận: trả lại văn bản
    RECEIVED = "03"  # tiếp nhận
    ASSIGNED = "04"  # phân công
    IN_PROGRESS = "05"  # đang xử lý
    DONE = "06"  # hoàn thành
    RECALLED = "13"  # lấy lại, thu hồi
    AGREED = "15"  # đồng ý thu hồi, cập nhật
    DECLINED = "16"  # từ chối thu hồi, cập nhật


@dataclass(frozen=True)
class Organisation:
    """A sender or recipient. id: its code on the axis, such as 28.22.H17; in_charge: the body above it."""

    id: str
    name: str
    in_charge: str = ""
    address: str = ""
    email: str = ""
    telephone: str = ""
    fax: str = ""
    website: str = ""


@dataclass(frozen=True)
class Staff:
    """Who handled the message at its sender."""

    department: str = ""
    name: str = ""
    email: str = ""
    mobile: str = ""


@dataclass(frozen=True)
class Trace:
    """One hop of a message."""

    organ_id: str
    timestamp: datetime.datetime


@dataclass(frozen=True)
class Replacement:
    """A document that this one replaces, and the agencies for which it does."""

    document_id: str
    organ_ids: tuple[str, ...]


@dataclass(frozen=True)
class Business:
    """What the message does. document_id: the document revoked, updated or replaced; empty for a new one."""

    kind: BusinessKind = BusinessKind.NEW
    reason: str = ""
    document_id: str = ""
    paper: bool = False
    staff: Staff = Staff()
    replacements: tuple[Replacement, ...] = ()


@dataclass(frozen=True)
class Attachment:
    """A file of the document."""

    name: str
    content_type: str
    content: bytes
    description: str = ""


@dataclass(frozen=True)
class Edoc:
    """A document on its way from one office to others.

    type_code: the kind's place in the list of Article 7 of Nghị định 30/2020 (18 is công văn), 0 for what is not in it.
    steering: 0 asks for nothing, 1 directs, 2 directs and asks for a report. priority: 0 normal to 3 hỏa tốc.
    sphere, typist: SphereOfPromulgation and TyperNotation. copies: how many were issued. appendixes: their titles.
    """

    sender: Organisation
    recipients: tuple[Organisation, ...]
    number: str
    notation: str
    date: datetime.date
    subject: str
    place: str = ""
    content: str = ""
    type_name: str = "Công văn"
    type_code: int = 18
    type_detail: int = 0
    signer_authority: str = ""
    signer_position: str = ""
    signer_name: str = ""
    due_date: datetime.date | None = None
    priority: int = 0
    sphere: str = ""
    typist: str = ""
    copies: int = 1
    pages: int = 1
    appendixes: tuple[str, ...] = ()
    steering: int = 0
    to_places: tuple[str, ...] = ()
    traces: tuple[Trace, ...] = ()
    business: Business = Business()
    attachments: tuple[Attachment, ...] = ()

    @property
    def document_id(self) -> str:
        """Return the id by which other messages name this document: `28.22.H17,2020/08/07,458/UBND-VP`."""
        return document_id(self.sender.id, self.date, self.number, self.notation)


@dataclass(frozen=True)
class ResponseFor:
    """The document a status is about. code: number and notation, `458/UBND-VP`."""

    organ_id: str
    code: str
    date: datetime.date
    document_id: str


@dataclass(frozen=True)
class StatusMessage:
    """What became of a document at one recipient. description: the reason, where there is one.

    recipient: the only agency for which it is taken back (13); None for every one that has it.
    """

    response_for: ResponseFor
    sender: Organisation
    status: StatusCode
    timestamp: datetime.datetime
    description: str = ""
    staff: Staff = Staff()
    recipient: Organisation | None = None


def document_id(organ_id: str, date: datetime.date, number: str, notation: str) -> str:
    """Return the id of a document: its issuer's code, its day and its number."""
    return f"{organ_id},{date:%Y/%m/%d},{number}/{notation}"
