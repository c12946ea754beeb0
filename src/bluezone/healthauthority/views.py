# SPDX-License-Identifier: Apache-2.0
"""Pages of one code: the list of codes, a new code with what to say, its state, revoking it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from bluezone.accounts.audiences import Audience, OfficeRequest, audience
from bluezone.accounts.training import practised
from bluezone.healthauthority import issuing, queries, quotas, revoking
from bluezone.healthauthority.facilities import codes_seen_by
from bluezone.healthauthority.forms import IssueForm
from bluezone.healthauthority.key_server import key_server


@practised
@require_safe
@audience(Audience.CODE_ISSUERS)
def code_list(request: OfficeRequest) -> HttpResponse:
    """Issued codes of the last 14 days with their state, and when what is received now reaches phones."""
    server, now = key_server(), timezone.now()
    page, rows = queries.page_of_codes(server, request.user, request.GET.get("page"))
    context = {
        "page": page,
        "rows": rows,
        "reach": queries.reach(server, now),
        "quota": quotas.quota_of(server, request.user, now),
    }
    return render(request, "healthauthority/code_list.html", context)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(Audience.CODE_ISSUERS)
def new_code(request: OfficeRequest) -> HttpResponse:
    """Issue a code and show it, once: 201 issued, 409 form sent before, 422 bad form, 429 over the day's quota."""
    server, now = key_server(), timezone.now()
    form = IssueForm(request.POST or None)
    status = 422 if form.errors else 200
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            issued = issuing.issue(server, request.user, values["case_class"], values["onset"], now, values["form_id"])
        except issuing.FormAlreadySent:
            return render(request, "healthauthority/code_shown_before.html", status=409)
        except issuing.QuotaReached:
            status = 429
        else:
            context = {"issued": issued, "reach": queries.reach(server, now), "groups": issued.code.split("-")}
            return render(request, "healthauthority/code_issued.html", context, status=201)
    context = {"form": form, "quota": quotas.quota_of(server, request.user, now), "askable": queries.supervisors()}
    return render(request, "healthauthority/code_new.html", context, status=status)


@practised
@require_safe
@audience(Audience.CODE_ISSUERS)
def code_state(request: OfficeRequest, pk: int) -> HttpResponse:
    """The state of one code as a fragment of HTML, which the page of a new code asks for while it is open."""
    server, now = key_server(), timezone.now()
    issued = get_object_or_404(codes_seen_by(request.user), pk=pk)
    state = queries.state_of(server, issued)
    context = {"state": state, "reach": queries.reach(server, now)}
    response = render(request, "healthauthority/code_state.html", context)
    response.headers["X-Code-State"] = state
    return response


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(Audience.CODE_ISSUERS)
def revoke_code(request: OfficeRequest, pk: int) -> HttpResponse:
    """Ask, then revoke: 302 back to the list, which says whether it was in time; 404 not one of yours."""
    server = key_server()
    issued = get_object_or_404(codes_seen_by(request.user), pk=pk)
    if request.method == "POST":
        state = revoking.revoke(server, request.user, issued.handle)
        if state == "revoked":
            messages.success(request, _("The code is revoked: neither its digits nor its link work any more."))
        elif state == "used":
            messages.warning(request, _("Too late: the code had been used. What was sent cannot be recalled."))
        else:
            messages.info(request, _("The code had already expired; nothing needed to be done."))
        return redirect("codes")
    context = {"issued": issued, "state": queries.state_of(server, issued)}
    return render(request, "healthauthority/code_revoke.html", context)
