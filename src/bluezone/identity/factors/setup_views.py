# SPDX-License-Identifier: Apache-2.0
"""Pages on which people set up and remove their second factor."""

import base64
import functools
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import ACCOUNT_HOLDERS
from bluezone.identity.factors import passkeys, second_factors
from bluezone.identity.factors.second_factors import confirm_second_factor, is_set_up, note_confirmed, required_for
from bluezone.identity.forms import AppForm, PasskeyForm
from bluezone.identity.models import AuthenticatorApp, Passkey
from bluezone.identity.objects import Whose, touches
from bluezone.paper.qr_codes import qr_picture
from bluezone.training import also_in_training

SECRET_KEY = "new_app_secret"  # noqa: S105 - the name of a place in the session


def _known_browser(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Setting up the first factor needs the password only; changing it afterwards needs the one there is."""

    @functools.wraps(view)
    def guarded(request: OfficeRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = confirm_second_factor(view) if is_set_up(request.user) else view
        return asked(request, *args, **kwargs)

    return guarded


@also_in_training
@require_safe
@audience(ACCOUNT_HOLDERS)
def second_factor(request: OfficeRequest) -> HttpResponse:
    """What is set up, and what there is to set up."""
    context = {
        "app": AuthenticatorApp.objects.filter(user=request.user).first(),
        "keys": request.user.passkeys.all(),
        "codes": request.user.recovery_codes.count(),
        "required": required_for(request.user),
    }
    return render(request, "accounts/second_factor.html", context)


@also_in_training
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@audience(ACCOUNT_HOLDERS)
@_known_browser
def add_app(request: OfficeRequest) -> HttpResponse:
    """Show a secret as QR and text, and keep it once the app has shown a right code: 302 or the recovery codes, 422."""
    kept = request.session.get(SECRET_KEY)
    secret = base64.b64decode(kept) if kept else second_factors.new_secret()
    request.session[SECRET_KEY] = base64.b64encode(secret).decode()
    form = AppForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            second_factors.add_app(request.user, secret, form.cleaned_data["code"], timezone.now())
        except second_factors.SecondFactorRefused:
            form.add_error(
                "code", _("This code does not fit. Wait for the next one; check that the telephone's clock is right.")
            )
        else:
            del request.session[SECRET_KEY]
            return _after_adding(request)
    address = second_factors.address(secret, request.user.username, "Bluezone")
    context = {"form": form, "secret": second_factors.shown(secret), "picture": qr_picture(address)}
    return render(request, "accounts/add_app.html", context, status=422 if form.errors else 200)


@also_in_training
@require_http_methods(["GET", "HEAD", "POST"])
@audience(ACCOUNT_HOLDERS)
@_known_browser
def add_passkey(request: OfficeRequest) -> HttpResponse:
    """Let the browser make a passkey and keep it: 302 or the recovery codes, 422 refused."""
    form = PasskeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            passkeys.add(request, request.user, values["answer"], values["name"], timezone.now())
        except second_factors.SecondFactorRefused:
            form.add_error(None, _("The browser did not make a passkey that fits. Nothing was stored; try again."))
        else:
            return _after_adding(request)
    context = {"form": form, "options": passkeys.registration_options(request, request.user)}
    return render(request, "accounts/add_passkey.html", context, status=422 if form.errors else 200)


@also_in_training
@require_POST
@audience(ACCOUNT_HOLDERS)
@_known_browser
def new_recovery_codes(request: OfficeRequest) -> HttpResponse:
    """Make ten codes and show them once, to print: 201."""
    if not is_set_up(request.user):
        return redirect("second-factor")
    return _show_codes(request)


@also_in_training
@require_POST
@audience(ACCOUNT_HOLDERS)
@_known_browser
def remove_app(request: OfficeRequest) -> HttpResponse:
    """Forget the authenticator app, unless the role needs it."""
    return _removed(request, functools.partial(second_factors.remove_app, request.user))


@also_in_training
@require_POST
@audience(ACCOUNT_HOLDERS)
@touches(Whose.OWN)
@_known_browser
def remove_passkey(request: OfficeRequest, pk: int) -> HttpResponse:
    """Forget one of the own passkeys, unless the role needs it."""
    key = get_object_or_404(Passkey, pk=pk, user=request.user)
    return _removed(request, functools.partial(passkeys.remove, request.user, key))


def _removed(request: OfficeRequest, remove: Callable[[], None]) -> HttpResponse:
    try:
        remove()
    except second_factors.SecondFactorNeeded:
        messages.error(
            request, _("Your role needs a second factor. Set up another one first; this one was not removed.")
        )
    else:
        messages.success(request, _("It is removed."))
    return redirect("second-factor")


def _after_adding(request: OfficeRequest) -> HttpResponse:
    """The first factor comes with recovery codes; later ones leave those as they are."""
    note_confirmed(request)
    if request.user.recovery_codes.exists():
        messages.success(request, _("The second factor is set up."))
        return redirect("second-factor")
    return _show_codes(request)


def _show_codes(request: OfficeRequest) -> HttpResponse:
    context = {"codes": second_factors.make_recovery_codes(request.user)}
    return render(request, "accounts/recovery_codes.html", context, status=201)
