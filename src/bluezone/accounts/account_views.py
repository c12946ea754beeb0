# SPDX-License-Identifier: Apache-2.0
"""Pages for overseeing: accounts for administrators, the audit for supervisors and administrators."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.accounts import auditing, inviting
from bluezone.accounts.audiences import Audience, OfficeRequest, audience
from bluezone.accounts.forms import AccountChangeForm, AccountForm
from bluezone.accounts.models import AuditEntry, User

AUDIT_ROWS_A_PAGE = 50


@require_safe
@audience(Audience.ADMINS)
def account_list(request: OfficeRequest) -> HttpResponse:
    """Everybody who has an account."""
    return render(request, "accounts/account_list.html", {"accounts": User.objects.all()})


@require_http_methods(["GET", "HEAD", "POST"])
@audience(Audience.ADMINS)
def new_account(request: OfficeRequest) -> HttpResponse:
    """Make an account and show its one-time link once: 201 made, 422 bad form."""
    form = AccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = {name: form.cleaned_data[name] for name in ("username", "name", "agency", "role")}
        user, token = inviting.make_account(request.user.username, **values, now=timezone.now())
        return _show_link(request, user, token, status=201)
    return render(request, "accounts/account_new.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(Audience.ADMINS)
def change_account(request: OfficeRequest, pk: int) -> HttpResponse:
    """Change name, agency, role or the right to sign in: 302 stored, 409 last administrator, 422 bad form."""
    account = get_object_or_404(User, pk=pk)
    form = AccountChangeForm(request.POST or None, instance=account)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            values = {name: form.cleaned_data[name] for name in ("name", "agency", "role", "is_active")}
            try:
                inviting.change_account(request.user.username, account, **values)
            except inviting.LastAdmin:
                form.add_error(None, _("This is the last administrator. Make another one first; nothing was changed."))
                status = 409
            else:
                messages.success(request, _("The account of %(name)s is changed.") % {"name": account.name})
                return redirect("accounts")
    shown = User.objects.get(pk=pk)
    return render(request, "accounts/account_change.html", {"form": form, "account": shown}, status=status)


@require_POST
@audience(Audience.ADMINS)
def new_link(request: OfficeRequest, pk: int) -> HttpResponse:
    """Make a new one-time link, for a forgotten password or a lost link; the old password works until it is used."""
    account = get_object_or_404(User, pk=pk, is_active=True)
    return _show_link(request, account, inviting.make_link(request.user.username, account, timezone.now()), status=201)


@require_safe
@audience(Audience.OVERSEERS)
def audit(request: OfficeRequest) -> HttpResponse:
    """The newest acts first, with the verdict over the whole chain and its head to note down."""
    page = Paginator(AuditEntry.objects.order_by("-number"), AUDIT_ROWS_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "accounts/audit.html", {"page": page, "verdict": auditing.verify()})


def _show_link(request: HttpRequest, user: User, token: str, status: int) -> HttpResponse:
    link = request.build_absolute_uri(reverse("start", args=[token]))
    context = {"account": user, "link": link, "hours": int(inviting.LINK_LIFE.total_seconds() // 3600)}
    return render(request, "accounts/link.html", context, status=status)
