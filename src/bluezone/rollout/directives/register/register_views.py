# SPDX-License-Identifier: Apache-2.0
"""The registers as pages, XLSX and print: a page shows a part, print and file have the whole."""

from django.core.paginator import Page, Paginator
from django.db.models import Exists, OuterRef
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from bluezone.directory.models import Agency
from bluezone.directory.request_parameters import chosen, chosen_number
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.objects import Whose, touches
from bluezone.media_types import XLSX
from bluezone.paper.official import write_xlsx
from bluezone.rollout.directives import permissions
from bluezone.rollout.directives.models import Directive, Dispatch
from bluezone.rollout.directives.register import books
from bluezone.training import practised

ENTRIES_A_PAGE = 25


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Whose.NOBODYS)
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
    form = chosen(request, "as", ["xlsx", "print"])
    outgoing = direction == "out"
    page = None if form or not agency else _page(request, agency, year, outgoing=outgoing)
    make = books.outgoing if outgoing else books.incoming
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
    order = books.outgoing_order if outgoing else books.incoming_numbers
    return Paginator(list(order(agency, year)), ENTRIES_A_PAGE).get_page(request.GET.get("page"))


def _latest_year() -> int:
    last = Directive.objects.exclude(date=None).order_by("-date").values_list("date", flat=True).first()
    return last.year if last else timezone.localdate().year
