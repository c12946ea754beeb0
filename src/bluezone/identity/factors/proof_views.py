# SPDX-License-Identifier: Apache-2.0
"""Pages that ask for the second factor: after the password, and before a signing act."""

import time

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import ACCOUNT_HOLDERS, EVERYONE
from bluezone.identity.factors import passkeys, second_factors
from bluezone.identity.factors.second_factors import is_set_up, note_confirmed
from bluezone.identity.forms import ProofForm
from bluezone.identity.models import User
from bluezone.identity.signin.attempts import SignInLocked
from bluezone.identity.signin.sessions import BEGUN_KEY, BROWSER_KEY, browser_of
from bluezone.training import also_in_training

BACKEND = "django.contrib.auth.backends.ModelBackend"
WAITING_KEY = "password_given"
# After the password there is this long to give the second factor.
WAITING_SECONDS = 600


def come_in(request: HttpRequest, user: User, onward: str) -> HttpResponse:
    """The password is right: sign in and go to `onward`, or ask for the second factor where one is set up."""
    if is_set_up(user):
        request.session[WAITING_KEY] = [user.pk, user.get_session_auth_hash(), int(time.time()), onward]
        return redirect("second-factor-proof")
    _sign_in(request, user)
    return redirect(onward)


@also_in_training
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@audience(EVERYONE)
def second_step(request: HttpRequest) -> HttpResponse:
    """The second half of a sign-in: 302 in, or back when the password is too long ago; 422 wrong, 429 locked."""
    user, onward = _waiting(request)
    if user is None:
        return redirect("sign-in")
    form, status = ProofForm(request.POST or None), 200
    if request.method == "POST":
        status = _prove(request, user, form)
        if status == 200:
            _sign_in(request, user)
            note_confirmed(request)
            return redirect(onward)
    return _ask(request, user, form, status, signing_in=True)


@also_in_training
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@audience(ACCOUNT_HOLDERS)
def confirm(request: OfficeRequest) -> HttpResponse:
    """Ask a signed-in person for the second factor again, before a signing act: 302 back to `next`, 422, 429."""
    onward = request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(onward, allowed_hosts=None):
        onward = "first-page"
    if not is_set_up(request.user):
        return redirect("second-factor")
    form, status = ProofForm(request.POST or None), 200
    if request.method == "POST":
        status = _prove(request, request.user, form)
        if status == 200:
            note_confirmed(request)
            return redirect(onward)
    return _ask(request, request.user, form, status, signing_in=False)


def _waiting(request: HttpRequest) -> tuple[User | None, str]:
    """Who has given the password in this browser and where they are going; nobody when it is too long ago."""
    pk, password_hash, at, onward = request.session.get(WAITING_KEY, (0, "", 0, ""))
    user = User.objects.filter(pk=pk, is_active=True).first()
    if user is None or user.get_session_auth_hash() != password_hash or time.time() - at > WAITING_SECONDS:
        return None, ""
    return user, onward


def _prove(request: HttpRequest, user: User, form: ProofForm) -> int:
    """200 proved, otherwise the status, with the reason in the form."""
    if not form.is_valid():
        return 422
    try:
        if form.cleaned_data["answer"]:
            passkeys.prove(request, user, form.cleaned_data["answer"])
        else:
            second_factors.prove_code(user, form.cleaned_data["code"], timezone.now())
    except SignInLocked as locked:
        time_of_day = f"{timezone.localtime(locked.until):%H:%M}"
        form.add_error(None, _("Too many failed tries. Try again after %(time)s.") % {"time": time_of_day})
        return 429
    except second_factors.SecondFactorRefused:
        form.add_error(
            None,
            _(
                "This does not fit. A code works once and for half a minute: wait for the next one, and check "
                "that the clock of the telephone is right."
            ),
        )
        return 422
    return 200


def _ask(request: HttpRequest, user: User, form: ProofForm, status: int, *, signing_in: bool) -> HttpResponse:
    context = {"form": form, "options": passkeys.proof_options(request, user), "signing_in": signing_in}
    return render(request, "accounts/proof.html", context, status=status)


def _sign_in(request: HttpRequest, user: User) -> None:
    request.session.pop(WAITING_KEY, None)
    login(request, user, BACKEND)
    request.session[BROWSER_KEY] = browser_of(request)
    request.session[BEGUN_KEY] = timezone.now().isoformat()
