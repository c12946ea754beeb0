# SPDX-License-Identifier: Apache-2.0
"""The registers as pages, XLSX and print, and stored files by their token."""

from django.db.models import Exists, OuterRef
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from bluezone.accounts.audiences import Audience, OfficeRequest, audience
from bluezone.accounts.training import practised
from bluezone.agencies.asking import chosen_number
from bluezone.rollout.directives import duties, registering
from bluezone.rollout.directives.models import Directive, Dispatch, StoredFile
from bluezone.rollout.directives.safefiles import SHOWN_INLINE, XLSX
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
    context = {
        "table": table,
        "agency": agency,
        "agencies": choices,
        "year": year,
        "direction": "out" if direction == "out" else "in",
    }
    return render(request, "directives/register.html", context)


@practised
@require_safe
@audience(Audience.SIGNED_IN)
def stored_file(request: OfficeRequest, token: str) -> HttpResponse:
    """A stored file, with the type its content has; only pictures open in the browser."""
    file = get_object_or_404(StoredFile, token=token)
    response = HttpResponse(bytes(file.content), content_type=file.content_type)
    inline = file.content_type in SHOWN_INLINE
    response.headers["Content-Disposition"] = content_disposition_header(not inline, file.name) or "attachment"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _latest_year() -> int:
    last = Directive.objects.exclude(date=None).order_by("-date").values_list("date", flat=True).first()
    return last.year if last else timezone.localdate().year
