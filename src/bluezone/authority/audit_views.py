# SPDX-License-Identifier: Apache-2.0
"""The audit's pages: what was done, by whom, between which days; the verifier; a copy as CSV."""

import datetime
from collections.abc import Iterator

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.audit import hash_chain
from bluezone.authority.forms import FilterForm, NotedForm
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import OVERSEERS
from bluezone.identity.models import AuditEntry
from bluezone.paper.tables import ExportColumn, ExportSheet, write_csv

AUDIT_ROWS_A_PAGE = 50


@require_safe
@audience(OVERSEERS)
def audit(request: OfficeRequest) -> HttpResponse:
    """The newest acts first, all of them or those asked for."""
    form = FilterForm(request.GET or None)
    entries = _filtered(form)
    page = Paginator(entries.order_by("-number"), AUDIT_ROWS_A_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "form": form, "filtered": bool(request.GET), "noted": NotedForm()}
    return render(request, "accounts/audit.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(OVERSEERS)
def verify(request: OfficeRequest) -> HttpResponse:
    """Read the whole chain and say what that proves, and what it does not: 200, or 422 for a line that is none."""
    form = NotedForm(request.POST or None)
    if request.method == "POST" and not form.is_valid():
        return render(request, "accounts/audit_verify.html", {"noted": form}, status=422)
    expected = form.cleaned_data["noted"] if request.method == "POST" else None
    context = {"noted": form, "verdict": hash_chain.verify(expected), "expected": expected}
    return render(request, "accounts/audit_verify.html", context)


@require_POST
@audience(OVERSEERS)
def export(request: OfficeRequest) -> HttpResponse:
    """The entries asked for as CSV, oldest first; taking a copy is itself an act of the audit."""
    entries = _filtered(FilterForm(request.GET or None)).order_by("number")
    headings = [_("Number"), _("Time (UTC)"), _("Who"), _("Did what"), _("Of whom or what"), _("Details"), _("Hash")]
    body = write_csv(ExportSheet(_("Audit"), [ExportColumn(heading) for heading in headings], _rows(entries)))
    hash_chain.record(request.user.username, "audit_exported")
    name = f"bluezone-audit-{timezone.localdate():%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(body, content_type="text/csv; charset=utf-8", headers=headers)


def _filtered(form: FilterForm) -> QuerySet[AuditEntry]:
    """Entries that fit the form; a field that is empty or wrong asks for nothing."""
    form.full_clean()
    asked = form.cleaned_data if form.is_bound else {}
    entries = AuditEntry.objects.all()
    if asked.get("action"):
        entries = entries.filter(action=asked["action"])
    if asked.get("actor"):
        entries = entries.filter(actor=asked["actor"].strip().lower())
    if asked.get("first"):
        entries = entries.filter(at__gte=_midnight(asked["first"]))
    if asked.get("last"):
        entries = entries.filter(at__lt=_midnight(asked["last"] + datetime.timedelta(days=1)))
    return entries


def _midnight(day: datetime.date) -> datetime.datetime:
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time()))


def _rows(entries: QuerySet[AuditEntry]) -> Iterator[list[str]]:
    for entry in entries.iterator():
        at = entry.at.astimezone(datetime.UTC).isoformat(timespec="seconds")
        details = "; ".join(f"{name}: {value}" for name, value in entry.details.items())
        yield [str(entry.number), at, entry.actor, entry.action, entry.subject, details, entry.digest]
