# SPDX-License-Identifier: Apache-2.0
"""Pages of the audit: its entries, the check of the whole chain, and the copy as CSV."""

import datetime
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.audit import hash_chain
from bluezone.authority.forms import AuditFilterForm, NotedHeadForm
from bluezone.authority.reach import accounts_in_reach
from bluezone.backup.drill_results import last_drill
from bluezone.canary.state import SILENT_SECONDS, CanaryState, last_states
from bluezone.city_settings import data_folder
from bluezone.directory.scopes import has_city_role
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import OVERSEERS
from bluezone.identity.models import AuditEntry, User
from bluezone.identity.objects import Ownership, touches
from bluezone.keyserver.statistics import late_after_seconds
from bluezone.paper.tables import ExportColumn, ExportSheet, write_csv

AUDIT_ROWS_A_PAGE = 50
# A canary that has reported nothing for longer is no longer shown, because its address may no longer be in use.
CANARY_SHOWN = datetime.timedelta(days=1)


@require_safe
@audience(OVERSEERS)
@touches(Ownership.REACHED)
def show_audit(request: OfficeRequest) -> HttpResponse:
    """The entries of the audit, newest first: all of them, or those that the form selects."""
    form = AuditFilterForm(request.GET or None)
    entries = _filtered(form, request.user)
    page = Paginator(entries.order_by("-number"), AUDIT_ROWS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "form": form,
        "filtered": bool(request.GET),
        "noted": NotedHeadForm(),
        "drill": _last_drill(),
        "canaries": _canaries(timezone.now()),
    }
    return render(request, "accounts/audit.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(OVERSEERS)
@touches(Ownership.NOTHING)
def verify_audit(request: OfficeRequest) -> HttpResponse:
    """Check the whole chain and show what that proves, and what it does not: 200, or 422 for an invalid line.

    It shows only numbers and hashes of entries, so that every overseer may check the chain.
    """
    form = NotedHeadForm(request.POST or None)
    if request.method == "POST" and not form.is_valid():
        return render(request, "accounts/audit_verify.html", {"noted": form}, status=422)
    expected = form.cleaned_data["noted"] if request.method == "POST" else None
    context = {"noted": form, "verdict": hash_chain.verify_chain(expected), "expected": expected}
    return render(request, "accounts/audit_verify.html", context)


@require_POST
@audience(OVERSEERS)
@touches(Ownership.REACHED)
def export_audit(request: OfficeRequest) -> HttpResponse:
    """The selected entries as CSV, oldest first; the export itself is recorded in the audit."""
    entries = _filtered(AuditFilterForm(request.GET or None), request.user).order_by("number")
    headings = [_("Number"), _("Time (UTC)"), _("Who"), _("Did what"), _("Person or item"), _("Details"), _("Hash")]
    body = write_csv(ExportSheet(_("Audit"), [ExportColumn(heading) for heading in headings], _rows(entries)))
    hash_chain.record(request.user.username, "audit_exported")
    name = f"bluezone-audit-{timezone.localdate():%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(body, content_type="text/csv; charset=utf-8", headers=headers)


def _last_drill() -> dict[str, Any] | None:
    """Result and time of the last backup drill; None before the first."""
    drill = last_drill(data_folder())
    if not drill:
        return None
    return {"ok": drill.ok, "at": _utc(drill.at), "problem": drill.problem}


def _canaries(now: datetime.datetime) -> list[dict[str, Any]]:
    """The state of each canary of this data folder; `state` is well, late or silent."""
    folder = data_folder()
    period_seconds = settings.CITY.publish_period_seconds if settings.CITY else 0
    oldest = (now - CANARY_SHOWN).timestamp()
    return [
        {
            "address": name.split("-", 1)[0],
            "state": _canary_state(now.timestamp() - round_at, now.timestamp(), reported, period_seconds),
            "number": reported.number,
            "received_at": _utc(reported.received_at),
            "round_at": _utc(round_at),
            "trouble_at": _utc(min(reported.trouble_at(period_seconds), now.timestamp())),
            "reason": reported.problem,
        }
        for name, round_at, reported in last_states(folder)
        if round_at > oldest
    ]


def _canary_state(silent_seconds: float, now: float, reported: CanaryState, period_seconds: int) -> str:
    if silent_seconds > SILENT_SECONDS:
        return "silent"
    late = now - reported.trouble_at(period_seconds) > late_after_seconds(period_seconds)
    return "late" if late else "well"


def _utc(unix_seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(unix_seconds, datetime.UTC)


def _filtered(form: AuditFilterForm, user: User) -> QuerySet[AuditEntry]:
    """Entries within the person's reach that match the form; an empty or invalid field does not filter."""
    form.full_clean()
    values = form.cleaned_data if form.is_bound else {}
    entries = _within_reach(user)
    if values.get("action"):
        entries = entries.filter(action=values["action"])
    if values.get("actor"):
        entries = entries.filter(actor=values["actor"].strip().lower())
    if values.get("first"):
        entries = entries.filter(at__gte=_midnight(values["first"]))
    if values.get("last"):
        entries = entries.filter(at__lt=_midnight(values["last"] + datetime.timedelta(days=1)))
    return entries


def _within_reach(user: User) -> QuerySet[AuditEntry]:
    """The whole audit for an overseer of the city; for one of an agency or a unit, the acts by and on its people.

    A person who also holds a role elsewhere is not one of its people, because their acts may concern others.
    """
    if has_city_role(user, OVERSEERS.roles):
        return AuditEntry.objects.all()
    ours = accounts_in_reach(user, OVERSEERS.roles).values("username")
    return AuditEntry.objects.filter(Q(actor__in=ours) | Q(subject__in=ours))


def _midnight(day: datetime.date) -> datetime.datetime:
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time()))


def _rows(entries: QuerySet[AuditEntry]) -> Iterator[list[str]]:
    for entry in entries.iterator():
        at = entry.at.astimezone(datetime.UTC).isoformat(timespec="seconds")
        details = "; ".join(f"{name}: {value}" for name, value in entry.details.items())
        yield [str(entry.number), at, entry.actor, entry.action, entry.subject, details, entry.digest]
