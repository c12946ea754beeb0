# SPDX-License-Identifier: Apache-2.0
"""The public page behind the QR code of a device: it says what the code is for, whoever scans it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from bluezone.accounts.audiences import Audience, audience


@require_safe
@audience(Audience.EVERYONE)
def connect(request: HttpRequest) -> HttpResponse:
    """Say where the code is to be typed. The code stands behind `#` and never reaches this server from here."""
    return render(request, "devices/connect.html")
