# SPDX-License-Identifier: Apache-2.0
"""Pages of reports on tasks: an agency's form, the issuer's table with rates and its files, who is late, and asking
for a locked period to be opened again.
"""

import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.directory.models import AdminUnit
from bluezone.directory.request_parameters import chosen_number
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.models import User
from bluezone.identity.objects import Ownership, touches
from bluezone.identity.typed_fields import chosen_day, typed_day
from bluezone.letters.letter import Letter
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
from bluezone.refusal import Refused
from bluezone.rollout.coverage.api import figures_of, may_see_small_numbers
from bluezone.rollout.directives import permissions, queries, sentences
from bluezone.rollout.directives.deadlines import USUAL_DAYS_REOPENED, Period
from bluezone.rollout.directives.duty import DIRECTIVE_CLERKS
from bluezone.rollout.directives.forms import ReasonForm, ReportForm
from bluezone.rollout.directives.issuance import attachments
from bluezone.rollout.directives.models import Directive, PeriodRequest, Report, Task, TaskParty
from bluezone.rollout.directives.reports import agency_reports
from bluezone.rollout.report_week import Week
from bluezone.training import practised


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
    return Table(f"Nhiệm vụ {task.label}, kỳ {_days(period)}", columns, tuple(rows), note)


def _days(period: Period) -> str:
    return f"{period.first:%d/%m/%Y} - {period.last:%d/%m/%Y}" if period.last else f"từ {period.first:%d/%m/%Y}"


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
        subject=f"Kết quả thực hiện nhiệm vụ {task.label}, kỳ {_days(period)}",
        basis=f"Thực hiện Công văn số {directive.code} ngày {signed}",
        body=(Paragraph(task.text.splitlines()[0]), Paragraph(body), table),
        signature=SignatureBlock(tuple(directive.authority.splitlines()), directive.signer_position, ""),
    )


A_PAGE = 50
# A month touches at most six weeks; a task that is reported on once may run for longer, and its newest say enough.
MOST_WEEKS = 6


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(SIGNED_IN)
@touches(Ownership.DESK.for_roles(*permissions.HANDLERS))
def report(request: OfficeRequest, pk: int) -> HttpResponse:
    """An agency's report for a period: 302 stored, 409 locked or checked, 422 bad form. pk: of the task's party."""
    party = get_object_or_404(TaskParty.objects.select_related("task__directive__issuer", "agency__unit"), pk=pk)
    permissions.require_handler(request.user, party.agency, party.task.directive.issuer)
    today = timezone.localdate()
    periods = agency_reports.task_periods(party.task, today, party)
    if not periods:
        raise Http404("the task asks for no report yet")
    period = _period(request, periods)
    known = Report.objects.filter(task=party.task, agency=party.agency, period=period.first).first()
    initial = {**known.values, "text": known.text} if known else {}
    form = ReportForm(request.POST or None, request.FILES or None, task=party.task, initial=initial)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                _submit(request, party, period, form)
            except Refused as refused:
                form.add_error(None, sentences.sentence_of(refused))
                status = 409
            else:
                messages.success(request, _("The report has been sent."))
                return redirect(f"{reverse('task-report', args=[pk])}?period={period.first}")
        else:
            status = acts.form_status(form)
    unit, weeks = party.agency.unit, _weeks(period, today)
    context = {
        "party": party,
        "task": party.task,
        "directive": party.task.directive,
        "form": form,
        "period": period,
        "periods": periods[::-1][:26],
        "known": known,
        "is_open": agency_reports.is_open(party.task, party.agency, period, today),
        "reopened_until": None
        if period.is_open(today)
        else agency_reports.reopened_until(party.task, party.agency, period, today),
        "asked": agency_reports.latest(party.task, party.agency, period),
        "files": list(known.evidence.all()) if known else [],
        "weeks": weeks,
        "figures": figures_of(unit, weeks[-1], exact=may_see_small_numbers(request, unit)),
    }
    return render(request, "directives/report.html", context, status=status)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.AGENCY.for_roles(*permissions.READERS))
