# SPDX-License-Identifier: Apache-2.0
"""The registers as pages, XLSX and print: a page shows a part, print and file have the whole."""

from django.core.paginator import Page, Paginator
from django.db.models import Exists, OuterRef
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from bluezone.accounts.audiences import Audience, OfficeRequest, audience
from bluezone.accounts.training import practised
from bluezone.agencies.asking import chosen, chosen_number
from bluezone.agencies.models import Agency
from bluezone.rollout.directives import duties, registering
from bluezone.rollout.directives.models import Directive, Dispatch
from bluezone.rollout.directives.safefiles import XLSX
from bluezone.rollout.reports import write_xlsx

ENTRIES_A_PAGE = 25


@practised
@require_safe
@audience(Audience.SIGNED_IN)
def register(request: OfficeRequest, direction: str) -> HttpResponse:
    """The register of a year, of one agency that the reader works for, by pages.

    `?as=print` has every entry on one page, `?as=xlsx` in a file.
    """
    has_register = Exists(Dispatch.objects.filter(agency=OuterRef("pk"))) | Exists(
        Directive.objects.filter(issuer=OuterRef("pk"))
    )
    choices = list(duties.read_agencies(request.user).filter(has_register).order_by("path", "pk")[:500])
    wanted = chosen_number(request, "agency")
    agency = next((one for one in choices if one.pk == wanted), choices[0] if choices else None)
    year = min(max(chosen_number(request, "year") or _latest_year(), 1945), 2200)
    form = chosen(request, "as", ["xlsx", "print"])
    outgoing = direction == "out"
    page = None if form or not agency else _page(request, agency, year, outgoing=outgoing)
    make = registering.outgoing if outgoing else registering.incoming
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
    order = registering.outgoing_order if outgoing else registering.incoming_numbers
    return Paginator(list(order(agency, year)), ENTRIES_A_PAGE).get_page(request.GET.get("page"))


def _latest_year() -> int:
    last = Directive.objects.exclude(date=None).order_by("-date").values_list("date", flat=True).first()
    return last.year if last else timezone.localdate().year
