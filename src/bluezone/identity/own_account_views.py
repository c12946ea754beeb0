# SPDX-License-Identifier: Apache-2.0
"""Pages of one's own account: the signed-in browsers, the own e-mail address, and training mode."""

from django.contrib import messages
from django.contrib.auth import logout
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.audit import hash_chain
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import ACCOUNT_HOLDERS
from bluezone.identity.factors.second_factors import is_set_up, recently_confirmed
from bluezone.identity.forms import EmailForm
from bluezone.identity.objects import Whose, touches
from bluezone.office_secrets import keyed_digest
from bluezone.training import TRAINING_KEY, also_in_training, current_training


@also_in_training
@require_safe
@audience(ACCOUNT_HOLDERS)
def sessions(request: OfficeRequest) -> HttpResponse:
    """Every browser in which this account is signed in now, newest first."""
    own = request.user.sessions.filter(expire_date__gt=timezone.now())
    rows = [(session, _handle(session.pk), session.pk == request.session.session_key) for session in own]
    return render(request, "accounts/sessions.html", {"rows": rows})


@also_in_training
@require_POST
@audience(ACCOUNT_HOLDERS)
@touches(Whose.OWN)
def end_session(request: OfficeRequest, handle: str) -> HttpResponse:
    """Sign one browser out; the own one too, which then shows the sign-in page."""
    for session in request.user.sessions.all():
        if _handle(session.pk) != handle:
            continue
        hash_chain.record(request.user.username, "sessions_ended", request.user.username, count=1)
        if session.pk == request.session.session_key:
            logout(request)
            return redirect("sign-in")
        session.delete()
        messages.success(request, _("That browser is signed out."))
    return redirect("sessions")


@also_in_training
@require_POST
@audience(ACCOUNT_HOLDERS)
def end_all_sessions(request: OfficeRequest) -> HttpResponse:
    """Sign out everywhere, here too."""
    user = request.user
    count = user.sessions.all().delete()[0]
    hash_chain.record(user.username, "sessions_ended", user.username, count=count)
    logout(request)
    return redirect("sign-in")


def _handle(session_key: str) -> str:
    """What a page calls a session: its key itself would be the right to use it."""
    return keyed_digest("session", session_key)[:16]


@also_in_training
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@audience(ACCOUNT_HOLDERS)
def own_email(request: OfficeRequest) -> HttpResponse:
    """Give, change or take away the own address: 302 stored, 422 bad form.

    It asks for the second factor within five minutes, and for the password of whoever has none.
    """
    has_factor = is_set_up(request.user)
    if has_factor and not recently_confirmed(request):
        return redirect(f"{reverse('confirm')}?{urlencode({'next': reverse('own-email')})}")
    form = EmailForm(request.POST or None, user=request.user, ask_password=not has_factor)
    if request.method == "POST" and form.is_valid():
        user, address = request.user, form.cleaned_data["email"]
        if address != user.email:
            with transaction.atomic():
                user.email = address
                user.save(update_fields=["email"])
                # The audit says that it changed, not to what.
                hash_chain.record(user.username, "email_changed", user.username)
        messages.success(request, _("The address is stored.") if address else _("No address of yours is kept."))
        return redirect("own-email")
    return render(request, "accounts/own_email.html", {"form": form}, status=422 if form.errors else 200)


@also_in_training
@require_http_methods(["GET", "HEAD", "POST"])
@audience(ACCOUNT_HOLDERS)
def training(request: OfficeRequest) -> HttpResponse:
    """Say what training mode is, and switch it: 302 to the first page."""
    if request.method == "POST":
        request.session[TRAINING_KEY] = not current_training(request)
        return redirect("first-page")
    return render(request, "accounts/training.html")
