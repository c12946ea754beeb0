# SPDX-License-Identifier: Apache-2.0
"""Pages of loudspeakers with their forms: zones and their dead machines, one zone's day, memory sticks."""

import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.authority import two_persons
from bluezone.devices.models import Device, DeviceKind
from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.queries import day_to_show
from bluezone.directory.request_parameters import chosen_day, chosen_number
from bluezone.directory.scopes import OutsideScope, agencies_in_reach, has_role, require_role, rows_of_own_agencies
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.edits import SharedForm
from bluezone.identity.factors.confirmation import SECOND_FACTOR_SECONDS, is_recently_confirmed
from bluezone.identity.factors.second_factors import confirm_second_factor, redirect_to_confirmation
from bluezone.identity.objects import Ownership, touches
from bluezone.identity.typed_fields import CountField, TimeOfDayField
from bluezone.paper.pdf import PdfUnavailable
from bluezone.refusal import Refused
from bluezone.rollout.bulletins.api import (
    EARLY,
    Airing,
    Schedule,
    air_plan_pdf,
    airings_between,
    day_span,
    is_heard_in_ward_only,
    log_rows,
    may_air_at,
    sentence_of,
    stick_files,
    stop_schedule_at,
)
from bluezone.rollout.bulletins.duty import AIRING_KEEPERS
from bluezone.rollout.loudspeakers import health, live, playback, zone_setup
from bluezone.rollout.loudspeakers.models import Unit, Zone
from bluezone.training import practised


