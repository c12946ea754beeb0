# SPDX-License-Identifier: Apache-2.0
"""Pages of the air: the plan of a week, on paper too, and the log of what was aired; schedules and outlets."""

import datetime
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.authority import two_persons
from bluezone.directory.models import Agency
from bluezone.directory.queries import day_to_show
from bluezone.directory.request_parameters import chosen_unit
from bluezone.directory.scopes import agencies_in_reach, reaches_beyond_a_ward
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import EDITORS, SIGNED_IN
from bluezone.identity.factors.confirmation import SECOND_FACTOR_SECONDS, is_recently_confirmed
from bluezone.identity.factors.second_factors import confirm_second_factor, redirect_to_confirmation, releases
from bluezone.identity.objects import Ownership, touches
from bluezone.identity.typed_fields import typed_day
from bluezone.media_types import XLSX
from bluezone.paper.tables import ColumnKind, ExportColumn, ExportSheet, write_xlsx
from bluezone.refusal import Refused
from bluezone.rollout.bulletins import page_input, permissions, sentences
from bluezone.rollout.bulletins.air import air_log, shared, timetable
from bluezone.rollout.bulletins.air.air_log import Row
from bluezone.rollout.bulletins.air.outlets import enter_outlet, lend_outlet
from bluezone.rollout.bulletins.air.planner import approved_scripts
from bluezone.rollout.bulletins.air.press import air_plan_pdf
from bluezone.rollout.bulletins.air.recurrence import Rule
from bluezone.rollout.bulletins.duty import AIRING_KEEPERS
from bluezone.rollout.bulletins.forms import AiredForm, EmergencyForm, LendForm, OutletForm, ScheduleForm
from bluezone.rollout.bulletins.indicators import week_span
from bluezone.rollout.bulletins.models import (
    Airing,
    Attestation,
    Bulletin,
    Importance,
    Language,
    Outlet,
    OutletKind,
    Schedule,
)
from bluezone.rollout.report_week import Week
from bluezone.training import practised, practising

# Vietnamese for every reader: the file is an official form, not a page.
_COLUMNS = (
    ExportColumn("Ngày"),
    ExportColumn("Giờ theo lịch"),
    ExportColumn("Nơi phát"),
    ExportColumn("Bản tin"),
    ExportColumn("Ngôn ngữ"),
    ExportColumn("Kết quả"),
    ExportColumn("Số loa", ColumnKind.COUNT),
    ExportColumn("Loa tự báo đã phát (đã xác thực)", ColumnKind.COUNT),
    ExportColumn("trong đó phát trễ", ColumnKind.COUNT),
    ExportColumn("Bị bản tin khẩn cắt", ColumnKind.COUNT),
    ExportColumn("Không phát được", ColumnKind.COUNT),
    ExportColumn("Micro ngoài đường nghe được", ColumnKind.COUNT),
    ExportColumn("Micro ngoài đường không nghe được", ColumnKind.COUNT),
    ExportColumn("Tiếp sóng được (giây)", ColumnKind.COUNT),
    ExportColumn("Bản thay thế khi mất sóng (giây)", ColumnKind.COUNT),
    ExportColumn("Im lặng (giây)", ColumnKind.COUNT),
    ExportColumn("Người xác nhận đã phát"),
    ExportColumn("Dẫn chứng"),
)
A_PAGE = 60
# After the second factor was proved at the opening of the page, there is this long to fill it in.
_FILLING_SECONDS = 900
# Moments that a page lists one by one.
MOST_SHOWN = 120


def listing(rows: Iterable[Row], since: datetime.datetime, until: datetime.datetime) -> ExportSheet:
    """One row for each airing; what machines proved and what people attested are in separate columns."""
    with override("vi"):
        cells = [_cells(row) for row in rows]
    first = timezone.localdate(since)
    last = timezone.localdate(until - datetime.timedelta(seconds=1))
    notes = [
        f"Nhật ký phát thanh từ {first:%d/%m/%Y} đến {last:%d/%m/%Y}.",
        "Ba cách biết (loa tự báo, micro ngoài đường, người xác nhận) không cộng với nhau.",
    ]
    return ExportSheet("Nhật ký", _COLUMNS, cells, notes)


