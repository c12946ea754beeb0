# SPDX-License-Identifier: Apache-2.0
"""The registers of documents in and out of an agency (sổ đăng ký văn bản đến, đi), with their pages, XLSX and print."""

import datetime
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from bluezone.directory.models import Agency
from bluezone.directory.request_parameters import chosen_number, chosen_value
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.objects import Ownership, touches
from bluezone.media_types import XLSX
from bluezone.paper.official import Column, Table, write_xlsx
from bluezone.refusal import Refused
from bluezone.rollout.directives import permissions
from bluezone.rollout.directives.models import Directive, DirectiveState, Dispatch
from bluezone.training import practised

_INCOMING = (
    Column("Ngày đến", 1.1),
    Column("Số đến", 0.7),
    Column("Cơ quan ban hành", 1.8),
    Column("Số, ký hiệu", 1.5),
    Column("Ngày văn bản", 1.1),
    Column("Tên loại và trích yếu nội dung", 3.6),
    Column("Đơn vị hoặc người nhận", 1.8),
    Column("Ngày chuyển", 1.1),
    Column("Ký nhận", 1.0),
    Column("Ghi chú", 1.4),
)
_OUTGOING = (
    Column("Số, ký hiệu", 1.5),
    Column("Ngày văn bản", 1.1),
    Column("Tên loại và trích yếu nội dung", 3.6),
    Column("Người ký", 1.5),
    Column("Nơi nhận văn bản", 2.2),
    Column("Đơn vị, người nhận bản lưu", 1.5),
    Column("Số lượng bản", 0.8),
    Column("Ngày chuyển", 1.1),
    Column("Ký nhận", 1.0),
    Column("Ghi chú", 1.4),
)


class NumberRepeated(Refused):
    """Two documents of one register carry the same number, so that one of them cannot be found by it."""

    code = "register_number_repeated"


@dataclass(frozen=True)
class IncomingEntry:
    """A document received. number: its running number (số đến) in the receiving agency's year."""

    number: int
    arrived: datetime.date
    issuer: str
    document_number: str
    document_date: datetime.date | None
    kind: str
    subject: str
    handed_to: str = ""
    handed_on: datetime.date | None = None
    note: str = ""


@dataclass(frozen=True)
class OutgoingEntry:
    """A document sent. number: its number within the year, without the notation; copies: paper copies, 0 for none."""

    number: int
    notation: str
    date: datetime.date
    kind: str
    subject: str
    signer: str
    recipients: tuple[str, ...]
    kept_by: str = ""
    copies: int = 0
    sent_on: datetime.date | None = None
    note: str = ""


def incoming_register(
    entries: Iterable[IncomingEntry], agency: str, year: int, numbers: Sequence[int] | None = None
) -> Table:
    """Return the documents that arrived at an agency in a year, by running number.

    numbers: every running number of the register where `entries` are one page of it, so that the note below the page
    tells what is missing in the whole.
    Raises NumberRepeated when two carry the same number.
    """
    chosen = sorted((entry for entry in entries if entry.arrived.year == year), key=lambda entry: entry.number)
    numbers = [entry.number for entry in chosen] if numbers is None else numbers
    _refuse_repeated(list(map(str, numbers)))
    rows = tuple(
        (
            entry.arrived,
            entry.number,
            entry.issuer,
            entry.document_number,
            entry.document_date,
            _kind_and_subject(entry.kind, entry.subject),
            entry.handed_to,
            entry.handed_on,
            None,
            entry.note,
        )
        for entry in chosen
    )
    return Table(f"SỔ ĐĂNG KÝ VĂN BẢN ĐẾN NĂM {year}", _INCOMING, rows, _note(agency, numbers))


def outgoing_register(entries: Iterable[OutgoingEntry], agency: str, year: int) -> Table:
    """Return the documents that an agency sent in a year, by number.

    Raises NumberRepeated when two carry the same number and notation.
    """
    chosen = sorted((entry for entry in entries if entry.date.year == year), key=lambda e: (e.number, e.notation))
    _refuse_repeated([f"{entry.number}/{entry.notation}" for entry in chosen])
    rows = tuple(
        (
            f"{entry.number:02d}/{entry.notation}",
            entry.date,
            _kind_and_subject(entry.kind, entry.subject),
            entry.signer,
            "; ".join(entry.recipients),
            entry.kept_by,
            entry.copies or None,
            entry.sent_on,
            None,
            entry.note,
        )
        for entry in chosen
    )
    return Table(f"SỔ ĐĂNG KÝ VĂN BẢN ĐI NĂM {year}", _OUTGOING, rows, _note(agency, []))


def _kind_and_subject(kind: str, subject: str) -> str:
    return f"{kind} {subject}".strip()


def _refuse_repeated(numbers: Sequence[str]) -> None:
    for number, times in Counter(numbers).items():
        if times > 1:
            raise NumberRepeated(f"number {number} stands in the register {times} times")


def _note(agency: str, numbers: Sequence[int]) -> str:
    """Return whose register it is, and which running numbers are missing: a register without them would hide that."""
    missing = sorted(set(range(1, max(numbers, default=0) + 1)) - set(numbers))
    if not missing:
        return f"{agency}."
    shown = ", ".join(map(str, missing[:20])) + (", …" if len(missing) > 20 else "")
    return f"{agency}. Số không có trong sổ: {shown}."


