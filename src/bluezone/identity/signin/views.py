# SPDX-License-Identifier: Apache-2.0
"""Pages for signing in and out: sign-in, one-time link, one's own password, and the second factor.

People prove the second factor after the password, and again before a signing act.
"""

import time
from importlib.resources import files

from django.contrib import messages
from django.contrib.auth import login, logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.audit import hash_chain
from bluezone.identity import account_links
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import ACCOUNT_HOLDERS, EVERYONE
from bluezone.identity.factors import passkeys, second_factors
from bluezone.identity.factors.confirmation import note_confirmed
from bluezone.identity.factors.second_factors import is_set_up
from bluezone.identity.forms import FirstPasswordForm, PasswordChangeForm, ProofForm, SignInForm
from bluezone.identity.models import User, this_hour
from bluezone.identity.objects import Ownership, touches
from bluezone.identity.signin import attempts
from bluezone.identity.signin.attempts import SignInLocked
from bluezone.identity.signin.sessions import (
    BEGUN_KEY,
    BROWSER_KEY,
    WAITING_KEY,
    WAITING_SECONDS,
    browser_of,
)
from bluezone.training import also_in_training

BACKEND = "django.contrib.auth.backends.ModelBackend"


def finish_password_step(request: HttpRequest, user: User, onward: str) -> HttpResponse:
    """After the correct password: sign in and redirect to `onward`, or ask for the second factor if one is set up."""
    if is_set_up(user):
        request.session[WAITING_KEY] = [user.pk, user.get_session_auth_hash(), int(time.time()), onward]
        return redirect("second-factor-proof")
    _begin_session(request, user)
    return redirect(onward)


@also_in_training
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@audience(EVERYONE)
def finish_second_step(request: HttpRequest) -> HttpResponse:
    """Second step of a sign-in: 302 signed in, or back to the first after WAITING_SECONDS; 422 wrong, 429 locked."""
    user, onward = _second_step_of(request)
    if user is None:
        return redirect("sign-in")
    form = ProofForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = _check_proof(request, user, form)
        if status == 200:
            _begin_session(request, user)
            note_confirmed(request)
            return redirect(onward)
    return _show_proof_form(request, user, form, status, signing_in=True)


@also_in_training
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@audience(ACCOUNT_HOLDERS)
@touches(Ownership.OWN)
def confirm_identity(request: OfficeRequest) -> HttpResponse:
    """Ask a signed-in person for the second factor again, before a signing act: 302 back to `next`, 422, 429."""
    onward = request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(onward, allowed_hosts=None):
        onward = "first-page"
    if not is_set_up(request.user):
        return redirect("second-factor")
    form = ProofForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = _check_proof(request, request.user, form)
        if status == 200:
            note_confirmed(request)
            return redirect(onward)
    return _show_proof_form(request, request.user, form, status, signing_in=False)


def _second_step_of(request: HttpRequest) -> tuple[User | None, str]:
    """The person who has entered the password in this browser, and their next page; None if that was too long ago."""
    pk, password_hash, at, onward = request.session.get(WAITING_KEY, (0, "", 0, ""))
    user = User.objects.filter(pk=pk, is_active=True).first()
    if user is None or user.get_session_auth_hash() != password_hash or time.time() - at > WAITING_SECONDS:
        return None, ""
    return user, onward


def _check_proof(request: HttpRequest, user: User, form: ProofForm) -> int:
    """Check a code or a passkey. Returns the HTTP status: 200, or 422 or 429 with the reason in the form."""
    if not form.is_valid():
        return 422
    try:
        if form.cleaned_data["answer"]:
            passkeys.verify_passkey(request, user, form.cleaned_data["answer"])
        else:
            second_factors.verify_second_factor(user, form.cleaned_data["code"], timezone.now())
    except SignInLocked as locked:
        form.add_error(None, _sentence_of_lock(locked))
        return 429
    except second_factors.SecondFactorRefused:
        form.add_error(
            None,
            _(
                "This code is not right. Each code works once, for half a minute. Wait for the next one, and check "
                "that the telephone’s clock is right."
            ),
        )
        return 422
    return 200


def _show_proof_form(
    request: HttpRequest, user: User, form: ProofForm, status: int, *, signing_in: bool
) -> HttpResponse:
    context = {"form": form, "options": passkeys.authentication_options(request, user), "signing_in": signing_in}
    return render(request, "accounts/proof.html", context, status=status)


