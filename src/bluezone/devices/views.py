# SPDX-License-Identifier: Apache-2.0
"""Pages of the office for devices: the list, a new device with its form and code, one device, and its revocation."""

import base64
import datetime
from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.devices import enrolment
from bluezone.devices.duty import DEVICE_KEEPERS
from bluezone.devices.models import Device, DeviceKind, DeviceState
from bluezone.directory.kinds import WARDS, UnitKind
from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.queries import day_to_show
from bluezone.directory.scopes import agencies_in_reach, units_in_reach
from bluezone.edge.appliance.ticket import ACCOUNTS, FILE_NAME, LONGEST_TEXT, Ticket
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import ADMINS
from bluezone.identity.factors.second_factors import confirm_second_factor
from bluezone.identity.models import Role, User
from bluezone.identity.objects import Ownership, touches
from bluezone.identity.typed_fields import PlainLineField
from bluezone.networks import origin_of
from bluezone.office_keyserver import public_key
from bluezone.paper.qr_codes import screen_qr

DEVICES_A_PAGE = 50


class UnitField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A unit, with the one above it, because every ward has a residential group called "Tổ 5"."""

    def label_from_instance(self, unit: AdminUnit) -> str:
        """`Tổ 5 · Phường Sông Cầu`."""
        return f"{unit.name} · {unit.parent.name}" if unit.parent else unit.name


class DeviceForm(forms.ModelForm):  # type: ignore[type-arg]
    """What the office enters about a device: what it does, the agency that keeps it, and where it works.

    by: the administrator who enters it, who can choose only agencies within reach, and only their areas.
    """

    kind = forms.ChoiceField(label=_("Kind"), choices=DeviceKind.choices, widget=forms.RadioSelect)
    agency = forms.ModelChoiceField(Agency.objects.none(), label=_("Agency that looks after it"))
    unit = UnitField(
        AdminUnit.objects.none(),
        label=_("Area it works in"),
        required=False,
        empty_label=_("the agency’s own"),
        help_text=_("For a loudspeaker or house visits: the ward, commune or residential group."),
    )

    class Meta:
        model = Device
        fields = ("kind", "name", "agency", "unit")
        help_texts: ClassVar = {
            "name": _("What is written on the device, for example: Front gate, tablet 2. Do not use a person’s name.")
        }
        widgets: ClassVar = {"name": forms.TextInput(attrs={"autocomplete": "off"})}
        field_classes: ClassVar = {"name": PlainLineField}

    def __init__(self, *args: Any, today: datetime.date, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reached = agencies_in_reach(by, [Role.ADMIN])
        self._reached_units = units_in_reach(by, [Role.ADMIN])
        # If the directory has ended (the units of 2020 have merged since), use its last day: it still has all agencies.
        agencies = Agency.objects.valid_on(day_to_show(Agency, today)).filter(pk__in=reached)
        units = AdminUnit.objects.valid_on(day_to_show(AdminUnit, today))
        self.fields["agency"].queryset = agencies.order_by("name")  # type: ignore[attr-defined]
        below_district = units.filter(kind__in=[*WARDS, UnitKind.GROUP])
        self.fields["unit"].queryset = below_district.select_related("parent").order_by("path")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Refuse a name that the agency already uses for a device; the names of revoked devices are free."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        unit = values.get("unit")
        agency = values.get("agency")
        if unit and agency and not unit.is_under(agency.unit) and not self._reached_units.filter(pk=unit.pk).exists():
            self.add_error("unit", _("This area is outside the agency’s area. Choose one that the agency serves."))
        namesakes = Device.objects.filter(agency=values.get("agency"), name=values.get("name"), revoked_at=None)
        if namesakes.exists():
            self.add_error("name", _("This agency already has a device with this name. Choose another name."))
        return values


def devices_in_reach(user: User, roles: Iterable[str] = DEVICE_KEEPERS.roles) -> QuerySet[Device]:
    """The devices of the agencies that the person's roles reach; every device for an administrator of the city."""
    reached = agencies_in_reach(user, roles)
    return Device.objects.select_related("agency", "unit").filter(agency__in=reached)


