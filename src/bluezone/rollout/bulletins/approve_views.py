# SPDX-License-Identifier: Apache-2.0
"""Listening to a version, and approving it."""

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from bluezone.accounts.audiences import Audience, OfficeRequest, audience
from bluezone.accounts.scoping import require
from bluezone.accounts.training import practised
from bluezone.refusal import Refused
from bluezone.rollout.bulletins import approving, asking, sentences
from bluezone.rollout.bulletins.models import Sound


@practised
@require_safe
@audience(Audience.SIGNED_IN)
def sound(request: OfficeRequest, pk: int) -> HttpResponse:
    """The MP3 of a version, for its author and whoever may approve it; 403 others, 404 without sound."""
    script = asking.script_to_hear(request, pk)
    if script.sound is None:
        raise Http404
    content = Sound.objects.values_list("content", flat=True).get(pk=script.sound.pk)
    response = HttpResponse(bytes(content), content_type="audio/mpeg")
    response.headers["Cache-Control"] = "private, no-store"
    return response


@practised
@require_POST
@audience(Audience.BULLETIN_APPROVERS)
def listening(request: OfficeRequest, pk: int) -> HttpResponse:
    """The page says `stage=begun` or `stage=heard`: 200, 409 with a sentence when it was skipped."""
    script = asking.script_to_hear(request, pk)
    act = approving.end_listening if request.POST.get("stage") == "heard" else approving.begin_listening
    try:
        act(script, request.user, timezone.now())
    except Refused as refused:
        return JsonResponse({"said": sentences.of(refused)}, status=409)
    return JsonResponse({"said": _("Heard to the end.")})


@practised
@require_POST
@audience(Audience.BULLETIN_APPROVERS)
def approve(request: OfficeRequest, pk: int) -> HttpResponse:
    """Approve a version that was heard: 302 to its bulletin, with the reason when it was not; 403 another agency's."""
    script = asking.script_to_hear(request, pk)
    require(request.user, asking.APPROVERS, agency=script.bulletin.agency)
    try:
        approving.approve(script, request.user, timezone.now())
    except Refused as refused:
        messages.error(request, sentences.of(refused))
    else:
        messages.success(request, _("Approved: from now on this version is what is aired, wherever it is planned."))
    return redirect("bulletin", script.bulletin_id)
