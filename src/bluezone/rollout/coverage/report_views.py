# SPDX-License-Identifier: Apache-2.0
"""The coverage report of a unit and week: its letterhead as a form, then as DOCX, XLSX, PDF or a page for print."""

import base64
import hashlib
import re
from typing import Any, cast
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

from bluezone.directory.forms import day_field
from bluezone.directory.models import AdminUnit
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.objects import Whose, touches
from bluezone.media_types import DOCX, PDF, XLSX
from bluezone.paper.official import OfficialDocument, document_pdf, write_docx, write_html, write_xlsx
from bluezone.paper.pdf import PdfUnavailable
from bluezone.rollout.coverage.boards.overview import latest_week, overview
from bluezone.rollout.coverage.boards.priorities import priorities
from bluezone.rollout.coverage.coverage_report import report_of, sheets_of
from bluezone.rollout.coverage.figures.weeks import week_or


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
    date = day_field(_("Day"), _("Leave empty to write it in by hand."))
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
