# SPDX-License-Identifier: Apache-2.0
"""The page of a class link on the public origin: PIN and four numbers, no account, no cookie."""

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
from bluezone.publicpages.page_frame import render_page
from bluezone.refusal import Refused
from bluezone.rollout.report_week import Week
from bluezone.rollout.schools.class_reports import submit_class_reports
from bluezone.rollout.schools.classes import class_links
from bluezone.rollout.schools.forms import CountsForm, sentence_of
from bluezone.rollout.schools.models import Channel, ClassReport, SchoolClass
from bluezone.rollout.schools.school_calendar import open_weeks, year_of
from bluezone.training import practice

# A school behind one IP address sends the numbers of some forty classes within the hour, and corrects some.
class_limit = FormLimit(200, 20_000)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@audience(EVERYONE)
def submit_by_class_link(request: HttpRequest, token: str) -> HttpResponse:
    """The page of a class link: 200 form, or stored.

    403 wrong PIN or sent from another site, 404 invalid link, 409 week closed, 422 numbers missing or contradictory,
    429 too many wrong PINs or requests.
    """
    now = timezone.now()
    school_class = class_links.find_class(token, now)
    if school_class is None:
        return _page(request, "schools/link_gone.html", {}, 404)
    if school_class.training:
        with practice():
            return _class(request, school_class, now)
    return _class(request, school_class, now)


def _class(request: HttpRequest, school_class: SchoolClass, now: Any) -> HttpResponse:
    weeks = open_weeks(school_class.school, timezone.localdate(now))
    weeks = [week for week in weeks if year_of(week) == school_class.year]
    reports = _reports(school_class, weeks)
    if request.method != "POST":
        return _form(request, school_class, weeks, reports, CountsForm(initial={"pupils": school_class.pupils}))
    form = CountsForm(request.POST)
    week = next((week for week in weeks if str(week) == request.POST.get("week")), None)
    try:
        refused, status = _check(request, school_class, form, week, now)
    except PuzzleRequired as required:
        return _form(request, school_class, weeks, reports, form, status=429, challenge=required.challenge.hex())
    if not refused and week is not None:
        try:
            submit_class_reports(school_class.school, [(school_class, form.counts)], week, Channel.LINK, None, now)
        except Refused as refusal:
            refused = sentence_of(refusal)
            status = 409
        else:
            context = {"one": school_class, "week": week, "counts": form.counts}
            return _page(request, "schools/link_stored.html", context, 200)
    return _form(request, school_class, weeks, reports, form, refused, status)


def _check(
    request: HttpRequest, school_class: SchoolClass, form: CountsForm, week: Week | None, now: Any
) -> tuple[str, int]:
    """Why the form is refused, and the status; ("", 200) if it is accepted.

    The PIN is checked last, so that a mistake in the numbers does not count as a try. Raises PuzzleRequired.
    """
    origin = request.headers.get("Origin")
    if origin and urlsplit(origin).netloc != request.get_host():
        return _("Nothing was sent, because the form came from another site. Send it from this site."), 403
    if week is None:
        return _("Choose an open week. Nothing was stored."), 409
    if not form.is_valid():
        return _("Nothing has been stored yet: please correct what is marked below."), 422
    try:
        class_limit.check(request, now)
        class_links.check_pin(school_class, request.POST.get("pin", ""), now)
    except class_links.ClassLinkLocked as locked:
        if locked.until is None:
            return _("Too many wrong PINs: this link no longer works. Ask the school for a new one."), 429
        clock = f"{timezone.localtime(locked.until):%H:%M}"
        return _("Too many wrong PINs. Try again after %(time)s; nothing was stored.") % {"time": clock}, 429
    except class_links.ClassPinWrong:
        return _("This is not the PIN of this class. Check the slip; your numbers are still here."), 403
    return "", 200


def _reports(school_class: SchoolClass, weeks: list[Week]) -> dict[Week, ClassReport]:
    mondays = [week.first_day for week in weeks]
    reports = ClassReport.objects.filter(school_class=school_class, is_current=True, week__in=mondays)
    return {Week(report.week): report for report in reports}


def _form(
    request: HttpRequest,
    school_class: SchoolClass,
    weeks: list[Week],
    reports: dict[Week, ClassReport],
    form: CountsForm,
    refused: str = "",
    status: int = 200,
    challenge: str = "",
) -> HttpResponse:
    owed = [week for week in weeks if week not in reports or reports[week].returned_at is not None]
    first = next(iter([*owed, *weeks[-1:]]), None)
    chosen = request.POST.get("week") or str(first)
    context = {
        "one": school_class,
        "weeks": [(week, reports.get(week), str(week) == chosen) for week in weeks],
        "form": form,
        "refused": refused,
        "challenge": challenge,
    }
    return _page(request, "schools/link.html", context, status)


def _page(request: HttpRequest, template: str, context: dict[str, Any], status: int) -> HttpResponse:
    response = render_page(request, template, context, status)
    response.headers["Cache-Control"] = "no-store"
    # The address is a secret; the referrer policy of every page (same-origin) keeps it from other sites. With
    # "no-referrer" browsers would send the form with the origin "null".
    return response


urlpatterns = [path("c/<str:token>/", submit_by_class_link, name="class-link")]
