# SPDX-License-Identifier: Apache-2.0
"""Pages for coming in and going out: sign-in, one-time link, own password, first page."""

from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.audit import hash_chain
from bluezone.duties.catalogue import first_pages
from bluezone.identity.audiences import OfficeRequest, admits, audience
from bluezone.identity.duty import ACCOUNT_HOLDERS, EVERYONE, SIGNED_IN
from bluezone.identity.factors.proof_views import come_in
from bluezone.identity.forms import FirstPasswordForm, PasswordChangeForm, SignInForm
from bluezone.identity.models import Role
from bluezone.identity.roles import roles_of
from bluezone.identity.signin import attempts, invitations
from bluezone.training import also_in_training


@require_safe
@audience(SIGNED_IN)
def first_page(request: OfficeRequest) -> HttpResponse:
    """Send each role to the page its work begins with; a role whose pages are still to come, to its sheet."""
    for page in first_pages():
        if admits(page.audience, request.user):
            return redirect(page.url)
    held = roles_of(request.user)
    return redirect("guide", next(role for role in Role if role in held))


@also_in_training
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@audience(EVERYONE)
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in by name and password: 302 to the page that was asked for, 422 refused, 429 locked for a while."""
    if request.user.is_authenticated:
        return redirect("first-page")
    form = SignInForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                user = attempts.sign_in(
                    request, form.cleaned_data["username"], form.cleaned_data["password"], timezone.now()
                )
            except attempts.SignInLocked as locked:
                form.add_error(
                    None,
                    _("Too many failed tries. Try again after %(time)s.")
                    % {"time": f"{timezone.localtime(locked.until):%H:%M}"},
                )
                status = 429
            except attempts.SignInRefused:
                form.add_error(
                    None,
                    _(
                        "Name and password do not fit together. Check both; "
                        "an administrator can make a new link for the account."
                    ),
                )
            else:
                return come_in(request, user, _asked_for(request))
    return render(request, "accounts/sign_in.html", {"form": form, "next": request.GET.get("next", "")}, status=status)


@also_in_training
@require_POST
@audience(ACCOUNT_HOLDERS)
def sign_out(request: OfficeRequest) -> HttpResponse:
    """End the session and show the sign-in page."""
    logout(request)
    return redirect("sign-in")


@also_in_training
@sensitive_post_parameters()
@sensitive_variables("token")
@require_http_methods(["GET", "HEAD", "POST"])
@audience(EVERYONE)
def start(request: HttpRequest, token: str) -> HttpResponse:
    """Open a one-time link: say one's name, choose a password, be signed in.

    Looking does not use the link; 410 when it is gone, 422 bad form.
    """
    now = timezone.now()
    try:
        user = invitations.user_of_link(token, now)
        form = FirstPasswordForm(request.POST or None, user=user)
        if request.method == "POST" and form.is_valid():
            user = invitations.set_first_password(token, form.cleaned_data["name"], form.cleaned_data["password"], now)
            logout(request)
            messages.success(
                request, _("The password is set. Sign in with the name %(name)s next time.") % {"name": user.username}
            )
            return come_in(request, user, "first-page")
    except invitations.AccountLinkInvalid:
        return render(request, "accounts/link_gone.html", status=410)
    return render(request, "accounts/start.html", {"form": form, "account": user}, status=422 if form.errors else 200)


@also_in_training
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@audience(ACCOUNT_HOLDERS)
def change_password(request: OfficeRequest) -> HttpResponse:
    """Change the own password; other browsers of this account are signed out."""
    form = PasswordChangeForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        user = request.user
        user.set_password(form.cleaned_data["password"])
        user.save(update_fields=["password"])
        hash_chain.record(user.username, "password_set", user.username)
        update_session_auth_hash(request, user)
        messages.success(request, _("The password is changed. Other browsers of this account are signed out."))
        return redirect("first-page")
    return render(request, "accounts/password.html", {"form": form}, status=422 if form.errors else 200)


def _asked_for(request: HttpRequest) -> str:
    """The page that sign-in interrupted, if it is one of ours."""
    asked = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(asked, allowed_hosts=None):
        return asked
    return "first-page"
