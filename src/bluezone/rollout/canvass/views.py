# SPDX-License-Identifier: Apache-2.0
"""Pages of house visits: how far the wards are, their households, one household; lists of doors cut, given to phones,
taken back.
"""

import datetime
import uuid
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.directory.models import AdminUnit
from bluezone.directory.request_parameters import chosen_number
from bluezone.directory.scopes import served_units
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.objects import Ownership, touches
from bluezone.rollout.canvass import leases, scope
from bluezone.rollout.canvass.forms import GroupTurfForm, HouseholdForm, LeaseForm, lease_end
from bluezone.rollout.canvass.households import decisions
from bluezone.rollout.canvass.households.projection import merged_of
from bluezone.rollout.canvass.models import Household, Lease, LeaseEnd
from bluezone.rollout.canvass.progress import (
    DoorsShown,
    desk_of,
    doors_of,
    phone_rows,
    shown_to,
    turfs_with_progress,
    without_phone,
)
from bluezone.rollout.canvass.scope import (
    KEEPERS,
    chosen_wards,
    household_or_404,
    phones_of,
    searched_words,
    turf_or_404,
    uuid_or_404,
    ward_or_404,
    wards_of,
)
from bluezone.rollout.canvass.visits.script import in_force
from bluezone.rollout.coverage.api import DoorCounts
from bluezone.rollout.coverage.duty import LEADERS
from bluezone.training import practised
from bluezone.vietnamese.spelling import fold

# A page of doors to choose from; a form carries no more fields than settings allow.
CHOICES_SHOWN = 300


