# SPDX-License-Identifier: Apache-2.0
"""Pages of house visits: how far the wards are, their households, one household."""

import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from bluezone.directory.models import AdminUnit
from bluezone.directory.request_parameters import chosen_number
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, admits, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.objects import Whose, touches
from bluezone.rollout.canvass import scope
from bluezone.rollout.canvass.forms import HouseholdForm
from bluezone.rollout.canvass.households import decisions
from bluezone.rollout.canvass.households.projection import merged_of
from bluezone.rollout.canvass.models import Household
from bluezone.rollout.canvass.scope import (
    KEEPERS,
    chosen_wards,
    household_or_404,
    searched_words,
    uuid_or_404,
    wards_of,
)
from bluezone.rollout.canvass.turfs.progress import DoorsShown, desk_of, doors_of, shown_to, turfs_with_progress
from bluezone.rollout.coverage.api import Doors
from bluezone.training import practised
from bluezone.vietnamese.spelling import fold

ROWS_A_PAGE = 50
_SHOWS: dict[str, dict[str, Any]] = {
    "left": {"reached_at": None},
    "again": {"reached_at": None, "last_at__isnull": False},
    "disputed": {"is_disputed": True},
    "incomplete": {"is_incomplete": True},
}


@require_safe
@practised
@audience(SIGNED_IN)
def overview(request: OfficeRequest) -> HttpResponse:
    """How far each ward is, in counts that everybody signed in reads; of the reader's own, lists and desk besides."""
    own = list(wards_of(request.user)) if admits(KEEPERS, request.user) else []
    doors, chosen = doors_of(), chosen_number(request, "unit")
    known = AdminUnit.objects.filter(Q(pk__in=doors) | Q(pk__in=[ward.pk for ward in own])).order_by("path")
    above = AdminUnit.objects.filter(pk=chosen).first() if chosen is not None else None
    shown = list(known.filter(path__startswith=above.path) if above is not None else known)
    mine = [ward for ward in shown if ward in own]
    context = {
        "rows": [_ward_row(ward, doors.get(ward.pk, Doors(0, 0, 0, None)), ward in own) for ward in shown],
        "own": own,
        "has_doors": any(found.households for found in doors.values()),
        "above": above,
        "turfs": turfs_with_progress(mine).filter(closed_at=None)[:ROWS_A_PAGE] if mine else [],
        "desk": desk_of(mine) if mine else None,
    }
    return render(request, "canvass/overview.html", context)


def _ward_row(ward: AdminUnit, doors: Doors, is_own: bool) -> tuple[AdminUnit, DoorsShown, datetime.date | None, bool]:
    return ward, shown_to(doors, is_own=is_own), doors.last_visit, is_own


@require_safe
@practised
@audience(KEEPERS)
def households(request: OfficeRequest) -> HttpResponse:
    """The doors of the reader's wards, searched without marks, narrowed to those left, to visit again, or disputed."""
    wards, chosen = chosen_wards(request)
    found = Household.objects.filter(unit__in=chosen, merged_into=None).select_related("unit")
    words, show = searched_words(request), request.GET.get("show", "")
    for word in fold(words).split():
        found = found.filter(folded__contains=word)
    found = found.filter(**_SHOWS.get(show, {})).order_by("unit__path", "group_folded", "address", "key")
    page = Paginator(found, ROWS_A_PAGE).get_page(request.GET.get("page"))
    context = {"wards": wards, "chosen": chosen, "page": page, "words": words, "show": show}
    return render(request, "canvass/households.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@practised
@audience(KEEPERS)
@touches(Whose.WARD)
def household(request: OfficeRequest, key: str) -> HttpResponse:
    """One household: its facts, who said what, its visits. POST corrects facts: 302, 422 with a sentence."""
    found = household_or_404(request, key)
    if found.merged_into is not None:
        return redirect("canvass-household", found.merged_into.pk)
    form = HouseholdForm(request.POST or None, instance=household_or_404(request, key))
    if request.method == "POST" and form.is_valid():
        with acts.show_refusals(form, scope.sentence_of, of=decisions.FactInvalid):
            changed = decisions.correct(request.user.username, found, form.facts, timezone.now())
            messages.success(request, _("Stored.") if changed else _("Nothing was other than before."))
            return redirect("canvass-household", found.pk)
    merged = merged_of([found.pk]).get(found.pk, {})
    context = {
        "household": found,
        "form": form,
        "merged": [(name, one) for name, one in merged.items() if one.is_disputed or one.missing],
        "visits": found.visits.select_related("device", "photo"),
        "changes": found.changes.select_related("device").order_by("-clock")[:ROWS_A_PAGE],
        "others": found.merged.all(),
        "places": found.places.select_related("turf"),
    }
    return render(request, "canvass/household.html", context, status=422 if form.errors else 200)


@require_safe
@practised
@audience(KEEPERS)
@touches(Whose.WARD)
def photo(request: OfficeRequest, key: str, visit: str) -> HttpResponse:
    """The photograph of a visit, kept by no cache."""
    shown = (
        household_or_404(request, key)
        .visits.filter(pk=uuid_or_404(visit), photo__isnull=False)
        .select_related("photo")
        .first()
    )
    if shown is None:
        raise Http404
    response = HttpResponse(bytes(shown.photo.jpeg), content_type="image/jpeg")
    response.headers["Content-Disposition"] = "inline"
    return response
