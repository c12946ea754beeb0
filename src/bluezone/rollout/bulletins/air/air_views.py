# SPDX-License-Identifier: Apache-2.0
"""Pages of the air: the plan of a week, on paper too, the log against it; planning a bulletin, stopping, days left
out.
"""

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
from bluezone.directory.scopes import agencies_of, reaches_beyond_a_ward
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import EDITORS, SIGNED_IN
from bluezone.identity.objects import Whose, touches
from bluezone.identity.second_factors import (
    ask_again,
    confirm_second_factor,
    recently_confirmed,
    releases,
)
from bluezone.identity.signin import RECENT_SECONDS
from bluezone.identity.typed_fields import typed_day
from bluezone.media_types import XLSX
from bluezone.paper.tables import ColumnKind, ExportColumn, ExportSheet, write_xlsx
from bluezone.refusal import Refused
from bluezone.rollout.bulletins import scope
from bluezone.rollout.bulletins.air import air_log, planner, shared, timetable
from bluezone.rollout.bulletins.air.air_log import Row
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
from bluezone.rollout.coverage.api import Week
from bluezone.training import practised, practising

# Vietnamese in every language: the file is a form of the office and not a page.
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


def listing(rows: Iterable[Row], since: datetime.datetime, until: datetime.datetime) -> ExportSheet:
    """One row an airing; what machines proved and what people attested stand apart."""
    with override("vi"):
        cells = [_cells(row) for row in rows]
    first, last = timezone.localdate(since), timezone.localdate(until - datetime.timedelta(seconds=1))
    notes = [
        f"Nhật ký phát thanh từ {first:%d/%m/%Y} đến {last:%d/%m/%Y}.",
        "Ba cách biết (loa tự báo, micro ngoài đường, người xác nhận) không cộng với nhau.",
    ]
    return ExportSheet("Nhật ký", _COLUMNS, cells, notes)


def _cells(row: Row) -> list[str | int | None]:
    airing, proven, said = row.airing, row.proven, row.attestation
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
        f"{said.by.name} {timezone.localtime(said.at):%H:%M %d/%m/%Y}" if said else "",
        (said.link or ("ảnh" if said.has_photo else said.note)) if said else "",
    ]


