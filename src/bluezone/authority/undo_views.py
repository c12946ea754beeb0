# SPDX-License-Identifier: Apache-2.0
"""The button "Undo" that follows a one-tap act."""

import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from bluezone.authority import role_grants
from bluezone.identity import undo_offers
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.models import RoleGrant, User
from bluezone.refusal import Refused
from bluezone.training import practised


@practised
@require_POST
@audience(SIGNED_IN)
def undo(request: OfficeRequest) -> HttpResponse:
    """Take the last one-tap act of this browser back: 302 to the page it was offered on, with what has come of it."""
    try:
        undo_offers.take_back(request, request.user, timezone.now())
    except undo_offers.UndoTooLate:
        messages.error(request, _("The ten seconds are over. Nothing was changed."))
    except Refused:
        messages.error(request, _("This can no longer be taken back: something else has happened since."))
    else:
        messages.success(request, _("Taken back. Everything is as it was."))
    onward = request.POST.get("next", "")
    return redirect(onward if url_has_allowed_host_and_scheme(onward, allowed_hosts=None) else "first-page")


def offer_ended_role(request: OfficeRequest, grant: RoleGrant, before: datetime.date | None) -> None:
    """A role or a delegation was ended by one tap; `before` is the end it had until then."""
    until = str(before) if before else ""
    undo_offers.offer(request, "role-ended", timezone.now(), grant=grant.pk, until=until, ended=str(grant.valid_to))


def let_it_hold_again(user: User, values: dict[str, Any], now: datetime.datetime) -> None:
    """Undo the end of a role. Raises UndoTooLate."""
    grant = RoleGrant.objects.select_related("user", "agency", "unit").filter(pk=values["grant"]).first()
    if grant is None or str(grant.valid_to) != values["ended"]:
        raise undo_offers.UndoTooLate("the role was changed since")
    until = datetime.date.fromisoformat(values["until"]) if values["until"] else None
    role_grants.take_end_back(user.username, grant, until)
