# SPDX-License-Identifier: Apache-2.0
"""Switching training mode on and off for this browser."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from bluezone.accounts.audiences import Audience, OfficeRequest, audience
from bluezone.accounts.training import TRAINING_KEY, also_in_training, current_training


@also_in_training
@require_http_methods(["GET", "HEAD", "POST"])
@audience(Audience.ACCOUNT_HOLDERS)
def training(request: OfficeRequest) -> HttpResponse:
    """Say what training mode is, and switch it: 302 to the first page."""
    if request.method == "POST":
        request.session[TRAINING_KEY] = not current_training(request)
        return redirect("first-page")
    return render(request, "accounts/training.html")
