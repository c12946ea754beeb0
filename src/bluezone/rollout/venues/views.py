# SPDX-License-Identifier: Apache-2.0
"""Pages of the venues in the office: the register of a ward, one venue, registration in person, the ward's decisions,
inspections, and posters as PDF.
"""

import datetime
from collections.abc import Callable

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.directory.request_parameters import chosen_number, chosen_value
from bluezone.directory.scopes import OutsideScope
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, admits, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.objects import Ownership, touches
from bluezone.paper.pdf import pdf_response
from bluezone.rollout.venues import applications, decisions, inspections, posters, queries, tills
from bluezone.rollout.venues.applications import contact_of
from bluezone.rollout.venues.duty import VENUE_KEEPERS, VENUE_OWNERS
from bluezone.rollout.venues.forms import InspectionForm, ReasonForm, VenueForm
from bluezone.rollout.venues.models import InspectionPhoto, PosterCode, Venue, VenueState, VenueStateWrong
from bluezone.rollout.venues.posters import PAPERS, card_pdf, poster_pdf
from bluezone.training import practised

A_PAGE = 40
SHOWN_DAYS = 14


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.REACHED)
def venue_list(request: OfficeRequest) -> HttpResponse:
    """The numbers of venues by ward for everybody, and the list of venues that the reader keeps or owns."""
    unit = chosen_number(request, "unit")
    state = chosen_value(request, "state", [str(venue_state) for venue_state in VenueState])
    words = " ".join(request.GET.get("find", "").split())[:80]
    register = queries.visible_venues(request.user)
    if unit:
        register = register.filter(unit=unit)
    if state:
        register = register.filter(state=state)
    if words:
        register = register.filter(pk__in=queries.find_matching(register, words))
    pages = Paginator(register.order_by(queries.WAITING_FIRST, "name", "pk"), A_PAGE)
    context = {
        "wards": queries.ward_rows(timezone.localdate()),
        "page": pages.get_page(request.GET.get("page")),
        "keeps": admits(VENUE_KEEPERS, request.user),
        "owns": admits(VENUE_OWNERS, request.user),
        "unit": unit,
        "state": state,
        "states": [venue_state for venue_state in VenueState if venue_state != VenueState.UNCONFIRMED],
        "find": words,
    }
    return render(request, "venues/list.html", context)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.OWN, Ownership.WARD.for_roles(*queries.KEEPERS))
def show_venue(request: OfficeRequest, pk: int) -> HttpResponse:
    """One venue for its ward and its owner: 404 for others."""
    chosen_venue = _seen_venue(request, pk)
    codes = list(chosen_venue.codes.all())
    keeps = queries.manages_venue(request.user, chosen_venue)
    since = timezone.localdate() - datetime.timedelta(days=SHOWN_DAYS)
    context = {
        "venue": chosen_venue,
        "contact": contact_of(chosen_venue),
        "keeps": keeps,
        "code": next((code for code in codes if code.ended_at is None), None),
        "past_codes": [code for code in codes if code.ended_at is not None],
        "scans": queries.scan_counts(chosen_venue, since),
        "people": queries.people_counts(chosen_venue, since),
        "inspections": chosen_venue.inspections.select_related("photo").all()[:20] if keeps else [],
        "reason_form": ReasonForm(),
        "link": request.session.pop(f"venue-link-{pk}", ""),
        "till": request.session.pop(f"venue-till-{pk}", ""),
    }
    return render(request, "venues/venue.html", context)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(VENUE_KEEPERS)
@touches(Ownership.WARD)
def new_venue(request: OfficeRequest) -> HttpResponse:
    """Register a venue in the owner's presence: 302 to it, 422 bad form or another ward's."""
    form = VenueForm(request.POST or None, units=queries.managed_units(request.user))
    if request.method == "POST" and form.is_valid():
        new = applications.enter_application(request.user.username, form.application, timezone.now())
        messages.success(request, _("The venue has been entered. Check it once more, then approve it."))
        return redirect("venue", new.pk)
    return render(request, "venues/venue_form.html", {"form": form}, status=422 if form.errors else 200)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(VENUE_KEEPERS)