A_PAGE = 60


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def plan(request: OfficeRequest) -> HttpResponse:
    """What is aired when and where in a week, of all outlets or of one."""
    week, outlet, unit = scope.week_of(request), scope.chosen_outlet(request), chosen_unit(request)
    since, until = week_span(week)
    found = air_log.airings_between(since, until, unit, outlet.pk if outlet else None)
    page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    context = {
        "week": week, "page": page, "outlet": outlet, "unit": unit, "outlets": _open_outlets(), "is_latest": False,
        "keeps": outlet is not None and outlet.agency_id in scope.kept_agencies(request),
        "narrowed": scope.narrowed(outlet, unit), "days": air_log.by_day(page.object_list),
    }  # fmt: skip
    return render(request, "bulletins/plan.html", context)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def plan_pdf(request: OfficeRequest) -> HttpResponse:
    """The plan of a week as PDF, with room to tick and sign."""
    week, outlet, unit = scope.week_of(request), scope.chosen_outlet(request), chosen_unit(request)
    since, until = week_span(week)
    found = air_log.airings_between(since, until, unit, outlet.pk if outlet else None)[:2000]
    title = " · ".join(one.name for one in (outlet, unit) if one) or "Tất cả các đài và cụm loa"
    response = HttpResponse(air_plan_pdf(title, list(found), week.first_day, week.last_day), "application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="air-plan-{week}.pdf"'
    return response


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def log(request: OfficeRequest) -> HttpResponse:
    """What was planned and what was aired: a day, or a week of `?week=`."""
    since, until = scope.span_of(request)
    now, outlet, unit = timezone.now(), scope.chosen_outlet(request), chosen_unit(request)
    outlet_pk = outlet.pk if outlet else None
    found = air_log.airings_between(since, until, unit, outlet_pk)
    page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    first, week = timezone.localdate(since), request.GET.get("week", "")
    narrowed = scope.narrowed(outlet, unit)
    # With its day or week, so that the address in a report shows the same a week later.
    shown = "&".join(part for part in (f"week={Week.of(first)}" if week else f"on={first}", narrowed) if part)
    context = {
        "page": page,
        "rows": air_log.rows_of(list(page.object_list), now),
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
        "kept": scope.kept_agencies(request),
        "soon": now + air_log.EARLY,
        "address": request.build_absolute_uri(f"?{shown}"),
    }
    return render(request, "bulletins/log.html", context)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def log_file(request: OfficeRequest) -> HttpResponse:
    """The log as XLSX, proven and attested in columns of their own."""
    since, until = scope.span_of(request)
    outlet = scope.chosen_outlet(request)
    found = air_log.airings_between(since, until, chosen_unit(request), outlet.pk if outlet else None)
    rows = air_log.rows_of(list(found[: air_log.MOST_ROWS]), timezone.now())
    response = HttpResponse(write_xlsx([listing(rows, since, until)]), content_type=XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="air-log-{timezone.localdate(since)}.xlsx"'
    return response


@practised
@require_POST
@audience(AIRING_KEEPERS)
@touches(Whose.AGENCY)
def aired(request: OfficeRequest, pk: int) -> HttpResponse:
    """One tap "Đã phát" at loudspeakers, attested, taken back within ten seconds: 302 back; 403 another agency's."""
    found, now = scope.airing_of_ours(request, pk), timezone.now()
    with acts.tell_refusals(request, scope.sentence_of):
        air_log.attest(found, request.user, now)
        acts.offer(request, "airing-attested", now, airing=pk)
        messages.success(request, _("Noted: aired, attested by you."))
    onward = request.POST.get("next", "")
    return redirect(onward if url_has_allowed_host_and_scheme(onward, allowed_hosts=None) else "air-log")


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(AIRING_KEEPERS)
@touches(Whose.AGENCY)
def attest(request: OfficeRequest, pk: int) -> HttpResponse:
    """Say what became of an airing, with a link or a photo: 302 to the log, 422 bad form or no evidence."""
    found = scope.airing_of_ours(request, pk)
    form = AiredForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        photo = values["photo"].read() if values["photo"] else None
        with acts.show_refusals(form, scope.sentence_of):
            air_log.attest(
                found, request.user, timezone.now(), was_aired=values["was_aired"], link=values["link"], photo=photo,
                note=values["note"],
            )  # fmt: skip
            messages.success(request, _("Noted, attested by you."))
            return redirect(f"/air-log/?on={timezone.localdate(found.due_at)}")
    status = 422 if form.errors else 200
    needs_evidence = found.outlet.kind != OutletKind.LOUDSPEAKERS
    context = {"airing": found, "form": form, "needs_evidence": needs_evidence}
    return render(request, "bulletins/attest.html", context, status=status)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def photo(request: OfficeRequest, pk: int) -> HttpResponse:
    """The photo of an attested airing; 404 where there is none."""
    content = Attestation.objects.filter(airing=pk).values_list("photo", flat=True).first()
    if content is None:
        raise Http404
    response = HttpResponse(bytes(content), content_type="image/jpeg")
    response.headers["Cache-Control"] = "private, no-store"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@audience(AIRING_KEEPERS)
@touches(Whose.GIVEN)
def new_outlet(request: OfficeRequest) -> HttpResponse:
    """Enter a station or paper: 302 to the plan, 422 bad form or a name that is taken."""
    in_force = Agency.objects.in_force(day_to_show(Agency, timezone.localdate()))
    form = OutletForm(request.POST or None, agencies=agencies_of(request.user, scope.KEEPERS).filter(pk__in=in_force))
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        with acts.show_refusals(form, scope.sentence_of, at="name"):
            planner.enter(request.user.username, OutletKind(values["kind"]), values["name"], values["agency"])
            messages.success(request, _("It can be chosen in schedules now."))
            return redirect("air-plan")
    return render(request, "bulletins/outlet_new.html", {"form": form}, status=422 if form.errors else 200)


def _open_outlets() -> list[Outlet]:
    return list(Outlet.objects.filter(closed_at=None).select_related("agency"))


# Who proved the second factor when the page opened has so long to fill it in.
_FILLING_SECONDS = 900
# As many moments as a page shows one by one.
MOST_SHOWN = 120


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(EDITORS)
@touches(Whose.AGENCY)
@releases
def new_schedule(request: OfficeRequest, pk: int) -> HttpResponse:
    """Show the exact list of a rule, then plan it: 302 to the schedule, 422 bad form or refused; 403 another's.

    302 to the bulletin, with the sentence, while no text of it is approved; to the second factor for whoever reaches
    more than a ward; to what waits for a second person for an emergency that is heard beyond the reader's own ward.
    """
    bulletin = scope.bulletin_of_ours(request, pk)
    languages = _approved_languages(bulletin)
    if not languages:
        messages.error(request, scope.sentence_of(timetable.ScriptNotApproved("no text is approved")))
        return redirect("bulletin", pk)
    since = _FILLING_SECONDS if request.method == "POST" else RECENT_SECONDS
    proved = practising() or recently_confirmed(request, since)
    if not proved and reaches_beyond_a_ward(request.user, scope.WRITERS):
        return ask_again(request.path)
    outlets = scope.outlets_for(request.user, bulletin)
    first = {"first": timezone.localdate() + datetime.timedelta(days=1), "times": "5:30, 17:30"}
    form = ScheduleForm(request.POST or None, outlets=outlets, languages=languages, initial=first)
    moments: list[datetime.datetime] | None = None
    if request.method == "POST" and form.is_valid():
        with acts.show_refusals(form, scope.sentence_of):
            rule = form.rule()
            moments = list(_moments(rule))
            if "store" in request.POST:
                values = form.cleaned_data
                chosen = list(values["outlets"])
                if not proved and not scope.stays_in_the_ward(request.user, chosen):
                    return ask_again(request.path)
                if bulletin.importance == Importance.EMERGENCY and _takes_two(request, chosen):
                    return _shared(request, shared.values_of(bulletin, chosen, values["languages"], rule))
                made = timetable.make_schedule(
                    bulletin, chosen, values["languages"], rule, request.user, timezone.now()
                )
                messages.success(request, _("The schedule is in force."))
                return redirect("schedule", made.pk)
    context = {
        "bulletin": bulletin, "form": form, "moments": moments, "most": MOST_SHOWN, "languages": languages,
        "last": moments[-1] if moments else None,
    }  # fmt: skip
    return render(request, "bulletins/schedule_new.html", context, status=422 if form.errors else 200)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def schedule(request: OfficeRequest, pk: int) -> HttpResponse:
    """One schedule: its rule in words, the coming airings with the time each got, and what it meets."""
    found = _schedule(pk)
    now = timezone.now()
    coming = Airing.objects.filter(schedule=found, due_at__gte=now).select_related("outlet")
    context = {
        "schedule": found,
        "bulletin": found.bulletin,
        "coming": coming[:MOST_SHOWN],
        "languages": [Language(one).label for one in found.languages],
        "moments": None if found.at_once else list(_moments(found.rule, now)),
        "meets": _meets(found, now),
        "changes": not found.stopped_at and scope.may_change(request, found),
    }
    return render(request, "bulletins/schedule.html", context)


@practised
@require_POST
@audience(AIRING_KEEPERS)
@touches(Whose.AGENCY)
def stop(request: OfficeRequest, pk: int) -> HttpResponse:
    """Air nothing of a schedule from now on: 302 to its page; 403 another's."""
    timetable.stop(scope.schedule_of_ours(request, pk), request.user, timezone.now())
    messages.success(request, _("The schedule is stopped. What was aired stays in the log."))
    return redirect("schedule", pk)


@practised
@require_POST
@audience(AIRING_KEEPERS)
@touches(Whose.AGENCY)
def leave_out(request: OfficeRequest, pk: int) -> HttpResponse:
    """Leave a day (`?on=` in the form) out: 302 to its page; 403 another's."""
    found = scope.schedule_of_ours(request, pk)
    day = typed_day(request.POST.get("day", ""))
    if day is None:
        messages.error(request, _("Choose a day. Nothing was changed."))
        return redirect("schedule", pk)
    try:
        timetable.leave_out(found, day, request.user, timezone.now())
    except Refused:
        messages.error(request, _("Nothing of this schedule is aired on that day. Nothing was changed."))
    else:
        messages.success(request, _("The day is left out."))
    return redirect("schedule", pk)


@practised
@require_POST
@audience(AIRING_KEEPERS)
@touches(Whose.AGENCY)
def put_first(request: OfficeRequest, pk: int) -> HttpResponse:
    """Air this before others of its class that it meets: 302 to its page; 403 another's."""
    timetable.put_first(scope.schedule_of_ours(request, pk), request.user, timezone.now())
    messages.success(request, _("It comes first now, among those of its class."))
    return redirect("schedule", pk)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(EDITORS)
@touches(Whose.AGENCY)
@confirm_second_factor
def at_once(request: OfficeRequest, pk: int) -> HttpResponse:
    """Ask where, then air an emergency bulletin now: 302 to the log, 422 refused; 403 another agency's.

    302 to what waits for a second person where it is heard beyond the reader's own ward.
    """
    bulletin = scope.bulletin_of_ours(request, pk)
    form = EmergencyForm(request.POST or None, outlets=scope.outlets_for(request.user, bulletin))
    if request.method == "POST" and form.is_valid():
        with acts.show_refusals(form, scope.sentence_of):
            chosen = list(form.cleaned_data["outlets"])
            if _takes_two(request, chosen):
                timetable.check_emergency(bulletin, _approved_languages(bulletin))
                return _shared(request, shared.values_of(bulletin, chosen, _approved_languages(bulletin)))
            timetable.air_at_once(bulletin, chosen, _approved_languages(bulletin), request.user, timezone.now())
            messages.success(request, _("The emergency bulletin goes out now, over everything else."))
            return redirect("air-log")
    status = 422 if form.errors else 200
    return render(request, "bulletins/at_once.html", {"bulletin": bulletin, "form": form}, status=status)


def _takes_two(request: OfficeRequest, outlets: list[Outlet]) -> bool:
    """Whether an emergency at these outlets needs a second person; practice is heard nowhere."""
    return not practising() and not scope.stays_in_the_ward(request.user, outlets)


def _shared(request: OfficeRequest, values: dict[str, Any]) -> HttpResponse:
    """Have the emergency wait for a second person, or, behind a broken glass, aired."""
    act, _made = two_persons.do_or_ask("emergency-aired", request.user, values, timezone.now())
    if act is None:
        messages.success(request, _("The emergency bulletin goes out now, over everything else."))
        return redirect("air-log")
    messages.warning(request, _("Nothing is aired yet: a second person has to confirm it."))
    return redirect("waiting-act", act.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(AIRING_KEEPERS)
@touches(Whose.AGENCY)
@confirm_second_factor
def lend(request: OfficeRequest, pk: int) -> HttpResponse:
    """Say which other agencies may have bulletins aired at an outlet: 302 stored, 409 changed meanwhile, 403."""
    outlet = scope.outlet_of_ours(request, pk)
    in_force = Agency.objects.in_force(day_to_show(Agency, timezone.localdate()))
    with transaction.atomic():
        if request.method == "POST":
            # Of two who store in one moment the second sees what the first has stored.
            list(Outlet.objects.select_for_update().filter(pk=pk).values_list("pk"))
        form = LendForm(request.POST or None, agencies=in_force, initial={"lent_to": outlet.lent_to.all()})
        if request.method == "POST" and form.is_valid():
            planner.lend(request.user.username, outlet, list(form.cleaned_data["lent_to"]))
            messages.success(request, _("Stored."))
            return redirect("air-plan")
    return render(request, "bulletins/lend.html", {"form": form, "outlet": outlet}, status=acts.status_of(form))


def _schedule(pk: int) -> Schedule:
    schedules = Schedule.objects.select_related("bulletin__agency__unit").prefetch_related("outlets")
    found: Schedule = get_object_or_404(schedules, pk=pk)
    return found


def _approved_languages(bulletin: Bulletin) -> list[str]:
    scripts = approved_scripts([bulletin.pk])
    found = [language for language in Language.values if (bulletin.pk, language) in scripts]
    # A station is relayed once, and not once for each language of what is heard where it fails.
    return found[:1] if bulletin.relay else found


def _moments(rule: Rule, since: datetime.datetime | None = None) -> list[datetime.datetime]:
    """The moments of a rule from its first day (or `since`) for a year, to be counted and shown."""
    zone = ZoneInfo(timezone.get_default_timezone_name())
    begins = max(since or timezone.now(), datetime.datetime.combine(rule.first, datetime.time(), zone))
    return list(rule.moments(begins, begins + datetime.timedelta(days=366), zone))


def _meets(found: Schedule, now: datetime.datetime) -> list[Airing]:
    """Coming airings of this schedule that had to wait, or got no time, because something else plays."""
    coming = Airing.objects.filter(schedule=found, due_at__gte=now).select_related("outlet")[:500]
    return [one for one in coming if one.starts_at != one.due_at][:20]
