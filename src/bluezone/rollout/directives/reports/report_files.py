# SPDX-License-Identifier: Apache-2.0
"""What agencies reported for a period as a report in administrative layout or as a table."""

import datetime

from django.http import Http404
from django.utils import timezone

from bluezone.directory.models import AdminUnit
from bluezone.media_types import DOCX, PDF, XLSX
from bluezone.paper.official import (
    Column,
    Letterhead,
    OfficialDocument,
    Paragraph,
    SignatureBlock,
    Table,
    document_pdf,
    write_docx,
    write_xlsx,
)
from bluezone.rollout.directives import queries
from bluezone.rollout.directives.models import Task
from bluezone.rollout.directives.periods import Period


def report_file(
    task: Task, period: Period, under: AdminUnit | None, form: str, today: datetime.date
) -> tuple[bytes, str]:
    """The report as a file and its content type. form: "xlsx", "docx" or "pdf"; raises PdfUnavailable."""
    zone = timezone.get_current_timezone()
    table = period_table(task, period, under)
    if form == "xlsx":
        return write_xlsx([table], zone=zone), XLSX
    document = _document(task, period, under, table, today)
    if form == "docx":
        return write_docx(document, zone=zone), DOCX
    if form == "pdf":
        return document_pdf(document, zone=zone), PDF
    raise Http404("a report leaves as xlsx, docx or pdf")


def period_table(task: Task, period: Period, under: AdminUnit | None) -> Table:
    """One row for each agency of the task: its numbers, or that it has not reported."""
    parties = list(queries.reporters(task, period, under))
    reports = queries.reports_of(task, period, [party.agency_id for party in parties])
    columns = (
        Column("Cơ quan, đơn vị", 3),
        *(Column(field["label"], 1.4, "#,##0") for field in task.fields),
        Column("Tình trạng", 1.2),
        Column("Nội dung", 3),
    )
    rows = []
    for party in parties:
        report = reports.get(party.agency_id)
        numbers = [report.values.get(field["name"]) if report else None for field in task.fields]
        rows.append((party.agency.name, *numbers, _state(report), report.text if report else ""))
    rates = queries.rates(task, period, under)
    note = (
        f"Phải báo cáo {rates.expected}; đã báo cáo {rates.actual}; đúng hạn {rates.on_time}. "
        "Số liệu do các cơ quan, đơn vị tự báo."
    )
    return Table(
        f"Nhiệm vụ {task.label}, kỳ {period.first:%d/%m/%Y} - {period.last:%d/%m/%Y}", columns, tuple(rows), note
    )


def _state(report: object) -> str:
    if report is None:
        return "Chưa báo cáo"
    if report.state == "returned":  # type: ignore[attr-defined]
        return "Trả lại"
    return "Đúng hạn" if report.on_time else "Quá hạn"  # type: ignore[attr-defined]


def _document(
    task: Task, period: Period, under: AdminUnit | None, table: Table, today: datetime.date
) -> OfficialDocument:
    directive = task.directive
    rates = queries.rates(task, period, under)
    body = f"Đến nay {rates.actual}/{rates.expected} cơ quan, đơn vị đã báo cáo, trong đó {rates.on_time} đúng hạn."
    signed = f"{directive.date:%d/%m/%Y}" if directive.date else ""
    return OfficialDocument(
        head=Letterhead(directive.issuer.name, "BC-UBND", directive.issuer.unit.name, None, month=today),
        title="BÁO CÁO",
        subject=f"Kết quả thực hiện nhiệm vụ {task.label}, kỳ {period.first:%d/%m/%Y} - {period.last:%d/%m/%Y}",
        basis=f"Thực hiện Công văn số {directive.code} ngày {signed}",
        body=(Paragraph(task.text.splitlines()[0]), Paragraph(body), table),
        signature=SignatureBlock(tuple(directive.authority.splitlines()), directive.signer_position, ""),
    )