def _cells(row: Row) -> list[str | int | None]:
    airing = row.airing
    proven = row.proven
    at = timezone.localtime(airing.due_at)
    return [
        f"{at:%d/%m/%Y}",
        f"{at:%H:%M}",
        airing.outlet.name,
        airing.schedule.bulletin.title,
        airing.get_language_display(),
        str(row.aired.label),
        proven.machines if proven else None,
        proven.aired if proven else None,
        proven.late if proven else None,
        proven.preempted if proven else None,
        proven.missed if proven else None,
        proven.in_street if proven else None,
        proven.not_in_street if proven else None,
        *(row.seconds_of(kind) for kind in ("station", "fall_back", "silence")),
        *_attestation_cells(row.attestation),
    ]


def _attestation_cells(attestation: Attestation | None) -> tuple[str, str]:
    """Who attests and when, and the evidence."""
    if attestation is None:
        return "", ""
    by = f"{attestation.by.name} {timezone.localtime(attestation.at):%H:%M %d/%m/%Y}"
    if attestation.link:
        return by, attestation.link
    return by, "ảnh" if attestation.has_photo else attestation.note


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def plan(request: OfficeRequest) -> HttpResponse:
    """What is aired when and where in a week, at all outlets or one."""
    week = page_input.chosen_week(request)
    outlet = page_input.chosen_outlet(request)
    unit = chosen_unit(request)
    since, until = week_span(week)
    airings = air_log.airings_between(since, until, unit, outlet.pk if outlet else None)
    page = Paginator(airings, A_PAGE).get_page(request.GET.get("page"))
    context = {
        "week": week, "page": page, "outlet": outlet, "unit": unit, "outlets": _open_outlets(), "is_latest": False,
        "keeps": outlet is not None and outlet.agency_id in permissions.agencies_with_own_outlets(request),
        "narrowed": page_input.filter_query(outlet, unit), "days": air_log.by_day(page.object_list),
    }  # fmt: skip
    return render(request, "bulletins/plan.html", context)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def plan_pdf(request: OfficeRequest) -> HttpResponse:
    """The plan of a week as PDF, with room to tick and sign."""
    week = page_input.chosen_week(request)
    outlet = page_input.chosen_outlet(request)
    unit = chosen_unit(request)
    since, until = week_span(week)
    airings = air_log.airings_between(since, until, unit, outlet.pk if outlet else None)[:2000]
    title = " · ".join(place.name for place in (outlet, unit) if place) or "Tất cả các đài và cụm loa"
    response = HttpResponse(air_plan_pdf(title, list(airings), week.first_day, week.last_day), "application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="air-plan-{week}.pdf"'
    return response


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def log(request: OfficeRequest) -> HttpResponse:
    """What was planned and what was aired: a day, or a week of `?week=`."""
    since, until = page_input.chosen_span(request)
    now = timezone.now()
    outlet = page_input.chosen_outlet(request)
    unit = chosen_unit(request)
    outlet_pk = outlet.pk if outlet else None
    airings = air_log.airings_between(since, until, unit, outlet_pk)
    page = Paginator(airings, A_PAGE).get_page(request.GET.get("page"))
    first = timezone.localdate(since)
    week = request.GET.get("week", "")
    narrowed = page_input.filter_query(outlet, unit)
    # With the day or week, so that the address in a report still shows the same rows later.
    span = f"week={Week.of(first)}" if week else f"on={first}"
    query = f"{span}&{narrowed}" if narrowed else span
    context = {
        "page": page,
        "rows": air_log.log_rows(list(page.object_list), now),
        "counts": air_log.aired_counts(since, until, now, unit, outlet_pk),
        "first": first,
        "last": timezone.localdate(until - datetime.timedelta(seconds=1)),
        "before": first - datetime.timedelta(days=1),
        "after": first + datetime.timedelta(days=1),
        "week": week,
        "outlet": outlet,
        "unit": unit,
        "narrowed": narrowed,
        "outlets": _open_outlets(),
        "kept": permissions.agencies_with_own_outlets(request),
        "soon": now + air_log.EARLY,
        "address": request.build_absolute_uri(f"?{query}"),
    }
    return render(request, "bulletins/log.html", context)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def log_file(request: OfficeRequest) -> HttpResponse:
    """The log as XLSX, proven and attested in separate columns."""
    since, until = page_input.chosen_span(request)
    outlet = page_input.chosen_outlet(request)
    airings = air_log.airings_between(since, until, chosen_unit(request), outlet.pk if outlet else None)
    rows = air_log.log_rows(list(airings[: air_log.MOST_ROWS]), timezone.now())
    response = HttpResponse(write_xlsx([listing(rows, since, until)]), content_type=XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="air-log-{timezone.localdate(since)}.xlsx"'
    return response


@practised
@require_POST
@audience(AIRING_KEEPERS)
@touches(Ownership.AGENCY)
def aired(request: OfficeRequest, pk: int) -> HttpResponse:
    """Attest an airing at loudspeakers by one tap, "Đã phát", and offer to undo it: 302 back; 403 another agency's."""
    airing = permissions.own_airing(request, pk)
    now = timezone.now()
    with acts.refusals_as_messages(request, sentences.sentence_of):
        air_log.attest_airing(airing, request.user, now)
        acts.offer_undo(request, "airing-attested", now, airing=pk)
        messages.success(request, _("Recorded: aired, attested by you."))
    next_address = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(next_address, allowed_hosts=None):
        return redirect(next_address)
    return redirect("air-log")


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(AIRING_KEEPERS)
@touches(Ownership.AGENCY)
def attest(request: OfficeRequest, pk: int) -> HttpResponse:
    """Attest the outcome of an airing, with a link or a photo: 302 to the log, 422 bad form or no evidence."""
    airing = permissions.own_airing(request, pk)
    form = AiredForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        photo = values["photo"].read() if values["photo"] else None
        with acts.refusals_as_form_errors(form, sentences.sentence_of):
            air_log.attest_airing(
                airing, request.user, timezone.now(), was_aired=values["was_aired"], link=values["link"], photo=photo,
                note=values["note"],
            )  # fmt: skip
            messages.success(request, _("Recorded, attested by you."))
            return redirect(f"/air-log/?on={timezone.localdate(airing.due_at)}")
    status = 422 if form.errors else 200
    needs_evidence = airing.outlet.kind != OutletKind.LOUDSPEAKERS
    context = {"airing": airing, "form": form, "needs_evidence": needs_evidence}
    return render(request, "bulletins/attest.html", context, status=status)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def photo(request: OfficeRequest, pk: int) -> HttpResponse:
    """The photo of an attested airing; 404 without one."""
    content = Attestation.objects.filter(airing=pk).values_list("photo", flat=True).first()
    if content is None:
        raise Http404
    response = HttpResponse(bytes(content), content_type="image/jpeg")
    response.headers["Cache-Control"] = "private, no-store"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@audience(AIRING_KEEPERS)
@touches(Ownership.CREATED)
def new_outlet(request: OfficeRequest) -> HttpResponse:
    """Enter a station or paper: 302 to the plan, 422 bad form or a name that exists."""
    current_agencies = Agency.objects.valid_on(day_to_show(Agency, timezone.localdate()))
    own_agencies = agencies_in_reach(request.user, permissions.KEEPERS).filter(pk__in=current_agencies)
    form = OutletForm(request.POST or None, agencies=own_agencies)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        with acts.refusals_as_form_errors(form, sentences.sentence_of, field="name"):
            enter_outlet(request.user.username, OutletKind(values["kind"]), values["name"], values["agency"])
            messages.success(request, _("You can now choose it in schedules."))
            return redirect("air-plan")
    return render(request, "bulletins/outlet_new.html", {"form": form}, status=422 if form.errors else 200)


def _open_outlets() -> list[Outlet]:
    return list(Outlet.objects.filter(closed_at=None).select_related("agency"))


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(EDITORS)
@touches(Ownership.AGENCY)
@releases
def new_schedule(request: OfficeRequest, pk: int) -> HttpResponse:
    """List every moment of a rule, then store it: 302 to the schedule, 422 bad form or refused; 403 another agency's.

    Further 302: to the bulletin, with the sentence, while no text of it is approved; to the second factor if the reader
    reaches more than a ward; to the waiting act if an emergency beyond the reader's own ward needs a second person.
    """
    bulletin = permissions.own_bulletin(request, pk)
    languages = _approved_languages(bulletin)
    if not languages:
        messages.error(request, sentences.sentence_of(timetable.ScriptNotApproved("no text is approved")))
        return redirect("bulletin", pk)
    most_seconds = _FILLING_SECONDS if request.method == "POST" else SECOND_FACTOR_SECONDS
    proved = practising() or is_recently_confirmed(request, most_seconds)
    if not proved and reaches_beyond_a_ward(request.user, permissions.WRITERS):
        return redirect_to_confirmation(request.path)
    outlets = permissions.outlets_for(request.user, bulletin)
    initial = {"first": timezone.localdate() + datetime.timedelta(days=1), "times": "5:30, 17:30"}
    form = ScheduleForm(request.POST or None, outlets=outlets, languages=languages, initial=initial)
    moments: list[datetime.datetime] | None = None
    if request.method == "POST" and form.is_valid():
        with acts.refusals_as_form_errors(form, sentences.sentence_of):
            rule = form.rule()
            moments = list(_moments(rule))
            if "store" in request.POST:
                values = form.cleaned_data
                chosen = list(values["outlets"])
                if not proved and not permissions.is_heard_in_ward_only(request.user, chosen):
                    return redirect_to_confirmation(request.path)
                if bulletin.importance == Importance.EMERGENCY and _takes_two(request, chosen):
                    return _shared(request, shared.airing_values(bulletin, chosen, values["languages"], rule))
                schedule = timetable.schedule_airings(
                    bulletin, chosen, values["languages"], rule, request.user, timezone.now()
                )
                messages.success(request, _("The schedule is active."))
                return redirect("schedule", schedule.pk)
    context = {
        "bulletin": bulletin, "form": form, "moments": moments, "most": MOST_SHOWN, "languages": languages,
        "last": moments[-1] if moments else None,
    }  # fmt: skip
    return render(request, "bulletins/schedule_new.html", context, status=422 if form.errors else 200)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def schedule(request: OfficeRequest, pk: int) -> HttpResponse:
    """One schedule: its rule in words, the coming airings with their times, and those that are delayed or displaced."""
    schedule = _schedule(pk)
    now = timezone.now()
    coming = Airing.objects.filter(schedule=schedule, due_at__gte=now).select_related("outlet")
    context = {
        "schedule": schedule,
        "bulletin": schedule.bulletin,
        "coming": coming[:MOST_SHOWN],
        "languages": [Language(language).label for language in schedule.languages],
        "moments": None if schedule.at_once else list(_moments(schedule.rule, now)),
        "meets": _meets(schedule, now),
        "changes": not schedule.stopped_at and permissions.may_change(request, schedule),
    }
    return render(request, "bulletins/schedule.html", context)


@practised
@require_POST
@audience(AIRING_KEEPERS)
@touches(Ownership.AGENCY)
def stop(request: OfficeRequest, pk: int) -> HttpResponse:
    """Air nothing of a schedule from now on: 302 to its page; 403 another agency's."""
    timetable.stop_schedule(permissions.own_schedule(request, pk), request.user, timezone.now())
    messages.success(request, _("The schedule has been stopped. What was aired stays in the log."))
    return redirect("schedule", pk)


@practised
@require_POST
@audience(AIRING_KEEPERS)
@touches(Ownership.AGENCY)
def leave_out(request: OfficeRequest, pk: int) -> HttpResponse:
    """Leave a day (`day` of the form) out: 302 to its page; 403 another agency's."""
    schedule = permissions.own_schedule(request, pk)
    day = typed_day(request.POST.get("day", ""))
    if day is None:
        messages.error(request, _("Choose a day. Nothing was changed."))
        return redirect("schedule", pk)
    try:
        timetable.leave_out_day(schedule, day, request.user, timezone.now())
    except Refused:
        messages.error(request, _("This schedule airs nothing on that day. Nothing was changed."))
    else:
        messages.success(request, _("The day has been left out."))
    return redirect("schedule", pk)


@practised
@require_POST
@audience(AIRING_KEEPERS)
@touches(Ownership.AGENCY)
def put_first(request: OfficeRequest, pk: int) -> HttpResponse:
    """Air a schedule before others of its class that overlap with it: 302 to its page; 403 another agency's."""
    timetable.put_schedule_first(permissions.own_schedule(request, pk), request.user, timezone.now())
    messages.success(request, _("It now comes first among the bulletins of its class."))
    return redirect("schedule", pk)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(EDITORS)
@touches(Ownership.AGENCY)
@confirm_second_factor
def air_now(request: OfficeRequest, pk: int) -> HttpResponse:
    """Ask where, then air an emergency bulletin now: 302 to the log, 422 refused; 403 another agency's.

    302 to the waiting act if it is heard beyond the reader's own ward and so needs a second person.
    """
    bulletin = permissions.own_bulletin(request, pk)
    form = EmergencyForm(request.POST or None, outlets=permissions.outlets_for(request.user, bulletin))
    if request.method == "POST" and form.is_valid():
        with acts.refusals_as_form_errors(form, sentences.sentence_of):
            chosen = list(form.cleaned_data["outlets"])
            if _takes_two(request, chosen):
                timetable.check_emergency(bulletin, _approved_languages(bulletin))
                return _shared(request, shared.airing_values(bulletin, chosen, _approved_languages(bulletin)))
            timetable.air_at_once(bulletin, chosen, _approved_languages(bulletin), request.user, timezone.now())
            messages.success(request, _("The emergency bulletin is being aired now and interrupts everything else."))
            return redirect("air-log")
    status = 422 if form.errors else 200
    return render(request, "bulletins/at_once.html", {"bulletin": bulletin, "form": form}, status=status)


def _takes_two(request: OfficeRequest, outlets: list[Outlet]) -> bool:
    """Whether an emergency at these outlets needs a second person; in training nothing is aired."""
    return not practising() and not permissions.is_heard_in_ward_only(request.user, outlets)


def _shared(request: OfficeRequest, values: dict[str, Any]) -> HttpResponse:
    """Let the emergency wait for a second person, or, after broken glass, air it."""
    act, _made = two_persons.perform_or_request("emergency-aired", request.user, values, timezone.now())
    if act is None:
        messages.success(request, _("The emergency bulletin is being aired now and interrupts everything else."))
        return redirect("air-log")
    messages.warning(request, _("Nothing is aired yet: a second person has to confirm it."))
    return redirect("waiting-act", act.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(AIRING_KEEPERS)
@touches(Ownership.AGENCY)
@confirm_second_factor
def lend(request: OfficeRequest, pk: int) -> HttpResponse:
    """Set which other agencies may air at an outlet: 302 stored, 409 changed meanwhile; 403 another agency's."""
    outlet = permissions.own_outlet(request, pk)
    current_agencies = Agency.objects.valid_on(day_to_show(Agency, timezone.localdate()))
    with transaction.atomic():
        if request.method == "POST":
            # Of two who store at the same time, the second sees what the first has stored.
            list(Outlet.objects.select_for_update().filter(pk=pk).values_list("pk"))
        form = LendForm(request.POST or None, agencies=current_agencies, initial={"lent_to": outlet.lent_to.all()})
        if request.method == "POST" and form.is_valid():
            lend_outlet(request.user.username, outlet, list(form.cleaned_data["lent_to"]))
            messages.success(request, _("Stored."))
            return redirect("air-plan")
    return render(request, "bulletins/lend.html", {"form": form, "outlet": outlet}, status=acts.form_status(form))


def _schedule(pk: int) -> Schedule:
    schedules = Schedule.objects.select_related("bulletin__agency__unit").prefetch_related("outlets")
    schedule: Schedule = get_object_or_404(schedules, pk=pk)
    return schedule


def _approved_languages(bulletin: Bulletin) -> list[str]:
    scripts = approved_scripts([bulletin.pk])
    languages = [language for language in Language.values if (bulletin.pk, language) in scripts]
    # A station is relayed once, not once for each language of the text that replaces it.
    return languages[:1] if bulletin.relay else languages


def _moments(rule: Rule, since: datetime.datetime | None = None) -> list[datetime.datetime]:
    """The moments of a rule for a year, from its first day or `since` (default now), whichever is later."""
    zone = ZoneInfo(timezone.get_default_timezone_name())
    begins = max(since or timezone.now(), datetime.datetime.combine(rule.first, datetime.time(), zone))
    return list(rule.moments(begins, begins + datetime.timedelta(days=366), zone))


def _meets(schedule: Schedule, now: datetime.datetime) -> list[Airing]:
    """Coming airings of this schedule that are delayed or got no time, because something else plays."""
    coming = Airing.objects.filter(schedule=schedule, due_at__gte=now).select_related("outlet")[:500]
    return [airing for airing in coming if airing.starts_at != airing.due_at][:20]