def _begin_session(request: HttpRequest, user: User) -> None:
    request.session.pop(WAITING_KEY, None)
    login(request, user, BACKEND)
    request.session[BROWSER_KEY] = browser_of(request)
    request.session[BEGUN_KEY] = this_hour().isoformat()


@also_in_training
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@audience(EVERYONE)
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in by name and password: 302 to the requested page, 422 refused, 429 locked for a while."""
    if request.user.is_authenticated:
        return redirect("first-page")
    form = SignInForm(request.POST or None)
    if request.method != "POST":
        return _show_sign_in_form(request, form)
    if not form.is_valid():
        return _show_sign_in_form(request, form, 422)
    name = form.cleaned_data["username"]
    password = form.cleaned_data["password"]
    try:
        user = attempts.sign_in(request, name, password, timezone.now(), request.POST.get("puzzle", ""))
    except attempts.SignInPuzzle as puzzle:
        return _show_sign_in_form(request, form, 429, challenge=puzzle.challenge.hex())
    except SignInLocked as locked:
        form.add_error(None, _sentence_of_lock(locked))
        return _show_sign_in_form(request, form, 429)
    except attempts.SignInRefused:
        form.add_error(
            None,
            _(
                "The name and the password do not match. Check both. An administrator can create a new link "
                "for the account."
            ),
        )
        return _show_sign_in_form(request, form, 422)
    response = finish_password_step(request, user, _requested_page(request))
    attempts.remember_device(request, response, user)
    return response


def _show_sign_in_form(request: HttpRequest, form: SignInForm, status: int = 200, challenge: str = "") -> HttpResponse:
    """The page with the form. challenge: hex, for the puzzle that the browser must solve before the next try."""
    context = {"form": form, "next": request.GET.get("next", ""), "challenge": challenge}
    return render(request, "accounts/sign_in.html", context, status=status)


def _sentence_of_lock(locked: SignInLocked) -> str:
    return _("Too many failed tries. Try again after %(time)s.") % {"time": f"{timezone.localtime(locked.until):%H:%M}"}


@require_safe
@audience(EVERYONE)
def puzzle_worker(_request: HttpRequest) -> HttpResponse:
    """The worker that solves puzzles, the same file as in the web edition."""
    worker = files("bluezone.face") / "static" / "engine" / "web" / "puzzleworker.js"
    response = HttpResponse(worker.read_bytes(), content_type="text/javascript; charset=utf-8")
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


@also_in_training
@require_POST
@audience(ACCOUNT_HOLDERS)
@touches(Ownership.OWN)
def sign_out(request: OfficeRequest) -> HttpResponse:
    """End the session and show the sign-in page."""
    logout(request)
    return redirect("sign-in")


@also_in_training
@sensitive_post_parameters()
@sensitive_variables("token")
@require_http_methods(["GET", "HEAD", "POST"])
@audience(EVERYONE)
def open_account_link(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind a one-time link: a person enters their name, chooses a password and is signed in.

    A GET does not use the link. 410 if the link is invalid, 422 bad form.
    """
    now = timezone.now()
    try:
        user = account_links.find_linked_account(token, now)
        form = FirstPasswordForm(request.POST or None, user=user)
        if request.method == "POST" and form.is_valid():
            user = account_links.set_first_password(
                token, form.cleaned_data["name"], form.cleaned_data["password"], now
            )
            logout(request)
            messages.success(
                request, _("Your password is set. Sign in with the name %(name)s next time.") % {"name": user.username}
            )
            return finish_password_step(request, user, "first-page")
    except account_links.AccountLinkInvalid:
        return render(request, "accounts/link_gone.html", status=410)
    return render(request, "accounts/start.html", {"form": form, "account": user}, status=422 if form.errors else 200)


@also_in_training
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@audience(ACCOUNT_HOLDERS)
@touches(Ownership.OWN)
def change_password(request: OfficeRequest) -> HttpResponse:
    """Change one's own password; other browsers of this account are signed out."""
    form = PasswordChangeForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        user = request.user
        user.set_password(form.cleaned_data["password"])
        user.save(update_fields=["password"])
        hash_chain.record(user.username, "password_set", user.username)
        update_session_auth_hash(request, user)
        messages.success(request, _("Your password has been changed. Other browsers are signed out of this account."))
        return redirect("first-page")
    return render(request, "accounts/password.html", {"form": form}, status=422 if form.errors else 200)


def _requested_page(request: HttpRequest) -> str:
    """The page that the sign-in interrupted, if it is on this site."""
    address = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(address, allowed_hosts=None):
        return address
    return "first-page"
