# SPDX-License-Identifier: Apache-2.0
"""The coverage report of a unit and week, as DOCX, XLSX, PDF or for print, and the form of its letterhead."""

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any, TypeGuard, cast
from zoneinfo import ZoneInfo

from csp.decorators import csp_update
from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from bluezone.directory.models import AdminUnit
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.objects import Ownership, touches
from bluezone.identity.typed_fields import DayField
from bluezone.media_types import DOCX, PDF, XLSX
from bluezone.paper.official import (
    Bullets,
    Column,
    Heading,
    Letterhead,
    OfficialDocument,
    Paragraph,
    SignatureBlock,
    Table,
    document_pdf,
    write_docx,
    write_html,
    write_xlsx,
)
from bluezone.paper.pdf import PdfUnavailable
from bluezone.rollout.coverage.indicators import RUNNING, Indicator, Proof
from bluezone.rollout.coverage.overview import Overview, OverviewCell, Row, latest_week, read_overview
from bluezone.rollout.coverage.priorities import Priorities, rank_priorities
from bluezone.rollout.report_week import parse_week

PROOFS = {
    Proof.PROVEN: "đã xác thực",
    Proof.FRESH: "mã hợp lệ, chưa kiểm tra Bluetooth",
    Proof.ATTESTED: "đã xem màn hình",
    Proof.SELF_REPORTED: "tự báo",
}
SUPPRESSED = "ẩn"
_ORDER = (
    "Thứ tự ưu tiên: số hộ chưa đến, nhân phần có thể chưa chạy (theo đầu dưới của khoảng tin cậy), nhân số máy giúp "
    "được mỗi giờ; giảm một nửa nơi không có đội rảnh. Địa bàn có tỷ lệ thấp nhất luôn ở trong ba địa bàn đầu của mỗi "
    "mười địa bàn. Không dùng dữ liệu đi lại của người dân.",
)
_COLUMNS = (
    Column("Đơn vị", 3.2),
    Column("Số lượng", 1.2, "#,##0"),
    Column("Mẫu số", 1.2, "#,##0"),
    Column("Tỷ lệ %", 1.1, "0.0"),
    Column("Khoảng tin cậy 95%", 1.9),
    Column("So tuần trước (điểm %)", 1.5),
)
READING = (
    "Số đã xác thực, mã hợp lệ, đã xem màn hình và tự báo là bốn loại khác nhau, không cộng vào nhau.",
    "Bản web không ghi nhận được người ở gần nên không tính là đang chạy.",
    "Tỷ lệ đang chạy tại cổng là tỷ lệ lượt vào đã xác thực trên lượt vào có điện thoại thông minh, không phải số máy; "
    "khoảng tin cậy tính theo từng cổng và từng ngày.",
    "Khoảng tin cậy của số tự báo chỉ nói về cỡ mẫu, không nói về sai lệch khi tự báo.",
    f"“{SUPPRESSED}”: số dưới 5, hoặc số mà từ đó tính ra được số dưới 5.",
)


def report_of(coverage: Overview, ranking: Priorities, letter: Mapping[str, Any]) -> OfficialDocument:
    """The report in administrative layout, ready for the superior authority.

    coverage: read with `exact=False`, since a report leaves the office. ranking: its units in order of priority.
    letter: cleaned values of `ReportForm`.
    """
    basis = f"Thực hiện {letter['basis'].rstrip('.,;')}, " if letter["basis"] else ""
    intro = f"{basis}{letter['issuer']} báo cáo kết quả như sau:"
    lines = tuple(line.strip() for line in letter["recipients"].splitlines() if line.strip())
    authority = (letter["authority"],) if letter["authority"] else ()
    signature = SignatureBlock(authority, letter["position"], letter["signer"])
    return OfficialDocument(
        head=Letterhead(
            letter["issuer"],
            letter["notation"],
            letter["place"],
            letter["date"],
            superior=letter["superior"],
            number=letter["number"] or None,
            month=coverage.week.due,
        ),
        title="Báo cáo",
        subject=f"Kết quả triển khai cài đặt ứng dụng Bluezone tuần {coverage.week.in_vietnamese()}",
        basis=intro[0].upper() + intro[1:],
        body=(
            Heading("I. Kết quả"),
            *_lead(coverage),
            *tables_of(coverage),
            Heading("II. Tình hình báo cáo"),
            *_reporting(coverage),
            *_denominators(coverage),
            Heading("III. Địa bàn nên ưu tiên"),
            *_priorities(ranking),
            Heading("Cách đọc số liệu"),
            Bullets((*READING, *_ORDER)),
        ),
        signature=signature if authority or letter["position"] or letter["signer"] else None,
        recipients=lines,
    )


def tables_of(coverage: Overview) -> list[Table]:
    """A table for each indicator that counted anything, with the whole unit as its last row.

    If none did, one table that says so.
    """
    counted = [indicator for indicator in coverage.indicators if coverage.cell(indicator.key) is not None]
    if not counted:
        return [Table("Kết quả", (Column("Đơn vị", 3), Column("Số liệu", 2)), ((coverage.unit.name, "chưa có"),))]
    return [_table(number, indicator, coverage) for number, indicator in enumerate(counted, 1)]


