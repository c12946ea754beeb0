# SPDX-License-Identifier: Apache-2.0
"""The browsers in which a person is signed in, and signing them out."""

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from bluezone.accounts import auditing
from bluezone.accounts.audiences import Audience, OfficeRequest, audience
from bluezone.accounts.models import Act
from bluezone.accounts.sealing import keyed_digest
from bluezone.accounts.training import also_in_training


@also_in_training
@require_safe
@audience(Audience.ACCOUNT_HOLDERS)
def sessions(request: OfficeRequest) -> HttpResponse:
    """Every browser in which this account is signed in now, newest first."""
    own = request.user.sessions.filter(expire_date__gt=timezone.now())
    rows = [(session, _handle(session.pk), session.pk == request.session.session_key) for session in own]
    return render(request, "accounts/sessions.html", {"rows": rows})


@also_in_training
@require_POST
@audience(Audience.ACCOUNT_HOLDERS)
def end_session(request: OfficeRequest, handle: str) -> HttpResponse:
    """Sign one browser out; the own one too, which then shows the sign-in page."""
    for session in request.user.sessions.all():
        if _handle(session.pk) != handle:
            continue
        auditing.record(request.user.username, Act.SESSIONS_ENDED, request.user.username, count=1)
        if session.pk == request.session.session_key:
            logout(request)
            return redirect("sign-in")
        session.delete()
        messages.success(request, _("That browser is signed out."))
    return redirect("sessions")


@also_in_training
@require_POST
@audience(Audience.ACCOUNT_HOLDERS)
def end_all_sessions(request: OfficeRequest) -> HttpResponse:
    """Sign out everywhere, here too."""
    user = request.user
    count = user.sessions.all().delete()[0]
    auditing.record(user.username, Act.SESSIONS_ENDED, user.username, count=count)
    logout(request)
    return redirect("sign-in")


def _handle(session_key: str) -> str:
    """What a page calls a session: its key itself would be the right to use it."""
    return keyed_digest("session", session_key)[:16]
