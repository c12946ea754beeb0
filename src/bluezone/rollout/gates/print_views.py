# SPDX-License-Identifier: Apache-2.0
"""What is printed for a gate: its sign, a tally sheet, a blank visitor book for agencies that must keep one."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from bluezone.accounts.audiences import Audience, OfficeRequest, audience
from bluezone.portal.printing import pdf_response
from bluezone.rollout.gates.models import Gate
from bluezone.rollout.gates.printing import SIGN_PAPERS, book_pdf, sign_pdf, tally_pdf


@require_safe
@audience(Audience.SIGNED_IN)
def sign(request: OfficeRequest, pk: int) -> HttpResponse:
    """The sign at the gate in Vietnamese and English as PDF, A4 or A3."""
    gate = get_object_or_404(Gate.objects.select_related("agency"), pk=pk)
    paper = request.GET.get("paper", "")
    return pdf_response(sign_pdf(gate, paper if paper in SIGN_PAPERS else "a4"), f"gate-sign-{gate.pk}")


@require_safe
@audience(Audience.SIGNED_IN)
def book(request: OfficeRequest, pk: int) -> HttpResponse:
    """A blank visitor book as PDF; nothing that is written into it ever comes into this system."""
    gate = get_object_or_404(Gate.objects.select_related("agency"), pk=pk)
    return pdf_response(book_pdf(gate), f"visitor-book-{gate.pk}")


@require_safe
@audience(Audience.SIGNED_IN)
def tally(request: OfficeRequest, pk: int) -> HttpResponse:
    """A blank tally sheet as PDF, for a gate without a tablet; its sums are entered on the page of paper slips."""
    gate = get_object_or_404(Gate.objects.select_related("agency"), pk=pk)
    return pdf_response(tally_pdf(gate), f"gate-tally-{gate.pk}")