def sheets_of(coverage: Overview, ranking: Priorities) -> list[Table]:
    """All tables, for the workbook: results, denominators, priorities, missing reports."""
    late: list[tuple[str, str]] = []
    for indicator, names in coverage.missing:
        late += [(str(indicator.name).capitalize(), name) for name in names]
    tables = [
        *tables_of(coverage),
        *_denominators(coverage),
        *(block for block in _priorities(ranking) if _is_table(block)),
    ]
    if late:
        tables.append(Table("Chưa báo cáo", (Column("Loại báo cáo", 2), Column("Đơn vị", 3)), tuple(late)))
    return tables


def _lead(coverage: Overview) -> list[Paragraph]:
    proven = coverage.cell(RUNNING)
    if proven is None:
        text = "Chưa có số liệu xác thực tại cổng trong tuần; các số dưới đây không phải số máy đang chạy đã xác thực."
    elif proven.share is None:
        text = "Tỷ lệ đang chạy đã xác thực tại cổng: không hiển thị do số liệu nhỏ."
    else:
        spread = f" (khoảng tin cậy 95%: {_spread(proven)})" if proven.interval else ""
        text = f"Tỷ lệ đang chạy đã xác thực tại cổng: {_tenths(100 * proven.share)}%{spread}."
    return [Paragraph(text)]


def _table(number: int, indicator: Indicator, coverage: Overview) -> Table:
    cells = [(row, row.cell(indicator.key)) for row in (*coverage.rows, coverage.total)]
    total = coverage.cell(indicator.key)
    sources = "; ".join(total.sources) if total else ""
    day = total.as_of if total else coverage.week.last_day
    note = f"Mẫu số: {indicator.base_name}. Nguồn: {sources}, đến ngày {day:%d/%m/%Y}."
    title = f"Bảng {number}. {str(indicator.name).capitalize()} ({PROOFS[indicator.proof]})"
    return Table(title, _COLUMNS, tuple(_line(row, cell, coverage) for row, cell in cells), note)


def _line(row: Row, cell: OverviewCell | None, coverage: Overview) -> tuple[Any, ...]:
    if row is coverage.total:
        name = f"Toàn {coverage.unit.name}"
    else:
        name = row.unit.name if row.unit else f"Cơ quan thuộc {coverage.unit.name}"
    if cell is None:
        return (name, "chưa có", "chưa có", None, "", "")
    share: str | float | None = SUPPRESSED if cell.is_suppressed else None
    if cell.share is not None:
        share = round(100 * cell.share, 1)
    return (
        name,
        SUPPRESSED if cell.count is None else cell.count,
        SUPPRESSED if cell.base is None else cell.base,
        share,
        _spread(cell),
        "" if cell.change is None else _signed(cell.change),
    )


def _reporting(coverage: Overview) -> list[Paragraph]:
    if not coverage.reporting:
        return [Paragraph("Chưa có loại báo cáo nào trong tuần.")]
    missing = dict(coverage.missing)
    paragraphs = []
    for indicator, report in coverage.reporting:
        text = f"{str(indicator.name).capitalize()}: {report.received}/{report.expected} đơn vị đã báo cáo."
        if missing.get(indicator):
            text += f" Chưa báo cáo: {'; '.join(missing[indicator])}."
        paragraphs.append(Paragraph(text))
    return paragraphs


def _priorities(ranking: Priorities) -> list[Paragraph | Table]:
    if not ranking.rows:
        return [Paragraph("Không có đơn vị trực thuộc.")]
    shared = f" Ngoài ra có {ranking.shared_teams} đội chung đang rảnh." if ranking.shared_teams else ""
    columns = (Column("Thứ tự", 0.6), Column("Địa bàn", 1.6), Column("Kỳ vọng", 2), Column("Lý do", 4))
    rows = tuple((row.place, row.unit.name, row.expected_text, row.reason) for row in ranking.rows)
    note = f"Số hộ và số đội tính đến ngày {ranking.as_of:%d/%m/%Y}.{shared}"
    return [Table("Địa bàn nên ưu tiên", columns, rows, note)]


def _is_table(block: Paragraph | Table) -> TypeGuard[Table]:
    return isinstance(block, Table)


def _denominators(coverage: Overview) -> list[Table]:
    if not coverage.denominators:
        return []
    columns = (Column("Nội dung", 2), Column("Số", 1, "#,##0"), Column("Nguồn", 3), Column("Đến ngày", 1))
    rows = tuple(
        (str(figure.get_kind_display()), figure.value, figure.source, figure.as_of) for figure in coverage.denominators
    )
    return [Table(f"Mẫu số của {coverage.unit.name}", columns, rows)]


def _spread(cell: OverviewCell) -> str:
    if cell.interval is None:
        return ""
    return f"{_tenths(100 * cell.interval.low)}–{_tenths(100 * cell.interval.high)}%"


