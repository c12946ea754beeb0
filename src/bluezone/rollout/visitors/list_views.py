# SPDX-License-Identifier: Apache-2.0
"""Many guests at once: the list is read, shown masked, and sent only after a second click."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from bluezone.accounts.audiences import Audience, OfficeRequest, audience
from bluezone.accounts.training import practised
from bluezone.agencies.refusals import sentence
from bluezone.agencies.sheets import SpreadsheetColumnsMissing, SpreadsheetHeaderMissing, SpreadsheetRefused
from bluezone.rollout.visitors import asking, lists, telling
from bluezone.rollout.visitors.forms import ListForm
from bluezone.rollout.visitors.houses import houses_of
from bluezone.rollout.visitors.sentences import REFUSALS, ROWS


@practised
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@audience(Audience.VISITOR_DESKS)
def guest_list(request: OfficeRequest) -> HttpResponse:
    """Read a list and show it: 200 with the preview, 422 not readable; with the preview sent back: 302 queued."""
    houses = houses_of(request.user)
    if not houses:
        return render(request, "visitors/no_house.html")
    house = asking.chosen_house(request, houses)
    context: dict[str, Any] = {"house": house, "houses": houses}
    if "sealed" in request.POST:
        try:
            guests = lists.opened_list(request.POST["sealed"], request.user.username, house.key)
        except lists.ListExpired:
            told = _("The preview is too old. Nothing was sent; choose the file again.")
            return render(request, "visitors/list.html", {**context, "form": ListForm(), "refused": told}, status=409)
        _say(request, telling.tell_list(request.user.username, house, guests, timezone.now()))
        return redirect(f"{reverse('visitors')}?house={house.key}")
    form = ListForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            read = lists.read_list(form.cleaned_data["file"])
        except (SpreadsheetRefused, lists.ListTooLong) as refused:
            form.add_error("file", _refusal(refused))
        else:
            context["rows"] = [(row, ROWS.get(row.refusal, "")) for row in read.rows]
            context["good"] = len(read.guests)
            context["sealed"] = lists.sealed_list(read.guests, request.user.username, house.key) if read.guests else ""
    return render(request, "visitors/list.html", {**context, "form": form}, status=422 if form.errors else 200)


def _say(request: OfficeRequest, told: telling.ListTold) -> None:
    count = told.queued
    messages.success(
        request,
        ngettext("%(count)s notice is on its way.", "%(count)s notices are on their way.", count) % {"count": count},
    )
    for code, refused in sorted(told.refused.items()):
        messages.warning(request, f"{refused}: {REFUSALS.get(code, code)}")


def _refusal(refused: SpreadsheetRefused | lists.ListTooLong) -> str:
    if isinstance(refused, lists.ListTooLong):
        return _("At most 500 rows at a time. Nothing was sent; split the list.")
    if isinstance(refused, SpreadsheetHeaderMissing | SpreadsheetColumnsMissing):
        return _("This is no list with the columns Số điện thoại and Đồng ý. Nothing was sent.")
    return _("%(why)s Nothing was sent.") % {"why": sentence(refused.code)}
