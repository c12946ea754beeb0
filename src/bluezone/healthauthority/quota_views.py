# SPDX-License-Identifier: Apache-2.0
"""The page on which a supervisor sees the day's limits and raises one for the day."""

import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from bluezone.accounts.audiences import Audience, OfficeRequest, audience
from bluezone.accounts.models import User
from bluezone.healthauthority import quotas
from bluezone.healthauthority.forms import RaiseForm
from bluezone.healthauthority.key_server import key_server


@require_http_methods(["GET", "HEAD", "POST"])
@audience(Audience.HEALTH_SUPERVISORS)
def quota(request: OfficeRequest) -> HttpResponse:
    """Who has issued how many of how many today, and a form to raise a limit: 302 raised, 422 bad form."""
    server, now = key_server(), timezone.now()
    form = RaiseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        _raise(request, form, now)
        return redirect("code-quota")
    context = {
        "form": form,
        "rows": quotas.quotas_of_all(server, now),
        "raises": quotas.raises_of_today(now),
        "city": server.city,
        "tab": "quota",
    }
    return render(request, "healthauthority/quota.html", context, status=422 if form.errors else 200)


def _raise(request: OfficeRequest, form: RaiseForm, now: datetime.datetime) -> None:
    target, more, reason = form.target, form.cleaned_data["more"], form.cleaned_data["reason"]
    if isinstance(target, User):
        quotas.raise_for_worker(request.user, target, more, reason, now)
    else:
        quotas.raise_for_facility(request.user, target, more, reason, now)
    said = _("%(name)s may issue %(more)s codes more today. It ends at midnight.")
    messages.success(request, said % {"name": target.name, "more": more})
