# SPDX-License-Identifier: Apache-2.0
"""The calls of devices: enrol with a code, and check that they still are enrolled; the page that a device's browser
opens from the QR code; and their addresses on the public origin.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_safe

from bluezone.devices import enrolment, updates
from bluezone.devices.audience import DeviceRequest, device_audience, json_endpoint, read_json_body
from bluezone.devices.models import Device
from bluezone.devices.refusals import BodyInvalid, NoSuchAddress, refusal_response
from bluezone.identity.audiences import audience
from bluezone.identity.duty import EVERYONE
from bluezone.identity.signin.attempts import network_of
from bluezone.protocol.upload.puzzle import PUZZLE_HEADER

MOST_BYTES = 1024


@json_endpoint("POST", EVERYONE, status=201)
def enrol_device(request: HttpRequest) -> dict[str, Any]:
    """`{"code": "123-456-789-012"}` -> the identity of the device from now on, and its token.

    201 connected; 400 bad body, 410 code invalid, 413 too long, 422 mistyped, 429 a puzzle first.
    """
    code = read_json_body(request, MOST_BYTES).get("code")
    if not isinstance(code, str):
        raise BodyInvalid("the body has no text `code`")
    puzzle = request.headers.get(PUZZLE_HEADER, "")
    enrolled = enrolment.enrol_device(code, network_of(request), timezone.now(), puzzle)
    return {**_identity(enrolled.device), "token": enrolled.token}


@device_audience()
def whoami(request: DeviceRequest) -> dict[str, Any]:
    """The identity of the device; 401 tells a revoked device to stop."""
    return _identity(request.device)


@audience(EVERYONE)
def unknown_address(request: HttpRequest, rest: str) -> HttpResponse:
    """404 in the API's error shape for any other address of devices."""
    return refusal_response(NoSuchAddress("nothing is served at this address"), timezone.now())


def _identity(device: Device) -> dict[str, Any]:
    return {"device": device.pk, "kind": device.kind, "name": device.name, "agency": device.agency.name}


@require_safe
@audience(EVERYONE)
def show_connect_page(request: HttpRequest) -> HttpResponse:
    """Explain where to type the code, which comes after `#` in the address and so never reaches this server."""
    return render(request, "devices/connect.html")


urlpatterns = [
    path("connect/", show_connect_page, name="connect"),
    path("v1/devices/enrol", enrol_device, name="device-enrol"),
    path("v1/devices/self", whoami, name="device-self"),
    path("v1/devices/update/<str:platform>", updates.update, name="device-update"),
    path("v1/devices/<path:rest>", unknown_address, name="device-nothing"),
]
