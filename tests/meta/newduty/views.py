# SPDX-License-Identifier: Apache-2.0
"""The page of the masks: what was handed out, and the form to enter a day."""

from django import forms
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods
from tests.meta.newduty.duty import MASK_KEEPERS
from tests.meta.newduty.models import MaskDay

from bluezone.audit.hash_chain import record
from bluezone.directory.scopes import units_in_reach
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.objects import Ownership, touches


class MaskForm(forms.ModelForm):
    """A ward's day."""

    class Meta:
        model = MaskDay
        fields = ("unit", "day", "people", "shown")


@require_http_methods(["GET", "HEAD", "POST"])
@audience(MASK_KEEPERS)
@touches(Ownership.REACHED)
def masks(request: OfficeRequest) -> HttpResponse:
    """Days of the reader's wards; POST enters one, 422 when a number is wrong."""
    wards = units_in_reach(request.user, MASK_KEEPERS.roles)
    form = MaskForm(request.POST or None)
    form.fields["unit"].queryset = wards
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            entered = form.save()
            record(request.user.username, "masks_handed_out", str(entered.unit_id), people=entered.people)
        return redirect("masks")
    days = MaskDay.objects.filter(unit__in=wards).select_related("unit").order_by("-day", "unit__name")
    return render(request, "newduty/masks.html", {"form": form, "days": days}, status=422 if form.errors else 200)