@touches(Ownership.WARD)
def change_venue(request: OfficeRequest, pk: int) -> HttpResponse:
    """Change the data of a venue: 302 to the venue, 404 another ward's, 409 changed meanwhile, 422 bad form.

    A new name or address needs a new code.
    """
    venue = _kept_venue(request, pk)
    with transaction.atomic():
        if request.method == "POST":
            # If two people store at once, the second waits here and sees what the first has stored.
            list(Venue.objects.select_for_update().filter(pk=pk).values_list("pk"))
            venue.refresh_from_db()
        form = VenueForm(request.POST or None, units=queries.managed_units(request.user), venue=venue)
        stored = request.method == "POST" and form.is_valid()
        renamed = stored and applications.change_venue(request.user.username, venue, form.application)
    if stored:
        if renamed and venue.state == VenueState.APPROVED:
            messages.warning(request, _("Stored. The current code has the old name or address: replace it."))
        else:
            messages.success(request, _("Stored."))
        return redirect("venue", pk)
    context = {"form": form, "venue": venue}
    return render(request, "venues/venue_form.html", context, status=acts.form_status(form))


@practised
@require_POST
@audience(VENUE_KEEPERS)
@touches(Ownership.WARD)
def approve_venue(request: OfficeRequest, pk: int) -> HttpResponse:
    """Approve a venue and sign its code: 302 to the venue, with a warning if it was decided meanwhile.

    404 another ward's.
    """
    venue = _kept_venue(request, pk)
    account = request.POST.get("account") == "on"
    try:
        token = decisions.approve_venue(request.user.username, venue, timezone.now(), account=account)
    except VenueStateWrong:
        return _decided_meanwhile(request, pk)
    if token:
        request.session[f"venue-link-{pk}"] = request.build_absolute_uri(f"/start/{token}/")
    messages.success(request, _("The venue is registered and its code signed. Print the poster."))
    return redirect("venue", pk)


@practised
@require_POST
@audience(VENUE_KEEPERS)
@touches(Ownership.WARD)
def refuse_venue(request: OfficeRequest, pk: int) -> HttpResponse:
    """Refuse a venue with a reason: 302 to the venue, with a warning if the reason is missing."""
    return _with_reason(
        request, pk, decisions.refuse_venue, _("The application has been refused; the owner is informed why.")
    )


@practised
@require_POST
@audience(VENUE_KEEPERS)
@touches(Ownership.WARD)
def revoke_code(request: OfficeRequest, pk: int) -> HttpResponse:
    """Revoke the code of a venue with a reason: 302 to the venue, with a warning if the reason is missing."""
    return _with_reason(
        request,
        pk,
        posters.revoke_code,
        _("The code has been revoked. Phones get this information within the hour."),
    )


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(VENUE_KEEPERS)
@touches(Ownership.WARD)
def replace_code(request: OfficeRequest, pk: int) -> HttpResponse:
    """Ask, then replace the code: 302 to the venue; 404 another ward's."""
    notice = _("A new code has been signed. Print the new poster and take the old one down.")
    return _after_question(request, pk, "venues/renew.html", posters.replace_code, notice)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(VENUE_KEEPERS)
@touches(Ownership.WARD)
def close_venue(request: OfficeRequest, pk: int) -> HttpResponse:
    """Ask, then close the venue for good: 302 to it; 404 another ward's."""
    notice = _("The venue has been closed. Contact details are deleted after 90 days.")
    return _after_question(request, pk, "venues/close.html", decisions.close_venue, notice)


@practised
@require_POST
@audience(SIGNED_IN)
@touches(Ownership.OWN, Ownership.WARD.for_roles(*queries.KEEPERS))
def issue_till_address(request: OfficeRequest, pk: int) -> HttpResponse:
    """Make a new address for the tablet at the till, shown once: 302 to the venue; 404 for other people."""
    venue = _seen_venue(request, pk)
    if venue.state != VenueState.APPROVED:
        return _decided_meanwhile(request, pk)
    request.session[f"venue-till-{pk}"] = queries.till_link(tills.issue_till_token(venue))
    return redirect("venue", pk)


