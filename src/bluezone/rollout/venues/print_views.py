# SPDX-License-Identifier: Apache-2.0
"""Poster and table card of a venue as PDF, for its ward and its owner."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from bluezone.accounts.audiences import Audience, OfficeRequest, audience
from bluezone.accounts.training import practised
from bluezone.portal.printing import pdf_response
from bluezone.rollout.venues import reach
from bluezone.rollout.venues.models import PosterCode
from bluezone.rollout.venues.printing import PAPERS, card_pdf, poster_pdf


@practised
@require_safe
@audience(Audience.SIGNED_IN)
def poster(request: OfficeRequest, pk: int) -> HttpResponse:
    """The poster, A4 or A3: 404 without a code in force, or neither the reader's ward nor venue."""
    paper = request.GET.get("paper", "")
    return pdf_response(poster_pdf(_code(request, pk), paper if paper in PAPERS else "a4"), f"poster-{pk}")


@practised
@require_safe
@audience(Audience.SIGNED_IN)
def card(request: OfficeRequest, pk: int) -> HttpResponse:
    """The table card, A6."""
    return pdf_response(card_pdf(_code(request, pk)), f"card-{pk}")


def _code(request: OfficeRequest, pk: int) -> PosterCode:
    venue = get_object_or_404(reach.seen_venues(request.user), pk=pk)
    code = PosterCode.objects.filter(venue=venue, ended_at=None).select_related("venue__unit").first()
    if code is None:
        raise Http404
    return code