class ZoneForm(forms.Form):
    """A new zone of one of the agencies that the reader keeps."""

    agency = forms.ModelChoiceField(Agency.objects.none(), label=_("Agency"))
    name = forms.CharField(
        label=_("Name of the zone"), max_length=80, help_text=_("For example: Group 5, cultural house"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    by_hand = forms.BooleanField(
        label=_("Played by hand"), required=False,
        help_text=_("Someone plays it from a memory stick and reports it; nothing is reported automatically."),
    )  # fmt: skip

    def __init__(self, *args: Any, agencies: QuerySet[Agency], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["agency"].queryset = agencies.order_by("name")  # type: ignore[attr-defined]


class ZoneSettingsForm(SharedForm, forms.Form):
    """Volume and quiet hours of a zone."""

    changes_something = True
    volume = CountField(label=_("Volume (percent)"), min_value=0, max_value=100)
    quiet_from = TimeOfDayField(label=_("Quiet hours from"))
    quiet_to = TimeOfDayField(
        label=_("Quiet hours until"),
        help_text=_("In these hours only emergencies are aired."),
    )  # fmt: skip
    by_hand = forms.BooleanField(label=_("Played by hand"), required=False)


class MachineForm(forms.Form):
    """A machine of the zone's agency that will play for it."""

    device = forms.ModelChoiceField(Device.objects.none(), label=_("Loudspeaker"))

    def __init__(self, *args: Any, zone: Zone, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = Device.objects.filter(kind=DeviceKind.SPEAKER, agency=zone.outlet.agency, revoked_at=None)
        self.fields["device"].queryset = found.exclude(speaker__zone=zone)  # type: ignore[attr-defined]


class VolumeForm(SharedForm, forms.Form):
    """A machine's own volume."""

    changes_something = True
    volume = CountField(
        label=_("Own volume (percent); if empty, the zone’s volume"), min_value=0, max_value=100, required=False
    )

    def __init__(self, typed: QueryDict | None = None, *, unit: Unit) -> None:
        # A page has one such form for each machine.
        super().__init__(typed, initial={"volume": unit.volume}, auto_id=f"id_{unit.pk}_%s")


class SpeechForm(forms.Form):
    """A piece of what is spoken live."""

    number = CountField(min_value=0)
    sound = forms.FileField(required=False)
    last = forms.BooleanField(required=False)


KEEPERS = AIRING_KEEPERS
MOST_STICK_DAYS = 31


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def zone_list(request: OfficeRequest) -> HttpResponse:
    """Every zone with its machines; those that are silent first in words and colour."""
    return render(
        request, "loudspeakers/list.html", _listed(request) | {"keeps": has_role(request.user, KEEPERS.roles)}
    )


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def zone_states(request: OfficeRequest) -> HttpResponse:
    """The rows of the list alone, which the open page asks for again and again."""
    response = render(request, "loudspeakers/rows.html", _listed(request))
    response.headers["X-Code-State"] = "open"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@audience(KEEPERS)
@touches(Ownership.CREATED)
def new_zone(request: OfficeRequest) -> HttpResponse:
    """Enter a zone: 302 to its page, 422 bad form or a name that is taken."""
    in_force = Agency.objects.valid_on(day_to_show(Agency, timezone.localdate()))
    form = ZoneForm(
        request.POST or None, agencies=agencies_in_reach(request.user, KEEPERS.roles).filter(pk__in=in_force)
    )
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        with acts.refusals_as_form_errors(form, sentence_of, field="name"):
            made = zone_setup.create_zone(
                request.user.username, values["name"], values["agency"], None, by_hand=values["by_hand"]
            )
            messages.success(request, gettext("The zone has been entered. Next: assign its loudspeakers."))
            return redirect("zone", made.pk)
    return render(request, "loudspeakers/new.html", {"form": form}, status=422 if form.errors else 200)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def show_zone(request: OfficeRequest, pk: int) -> HttpResponse:
    """One zone: what it airs on a day with one tap "Đã phát", its machines, how it is set."""
    return _page(request, _zone(pk))


def _page(
    request: OfficeRequest,
    found: Zone,
    setting: ZoneSettingsForm | None = None,
    own: tuple[int, VolumeForm] | None = None,
) -> HttpResponse:
    """own: key of a machine and its form, where another than that of what is stored is to be shown; so is setting."""
    setting, volumes = setting or ZoneSettingsForm(initial=_settings(found)), dict([own] if own else [])
    for sentence in [one for form in (setting, *volumes.values()) for one in form.non_field_errors()]:
        # The form stands far down the page.
        messages.warning(request, str(sentence))
    now, day = timezone.now(), chosen_day(request, timezone.localdate())
    context = {
        "zone": found,
        "outlet": found.outlet,
        "day": day,
        # Not the address of the act where the page answers one.
        "here": f"{reverse('zone', args=[found.pk])}?on={day}",
        "before": day - datetime.timedelta(days=1),
        "after": day + datetime.timedelta(days=1),
        "rows": log_rows(list(airings_between(*day_span(day), None, found.pk)), now),
        "soon": now + EARLY,
        "sounding": _sounding(found, now) if may_air_at(request.user, found.outlet) else [],
        "units": [
            (unit, state, volumes.get(unit.pk) or VolumeForm(unit=unit))
            for unit, state in health.rows_of([found], now)[0].units
        ],
        "keeps": has_role(request.user, KEEPERS.roles, agency=found.outlet.agency),
        "addresses": _addresses(found, day),
        "speaks": Zone.objects.filter(
            rows_of_own_agencies(request.user, KEEPERS.roles, "outlet__agency"), pk=found.pk
        ).exists(),
        "machine_form": MachineForm(zone=found),
        "setting_form": setting,
    }
    return render(request, "loudspeakers/zone.html", context, status=acts.form_status(setting, *volumes.values()))


# So long an emergency is tried, and a bulletin waits behind one.
_LATE = datetime.timedelta(minutes=15)


def _sounding(found: Zone, now: datetime.datetime) -> list[Airing]:
    """What sounds at a zone now, or can begin any moment, and was not stopped."""
    goes_on = Airing.objects.filter(
        outlet=found.outlet, schedule__stopped_at=None, schedule__bulletin__withdrawn_at=None,
        schedule__outlets=found.outlet, displaced="", starts_at__lte=now + EARLY,
    )  # fmt: skip
    recent = goes_on.filter(starts_at__gt=now - datetime.timedelta(hours=1) - _LATE)
    airings = recent.select_related("schedule__bulletin").order_by("starts_at", "pk")
    return [
        one
        for one in airings
        if one.starts_at is not None and one.starts_at + datetime.timedelta(seconds=one.seconds) + _LATE > now
    ]


def _addresses(found: Zone, day: datetime.date) -> list[dict[str, Any]]:
    """What was spoken live on a day, with the machines that played it."""
    first, last = day_span(day)
    rows = (
        found.addresses.filter(began_at__gte=first, began_at__lt=last).select_related("spoken_by").order_by("began_at")
    )
    return [
        {
            "address": one,
            "seconds": ((one.ended_at or one.last_at) - one.began_at).total_seconds(),
            "machines": [
                word
                for word in one.heard.values()
                if word["seconds"] > 0 and word["sink"] not in playback.UNHEARD_SINKS
            ],
            "heard": max((word["seconds"] for word in one.heard.values()), default=0.0),
        }
        for one in rows
    ]


@require_POST
@audience(KEEPERS)
@touches(Ownership.AGENCY)
def configure_zone(request: OfficeRequest, pk: int) -> HttpResponse:
    """Change volume and quiet hours: 302 to the zone; 403 another agency's; 409 changed meanwhile, with the page."""
    _zone_of_ours(request, pk)
    with transaction.atomic():
        # Of two who store in one moment the second sees what the first has stored.
        list(Zone.objects.select_for_update().filter(pk=pk).values_list("pk"))
        found = _zone(pk)
        form = ZoneSettingsForm(request.POST, initial=_settings(found))
        if form.is_valid():
            values = form.cleaned_data
            quiet = values["quiet_from"], values["quiet_to"]
            zone_setup.configure_zone(
                request.user.username, found, values["volume"], quiet, timezone.now(), by_hand=values["by_hand"]
            )
            messages.success(
                request, gettext("The zone has been set. Connected loudspeakers get the settings within seconds.")
            )
            return redirect("zone", pk)
    if form.meanwhile:
        return _page(request, found, setting=form)
    messages.warning(request, gettext("Nothing was changed: volume is 0 to 100, times are like 21:00."))
    return redirect("zone", pk)


@practised
@require_POST
@audience(KEEPERS)
@touches(Ownership.AGENCY)
def stop_schedule_at_zone(request: OfficeRequest, pk: int) -> HttpResponse:
    """Stop a schedule at this zone alone, with what sounds of it: 302 to the zone; 403 who may not air here."""
    found = _zone(pk)
    if not may_air_at(request.user, found.outlet):
        raise OutsideScope("one stops what sounds where one may air")
    chosen = get_object_or_404(Schedule, pk=chosen_number(request, "schedule") or 0, outlets=found.outlet)
    stop_schedule_at(chosen, found.outlet, request.user, timezone.now())
    messages.success(request, gettext("Stopped here. Connected loudspeakers stop within seconds."))
    return redirect("zone", pk)


@require_POST
@audience(KEEPERS)
@touches(Ownership.AGENCY)
def assign_machine(request: OfficeRequest, pk: int) -> HttpResponse:
    """Let a machine of the agency play for this zone: 302 to it; 403 another agency's."""
    found = _zone_of_ours(request, pk)
    form = MachineForm(request.POST, zone=found)
    if form.is_valid():
        zone_setup.assign_machine(request.user.username, form.cleaned_data["device"], found, timezone.now())
        messages.success(request, gettext("The loudspeaker now plays for this zone."))
    else:
        messages.warning(request, gettext("Nothing was changed: choose a loudspeaker of this agency."))
    return redirect("zone", pk)


@require_POST
@audience(KEEPERS)
@touches(Ownership.AGENCY)
def set_machine_volume(request: OfficeRequest, pk: int) -> HttpResponse:
    """A machine's own volume: 302 to its zone; 403 another agency's; 409 changed meanwhile, with the zone's page."""
    unit = get_object_or_404(Unit.objects.select_related("zone__outlet__agency__unit"), pk=pk)
    require_role(request.user, KEEPERS.roles, agency=unit.zone.outlet.agency)
    with transaction.atomic():
        # Of two who store in one moment the second sees what the first has stored.
        unit.volume = Unit.objects.select_for_update().values_list("volume", flat=True).get(pk=pk)
        form = VolumeForm(request.POST, unit=unit)
        if form.is_valid():
            zone_setup.set_volume(request.user.username, unit, form.cleaned_data["volume"])
            messages.success(request, gettext("The volume has been set. The loudspeaker gets it within seconds."))
            return redirect("zone", unit.zone_id)
    if form.meanwhile:
        return _page(request, _zone(unit.zone_id), own=(pk, form))
    messages.warning(request, gettext("Nothing was changed: volume is 0 to 100."))
    return redirect("zone", unit.zone_id)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def download_stick(request: OfficeRequest, pk: int) -> HttpResponse:
    """The MP3 files of some days from `?on=` (`?days=`, 7), in order, with the plan on paper, for a memory stick."""
    found, first = _zone(pk), chosen_day(request, timezone.localdate())
    last, airings = _days(request, found, first)
    try:
        paper = air_plan_pdf(found.outlet.name, airings, first, last)
    except PdfUnavailable:
        paper = None
    response = HttpResponse(stick_files(airings, paper), content_type="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="loa-{pk}-{first}.zip"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def print_plan(request: OfficeRequest, pk: int) -> HttpResponse:
    """The plan of a zone for some days as PDF, with room to tick and sign."""
    found, first = _zone(pk), chosen_day(request, timezone.localdate())
    last, airings = _days(request, found, first)
    response = HttpResponse(air_plan_pdf(found.outlet.name, airings, first, last), content_type="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="loa-{pk}-{first}.pdf"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@audience(KEEPERS)
@touches(Ownership.DESK)
@confirm_second_factor
def speak_live(request: OfficeRequest, pk: int) -> HttpResponse:
    """Speak at the loudspeakers of one's own unit: the page, or a piece of sound (`number`, `sound`, `last`).

    JSON 200 with the seconds that are left, 409 with a sentence; 403 for another unit's zone, above it or below.
    What is heard beyond the person's own ward takes a broken glass: 302 to it, or 409.
    """
    found = _zone(pk)
    if not Zone.objects.filter(rows_of_own_agencies(request.user, KEEPERS.roles, "outlet__agency"), pk=pk).exists():
        raise OutsideScope("one speaks at the loudspeakers of one's own unit")
    goes_far = not is_heard_in_ward_only(request.user, [found.outlet], KEEPERS.roles)
    is_shut = goes_far and two_persons.broken_glass(request.user, timezone.now()) is None
    # The proof is to hold until the address is over.
    is_fresh = is_recently_confirmed(request, SECOND_FACTOR_SECONDS - live.MOST_SECONDS)
    if request.method != "POST":
        if not is_fresh:
            return redirect_to_confirmation(request.get_full_path())
        if is_shut:
            messages.warning(request, _beyond_the_ward())
            return redirect("glass")
        return render(
            request, "loudspeakers/live.html", {"zone": found, "outlet": found.outlet, "most": live.MOST_SECONDS}
        )
    form = SpeechForm(request.POST, request.FILES)
    number = form.cleaned_data["number"] if form.is_valid() else -1
    if number == 0 and not is_fresh:
        return redirect_to_confirmation(request.get_full_path())
    if number == 0 and is_shut:
        return JsonResponse({"said": _beyond_the_ward()}, status=409)
    sound, now = form.cleaned_data.get("sound"), timezone.now()
    content = sound.read(live.MOST_PIECE_BYTES + 1) if sound else b""
    try:
        address = live.accept_piece(
            request.user, found, number, content, now, is_last=bool(form.cleaned_data.get("last"))
        )
    except Refused as refused:
        return JsonResponse({"said": live.sentence_of(refused)}, status=409)
    if number == 0 and goes_far:
        two_persons.record_break_glass_use("live-address", request.user, now)
    return JsonResponse({"left": max(0, round((live.ends_by(address) - now).total_seconds()))})


def _beyond_the_ward() -> str:
    return gettext(
        "These loudspeakers can be heard beyond one ward. Air a bulletin that a second person approves, or break "
        "the glass."
    )


def _days(request: OfficeRequest, found: Zone, first: datetime.date) -> tuple[datetime.date, list]:  # type: ignore[type-arg]
    days = min(max(chosen_number(request, "days") or 7, 1), MOST_STICK_DAYS)
    last = first + datetime.timedelta(days=days - 1)
    due = airings_between(day_span(first)[0], day_span(last)[1], None, found.pk)
    return last, [one for one in due if not one.displaced]


def _listed(request: OfficeRequest) -> dict[str, object]:
    unit_pk = chosen_number(request, "unit")
    unit = AdminUnit.objects.filter(pk=unit_pk).first() if unit_pk is not None else None
    rows = health.rows_of(health.zones_under(unit), timezone.now())
    return {"rows": rows, "unit": unit, "dead": sum(row.dead for row in rows)}


def _zone(pk: int) -> Zone:
    zones = Zone.objects.select_related("outlet__agency__unit", "outlet__unit")
    found: Zone = get_object_or_404(zones, pk=pk)
    return found


def _zone_of_ours(request: OfficeRequest, pk: int) -> Zone:
    found = _zone(pk)
    require_role(request.user, KEEPERS.roles, agency=found.outlet.agency)
    return found


def _settings(found: Zone) -> dict[str, object]:
    outlet = found.outlet
    return {
        "volume": found.volume,
        "quiet_from": outlet.quiet_from,
        "quiet_to": outlet.quiet_to,
        "by_hand": found.by_hand,
    }
