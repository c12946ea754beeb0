# SPDX-License-Identifier: Apache-2.0
"""Pages of a house's desk: send the notice to one number or a list, follow the messages, print the cards."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext, override
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from bluezone.directory.imports.files.raw_sheets import (
    SpreadsheetColumnsMissing,
    SpreadsheetHeaderMissing,
    SpreadsheetRefused,
)
from bluezone.directory.models import AdminUnit
from bluezone.directory.refusals import sentence_for_code
from bluezone.directory.request_parameters import chosen_number
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.models import Role
from bluezone.identity.objects import Ownership, touches
from bluezone.messaging.present_city import present_city
from bluezone.messaging.sms.wording import arrival_notice
from bluezone.paper import phrases
from bluezone.paper.pdf import pdf_response, write_pdf
from bluezone.paper.phrases import facts
from bluezone.paper.qr_codes import qr
from bluezone.protocol.languages import LANGUAGES
from bluezone.refusal import Refused
from bluezone.rollout.report_week import Week, parse_week
from bluezone.rollout.visitors import guest_lists, notices, queries
from bluezone.rollout.visitors.duty import VISITOR_DESKS
from bluezone.rollout.visitors.forms import DeskForm, ListForm
from bluezone.rollout.visitors.queries import House, house_names, houses_of, may_see_all
from bluezone.training import practised

REFUSALS = {
    "sms_already_sent": _("This guest has already had the notice for this stay. Nothing was sent again."),
    "sms_opted_out": _("This guest wants no messages from the city. Nothing was sent; offer the card with the code."),
    "sms_budget_spent": _("The city’s messages for today or this month are used up. Offer the card with the code."),
    "sms_not_set": _("The city has no way to send text messages yet. Offer the card with the code."),
    "sms_number_invalid": _("Messages cannot be sent to this number."),
    "visitor_consent_missing": _("Ask the guest first. Nothing is sent without consent."),
}
ROWS = {
    "number": _("not a mobile number"),
    "empty": _("empty"),
    "twice": _("same number as above"),
    "consent": _("no consent"),
}
CARDS = {"desk": ("105mm 148mm", 1.0), "station": ("210mm 297mm", 2.0)}
# Smaller counts of other houses are suppressed, as in coverage.
SMALL = 5


@practised
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@audience(VISITOR_DESKS)
@touches(Ownership.REACHED)
def send_guest_list(request: OfficeRequest) -> HttpResponse:
    """Show the preview of a list: 200, 422 unreadable. With `sealed` in the form, send it: 302 queued, 409 too old."""
    houses = houses_of(request.user)
    if not houses:
        return render(request, "visitors/no_house.html")
    house = queries.chosen_house(request, houses)
    context: dict[str, Any] = {"house": house, "houses": houses}
    if "sealed" in request.POST:
        try:
            guests = guest_lists.open_list(request.POST["sealed"], request.user.username, house.key)
        except guest_lists.ListExpired:
            refusal = gettext(
                "The preview is too old, or is of another account or house. Nothing was sent; choose the file again."
            )
            context |= {"form": ListForm(), "refused": refusal}
            return render(request, "visitors/list.html", context, status=409)
        _show_outcome(request, notices.send_notices(request.user.username, house, guests, timezone.now()))
        return redirect(f"{reverse('visitors')}?house={house.key}")
    form = ListForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            read = guest_lists.read_list(form.cleaned_data["file"])
        except (SpreadsheetRefused, guest_lists.ListTooLong) as refused:
            form.add_error("file", _sentence_of(refused))
        else:
            context["rows"] = [(row, ROWS.get(row.refusal, "")) for row in read.rows]
            context["good"] = len(read.guests)
            context["sealed"] = ""
            if read.guests:
                context["sealed"] = guest_lists.seal_list(read.guests, request.user.username, house.key)
    return render(request, "visitors/list.html", {**context, "form": form}, status=422 if form.errors else 200)


def _show_outcome(request: OfficeRequest, outcome: notices.ListCounts) -> None:
    count = outcome.queued
    messages.success(
        request,
        ngettext("%(count)s notice is on its way.", "%(count)s notices are on their way.", count) % {"count": count},
    )
    for code, refused in sorted(outcome.refused.items()):
        messages.warning(request, f"{refused}: {REFUSALS.get(code, code)}")


def _sentence_of(refused: SpreadsheetRefused | guest_lists.ListTooLong) -> str:
    if isinstance(refused, guest_lists.ListTooLong):
        return gettext("At most 500 rows at a time. Nothing was sent; split the list.")
    if isinstance(refused, SpreadsheetHeaderMissing | SpreadsheetColumnsMissing):
        return gettext("This list does not have the columns Số điện thoại and Đồng ý. Nothing was sent.")
    return gettext("%(why)s Nothing was sent.") % {"why": sentence_for_code(refused.code)}


def card_pdf(kind: str) -> bytes:
    """A bilingual card with the QR code, as PDF. kind: a key of CARDS. Raises PdfUnavailable."""
    paper, scale = CARDS[kind]
    city = facts("vi")
    with override("en"):
        headline_en = str(phrases.headline(facts("en")))
    with override("vi"):
        headline = str(phrases.headline(city))
        imprint = str(phrases.imprint(city))
    context = {
        "city": city,
        "paper": paper,
        "qr": qr(city.short_link),
        "headline": headline,
        "headline_en": headline_en,
        "imprint": imprint,
        "text": f"{10.5 * scale:.1f}",
        "title": f"{15 * scale:.1f}",
        "pad": f"{8 * scale:.1f}",
        "code": f"{40 * scale:.1f}",
    }
    return write_pdf(render_to_string("visitors/print/card.html", context))


@practised
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@audience(VISITOR_DESKS)
@touches(Ownership.REACHED)
def send_notice_at_desk(request: OfficeRequest) -> HttpResponse:
    """Send the notice to a guest: 302 queued, 404 not the reader's house, 409 not queued and why, 422 bad form."""
    houses = houses_of(request.user)
    if not houses:
        return render(request, "visitors/no_house.html")
    house = queries.chosen_house(request, houses)
    form = DeskForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _desk(request, houses, house, form, status=422 if form.errors else 200)
    values = form.cleaned_data
    guest = notices.Guest(values["phone"], values["language"], values["consent"])
    try:
        notices.send_notice(request.user.username, house, guest, timezone.now())
    except Refused as refused:
        # An empty form, so that the number does not stay on the screen.
        reason = REFUSALS.get(refused.code, refused.message)
        return _desk(request, houses, house, DeskForm(), status=409, refused=reason)
    messages.success(request, gettext("On its way. The number is deleted after sending and not shown again."))
    return redirect(f"{reverse('visitors')}?house={house.key}")


