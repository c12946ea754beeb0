# SPDX-License-Identifier: Apache-2.0
"""The page from which a health worker warns the guests of a venue."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from bluezone.accounts.audiences import Audience, OfficeRequest, audience
from bluezone.accounts.training import practised, practising
from bluezone.healthauthority import alerting
from bluezone.healthauthority.alert_forms import AlertForm
from bluezone.healthauthority.key_server import key_server
from bluezone.keyserver import venuealerts
from bluezone.protocol.venue import InvalidVenue, VenueForeign


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(Audience.CODE_ISSUERS)
def venue_alert(request: OfficeRequest) -> HttpResponse:
    """Ask for code and hours, show which venue it is, then warn: 201 sent, 409 sent before, 422 bad form or hours."""
    form = AlertForm(request.POST or None)
    context = {"form": form, "tab": "venues", "practising": practising()}
    if request.method != "POST" or not form.is_valid():
        return render(request, "healthauthority/venue_alert.html", context, status=422 if form.errors else 200)
    server, values = key_server(), form.cleaned_data
    span = (values["start"], values["end"])
    sending = request.POST.get("confirm") == "yes"
    try:
        if sending:
            told = alerting.alert(server, request.user, values["code"], *span, values["form_id"])
        else:
            told = venuealerts.check(server, values["code"], *(int(moment.timestamp()) for moment in span))
    except alerting.AlertAlreadySent:
        return render(request, "healthauthority/venue_alert_sent.html", context | {"again": True}, status=409)
    except VenueForeign:
        form.add_error("code", _("This city did not sign this code, or it was changed. Nobody was warned."))
    except InvalidVenue:
        form.add_error("code", _("This is no code of a venue. Scan the poster again. Nobody was warned."))
    except venuealerts.AlertRefused:
        form.add_error(
            "day", _("The hours must have ended, lie in the last 14 days and be 24 at most. Nobody was warned.")
        )
    else:
        context |= {"told": told, "start": span[0], "end": span[1]}
        page = "venue_alert_sent" if sending else "venue_alert_confirm"
        return render(request, f"healthauthority/{page}.html", context, status=201 if sending else 200)
    return render(request, "healthauthority/venue_alert.html", context, status=422)
