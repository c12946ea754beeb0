# SPDX-License-Identifier: Apache-2.0
"""The coverage report of a unit and week: as values, its letterhead as a form, and then as DOCX, XLSX, PDF or for
print.
"""

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
from bluezone.identity.objects import Whose, touches
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
from bluezone.rollout.coverage.figures import week_or
from bluezone.rollout.coverage.indicators import RUNNING, Indicator, Proof
from bluezone.rollout.coverage.overview import Overview, Row, ShownCell, latest_week, overview
from bluezone.rollout.coverage.priorities import Priorities, priorities

PROOFS = {
    Proof.PROVEN: "đã xác thực",
    Proof.FRESH: "mã hợp lệ, chưa kiểm tra Bluetooth",
    Proof.ATTESTED: "đã xem màn hình",
    Proof.SELF_REPORTED: "tự báo",
}
KEPT_BACK = "ẩn"
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
    f"“{KEPT_BACK}”: số dưới 5, hoặc số mà từ đó tính ra được số dưới 5.",
)


def report_of(shown: Overview, found: Priorities, letter: Mapping[str, Any]) -> OfficialDocument:
    """The report in administrative layout, ready to be sent up.

    shown:  never an exact overview: a report travels. found: its units in the order in which help should go to them.
    letter: cleaned values of `forms.ReportForm`.
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
            month=shown.week.due,
        ),
        title="Báo cáo",
        subject=f"Kết quả triển khai cài đặt ứng dụng Bluezone tuần {shown.week.in_vietnamese()}",
        basis=intro[0].upper() + intro[1:],
        body=(
            Heading("I. Kết quả"),
            *_lead(shown),
            *tables_of(shown),
            Heading("II. Tình hình báo cáo"),
            *_reporting(shown),
            *_denominators(shown),
            Heading("III. Địa bàn nên ưu tiên"),
            *_priorities(found),
            Heading("Cách đọc số liệu"),
            Bullets((*READING, *_ORDER)),
        ),
        signature=signature if authority or letter["position"] or letter["signer"] else None,
        recipients=lines,
    )


def tables_of(shown: Overview) -> list[Table]:
    """One table for each indicator that counted anything, its last row the unit as a whole; else one that says so."""
    counted = [each for each in shown.indicators if shown.cell(each.key) is not None]
    if not counted:
        return [Table("Kết quả", (Column("Đơn vị", 3), Column("Số liệu", 2)), ((shown.unit.name, "chưa có"),))]
    return [_table(number, each, shown) for number, each in enumerate(counted, 1)]


def sheets_of(shown: Overview, found: Priorities) -> list[Table]:
    """Everything that has rows, for the workbook: results, denominators, priorities, who has not reported."""
    late = [(str(each.name).capitalize(), name) for each, names in shown.missing for name in names]
    tables = [*tables_of(shown), *_denominators(shown), *(block for block in _priorities(found) if _is_table(block))]
    if late:
        tables.append(Table("Chưa báo cáo", (Column("Loại báo cáo", 2), Column("Đơn vị", 3)), tuple(late)))
    return tables


def _lead(shown: Overview) -> list[Paragraph]:
    proven = shown.cell(RUNNING)
    if proven is None:
        text = "Chưa có số liệu xác thực tại cổng trong tuần; các số dưới đây không phải số máy đang chạy đã xác thực."
    elif proven.share is None:
        text = "Tỷ lệ đang chạy đã xác thực tại cổng: không hiển thị do số liệu nhỏ."
    else:
        spread = f" (khoảng tin cậy 95%: {_spread(proven)})" if proven.interval else ""
        text = f"Tỷ lệ đang chạy đã xác thực tại cổng: {_tenths(100 * proven.share)}%{spread}."
    return [Paragraph(text)]


def _table(number: int, indicator: Indicator, shown: Overview) -> Table:
    cells = [(row, _find(row, indicator)) for row in (*shown.rows, shown.total)]
    whole = shown.cell(indicator.key)
    sources = "; ".join(whole.sources) if whole else ""
    day = whole.as_of if whole else shown.week.last_day
    note = f"Mẫu số: {indicator.base_name}. Nguồn: {sources}, đến ngày {day:%d/%m/%Y}."
    title = f"Bảng {number}. {str(indicator.name).capitalize()} ({PROOFS[indicator.proof]})"
    return Table(title, _COLUMNS, tuple(_line(row, cell, shown) for row, cell in cells), note)


def _line(row: Row, cell: ShownCell | None, shown: Overview) -> tuple[Any, ...]:
    if row is shown.total:
        name = f"Toàn {shown.unit.name}"
    else:
        name = row.unit.name if row.unit else f"Cơ quan thuộc {shown.unit.name}"
    if cell is None:
        return (name, "chưa có", "chưa có", None, "", "")
    return (
        name,
        KEPT_BACK if cell.count is None else cell.count,
        KEPT_BACK if cell.base is None else cell.base,
        (KEPT_BACK if cell.is_hidden else None) if cell.share is None else round(100 * cell.share, 1),
        _spread(cell),
        "" if cell.change is None else _signed(cell.change),
    )


def _reporting(shown: Overview) -> list[Paragraph]:
    if not shown.reporting:
        return [Paragraph("Chưa có loại báo cáo nào trong tuần.")]
    late = dict(shown.missing)
    return [
        Paragraph(
            f"{str(each.name).capitalize()}: {report.received}/{report.expected} đơn vị đã báo cáo."
            + (f" Chưa báo cáo: {'; '.join(late[each])}." if late.get(each) else "")
        )
        for each, report in shown.reporting
    ]


def _priorities(found: Priorities) -> list[Paragraph | Table]:
    if not found.rows:
        return [Paragraph("Không có đơn vị trực thuộc.")]
    shared = f" Ngoài ra có {found.shared_teams} đội chung đang rảnh." if found.shared_teams else ""
    columns = (Column("Thứ tự", 0.6), Column("Địa bàn", 1.6), Column("Kỳ vọng", 2), Column("Lý do", 4))
    rows = tuple((row.place, row.unit.name, row.expects, row.reason) for row in found.rows)
    note = f"Số hộ và số đội tính đến ngày {found.as_of:%d/%m/%Y}.{shared}"
    return [Table("Địa bàn nên ưu tiên", columns, rows, note)]


def _is_table(block: Paragraph | Table) -> TypeGuard[Table]:
    return isinstance(block, Table)


def _denominators(shown: Overview) -> list[Table]:
    if not shown.denominators:
        return []
    columns = (Column("Nội dung", 2), Column("Số", 1, "#,##0"), Column("Nguồn", 3), Column("Đến ngày", 1))
    rows = tuple(
        (str(figure.get_kind_display()), figure.value, figure.source, figure.as_of) for figure in shown.denominators
    )
    return [Table(f"Mẫu số của {shown.unit.name}", columns, rows)]


def _find(row: Row, indicator: Indicator) -> ShownCell | None:
    return next((cell for cell in row.all_cells if cell.indicator.key == indicator.key), None)


def _spread(cell: ShownCell) -> str:
    if cell.interval is None:
        return ""
    return f"{_tenths(100 * cell.interval.low)}–{_tenths(100 * cell.interval.high)}%"


def _signed(change: float) -> str:
    rounded = round(change, 1)
    sign = "−" if rounded < 0 else "+" if rounded > 0 else ""
    return sign + _tenths(abs(rounded))


def _tenths(number: float) -> str:
    return f"{number:.1f}".replace(".", ",")


class ReportForm(forms.Form):
    """The letterhead and signature of a report in administrative layout; it stays Vietnamese in every language."""

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
        help_text=_("The directive that is carried out, for example: Công văn số 458/UBND-VP ngày 07/8/2020."),
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
        help_text=_("One a line."),
    )

    @classmethod
    def first_values(cls, unit: AdminUnit) -> dict[str, Any]:
        """What the form begins with for a unit's People’s Committee."""
        name = unit.name
        for word in ("thành phố ", "thị xã ", "phường ", "xã ", "tỉnh ", "huyện "):
            if name.lower().startswith(word):
                name = name[len(word) :]
                break
        fixed = {key: field.initial for key, field in cls.base_fields.items() if field.initial is not None}
        return {**fixed, "issuer": f"Ủy ban nhân dân {unit.name}", "place": name}