def page_of_devices(
    user: User, number: str | None, now: datetime.datetime
) -> tuple[Page[Any], list[tuple[Device, DeviceState]]]:
    """One page of devices with their states: those in use by agency and name, then revoked ones, newest first."""
    in_use_first = F("revoked_at").desc(nulls_first=True)
    devices = devices_in_reach(user).order_by(in_use_first, "agency__name", "name", "pk")
    page = Paginator(devices, DEVICES_A_PAGE).get_page(number)
    return page, [(device, device.state(now)) for device in page.object_list]


@require_safe
@audience(DEVICE_KEEPERS)
@touches(Ownership.REACHED)
def device_list(request: OfficeRequest) -> HttpResponse:
    """The devices of the agencies that the role reaches, with their states and the hours of their last requests."""
    page, rows = page_of_devices(request.user, request.GET.get("page"), timezone.now())
    return render(request, "devices/device_list.html", {"page": page, "rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@audience(ADMINS)
@touches(Ownership.CREATED)
def new_device(request: OfficeRequest) -> HttpResponse:
    """Enter a device and show its code once: 201 made, 422 bad form."""
    today = timezone.localdate()
    form = DeviceForm(request.POST or None, today=today, by=request.user)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        device, code = enrolment.create_device(
            request.user.username, values["kind"], values["name"], values["agency"], values["unit"], timezone.now()
        )
        return _show_code(request, device, code)
    context = {"form": form, "agencies_missing": not Agency.objects.exists()}
    return render(request, "devices/device_new.html", context, status=422 if form.errors else 200)


@require_safe
@audience(DEVICE_KEEPERS)
@touches(Ownership.AGENCY)
def show_device(request: OfficeRequest, pk: int) -> HttpResponse:
    """One device, and what can be done with it; 404 for another agency's."""
    row = get_object_or_404(devices_in_reach(request.user), pk=pk)
    context = {"device": row, "state": row.state(timezone.now())}
    return render(request, "devices/device.html", context)


@require_POST
@audience(ADMINS)
@touches(Ownership.AGENCY)
def issue_enrolment_code(request: OfficeRequest, pk: int) -> HttpResponse:
    """Make another code, for a lost one or a device that was set up again: 201 shown once, 302 revoked meanwhile."""
    row = get_object_or_404(devices_in_reach(request.user, [Role.ADMIN]), pk=pk)
    try:
        code = enrolment.issue_enrolment_code(request.user.username, row, timezone.now())
    except enrolment.DeviceRevoked:
        messages.warning(request, gettext("This device was disconnected. Enter it as a new device."))
        return redirect("device", pk)
    return _show_code(request, row, code)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(DEVICE_KEEPERS)
@touches(Ownership.AGENCY)
@confirm_second_factor
def revoke_device(request: OfficeRequest, pk: int) -> HttpResponse:
    """Ask for confirmation, then revoke the device: 302 back to the list; 404 for another agency's."""
    row = get_object_or_404(devices_in_reach(request.user), pk=pk)
    if request.method == "POST":
        enrolment.revoke_device(request.user.username, row, timezone.now())
        messages.success(request, gettext("%(name)s is disconnected: its token no longer works.") % {"name": row.name})
        return redirect("devices")
    return render(request, "devices/device_revoke.html", {"device": row, "state": row.state(timezone.now())})


def _show_code(request: HttpRequest, row: Device, code: str) -> HttpResponse:
    host = settings.CITY.public_host if settings.CITY else ""
    origin = origin_of(host, tls=settings.TLS)
    ticket = box_ticket(row, code, origin) if host and row.kind in ACCOUNTS else None
    context = {
        "device": row,
        "code": code,
        "groups": code.split("-"),
        "host": host,
        # After `#`, so that the code is in no request and no log, even if a browser opens it.
        "qr": screen_qr(f"{origin}/connect/#{code}"),
        "hours": int(enrolment.CODE_LIFE.total_seconds() // 3600),
        # Part of this page, so that no second request contains the code.
        "ticket": ticket and base64.b64encode(ticket.file()).decode(),
        "ticket_name": FILE_NAME,
        "ticket_qr": ticket and screen_qr(ticket.link(), "dense"),
    }
    return render(request, "devices/device_code.html", context, status=201)


def box_ticket(row: Device, code: str, origin: str) -> Ticket:
    """The ticket with which a box without a screen enrols as this device."""
    assert row.code_expires_at is not None
    until = int(row.code_expires_at.timestamp())
    return Ticket(origin, public_key(), row.kind, row.pk, row.name, row.agency.name[:LONGEST_TEXT], code, until)