def progress(request: OfficeRequest, pk: int) -> HttpResponse:
    """Who has reported on a task of a directive for a period, with rates per subtree, and who is late with what."""
    directive = _directive(request, pk)
    task, period, under, table = _asked(request, directive)
    page, context = None, {}
    if task and period:
        page = Paginator(queries.reporters(task, period, under), A_PAGE).get_page(request.GET.get("page"))
        reports = queries.reports_of(task, period, (party.agency_id for party in page.object_list))
        context = {
            "rates": queries.rates(task, period, under),
            "rows": [(party, reports.get(party.agency_id)) for party in page.object_list],
        }
    units = AdminUnit.objects.filter(agencies__dispatches__directive=directive).distinct().order_by("path")
    return render(
        request,
        "directives/progress.html",
        {**context, **table, "directive": directive, "page": page, "units": units, "under": under},
    )


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.AGENCY.for_roles(*permissions.READERS))
def late(request: OfficeRequest, pk: int) -> HttpResponse:
    """Who is late with a directive, with the telephone numbers to call upward."""
    directive = _directive(request, pk)
    behind = agency_reports.late(directive, timezone.now())
    page = Paginator(agency_reports.in_order(list(behind)), A_PAGE).get_page(request.GET.get("page"))
    rows = [(agency, behind[agency.pk]) for agency in page.object_list]
    return render(request, "directives/late.html", {"directive": directive, "page": page, "rows": rows})


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.AGENCY.for_roles(*permissions.READERS))
def progress_file(request: OfficeRequest, pk: int, form: str) -> HttpResponse:
    """The table of a period as XLSX, DOCX or PDF."""
    directive = _directive(request, pk)
    task, period, under, _table = _asked(request, directive)
    if not task or not period:
        raise Http404("nothing is reported yet")
    data, content_type = report_file(task, period, under, form, timezone.localdate())
    response = HttpResponse(data, content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="report-{directive.pk}-{period.first}.{form}"'
    return response


@practised
@require_POST
@audience(DIRECTIVE_CLERKS)
@touches(Ownership.AGENCY)
def check(request: OfficeRequest, pk: int) -> HttpResponse:
    """Accept a report, or return it with a reason: 302."""
    report = get_object_or_404(Report.objects.select_related("task__directive__issuer__unit"), pk=pk)
    permissions.require_clerk(request.user, report.task.directive.issuer)
    form = ReasonForm(request.POST)
    with acts.refusals_as_messages(request, sentences.sentence_of):
        if request.POST.get("accept"):
            agency_reports.accept(report, request.user, timezone.now())
            acts.offer_undo(request, "report-accepted", timezone.now(), report=pk)
        elif form.is_valid():
            agency_reports.give_back(report, form.cleaned_data["reason"], request.user, timezone.now())
        else:
            messages.error(request, _("Say why the report is returned. Nothing was changed."))
    where = reverse("directive-progress", args=[report.task.directive_id])
    return redirect(f"{where}?task={report.task_id}&period={report.period}")


def take_acceptance_back(user: User, values: dict[str, Any], now: datetime.datetime) -> None:
    """Undo the acceptance of a report."""
    agency_reports.take_acceptance_back(Report.objects.get(pk=values["report"]), user, now)


def _submit(request: OfficeRequest, party: TaskParty, period: Period, form: ReportForm) -> None:
    file = form.cleaned_data["evidence"]
    stored = [attachments.store(Letter(file.read()), file.name)] if file else []
    agency_reports.submit(
        party.task,
        party.agency,
        period.first,
        form.values,
        form.cleaned_data["text"],
        request.user,
        timezone.now(),
        stored,
    )


def _directive(request: OfficeRequest, pk: int) -> Directive:
    found = get_object_or_404(Directive.objects.select_related("issuer__unit").defer("text", "proposal"), pk=pk)
    permissions.require_reader(request.user, found.issuer)
    return found


def _asked(
    request: OfficeRequest, directive: Directive
) -> tuple[Task | None, Period | None, AdminUnit | None, dict[str, Any]]:
    """The task, period and subtree that the address asks for, and what there is to choose from."""
    tasks = list(directive.tasks.exclude(report_every=""))
    number = chosen_number(request, "task")
    # What is reported again and again is asked for more often than what is reported once.
    usual = next((one for one in tasks if one.report_every != Task.Every.ONCE), tasks[0] if tasks else None)
    task = next((one for one in tasks if one.pk == number), usual)
    periods = agency_reports.task_periods(task, timezone.localdate()) if task else []
    period = _period(request, periods) if periods else None
    under = AdminUnit.objects.filter(pk=chosen_number(request, "unit") or 0).first()
    return task, period, under, {"tasks": tasks, "task": task, "periods": periods[::-1][:60], "period": period}


def _weeks(period: Period, today: datetime.date) -> list[Week]:
    """The newest weeks that a period touches by today, oldest first."""
    found = [Week.of(min(period.last or today, today))]
    while len(found) < MOST_WEEKS and found[0].first_day > period.first:
        found.insert(0, found[0].previous)
    return found


def _period(request: OfficeRequest, periods: list[Period]) -> Period:
    """The period in which the day of `?period=` lies, else the last."""
    try:
        first = datetime.date.fromisoformat(request.GET.get("period", ""))
    except ValueError:
        first = None
    if first is None:
        return periods[-1]
    return next((one for one in periods if one.first <= first and (one.last is None or first <= one.last)), periods[-1])


@practised
@require_POST
@audience(SIGNED_IN)
@touches(Ownership.DESK.for_roles(*permissions.HANDLERS))
def ask(request: OfficeRequest, pk: int) -> HttpResponse:
    """Ask for the period of `?period=`: 302 back to the report. pk: of the task's party."""
    party = get_object_or_404(TaskParty.objects.select_related("task__directive__issuer", "agency__unit"), pk=pk)
    permissions.require_handler(request.user, party.agency, party.task.directive.issuer)
    now, reason = timezone.now(), " ".join(request.POST.get("reason", "").split())
    first = typed_day(request.GET.get("period", ""))
    periods = agency_reports.task_periods(party.task, timezone.localdate(now), party)
    period = next((one for one in periods if one.first == first), None)
    if period is None:
        raise Http404("the task has no such period")
    with acts.refusals_as_messages(request, sentences.sentence_of):
        if reason:
            agency_reports.ask(party.task, party.agency, period, reason, request.user, now)
            messages.success(
                request, _("The request has been sent to the issuer. The answer will appear on this page.")
            )
        else:
            messages.error(request, _("Say why the period should be reopened. Nothing was sent."))
    return redirect(f"{reverse('task-report', args=[pk])}?period={period.first}")


@practised
@require_POST
@audience(DIRECTIVE_CLERKS)
@touches(Ownership.AGENCY)
def answer(request: OfficeRequest, pk: int) -> HttpResponse:
    """Open the period until a day, or decline: 302 to the directive."""
    asked = get_object_or_404(PeriodRequest.objects.select_related("task__directive__issuer__unit"), pk=pk)
    permissions.require_clerk(request.user, asked.task.directive.issuer)
    now, text = timezone.now(), request.POST.get("answer", "").strip()
    usual = timezone.localdate(now) + datetime.timedelta(days=USUAL_DAYS_REOPENED - 1)
    until = chosen_day(request.POST.get("until", ""), usual) if request.POST.get("granted") == "1" else None
    with acts.refusals_as_messages(request, sentences.sentence_of):
        agency_reports.answer(asked, until, text, request.user, now)
        messages.success(request, _("The answer has been sent."))
        acts.offer_undo(request, "period-answered", now, asked=pk)
    return redirect("directive", asked.task.directive_id)


def let_the_request_wait(user: User, values: dict[str, Any], now: datetime.datetime) -> None:
    """Undo the answer to a request to reopen a period."""
    agency_reports.take_answer_back(values["asked"], user, now)
