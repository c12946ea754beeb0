# SPDX-License-Identifier: Apache-2.0
"""The own e-mail address: where the daily digest goes. Nobody has to give one."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from bluezone.accounts import auditing
from bluezone.accounts.audiences import Audience, OfficeRequest, audience
from bluezone.accounts.forms import EmailForm
from bluezone.accounts.models import Act
from bluezone.accounts.secondfactor import is_set_up, recently_confirmed
from bluezone.accounts.training import also_in_training


@also_in_training
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@audience(Audience.ACCOUNT_HOLDERS)
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
                auditing.record(user.username, Act.EMAIL_CHANGED, user.username)
        messages.success(request, _("The address is stored.") if address else _("No address of yours is kept."))
        return redirect("own-email")
    return render(request, "accounts/own_email.html", {"form": form}, status=422 if form.errors else 200)