@practised
@require_safe
@audience(VISITOR_DESKS)
@touches(
    Ownership.OWN,
    Ownership.AGENCY.for_roles(Role.CLERK, Role.LEAD, Role.OFFICER),
    Ownership.ITSELF.for_roles(Role.VENUE_OWNER),
)
def notice_states(request: OfficeRequest, house: str) -> HttpResponse:
    """The newest notices as a part of the page, which polls it; `X-Code-State: open` while their states may change."""
    newest = queries.newest_notices(queries.house_of(house, houses_of(request.user)))
    response = render(request, "visitors/newest.html", {"newest": newest})
    response.headers["X-Code-State"] = "open" if queries.has_open_notice(newest) else "settled"
    return response


@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def show_week(request: OfficeRequest) -> HttpResponse:
    """The notices that houses requested in a week; small numbers of other houses are suppressed."""
    chosen_week = parse_week(request.GET.get("week", ""), Week.of(timezone.localdate()))
    pk = chosen_number(request, "unit")
    unit = AdminUnit.objects.filter(pk=pk).first() if pk is not None else None
    house_weeks = queries.week_of_houses(chosen_week.first_day, chosen_week.last_day)
    house_weeks = [house_week for house_week in house_weeks if _within(house_week.unit_path, unit)]
    names = house_names({house_week.house for house_week in house_weeks})
    own = {house.key for house in houses_of(request.user)}
    suppressed: set[queries.HouseWeek] = set()
    if not may_see_all(request.user):
        for house_week in house_weeks:
            if house_week.requested < SMALL and house_week.house not in own:
                suppressed.add(house_week)
    rows = [
        {"name": names.get(house_week.house, "–"), "counted": house_week, "is_suppressed": house_week in suppressed}
        for house_week in house_weeks
    ]
    context = {
        "week": chosen_week,
        "unit": unit,
        "rows": rows,
        "suppresses": bool(suppressed),
        # The sum leaves suppressed numbers out; otherwise a reader could compute them.
        "sums": queries.sum_weeks(house_week for house_week in house_weeks if house_week not in suppressed),
        "narrowed": f"unit={unit.pk}" if unit else "",
        # The address contains the week, so that an address copied into a report always shows the same week.
        "address": request.build_absolute_uri(f"?week={chosen_week}" + (f"&unit={unit.pk}" if unit else "")),
        "is_latest": chosen_week.following.first_day > timezone.localdate(),
    }
    return render(request, "visitors/week.html", context)


@require_safe
@audience(VISITOR_DESKS)
@touches(Ownership.NOTHING)
def print_card(request: OfficeRequest, kind: str) -> HttpResponse:
    """A bilingual card with the QR code for a desk (A6) or a station (A4), as PDF; 302 for other kinds."""
    if kind not in CARDS:
        return redirect("visitors")
    return pdf_response(card_pdf(kind), f"bluezone-{kind}")


def _within(path: str, unit: AdminUnit | None) -> bool:
    return unit is None or path.startswith(unit.path)


def _desk(
    request: OfficeRequest, houses: list[House], house: House, form: DeskForm, *, status: int, refused: Any = ""
) -> HttpResponse:
    newest = queries.newest_notices(house)
    city = present_city()
    context: dict[str, Any] = {
        "houses": houses,
        "house": house,
        "form": form,
        "refused": refused,
        "newest": newest,
        "polls": queries.has_open_notice(newest),
        "wifi_address": f"{facts('vi').address}/wifi",
        "notices": [arrival_notice(city, language) for language in LANGUAGES],
    }
    return render(request, "visitors/desk.html", context, status=status)