# Vietnamese in every language, like the columns: a register is a form of the office.
KIND_NAMES = {
    "official_letter": "Công văn",
    "decision": "Quyết định",
    "plan": "Kế hoạch",
    "instruction": "Chỉ thị",
    "notice": "Thông báo",
    "report": "Báo cáo",
    "telegram": "Công điện",
    "guidance": "Hướng dẫn",
    "submission": "Tờ trình",
    "resolution": "Nghị quyết",
    "decree": "Nghị định",
    "circular": "Thông tư",
    "law": "Luật",
    "programme": "Chương trình",
    "invitation": "Giấy mời",
    "other": "",
}


def incoming_numbers(agency: Agency, year: int) -> dict[int, int]:
    """Every running number (số đến) of an agency's year, in order, and the primary key of what carries it."""
    received = Dispatch.objects.filter(agency=agency, incoming_year=year).order_by("incoming_number")
    return {number or 0: pk for number, pk in received.values_list("incoming_number", "pk")}


def outgoing_order(agency: Agency, year: int) -> list[int]:
    """Primary keys of what an agency issued in a year, by number as a number, then notation."""
    sent = _sent(agency, year).values_list("number", "notation", "pk")
    return [
        pk for _number, _notation, pk in sorted((_as_number(number), notation, pk) for number, notation, pk in sent)
    ]


def incoming_table(agency: Agency, year: int, numbers: Sequence[int] | None = None) -> Table:
    """Documents that the agency received in a year, by its own running number.

    numbers: of the page that is shown; None for the whole register. The note below tells of the whole either way.
    """
    received = Dispatch.objects.filter(agency=agency, incoming_year=year).select_related("directive__issuer")
    if numbers is not None:
        received = received.filter(incoming_number__in=numbers)
    entries = [
        IncomingEntry(
            number=one.incoming_number or 0,
            arrived=_day(one.received_at or one.arrived_at),
            issuer=one.directive.issuer.name,
            document_number=one.directive.code,
            document_date=one.directive.date,
            kind=KIND_NAMES[one.directive.kind],
            subject=one.directive.subject,
            handed_to=one.assigned_to,
            note="Đã thu hồi" if one.directive.state == DirectiveState.REVOKED else "",
        )
        for one in received.defer("directive__text", "directive__proposal")
    ]
    whole = None if numbers is None else list(incoming_numbers(agency, year))
    return incoming_register(entries, agency.name, year, whole)


def outgoing_table(agency: Agency, year: int, keys: Sequence[int] | None = None) -> Table:
    """Documents that the agency issued in a year, by number. keys: of the page that is shown; None for all."""
    sent = _sent(agency, year).defer("text", "proposal")
    if keys is not None:
        sent = sent.filter(pk__in=keys)
    entries = [
        OutgoingEntry(
            number=_as_number(one.number),
            notation=one.notation,
            date=one.date or _day(one.made_at),
            kind=KIND_NAMES[one.kind],
            subject=one.subject,
            signer=one.signer_name,
            recipients=tuple(
                name for name in (one.recipients_action + "\n" + one.recipients_information).splitlines() if name
            ),
            kept_by=one.recipients_file.replace("\n", "; "),
            sent_on=_day(one.issued_at) if one.issued_at else None,
            note={"revoked": "Đã thu hồi", "replaced": "Đã thay thế"}.get(one.state, ""),
        )
        for one in sent
    ]
    return outgoing_register(entries, agency.name, year)


def _sent(agency: Agency, year: int) -> QuerySet[Directive]:
    return Directive.objects.filter(issuer=agency, date__year=year, issued_at__isnull=False, from_file=False)


def _as_number(number: str) -> int:
    return int(number) if number.isascii() and number.isdigit() else 0


def _day(moment: datetime.datetime) -> datetime.date:
    return timezone.localtime(moment).date()


ENTRIES_A_PAGE = 25


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.NOTHING)
def register(request: OfficeRequest, direction: str) -> HttpResponse:
    """The register of a year, of one agency that the reader works for, by pages.

    `?as=print` has every entry on one page, `?as=xlsx` in a file.
    """
    has_register = Exists(Dispatch.objects.filter(agency=OuterRef("pk"))) | Exists(
        Directive.objects.filter(issuer=OuterRef("pk"))
    )
    choices = list(permissions.read_agencies(request.user).filter(has_register).order_by("path", "pk")[:500])
    wanted = chosen_number(request, "agency")
    agency = next((one for one in choices if one.pk == wanted), choices[0] if choices else None)
    year = min(max(chosen_number(request, "year") or _latest_year(), 1945), 2200)
    form = chosen_value(request, "as", ["xlsx", "print"])
    outgoing = direction == "out"
    page = None if form or not agency else _page(request, agency, year, outgoing=outgoing)
    make = outgoing_table if outgoing else incoming_table
    table = make(agency, year, list(page.object_list) if page else None) if agency else None
    if table and form == "xlsx":
        response = HttpResponse(write_xlsx([table], zone=timezone.get_current_timezone()), content_type=XLSX)
        response.headers["Content-Disposition"] = f'attachment; filename="register-{direction}-{year}.xlsx"'
        return response
    titles = [column.title for column in table.columns] if table else []
    context = {
        "table": table,
        "page": page,
        "rows": [list(zip(titles, row, strict=True)) for row in table.rows] if table else [],
        "agency": agency,
        "agencies": choices,
        "year": year,
        "direction": "out" if outgoing else "in",
    }
    return render(request, "directives/register.html", context)


def _page(request: OfficeRequest, agency: Agency, year: int, *, outgoing: bool) -> Page[int]:
    order = outgoing_order if outgoing else incoming_numbers
    return Paginator(list(order(agency, year)), ENTRIES_A_PAGE).get_page(request.GET.get("page"))


def _latest_year() -> int:
    last = Directive.objects.exclude(date=None).order_by("-date").values_list("date", flat=True).first()
    return last.year if last else timezone.localdate().year
