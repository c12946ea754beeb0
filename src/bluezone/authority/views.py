# SPDX-License-Identifier: Apache-2.0
"""Pages of accounts, roles and delegation, and the button "Undo" that follows a one-tap act."""

import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.authority import account_acts, recent_access, role_grants, two_persons
from bluezone.authority.forms import (
    AccountChangeForm,
    AccountForm,
    DelegationForm,
    RoleForm,
)
from bluezone.authority.people import accounts
from bluezone.authority.people.people_views import invitation_text
from bluezone.authority.reach import TAKING_TWO, accounts_in_reach
from bluezone.identity import account_links, acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import ADMINS, SIGNED_IN
from bluezone.identity.factors import second_factors
from bluezone.identity.factors.confirmation import is_recently_confirmed
from bluezone.identity.factors.second_factors import confirm_second_factor, redirect_to_confirmation, releases
from bluezone.identity.models import Role, RoleGrant, User
from bluezone.identity.objects import Ownership, touches
from bluezone.paper.qr_codes import qr_picture
from bluezone.refusal import Refused
from bluezone.training import practised

ACCOUNTS_A_PAGE = 50
_ADMIN = [Role.ADMIN]
# Fields that an address may carry back into the form after the second factor was proved again.
_CARRIED_FIELDS = ("username", "name", "agency", "role", "within_agency", "within_unit", "last_day")


@practised
@require_POST
@audience(SIGNED_IN)
@touches(Ownership.OWN)
def undo(request: OfficeRequest) -> HttpResponse:
    """Undo the last one-tap act of this browser: 302 to the page that offered it, with the result."""
    try:
        acts.undo(request, request.user, timezone.now())
    except acts.UndoTooLate:
        messages.error(request, _("The ten seconds are over. Nothing was changed."))
    except Refused:
        messages.error(request, _("This can no longer be undone: something else has happened since."))
    else:
        messages.success(request, _("Undone. Everything is as it was."))
    onward = request.POST.get("next", "")
    return redirect(onward if url_has_allowed_host_and_scheme(onward, allowed_hosts=None) else "first-page")


def offer_undo_of_revocation(request: OfficeRequest, grant: RoleGrant, before: datetime.date | None) -> None:
    """Offer to undo the revocation of a role or a delegation. before: its previous end date."""
    until = str(before) if before else ""
    acts.offer_undo(request, "role-ended", timezone.now(), grant=grant.pk, until=until, ended=str(grant.valid_to))


def undo_revocation(user: User, values: dict[str, Any], now: datetime.datetime) -> None:
    """Undo the revocation of a role. Raises UndoTooLate."""
    grant = RoleGrant.objects.select_related("user", "agency", "unit").filter(pk=values["grant"]).first()
    if grant is None or str(grant.valid_to) != values["ended"]:
        raise acts.UndoTooLate("the role was changed since")
    until = datetime.date.fromisoformat(values["until"]) if values["until"] else None
    role_grants.undo_role_revocation(user.username, grant, until)


def _account_or_404(request: OfficeRequest, pk: int, **more: Any) -> User:
    """An account within the administrator's reach; raises Http404."""
    return get_object_or_404(accounts_in_reach(request.user, _ADMIN), pk=pk, **more)


def _ask_second_person(request: OfficeRequest, kind: str, values: dict[str, Any]) -> HttpResponse:
    """Store an act for a second administrator and show its page."""
    act = two_persons.request_act(kind, request.user, values, timezone.now())
    messages.success(request, _("Nothing is changed yet: a second administrator has to confirm it."))
    return redirect("waiting-act", act.pk)


