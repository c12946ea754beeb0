# SPDX-License-Identifier: Apache-2.0
"""Pages of declarations, for supervisors alone: the list, what was opened, the key and its passphrase."""

import datetime

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from bluezone.healthauthority import declaration_access, queries
from bluezone.healthauthority.duty import HEALTH_SUPERVISORS
from bluezone.healthauthority.forms import ChangePassphraseForm, KeyForm, OpenForm
from bluezone.healthauthority.key_server import key_server
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.factors.second_factors import confirm_second_factor
from bluezone.identity.objects import Whose, touches
from bluezone.protocol.declarationkey import PassphraseTooShort, PassphraseWrong


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@audience(HEALTH_SUPERVISORS)
def declaration_list(request: OfficeRequest) -> HttpResponse:
    """Sealed declarations, newest first; POST opens those ticked: 200 shown once, 403 or 429 wrong passphrase."""
    server, now = key_server(), timezone.now()
    declaration_access.ensure_published(server)
    form, status = OpenForm(request.POST if request.method == "POST" else None), 200
    if request.method == "POST":
        handles, status, complete = request.POST.getlist("handle"), 422, form.is_valid()
        if not handles:
            form.add_error(None, _("Nothing is ticked. Tick the declarations to open, then give the passphrase."))
        elif complete:
            try:
                opened = declaration_access.open_some(
                    server, request.user, handles, form.cleaned_data["passphrase"], now
                )
            except PassphraseWrong:
                status = 403
                form.add_error("passphrase", _("This passphrase does not open the key. Nothing was opened."))
            except declaration_access.PassphraseTriesUsed:
                status = 429
                form.add_error("passphrase", _("Five wrong tries: wait 15 minutes. Nothing was opened."))
            else:
                return render(request, "healthauthority/declarations_opened.html", _opened_context(opened))
    page = Paginator(server.declarations.held(), declaration_access.MOST_AT_ONCE).get_page(request.GET.get("page"))
    context = {
        "key": declaration_access.key_in_force(),
        "page": page,
        "rows": queries.declaration_rows(page.object_list),
        "form": form,
        "tab": "declarations",
    }
    return render(request, "healthauthority/declarations.html", context, status=status)


@require_POST
@audience(HEALTH_SUPERVISORS)
@touches(Whose.EVERYBODYS)
def declaration_called(request: OfficeRequest, handle: str) -> HttpResponse:
    """Note that the sender was called: 204, and the page stays, so that what it shows is not lost; 404 not opened."""
    if not declaration_access.note_called(handle, timezone.now()):
        raise Http404
    return HttpResponse(status=204)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@audience(HEALTH_SUPERVISORS)
@confirm_second_factor
def declaration_key(request: OfficeRequest) -> HttpResponse:
    """Make the key for declarations, or another one in its place: 302 made or to the second factor, 422 bad form."""
    form = KeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            declaration_access.make_key(key_server(), request.user, form.cleaned_data["new"], timezone.now())
        except PassphraseTooShort:
            form.add_error("new", _("Too short: at least 16 characters. Nothing was changed."))
        else:
            messages.success(request, _("The key is made. Phones get it with their next check, within 5 hours."))
            return redirect("code-declarations")
    context = {"form": form, "key": declaration_access.key_in_force(), "tab": "declarations"}
    return render(request, "healthauthority/declaration_key.html", context, status=422 if form.errors else 200)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@audience(HEALTH_SUPERVISORS)
@confirm_second_factor
def declaration_passphrase(request: OfficeRequest) -> HttpResponse:
    """Change the passphrase of the key: 302 changed or to the second factor, 422 bad form or wrong passphrase."""
    form = ChangePassphraseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            values = form.cleaned_data
            declaration_access.change_passphrase(request.user, values["present"], values["new"], timezone.now())
        except PassphraseWrong:
            form.add_error("present", _("This passphrase does not open the key. Nothing was changed."))
        except declaration_access.PassphraseTriesUsed:
            form.add_error("present", _("Five wrong tries: wait 15 minutes. Nothing was changed."))
        except PassphraseTooShort:
            form.add_error("new", _("Too short: at least 16 characters. Nothing was changed."))
        else:
            messages.success(request, _("The passphrase is changed; the old one opens nothing any more."))
            return redirect("code-declarations")
    context = {"form": form, "tab": "declarations"}
    return render(request, "healthauthority/declaration_passphrase.html", context, status=422 if form.errors else 200)


def _opened_context(opened: list[declaration_access.Opened]) -> dict[str, object]:
    day_zero = datetime.date(1970, 1, 1)
    shown = [
        {
            "handle": one.handle,
            "received": one.received_hour * queries.SECONDS_PER_HOUR,
            "declaration": one.declaration,
            "day": day_zero + datetime.timedelta(days=one.declaration.day) if one.declaration else None,
        }
        for one in opened
    ]
    return {"opened": shown, "tab": "declarations"}
