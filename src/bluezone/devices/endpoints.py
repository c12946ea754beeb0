# SPDX-License-Identifier: Apache-2.0
"""What devices call: connect with a code, and ask whether they still are; the page a device's browser opens from its
QR code; and the addresses of these on the public origin.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_safe

from bluezone.devices import enrolment, updates
from bluezone.devices.audience import DeviceRequest, device_audience, json_body, json_endpoint
from bluezone.devices.models import Device
from bluezone.devices.refusals import BodyInvalid, NoSuchAddress, answer
from bluezone.identity.audiences import audience
from bluezone.identity.duty import EVERYONE
from bluezone.identity.signin import network_of
from bluezone.protocol.upload.puzzle import PUZZLE_HEADER

MOST_BYTES = 1024


@json_endpoint("POST", EVERYONE, status=201)
def enrol(request: HttpRequest) -> dict[str, Any]:
    """`{"code": "123-456-789-012"}` -> who the device is from now on, and its token.

    201 connected; 400 body, 410 code gone, 413 too long, 422 mistyped, 429 a puzzle first.
    """
    code = json_body(request, MOST_BYTES).get("code")
    if not isinstance(code, str):
        raise BodyInvalid("the body has no text `code`")
    puzzle = request.headers.get(PUZZLE_HEADER, "")
    enrolled = enrolment.enrol(code, network_of(request), timezone.now(), puzzle)
    return {**_who(enrolled.device), "token": enrolled.token}


@device_audience()
def whoami(request: DeviceRequest) -> dict[str, Any]:
    """Who the device is; 401 tells a device that was cut off to stop."""
    return _who(request.device)


@audience(EVERYONE)
def nothing_here(request: HttpRequest, rest: str) -> HttpResponse:
    """404 in the API's error shape for any other address of devices."""
    return answer(NoSuchAddress("nothing is served at this address"), timezone.now())


def _who(device: Device) -> dict[str, Any]:
    return {"device": device.pk, "kind": device.kind, "name": device.name, "agency": device.agency.name}


@require_safe
@audience(EVERYONE)
def connect(request: HttpRequest) -> HttpResponse:
    """Say where the code is to be typed. The code stands behind `#` and never reaches this server from here."""
    return render(request, "devices/connect.html")


urlpatterns = [
    path("connect/", connect, name="connect"),
    path("v1/devices/enrol", enrol, name="device-enrol"),
    path("v1/devices/self", whoami, name="device-self"),
    path("v1/devices/update/<str:platform>", updates.update, name="device-update"),
    path("v1/devices/<path:rest>", nothing_here, name="device-nothing"),
]
