# SPDX-License-Identifier: Apache-2.0
"""The registers as pages, XLSX and print."""

from django.db.models import Exists, OuterRef
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from bluezone.accounts.audiences import Audience, OfficeRequest, audience
from bluezone.accounts.training import practised
from bluezone.agencies.asking import chosen_number
from bluezone.rollout.directives import duties, registering
from bluezone.rollout.directives.models import Directive, Dispatch
from bluezone.rollout.directives.safefiles import XLSX
from bluezone.rollout.reports import write_xlsx


@practised
@require_safe
@audience(Audience.SIGNED_IN)
def register(request: OfficeRequest, direction: str) -> HttpResponse:
    """The register of a year, of one agency that the reader works for; `?as=xlsx` as a file."""
    has_register = Exists(Dispatch.objects.filter(agency=OuterRef("pk"))) | Exists(
        Directive.objects.filter(issuer=OuterRef("pk"))
    )
    choices = list(duties.read_agencies(request.user).filter(has_register).order_by("path", "pk")[:500])
    wanted = chosen_number(request, "agency")
    agency = next((one for one in choices if one.pk == wanted), choices[0] if choices else None)
    year = min(max(chosen_number(request, "year") or _latest_year(), 1945), 2200)
    make = registering.outgoing if direction == "out" else registering.incoming
    table = make(agency, year) if agency else None
    if table and request.GET.get("as") == "xlsx":
        response = HttpResponse(write_xlsx([table], zone=timezone.get_current_timezone()), content_type=XLSX)
        response.headers["Content-Disposition"] = f'attachment; filename="register-{direction}-{year}.xlsx"'
        return response
    titles = [column.title for column in table.columns] if table else []
    context = {
        "table": table,
        "rows": [list(zip(titles, row, strict=True)) for row in table.rows] if table else [],
        "agency": agency,
        "agencies": choices,
        "year": year,
        "direction": "out" if direction == "out" else "in",
    }
    return render(request, "directives/register.html", context)


def _latest_year() -> int:
    last = Directive.objects.exclude(date=None).order_by("-date").values_list("date", flat=True).first()
    return last.year if last else timezone.localdate().year