@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def report(request: OfficeRequest, pk: int) -> HttpResponse:
    """The form of a report's letterhead; its buttons lead to the files."""
    unit = get_object_or_404(AdminUnit, pk=pk)
    week = week_or(request.GET.get("week", ""), latest_week(timezone.localdate()))
    form = ReportForm(initial=ReportForm.first_values(unit))
    return render(request, "coverage/report.html", {"unit": unit, "week": week, "form": form})


@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def written(request: OfficeRequest, pk: int, form: str) -> HttpResponse:
    """The report as docx, xlsx, pdf or print; 404 another form, 422 letterhead incomplete.

    Small numbers are kept back whoever asks, since a report travels. Without WeasyPrint pdf leads to print.
    """
    if form not in {"docx", "xlsx", "pdf", "print"}:
        raise Http404
    unit = get_object_or_404(AdminUnit, pk=pk)
    week = week_or(request.GET.get("week", ""), latest_week(timezone.localdate()))
    asked = ReportForm(request.GET)
    if not asked.is_valid():
        return render(request, "coverage/report.html", {"unit": unit, "week": week, "form": asked}, status=422)
    zone, name = ZoneInfo(settings.TIME_ZONE), f"bluezone-{unit.key}-{week}"
    with translation.override("vi"):
        shown = overview(unit, week, exact=False, by_name=True)
        found = priorities(shown, timezone.now())
        document = report_of(shown, found, asked.cleaned_data)
        if form == "docx":
            return _file(write_docx(document, zone=zone), DOCX, f"{name}.docx")
        if form == "xlsx":
            heading = (asked.cleaned_data["issuer"], document.subject)
            return _file(write_xlsx(sheets_of(shown, found), zone=zone, heading=heading), XLSX, f"{name}.xlsx")
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
    """The page for print, whose one style sheet is let through by its hash and nothing else is."""
    # Widths as attributes: the policy lets no style attribute through, and a print page needs no exception from it.
    html = re.sub(r'<col style="width:([0-9.]+%)">', r'<col width="\1">', write_html(document, zone=zone))
    style = html.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    allow_style = csp_update({"style-src": [f"'sha256-{digest}'"]})
    return cast(HttpResponse, allow_style(lambda _request: HttpResponse(html))(request))
