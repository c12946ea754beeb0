# SPDX-License-Identifier: Apache-2.0
"""The class link on the public origin: PIN and four numbers on one page, no account, no cookie."""

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from bluezone.devices.refusals import PuzzleRequired
from bluezone.identity.audiences import audience
from bluezone.identity.duty import EVERYONE
from bluezone.publicpages.form_limits import FormLimit
from bluezone.publicpages.page_frame import show
from bluezone.refusal import Refused
from bluezone.rollout.coverage.api import Week
from bluezone.rollout.schools.class_reports import record_all
from bluezone.rollout.schools.classes import class_links
from bluezone.rollout.schools.forms import CountsForm, sentence_of
from bluezone.rollout.schools.models import Channel, ClassReport, SchoolClass
from bluezone.rollout.schools.school_calendar import open_weeks, year_of
from bluezone.training import practice

# A whole school behind one address sends some forty classes within the hour, and corrects some.
class_limit = FormLimit(200, 20_000)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@audience(EVERYONE)
def class_link(request: HttpRequest, token: str) -> HttpResponse:
    """A class's page: 200 the form or what was stored, 404 opens nothing, 403 wrong PIN or another site, 409 closed,
    422 numbers contradict, 429 locked or too many.
    """
    now = timezone.now()
    one = class_links.find(token, now)
    if one is None:
        return _page(request, "schools/link_gone.html", {}, 404)
    if one.training:
        with practice():
            return _class(request, one, now)
    return _class(request, one, now)


def _class(request: HttpRequest, one: SchoolClass, now: Any) -> HttpResponse:
    weeks = [week for week in open_weeks(one.school, timezone.localdate(now)) if year_of(week) == one.year]
    state = _states(one, weeks)
    if request.method != "POST":
        return _form(request, one, weeks, state, CountsForm(initial={"pupils": one.pupils}))
    form = CountsForm(request.POST)
    week = next((week for week in weeks if str(week) == request.POST.get("week")), None)
    try:
        refused, status = _wrong(request, one, form, week, now)
    except PuzzleRequired as asked:
        return _form(request, one, weeks, state, form, status=429, challenge=asked.challenge.hex())
    if not refused and week is not None:
        try:
            record_all(one.school, [(one, form.counts)], week, Channel.LINK, None, now)
        except Refused as closed:
            refused, status = sentence_of(closed), 409
        else:
            return _page(request, "schools/link_stored.html", {"one": one, "week": week, "counts": form.counts}, 200)
    return _form(request, one, weeks, state, form, refused, status)


def _wrong(request: HttpRequest, one: SchoolClass, form: CountsForm, week: Week | None, now: Any) -> tuple[str, int]:
    """Why nothing is stored, and the status; ("", 200) when all is right. The PIN is looked at last, so that a slip in
    the numbers costs no try. Raises PuzzleRequired.
    """
    origin = request.headers.get("Origin")
    if origin and urlsplit(origin).netloc != request.get_host():
        return _("Nothing was sent: the form came from another site. Send it from here."), 403
    if week is None:
        return _("Choose a week that is open. Nothing was stored."), 409
    if not form.is_valid():
        return _("Nothing was stored yet: please correct what is marked below."), 422
    try:
        class_limit.check(request, now)
        class_links.check_pin(one, request.POST.get("pin", ""), now)
    except class_links.ClassLinkLocked as locked:
        if locked.until is None:
            return _("Too many wrong PINs: this link opens no more. Ask the school for a new one."), 429
        clock = f"{timezone.localtime(locked.until):%H:%M}"
        return _("Too many wrong PINs. Try again after %(time)s; nothing was stored.") % {"time": clock}, 429
    except class_links.ClassPinWrong:
        return _("This PIN is not the one of the class. Look at the slip again; your numbers are still here."), 403
    return "", 200


def _states(one: SchoolClass, weeks: list[Week]) -> dict[Week, ClassReport]:
    said = ClassReport.objects.filter(school_class=one, is_current=True, week__in=[week.first_day for week in weeks])
    return {Week(report.week): report for report in said}


def _form(
    request: HttpRequest,
    one: SchoolClass,
    weeks: list[Week],
    state: dict[Week, ClassReport],
    form: CountsForm,
    refused: str = "",
    status: int = 200,
    challenge: str = "",
) -> HttpResponse:
    owed = [week for week in weeks if week not in state or state[week].returned_at is not None]
    first = next(iter([*owed, *weeks[-1:]]), None)
    chosen = request.POST.get("week") or str(first)
    context = {
        "one": one,
        "weeks": [(week, state.get(week), str(week) == chosen) for week in weeks],
        "form": form,
        "refused": refused,
        "challenge": challenge,
    }
    return _page(request, "schools/link.html", context, status)


def _page(request: HttpRequest, template: str, context: dict[str, Any], status: int) -> HttpResponse:
    response = show(request, template, context, status)
    response.headers["Cache-Control"] = "no-store"
    # The address is the link, and the policy of every page (same-origin) tells it to no other site. Not "no-referrer":
    # browsers then say of the form that it comes from nowhere.
    return response


urlpatterns = [path("c/<str:token>/", class_link, name="class-link")]
