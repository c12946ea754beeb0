# SPDX-License-Identifier: Apache-2.0
"""Pages of one's own account: signed-in browsers, e-mail address, second factor and training mode."""

import base64
import functools
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth import logout
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.audit import hash_chain
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import ACCOUNT_HOLDERS
from bluezone.identity.factors import passkeys, second_factors, totp
from bluezone.identity.factors.confirmation import is_recently_confirmed, note_confirmed
from bluezone.identity.factors.second_factors import confirm_second_factor, is_required, is_set_up
from bluezone.identity.forms import AppForm, EmailForm, PasskeyForm
from bluezone.identity.models import AuthenticatorApp, Passkey
from bluezone.identity.objects import Ownership, touches
from bluezone.office_secrets import keyed_digest
from bluezone.paper.qr_codes import qr_picture
from bluezone.training import TRAINING_KEY, also_in_training, current_training

SECRET_KEY = "new_app_secret"  # noqa: S105 - a key of the session


def _needs_existing_factor(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Ask for the existing second factor before a change; the first one can be set up with the password only."""

    @functools.wraps(view)
    def guarded(request: OfficeRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if is_set_up(request.user):
            return confirm_second_factor(view)(request, *args, **kwargs)
        return view(request, *args, **kwargs)

    return guarded


@also_in_training
@require_safe
@audience(ACCOUNT_HOLDERS)
@touches(Ownership.OWN)
def show_second_factor(request: OfficeRequest) -> HttpResponse:
    """The factors that are set up, and those that can be."""
    context = {
        "app": AuthenticatorApp.objects.filter(user=request.user).first(),
        "keys": request.user.passkeys.all(),
        "codes": request.user.recovery_codes.count(),
        "required": is_required(request.user),
    }
    return render(request, "accounts/second_factor.html", context)


@also_in_training
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@audience(ACCOUNT_HOLDERS)
@touches(Ownership.OWN)
@_needs_existing_factor
def add_app(request: OfficeRequest) -> HttpResponse:
    """Show a secret as QR code and text; store it once the app gives a right code: 302 or the recovery codes, 422."""
    previous = request.session.get(SECRET_KEY)
    secret = base64.b64decode(previous) if previous else totp.new_secret()
    request.session[SECRET_KEY] = base64.b64encode(secret).decode()
    form = AppForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            second_factors.add_app(request.user, secret, form.cleaned_data["code"], timezone.now())
        except second_factors.SecondFactorRefused:
            form.add_error(
                "code",
                _("This code is not right. Wait for the next one, and check that the telephone's clock is right."),
            )
        else:
            del request.session[SECRET_KEY]
            return _after_adding(request)
    address = totp.otpauth_address(secret, request.user.username, "Bluezone")
    context = {"form": form, "secret": totp.grouped_text(secret), "picture": qr_picture(address)}
    return render(request, "accounts/add_app.html", context, status=422 if form.errors else 200)


@also_in_training
@require_http_methods(["GET", "HEAD", "POST"])
@audience(ACCOUNT_HOLDERS)
@touches(Ownership.OWN)
@_needs_existing_factor
def add_passkey(request: OfficeRequest) -> HttpResponse:
    """Let the browser make a passkey and store it: 302 or the recovery codes, 422 refused."""
    form = PasskeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            passkeys.add_passkey(request, request.user, values["answer"], values["name"], timezone.now())
        except second_factors.SecondFactorRefused:
            form.add_error(None, _("The browser did not create a valid passkey. Nothing was stored; try again."))
        else:
            return _after_adding(request)
    context = {"form": form, "options": passkeys.registration_options(request, request.user)}
    return render(request, "accounts/add_passkey.html", context, status=422 if form.errors else 200)


@also_in_training
@require_POST
@audience(ACCOUNT_HOLDERS)
@touches(Ownership.OWN)
@_needs_existing_factor
def new_recovery_codes(request: OfficeRequest) -> HttpResponse:
    """Make ten codes and show them once, to print: 201."""
    if not is_set_up(request.user):
        return redirect("second-factor")
    return _show_codes(request)


@also_in_training
@require_POST
@audience(ACCOUNT_HOLDERS)
@touches(Ownership.OWN)
@_needs_existing_factor
def remove_app(request: OfficeRequest) -> HttpResponse:
    """Remove the authenticator app, unless the role needs it."""
    return _remove(request, functools.partial(second_factors.remove_app, request.user))


@also_in_training
@require_POST
@audience(ACCOUNT_HOLDERS)
@touches(Ownership.OWN)
@_needs_existing_factor
def remove_passkey(request: OfficeRequest, pk: int) -> HttpResponse:
    """Remove one of the user's own passkeys, unless the role needs it."""
    key = get_object_or_404(Passkey, pk=pk, user=request.user)
    return _remove(request, functools.partial(passkeys.remove_passkey, request.user, key))


def _remove(request: OfficeRequest, remove: Callable[[], None]) -> HttpResponse:
    try:
        remove()
    except second_factors.SecondFactorNeeded:
        messages.error(
            request, _("Your role needs a second factor. Set up another one first; this one was not removed.")
        )
    else:
        messages.success(request, _("Removed."))
    return redirect("second-factor")


def _after_adding(request: OfficeRequest) -> HttpResponse:
    """Show new recovery codes after the first factor; later factors leave the codes as they are."""
    note_confirmed(request)
    if request.user.recovery_codes.exists():
        messages.success(request, _("The second factor is set up."))
        return redirect("second-factor")
    return _show_codes(request)


def _show_codes(request: OfficeRequest) -> HttpResponse:
    context = {"codes": second_factors.make_recovery_codes(request.user)}
    return render(request, "accounts/recovery_codes.html", context, status=201)


@also_in_training
@require_safe
@audience(ACCOUNT_HOLDERS)
@touches(Ownership.OWN)
def session_list(request: OfficeRequest) -> HttpResponse:
    """Every browser in which this account is signed in now, newest first."""
    own = request.user.sessions.filter(expire_date__gt=timezone.now())
    rows = [(session, _handle(session.pk), session.pk == request.session.session_key) for session in own]
    return render(request, "accounts/sessions.html", {"rows": rows})


@also_in_training
@require_POST
@audience(ACCOUNT_HOLDERS)
@touches(Ownership.OWN)
def end_session(request: OfficeRequest, handle: str) -> HttpResponse:
    """Sign one browser out; if it is this one, show the sign-in page."""
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
@touches(Ownership.OWN)
def end_all_sessions(request: OfficeRequest) -> HttpResponse:
    """Sign out everywhere, including this browser."""
    user = request.user
    count = user.sessions.all().delete()[0]
    hash_chain.record(user.username, "sessions_ended", user.username, count=count)
    logout(request)
    return redirect("sign-in")


def _handle(session_key: str) -> str:
    """A name for a session on a page, because its key would let a reader use the session."""
    return keyed_digest("session", session_key)[:16]


@also_in_training
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@audience(ACCOUNT_HOLDERS)
@touches(Ownership.OWN)
def change_own_email(request: OfficeRequest) -> HttpResponse:
    """Enter, change or delete one's own address: 302 stored, 422 bad form.

    It needs a second factor within five minutes, or the password from a person who has none.
    """
    has_factor = is_set_up(request.user)
    if has_factor and not is_recently_confirmed(request):
        return redirect(f"{reverse('confirm')}?{urlencode({'next': reverse('own-email')})}")
    form = EmailForm(request.POST or None, user=request.user, ask_password=not has_factor)
    if request.method == "POST" and form.is_valid():
        user = request.user
        address = form.cleaned_data["email"]
        if address != user.email:
            with transaction.atomic():
                user.email = address
                user.save(update_fields=["email"])
                # The audit records the change, not the address.
                hash_chain.record(user.username, "email_changed", user.username)
        messages.success(request, _("The address is stored.") if address else _("Your address is no longer kept."))
        return redirect("own-email")
    return render(request, "accounts/own_email.html", {"form": form}, status=422 if form.errors else 200)


@also_in_training
@require_http_methods(["GET", "HEAD", "POST"])
@audience(ACCOUNT_HOLDERS)
@touches(Ownership.OWN)
def switch_training(request: OfficeRequest) -> HttpResponse:
    """Explain training mode, and switch it on or off: 302 to the first page."""
    if request.method == "POST":
        request.session[TRAINING_KEY] = not current_training(request)
        return redirect("first-page")
    return render(request, "accounts/training.html")
