# SPDX-License-Identifier: Apache-2.0
"""The door sheet as PDF, and the screen on which it is typed in with the keyboard alone; leaflets that are booked."""

import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.objects import Whose, touches
from bluezone.paper.pdf import pdf_response
from bluezone.rollout.canvass import sentences
from bluezone.rollout.canvass.forms import LeafletForm, SheetForm
from bluezone.rollout.canvass.models import LeafletMove, Turf
from bluezone.rollout.canvass.scope import KEEPERS, chosen_wards, turf_or_404, wards_of
from bluezone.rollout.canvass.sheets import door_sheets, leaflet_stock
from bluezone.rollout.canvass.visits.entries import MOST_PHONES
from bluezone.training import practised

COUNTS = ("phones", "seen", "told", "helped", "leaflets")
_LABELS = {
    "outcome": gettext_lazy("Outcome"),
    "phones": gettext_lazy("Smartphones"),
    "seen": gettext_lazy("Seen running"),
    "told": gettext_lazy("By their word"),
    "helped": gettext_lazy("Helped"),
    "leaflets": gettext_lazy("Leaflets"),
}


@require_safe
@practised
@audience(KEEPERS)
@touches(Whose.WARD)
def sheet(request: OfficeRequest, pk: int) -> HttpResponse:
    """The door sheet of a list, A4 with boxes, kept by no cache."""
    found = turf_or_404(request, pk)
    return pdf_response(door_sheets.sheet_pdf(found), f"door-sheet-{found.pk}")


@require_http_methods(["GET", "HEAD", "POST"])
@practised
@audience(KEEPERS)
@touches(Whose.WARD)
def enter_sheet(request: OfficeRequest, pk: int, page: int) -> HttpResponse:
    """Type a page of the sheet in: 302 to the next page, 422 with the line at fault and everything still typed."""
    found, now = turf_or_404(request, pk), timezone.now()
    last = door_sheets.pages(found)
    page = min(max(1, page), last)
    form = SheetForm(request.POST or None, initial={"day": timezone.localdate(now)})
    refusal = ""
    if request.method == "POST" and form.is_valid():
        try:
            stored, repeated = _store(request, found, form.cleaned_data, now)
        except door_sheets.SheetInvalid as refused:
            refusal = sentences.sentence_of(refused) if refused.place else _("The day of the sheet is still to come.")
        else:
            messages.success(request, _("%(count)s visits stored.") % {"count": stored})
            if repeated:
                messages.warning(
                    request,
                    _("These lines had been typed in for that day already and stay as they were: %(places)s.")
                    % {"places": ", ".join(map(str, repeated))},
                )
            return redirect("canvass-sheet-enter", pk, page + 1) if page < last else redirect("canvass-turf", pk)
    lines = [
        (place, [(name, label, request.POST.get(f"{name}-{place.place}", "")) for name, label in _LABELS.items()],
         f"again-{place.place}" in request.POST)
        for place in door_sheets.page_of(found, page)
    ]  # fmt: skip
    context = {
        "turf": found, "page_number": page, "last": last, "form": form, "lines": lines, "refusal": refusal,
        "digits": list(door_sheets.DIGITS.items()),
    }  # fmt: skip
    return render(request, "canvass/sheet_enter.html", context, status=422 if refusal or form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@practised
@audience(KEEPERS)
def leaflets(request: OfficeRequest) -> HttpResponse:
    """Leaflets: printed, at the wards, with the groups, at doors. POST books a step: 302, 422 with a sentence."""
    wards, chosen = chosen_wards(request)
    form = LeafletForm(request.POST or None, wards=wards_of(request.user), initial={"kind": "ward"})
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        with acts.show_refusals(form, sentences.sentence_of, at="count", of=leaflet_stock.LeafletsMissing):
            lot, group = values["lot"].strip(), values["group"].strip()
            leaflet_stock.move(
                request.user.username, values["kind"], lot, values["count"], timezone.now(), values["unit"], group
            )
            messages.success(request, _("Booked."))
            return redirect("canvass-leaflets")
    moves = LeafletMove.objects.filter(unit__in=chosen).select_related("unit")[:20]
    context = {
        "wards": wards, "chosen": chosen, "form": form, "moves": moves,
        "rows": leaflet_stock.at_wards(chosen), "printed": leaflet_stock.printed(),
    }  # fmt: skip
    return render(request, "canvass/leaflets.html", context, status=422 if form.errors else 200)


def _store(
    request: OfficeRequest, turf: Turf, head: dict[str, object], now: datetime.datetime
) -> tuple[int, list[int]]:
    day, lot = head["day"], head["lot"]
    assert isinstance(day, datetime.date)
    lines = []
    for name, value in request.POST.items():
        prefix, _dash, place = name.partition("-")
        if prefix == "outcome" and str(value).strip() and place.isascii() and place.isdigit():
            lines.append(_line(request, int(place), str(value).strip()))
    return door_sheets.enter(request.user.username, turf, day, str(lot), lines, now, timezone.get_default_timezone())


def _line(request: OfficeRequest, place: int, digit: str) -> door_sheets.SheetLine:
    counts: dict[str, int | None] = {}
    for name in COUNTS:
        text = request.POST.get(f"{name}-{place}", "").strip()
        if text and not (text.isascii() and text.isdigit() and int(text[:6]) <= MOST_PHONES):
            raise door_sheets.SheetInvalid(f"{name} is no count", place)
        counts[name] = int(text) if text else None
    return door_sheets.SheetLine(
        place, digit, counts["phones"], counts["seen"] or 0, counts["told"] or 0, counts["helped"] or 0,
        counts["leaflets"] or 0, f"again-{place}" in request.POST,
    )  # fmt: skip