def _with_reason(
    request: OfficeRequest, pk: int, step: Callable[[str, Venue, str, datetime.datetime], object], notice: str
) -> HttpResponse:
    venue = _kept_venue(request, pk)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        messages.warning(request, _("Nothing was changed: enter a reason. The owner will read it."))
        return redirect("venue", pk)
    try:
        step(request.user.username, venue, form.cleaned_data["reason"], timezone.now())
    except VenueStateWrong:
        return _decided_meanwhile(request, pk)
    messages.success(request, notice)
    return redirect("venue", pk)


def _after_question(
    request: OfficeRequest, pk: int, question: str, step: Callable[[str, Venue, datetime.datetime], object], notice: str
) -> HttpResponse:
    venue = _kept_venue(request, pk)
    if request.method != "POST":
        return render(request, question, {"venue": venue})
    try:
        step(request.user.username, venue, timezone.now())
    except VenueStateWrong:
        return _decided_meanwhile(request, pk)
    messages.success(request, notice)
    return redirect("venue", pk)


def _decided_meanwhile(request: OfficeRequest, pk: int) -> HttpResponse:
    messages.warning(request, _("Nothing was changed: the venue’s state has changed. This is the current state."))
    return redirect("venue", pk)


def _seen_venue(request: OfficeRequest, pk: int) -> Venue:
    return get_object_or_404(queries.visible_venues(request.user), pk=pk)


def _kept_venue(request: OfficeRequest, pk: int) -> Venue:
    """A venue that the reader keeps. Raises Http404; OutsideScope (403) for one that the reader only owns."""
    venue = _seen_venue(request, pk)
    if not queries.manages_venue(request.user, venue):
        raise OutsideScope("the venue is decided on by its ward")
    return venue


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(VENUE_KEEPERS)
@touches(Ownership.WARD)
def enter_inspection(request: OfficeRequest, pk: int) -> HttpResponse:
    """Enter an inspection: 302 to the venue, 422 bad form or picture, 404 another ward's."""
    venue = get_object_or_404(queries.managed_venues(request.user), pk=pk)
    form = InspectionForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            jpeg = inspections.strip_metadata(values["photo"]) if values["photo"] else None
        except inspections.PhotoTooLarge:
            form.add_error("photo", _("The picture is too large. Take a smaller one, or send it without."))
        except inspections.PhotoUnreadable:
            form.add_error("photo", _("This is not a readable picture. Choose a JPEG, PNG or WebP file."))
        else:
            inspections.store_inspection(
                request.user.username,
                venue,
                values["day"],
                values["poster_seen"],
                values["findings"],
                jpeg,
                timezone.now(),
            )
            messages.success(request, _("The inspection has been stored."))
            return redirect("venue", pk)
    context = {"venue": venue, "form": form}
    return render(request, "venues/inspect.html", context, status=422 if form.errors else 200)


@practised
@require_safe
@audience(VENUE_KEEPERS)
@touches(Ownership.WARD)
def inspection_photo(request: OfficeRequest, pk: int, inspection: int) -> HttpResponse:
    """The picture of an inspection: 404 another ward's, or deleted after its 90 days."""
    venue = get_object_or_404(queries.managed_venues(request.user), pk=pk)
    picture = get_object_or_404(InspectionPhoto, inspection=inspection, inspection__venue=venue)
    return HttpResponse(bytes(picture.jpeg), content_type="image/jpeg")


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.OWN, Ownership.WARD.for_roles(*queries.KEEPERS))
def print_poster(request: OfficeRequest, pk: int) -> HttpResponse:
    """The poster, A4 or A3: 404 without a valid code, or for people other than its ward and owner."""
    paper = request.GET.get("paper", "")
    if paper not in PAPERS:
        paper = "a4"
    return pdf_response(poster_pdf(_code(request, pk), paper), f"poster-{pk}")


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.OWN, Ownership.WARD.for_roles(*queries.KEEPERS))
def print_card(request: OfficeRequest, pk: int) -> HttpResponse:
    """The table card, A6: 404 as for `print_poster`."""
    return pdf_response(card_pdf(_code(request, pk)), f"card-{pk}")


def _code(request: OfficeRequest, pk: int) -> PosterCode:
    venue = get_object_or_404(queries.visible_venues(request.user), pk=pk)
    code = PosterCode.objects.filter(venue=venue, ended_at=None).select_related("venue__unit").first()
    if code is None:
        raise Http404
    return code
