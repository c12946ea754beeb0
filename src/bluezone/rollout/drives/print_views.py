# SPDX-License-Identifier: Apache-2.0
"""Sheets of a drive as PDF."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from bluezone.accounts.audiences import Audience, OfficeRequest, audience
from bluezone.accounts.training import practised
from bluezone.portal.printing import pdf_response
from bluezone.rollout.drives.models import Drive
from bluezone.rollout.drives.printing import stall_pdf, tally_pdf


@practised
@require_safe
@audience(Audience.SIGNED_IN)
def stall(request: OfficeRequest, pk: int) -> HttpResponse:
    """The sheet with the code behind which people join the queue."""
    return pdf_response(stall_pdf(_drive(pk)), f"stall-{pk}")


@practised
@require_safe
@audience(Audience.SIGNED_IN)
def tally(request: OfficeRequest, pk: int) -> HttpResponse:
    """A blank tally sheet."""
    return pdf_response(tally_pdf(_drive(pk)), f"tally-{pk}")


def _drive(pk: int) -> Drive:
    return get_object_or_404(Drive.objects.select_related("team__agency", "unit", "campaign"), pk=pk)