@require_safe
@audience(ADMINS)
@touches(Ownership.REACHED)
def account_list(request: OfficeRequest) -> HttpResponse:
    """The accounts within reach, by pages; `?q=` finds names, agencies and sign-in names without diacritics."""
    grants = RoleGrant.objects.valid_on(timezone.localdate()).select_related("agency", "unit", "delegated_by__user")
    words = request.GET.get("q", "").strip()[:100]
    accounts = User.objects.matching(words).filter(pk__in=accounts_in_reach(request.user, _ADMIN))
    accounts = accounts.prefetch_related(Prefetch("grants", queryset=grants, to_attr="held"))
    page = Paginator(accounts, ACCOUNTS_A_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "words": words, "is_first": not words and page.paginator.count == 1}
    return render(request, "accounts/account_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(ADMINS)
@touches(Ownership.CREATED)
@releases
def new_account(request: OfficeRequest) -> HttpResponse:
    """Create an account and show its one-time link once: 201 created, 422 bad form.

    302 to the second factor first if the role takes two people or reaches beyond a ward, and to the page of the waiting
    act if it takes two.
    """
    carried = {name: request.GET[name] for name in _CARRIED_FIELDS if name in request.GET}
    form = AccountForm(request.POST or None, by=request.user, initial=carried)
    if request.method == "POST" and form.is_valid():
        values = {name: form.cleaned_data[name] for name in ("username", "name", "agency", "role")}
        if account_acts.role_reaches_far(values["role"], form.within) and not is_recently_confirmed(request):
            query = urlencode({name: request.POST[name] for name in _CARRIED_FIELDS if request.POST.get(name)})
            return redirect_to_confirmation(f"{reverse('account-new')}?{query}")
        now = timezone.now()
        if values["role"] in TAKING_TWO:
            person = {"username": values["username"], "name": values["name"], "employer": values["agency"]}
            grant = account_acts.role_values(values["role"], form.within, form.valid_to)
            return _ask_second_person(request, "account-made", {**person, **grant})
        user, token = accounts.create_account_with_link(
            request.user.username, **values, now=now, within=form.within, valid_to=form.valid_to
        )
        return show_link(request, user, token, status=201)
    return render(request, "accounts/account_new.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(ADMINS)
@touches(Ownership.AGENCY)
@releases
def change_account(request: OfficeRequest, pk: int) -> HttpResponse:
    """Change name, agency or the right to sign in: 302 stored, 404 out of reach, 409 last admin, 422 bad form."""
    account = _account_or_404(request, pk)
    was_active = account.is_active
    form = AccountChangeForm(request.POST or None, instance=account)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            values = {name: form.cleaned_data[name] for name in ("name", "agency", "is_active")}
            if account_acts.reaches_far(account) and not is_recently_confirmed(request):
                return redirect_to_confirmation(reverse("account", args=[pk]))
            if values["is_active"] and not was_active and account_acts.needs_two_people(account):
                return _ask_second_person(request, "account-opened", {"account": pk})
            try:
                accounts.change_account(request.user.username, account, **values)
            except role_grants.LastAdmin:
                form.add_error(
                    None, _("This is the last administrator. Create another one first. Nothing was changed.")
                )
                status = 409
            else:
                messages.success(request, _("The account of %(name)s has been changed.") % {"name": account.name})
                return redirect("accounts")
    return _show_account(request, pk, form, RoleForm(by=request.user), status)


@require_POST
@audience(ADMINS)
@touches(Ownership.AGENCY)
@releases
def grant_role(request: OfficeRequest, pk: int) -> HttpResponse:
    """Grant the account one more role: 302 granted, 404 out of reach, 422 bad form.

    409 if the role is incompatible with another role of the account, or the account was made or reset within a week.
    """
    account = _account_or_404(request, pk)
    form = RoleForm(request.POST, by=request.user)
    status = 422
    if form.is_valid():
        role = form.cleaned_data["role"]
        now = timezone.now()
        if account_acts.role_reaches_far(role, form.within) and not is_recently_confirmed(request):
            return redirect_to_confirmation(reverse("account", args=[pk]))
        try:
            recent_access.refuse_recent_access(account, role, form.within, now)
            if role in TAKING_TWO:
                role_grants.require_separate_powers(account, role, timezone.localdate(), form.valid_to)
                grant = account_acts.role_values(role, form.within, form.valid_to)
                return _ask_second_person(request, "role-given", {"account": pk, **grant})
            role_grants.grant_role(
                request.user.username, account, role, form.within, timezone.localdate(), form.valid_to
            )
        except role_grants.RolesNotTogether:
            form.add_error(
                "role",
                _(
                    "A person who creates accounts may not issue codes. Create a second account for another "
                    "person. Nothing was changed."
                ),
            )
            status = 409
        except recent_access.RecentHands as refused:
            form.add_error(
                "role",
                _(
                    "%(name)s created or reset this account within the last 7 days. Create another account for this "
                    "role, or wait. Nothing was changed."
                )
                % {"name": refused.by},
            )
            status = 409
        else:
            messages.success(request, _("The role has been given."))
            return redirect("account", pk)
    return _show_account(request, pk, AccountChangeForm(instance=account), form, status)


@require_POST
@audience(ADMINS)
@touches(Ownership.AGENCY)
@releases
def revoke_role(request: OfficeRequest, pk: int, grant: int) -> HttpResponse:
    """Revoke a role, and all delegations of it, from today on."""
    account = _account_or_404(request, pk)
    row = get_object_or_404(RoleGrant.objects.select_related("user", "agency", "unit"), pk=grant, user=account)
    if account_acts.role_reaches_far(row.role, row.agency or row.unit) and not is_recently_confirmed(request):
        return redirect_to_confirmation(reverse("account", args=[pk]))
    before = row.valid_to
    try:
        role_grants.revoke_role(request.user.username, row, timezone.localdate())
    except role_grants.LastAdmin:
        messages.error(request, _("This is the last administrator. Create another one first. Nothing was changed."))
    else:
        offer_undo_of_revocation(request, row, before)
        messages.success(request, _("The role has ended."))
    return redirect("account", pk)


@require_POST
@audience(ADMINS)
@touches(Ownership.AGENCY)
@confirm_second_factor
def issue_link(request: OfficeRequest, pk: int) -> HttpResponse:
    """Issue a new one-time link, for a forgotten password or a lost link; the old password works until it is used.

    201 shown once, 302 to the waiting act if the account takes two people.
    """
    account = _account_or_404(request, pk, is_active=True)
    if account_acts.needs_two_people(account):
        return _ask_second_person(request, "account-linked", {"account": pk})
    return show_link(
        request, account, account_links.issue_account_link(request.user.username, account, timezone.now()), status=201
    )


@require_POST
@audience(ADMINS)
@touches(Ownership.AGENCY)
@confirm_second_factor
def reset_second_factor(request: OfficeRequest, pk: int) -> HttpResponse:
    """Remove all second factors of a person who has lost them, and sign their browsers out.

    302 to the account, or to the waiting act if the account takes two people.
    """
    account = _account_or_404(request, pk)
    if account_acts.needs_two_people(account):
        return _ask_second_person(request, "account-freed", {"account": pk})
    second_factors.remove_second_factor(request.user.username, account)
    messages.success(
        request, _("%(name)s signs in with the password and sets up a new second factor.") % {"name": account}
    )
    return redirect("account", pk)


def _show_account(
    request: OfficeRequest, pk: int, form: AccountChangeForm, role_form: RoleForm, status: int
) -> HttpResponse:
    # Read the account again, because a refused form has changed its instance.
    account = User.objects.get(pk=pk)
    today = timezone.localdate()
    open_or_coming = Q(valid_to__isnull=True) | Q(valid_to__gt=today)
    grants = account.grants.filter(open_or_coming).select_related("agency", "unit", "delegated_by__user")
    context = {"form": form, "role_form": role_form, "account": account, "grants": grants, "today": today}
    return render(request, "accounts/account_change.html", context, status=status)


def show_link(request: HttpRequest, user: User, token: str, status: int) -> HttpResponse:
    """The page that shows a one-time link, once."""
    link = request.build_absolute_uri(reverse("start", args=[token]))
    context = {
        "account": user,
        "link": link,
        "hours": int(account_links.LINK_LIFE.total_seconds() // 3600),
        "text": invitation_text(user, link),
        "picture": qr_picture(link),
    }
    return render(request, "accounts/link.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(SIGNED_IN)
@touches(Ownership.OWN)
def delegation_list(request: OfficeRequest) -> HttpResponse:
    """Show the user's own delegations, and delegate a role: 302 delegated, 422 refused."""
    form = DelegationForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        if second_factors.is_required(request.user) and not is_recently_confirmed(request):
            return redirect_to_confirmation(reverse("delegations"))
        try:
            role_grants.delegate_role(
                values["grant"], values["to"], values["first_day"], form.valid_to, timezone.localdate()
            )
        except role_grants.DelegationRefused:
            form.add_error(
                None,
                _(
                    "Nothing was stored. Choose another person, a first day no earlier than today, and a last day "
                    "between the first day and the end of your role."
                ),
            )
        else:
            messages.success(request, _("%(name)s will act for you on these days.") % {"name": values["to"]})
            return redirect("delegations")
    grants = RoleGrant.objects.filter(delegated_by__user=request.user, valid_to__gt=timezone.localdate())
    context = {"form": form, "passed": grants.select_related("user", "agency", "unit")}
    return render(request, "accounts/delegations.html", context, status=422 if form.errors else 200)


@require_POST
@audience(SIGNED_IN)
@touches(Ownership.OWN)
def revoke_delegation(request: OfficeRequest, pk: int) -> HttpResponse:
    """Revoke one of the user's own delegations, from today on."""
    delegation = get_object_or_404(RoleGrant.objects.select_related("user"), pk=pk, delegated_by__user=request.user)
    before = delegation.valid_to
    role_grants.revoke_role(request.user.username, delegation, timezone.localdate())
    offer_undo_of_revocation(request, delegation, before)
    messages.success(request, _("%(name)s no longer acts for you.") % {"name": delegation.user})
    return redirect("delegations")