@require_safe
@practised
@audience(KEEPERS)
@touches(Ownership.REACHED)
def turfs(request: OfficeRequest) -> HttpResponse:
    """The lists of the reader's wards, those in use first."""
    wards, chosen = chosen_wards(request)
    context = {"wards": wards, "chosen": chosen, "turfs": turfs_with_progress(chosen)[:500]}
    return render(request, "canvass/turfs.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@practised
@audience(KEEPERS)
@touches(Ownership.WARD)
def new_turf(request: OfficeRequest, unit: int) -> HttpResponse:
    """Cut a list by residential group, or from doors that are ticked: 302 to it, 422 with a sentence."""
    ward, refusal = ward_or_404(request, unit), ""
    form = GroupTurfForm(request.POST if "group" in request.POST else None, groups=_groups(ward))
    if request.method == "POST":
        try:
            if "group" in request.POST:
                if form.is_valid():
                    made = leases.cut_group(request.user.username, ward, form.cleaned_data["group"], timezone.now())
                    return redirect("canvass-turf", made[0].pk) if len(made) == 1 else redirect("canvass-turfs")
            else:
                keys = _keys(request.POST.getlist("door"))
                walked = leases.in_walking_order(keys)
                one = leases.cut(request.user.username, ward, request.POST.get("name", ""), walked, timezone.now())
                return redirect("canvass-turf", one.pk)
        except leases.TurfInvalid as refused:
            refusal = scope.sentence_of(refused)
    words = searched_words(request)
    doors = Household.objects.filter(unit=ward, merged_into=None)
    for word in fold(words).split():
        doors = doors.filter(folded__contains=word)
    shown = doors.order_by("group_folded", "address", "head", "key")[:CHOICES_SHOWN]
    context = {"ward": ward, "form": form, "doors": shown, "words": words, "refusal": refusal, "limit": CHOICES_SHOWN}
    return render(request, "canvass/turf_new.html", context, status=422 if refusal or form.errors else 200)


@require_safe
@practised
@audience(KEEPERS)
@touches(Ownership.WARD)
def turf(request: OfficeRequest, pk: int) -> HttpResponse:
    """One list: its doors, the phone that has it, and to whom it can be given."""
    return _show(request, pk, _lease_form(request))


def _lease_form(request: OfficeRequest) -> LeaseForm:
    sent = request.POST if request.method == "POST" else None
    return LeaseForm(sent, phones=phones_of(wards_of(request.user)))


@require_POST
@practised
@audience(KEEPERS)
@touches(Ownership.WARD)
def give_turf(request: OfficeRequest, pk: int) -> HttpResponse:
    """Give a list to a phone: 302 to it, 422 with a sentence."""
    found = turf_or_404(request, pk)
    form = _lease_form(request)
    if form.is_valid():
        now, values = timezone.now(), form.cleaned_data
        with acts.refusals_as_form_errors(form, scope.sentence_of, kinds=(leases.LeaseInvalid, leases.DoorsLeased)):
            leases.lease(request.user.username, found, values["device"], lease_end(values["days"], now), now)
            messages.success(request, _("The list has been assigned. The phone shows it at its next contact."))
            return redirect("canvass-turf", pk)
    return _show(request, pk, form, status=422)


@require_POST
@practised
@audience(KEEPERS)
@touches(Ownership.WARD)
def end_lease(request: OfficeRequest, pk: int) -> HttpResponse:
    """Take a list back: 302 to it. What the phone still holds is taken all the same."""
    lease = get_object_or_404(Lease.objects.select_related("turf"), pk=pk, turf__unit__in=wards_of(request.user))
    leases.end(request.user.username, lease, LeaseEnd.DONE, timezone.now())
    messages.success(
        request, _("The list has been withdrawn. Visits that the phone has not sent yet are still accepted.")
    )
    return redirect("canvass-turf", lease.turf_id)


@require_POST
@practised
@audience(KEEPERS)
@touches(Ownership.WARD)
def close_turf(request: OfficeRequest, pk: int) -> HttpResponse:
    """Close a list that no phone has: 302."""
    found = turf_or_404(request, pk)
    try:
        leases.close(request.user.username, found, timezone.now())
    except leases.TurfLeased as refused:
        messages.warning(request, scope.sentence_of(refused))
        return redirect("canvass-turf", pk)
    messages.success(request, _("The list has been closed. Its visits stay."))
    return redirect("canvass-turfs")


@require_safe
@practised
@audience(KEEPERS)
@touches(Ownership.REACHED)
def phones(request: OfficeRequest) -> HttpResponse:
    """The phones of the reader's wards: lists, backlog, gaps, when last heard of."""
    rows = phone_rows(phones_of(wards_of(request.user)), timezone.now())
    return render(request, "canvass/phones.html", {"rows": rows})


@require_POST
@practised
@audience(KEEPERS)
@touches(Ownership.WARD)
def lost_phone(request: OfficeRequest, pk: int) -> HttpResponse:
    """Say that a phone is lost: its lists are taken back at once, and it empties itself at its next contact. 302."""
    device = get_object_or_404(phones_of(wards_of(request.user)), pk=pk)
    leases.lost(request.user.username, device, timezone.now())
    messages.success(
        request,
        _("%(name)s has been reported lost. Its lists are withdrawn, and it erases its data at its next contact.")
        % {"name": device.name},
    )
    return redirect("canvass-phones")


def _show(request: OfficeRequest, pk: int, form: LeaseForm, status: int = 200) -> HttpResponse:
    found = turf_or_404(request, pk)
    places = found.places.filter(household__merged_into=None).select_related("household").order_by("place", "pk")
    context = {
        "turf": found,
        "places": places,
        "lease": found.leases.filter(ended_at=None).select_related("device").first(),
        "leases": found.leases.exclude(ended_at=None).select_related("device")[:10],
        "form": form,
        "reached": sum(place.household.reached_at is not None for place in places),
    }
    return render(request, "canvass/turf.html", context, status=status)


def _groups(ward: AdminUnit) -> list[tuple[str, str]]:
    """Residential groups of a ward with how many doors each has, by the spelling most doors have."""
    counts: dict[str, dict[str, int]] = {}
    for group, folded in Household.objects.filter(unit=ward, merged_into=None).values_list("group", "group_folded"):
        spellings = counts.setdefault(folded, {})
        spellings[group] = spellings.get(group, 0) + 1
    rows = [(max(found, key=lambda name: found[name]), sum(found.values())) for found in counts.values()]
    return [(name, f"{name} ({count})") for name, count in sorted(rows, key=_in_order) if name]


def _in_order(row: tuple[str, int]) -> tuple[str, int]:
    digits = "".join(filter(str.isdigit, row[0]))
    return ("".join(sign for sign in row[0] if not sign.isdigit()), int(digits) if digits else 0)


def _keys(texts: list[str]) -> list[uuid.UUID]:
    keys = []
    for text in texts:
        try:
            keys.append(uuid.UUID(text))
        except ValueError:
            raise leases.TurfInvalid("a door that is none") from None
    return keys


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
@touches(Ownership.EVERYBODY)
def overview(request: OfficeRequest) -> HttpResponse:
    """How far each ward is, in counts that everybody signed in reads; of the reader's own, lists and desk besides."""
    own = list(wards_of(request.user))
    doors, chosen = doors_of(), chosen_number(request, "unit")
    known = AdminUnit.objects.filter(Q(pk__in=doors) | Q(pk__in=[ward.pk for ward in own])).order_by("path")
    above = AdminUnit.objects.filter(pk=chosen).first() if chosen is not None else None
    shown = list(known.filter(path__startswith=above.path) if above is not None else known)
    mine = [ward for ward in shown if ward in own]
    led = set(served_units(request.user, LEADERS.roles).filter(pk__in=doors).values_list("pk", flat=True))
    no_doors = DoorCounts(0, 0, 0, None)
    context = {
        "rows": [_ward_row(ward, doors.get(ward.pk, no_doors), ward in own, ward.pk in led) for ward in shown],
        "own": own,
        "has_doors": any(found.households for found in doors.values()),
        "above": above,
        "turfs": turfs_with_progress(mine).filter(closed_at=None)[:ROWS_A_PAGE] if mine else [],
        "desk": desk_of(mine) if mine else None,
        "without_phone": without_phone(mine) if mine else None,
        "script_trouble": in_force().trouble if own else "",
    }
    return render(request, "canvass/overview.html", context)


def _ward_row(
    ward: AdminUnit, doors: DoorCounts, is_own: bool, is_led: bool
) -> tuple[AdminUnit, DoorsShown, datetime.date | None, bool]:
    return ward, shown_to(doors, is_own=is_own or is_led), doors.last_visit, is_own


@require_safe
@practised
@audience(KEEPERS)
@touches(Ownership.REACHED)
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
@touches(Ownership.WARD)
def household(request: OfficeRequest, key: str) -> HttpResponse:
    """One household: its facts, who said what, its visits. POST corrects facts: 302, 422 with a sentence."""
    found = household_or_404(request, key)
    if found.merged_into is not None:
        return redirect("canvass-household", found.merged_into.pk)
    form = HouseholdForm(request.POST or None, instance=household_or_404(request, key))
    if request.method == "POST" and form.is_valid():
        with acts.refusals_as_form_errors(form, scope.sentence_of, kinds=decisions.FactInvalid):
            changed = decisions.correct(request.user.username, found, form.facts, timezone.now())
            messages.success(request, _("Stored.") if changed else _("Nothing was different from before."))
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
@touches(Ownership.WARD)
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
