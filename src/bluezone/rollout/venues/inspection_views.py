# SPDX-License-Identifier: Apache-2.0
"""Inspections of a venue by its ward, and their pictures, which nobody else sees."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from bluezone.accounts.audiences import Audience, OfficeRequest, audience
from bluezone.accounts.training import practised
from bluezone.rollout.venues import inspecting, picturing, reach
from bluezone.rollout.venues.forms import InspectionForm
from bluezone.rollout.venues.models import InspectionPhoto


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(Audience.VENUE_KEEPERS)
def inspect(request: OfficeRequest, pk: int) -> HttpResponse:
    """Enter an inspection: 302 to the venue, 422 bad form or picture, 404 another ward's."""
    venue = get_object_or_404(reach.kept_venues(request.user), pk=pk)
    form = InspectionForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            jpeg = picturing.redrawn(said["photo"]) if said["photo"] else None
        except picturing.PhotoTooLarge:
            form.add_error("photo", _("The picture is too large. Take a smaller one, or send it without."))
        except picturing.PhotoUnreadable:
            form.add_error("photo", _("This is no picture that can be read. Choose a JPEG, PNG or WebP file."))
        else:
            inspecting.inspect(
                request.user.username, venue, said["day"], said["poster_seen"], said["findings"], jpeg, timezone.now()
            )
            messages.success(request, _("The inspection is stored."))
            return redirect("venue", pk)
    context = {"venue": venue, "form": form}
    return render(request, "venues/inspect.html", context, status=422 if form.errors else 200)


@practised
@require_safe
@audience(Audience.VENUE_KEEPERS)
def photo(request: OfficeRequest, pk: int, inspection: int) -> HttpResponse:
    """The picture of an inspection: 404 another ward's, or deleted after its 90 days."""
    venue = get_object_or_404(reach.kept_venues(request.user), pk=pk)
    found = get_object_or_404(InspectionPhoto, inspection=inspection, inspection__venue=venue)
    return HttpResponse(bytes(found.jpeg), content_type="image/jpeg")