def _signed(change: float) -> str:
    rounded = round(change, 1)
    if rounded == 0:
        return _tenths(abs(rounded))
    return ("−" if rounded < 0 else "+") + _tenths(abs(rounded))


def _tenths(number: float) -> str:
    return f"{number:.1f}".replace(".", ",")


class ReportForm(forms.Form):
    """The letterhead and signature of a report in administrative layout; Vietnamese for every reader."""

    superior = forms.CharField(label=_("Body above the issuer"), max_length=120, required=False)
    issuer = forms.CharField(label=_("Issuer"), max_length=120)
    number = forms.CharField(
        label=_("Number of the document"),
        max_length=20,
        required=False,
        help_text=_("Leave empty to write it in by hand."),
    )
    notation = forms.CharField(label=_("Notation"), max_length=40, initial="BC-UBND")
    place = forms.CharField(label=_("Place"), max_length=60)
    date = DayField(label=_("Day"), help_text=_("Leave empty to write it in by hand."), required=False)
    basis = forms.CharField(
        label=_("Basis"),
        max_length=300,
        required=False,
        help_text=_("The directive being carried out, for example: Công văn số 458/UBND-VP ngày 07/8/2020."),
    )
    authority = forms.CharField(label=_("Authority"), max_length=120, required=False, initial="TM. Ủy ban nhân dân")
    position = forms.CharField(label=_("Position of the signer"), max_length=80, required=False, initial="Chủ tịch")
    signer = forms.CharField(label=_("Name of the signer"), max_length=80, required=False)
    recipients = forms.CharField(
        label=_("Recipients"),
        max_length=1000,
        required=False,
        initial="Lưu: VT.",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One per line."),
    )

    @classmethod
    def first_values(cls, unit: AdminUnit) -> dict[str, Any]:
        """The initial values for a unit's People’s Committee."""
        name = unit.name
        for word in ("thành phố ", "thị xã ", "phường ", "xã ", "tỉnh ", "huyện "):
            if name.lower().startswith(word):
                name = name[len(word) :]
                break
        defaults = {key: field.initial for key, field in cls.base_fields.items() if field.initial is not None}
        return {**defaults, "issuer": f"Ủy ban nhân dân {unit.name}", "place": name}


@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def show_report_form(request: OfficeRequest, pk: int) -> HttpResponse:
    """The form for a report's letterhead, with a button for each file format."""
    unit = get_object_or_404(AdminUnit, pk=pk)
    week = parse_week(request.GET.get("week", ""), latest_week(timezone.localdate()))
    form = ReportForm(initial=ReportForm.first_values(unit))
    return render(request, "coverage/report.html", {"unit": unit, "week": week, "form": form})


@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def download_report(request: OfficeRequest, pk: int, form: str) -> HttpResponse:
    """The report as a file, or as a page for print. form: docx, xlsx, pdf or print; 404 for any other.

    422 incomplete letterhead. Small numbers are suppressed for every reader, since a report leaves the office. Without
    WeasyPrint, pdf redirects to print.
    """
    if form not in {"docx", "xlsx", "pdf", "print"}:
        raise Http404
    unit = get_object_or_404(AdminUnit, pk=pk)
    week = parse_week(request.GET.get("week", ""), latest_week(timezone.localdate()))
    letterhead = ReportForm(request.GET)
    if not letterhead.is_valid():
        return render(request, "coverage/report.html", {"unit": unit, "week": week, "form": letterhead}, status=422)
    zone = ZoneInfo(settings.TIME_ZONE)
    name = f"bluezone-{unit.key}-{week}"
    with translation.override("vi"):
        coverage = read_overview(unit, week, exact=False, by_name=True)
        ranking = rank_priorities(coverage, timezone.now())
        document = report_of(coverage, ranking, letterhead.cleaned_data)
        if form == "docx":
            return _file(write_docx(document, zone=zone), DOCX, f"{name}.docx")
        if form == "xlsx":
            heading = (letterhead.cleaned_data["issuer"], document.subject)
            return _file(write_xlsx(sheets_of(coverage, ranking), zone=zone, heading=heading), XLSX, f"{name}.xlsx")
        if form == "pdf":
            try:
                return _file(document_pdf(document, zone=zone), PDF, f"{name}.pdf")
            except PdfUnavailable:
                address = reverse("coverage-written", args=[pk, "print"])
                return redirect(f"{address}?{request.GET.urlencode()}")
        return _for_print(request, document, zone)


def _file(content: bytes, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _for_print(request: HttpRequest, document: OfficialDocument, zone: ZoneInfo) -> HttpResponse:
    """The page for print, with a content security policy that allows only its own style sheet, by hash."""
    # Column widths become `width` attributes, since the policy forbids `style` attributes.
    html = re.sub(r'<col style="width:([0-9.]+%)">', r'<col width="\1">', write_html(document, zone=zone))
    style = html.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    allow_style = csp_update({"style-src": [f"'sha256-{digest}'"]})
    return cast(HttpResponse, allow_style(lambda _request: HttpResponse(html))(request))
