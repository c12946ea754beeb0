# SPDX-License-Identifier: Apache-2.0
"""Access control of the endpoints for enrolled devices: JSON in, JSON out, a bearer token of the right device kind."""

import functools
import json
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from bluezone.devices.enrolment import device_of_token
from bluezone.devices.models import Device, DeviceKind
from bluezone.devices.refusals import BodyInvalid, BodyTooLong, DeviceRefused, MethodNotAllowed, refusal_response
from bluezone.duties.duty import Audience
from bluezone.identity.duty import DEVICES
from bluezone.refusal import Refused

View = Callable[..., HttpResponse]
Endpoint = Callable[..., dict[str, Any]]


class DeviceTokenInvalid(DeviceRefused):
    """No bearer token, or one of a device that was revoked or enrolled again; the answer does not say which."""

    code = "device_token_invalid"
    status = 401


class DeviceKindRefused(DeviceRefused):
    """The endpoint is for another kind of device."""

    code = "device_kind_refused"
    status = 403


class DeviceRequest(HttpRequest):
    """A request that `device_audience` has admitted."""

    device: Device


def json_endpoint(method: str, who: Audience, status: int = 200) -> Callable[[Endpoint], View]:
    """Make a view from a function that returns the JSON to send, and raises Refused for requests that it refuses.

    method: the method that it answers ("GET" includes HEAD). who: its declared audience. status: of success.
    """
    methods = ("GET", "HEAD") if method == "GET" else (method,)

    def decorate(endpoint: Endpoint) -> View:
        @functools.wraps(endpoint)
        def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                if request.method not in methods:
                    raise MethodNotAllowed(f"{request.method} is not answered here", ", ".join(methods))
                response: HttpResponse = JsonResponse(endpoint(request, *args, **kwargs), status=status)
            except Refused as refused:
                return refusal_response(refused, timezone.now())
            response.headers["Cache-Control"] = "no-store"
            return response

        view.audience = who  # type: ignore[attr-defined]
        return view

    return decorate


def device_audience(*kinds: DeviceKind, method: str = "GET", status: int = 200) -> Callable[[Endpoint], View]:
    """Admit only enrolled devices of these kinds to an endpoint (by default of any kind), as `request.device`.

    Answers 401 `device_token_invalid` without a valid token, 403 `device_kind_refused` to another kind.
    """

    def decorate(endpoint: Endpoint) -> View:
        @functools.wraps(endpoint)
        def guarded(request: DeviceRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
            request.device = _device_of(request)
            if kinds and request.device.kind not in kinds:
                raise DeviceKindRefused(f"this is not for a device of kind {request.device.kind}")
            return endpoint(request, *args, **kwargs)

        return json_endpoint(method, DEVICES, status)(guarded)

    return decorate


def read_json_body(request: HttpRequest, most_bytes: int) -> dict[str, Any]:
    """The JSON object in the body of a request; raises BodyTooLong before reading, BodyInvalid."""
    try:
        declared = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        raise BodyInvalid("Content-Length is not a number") from None
    if declared > most_bytes:
        raise BodyTooLong(f"the body has {declared} bytes, expected at most {most_bytes}")
    try:
        # Read exactly the declared length: a body without one is not read at all.
        value = json.loads(request.read(declared))
    except (ValueError, RecursionError):
        raise BodyInvalid("the body is not JSON in UTF-8") from None
    if not isinstance(value, dict):
        raise BodyInvalid("the body is not a JSON object")
    return value


def _device_of(request: HttpRequest) -> Device:
    """The device with the token of a request; notes the hour once an hour. Raises DeviceTokenInvalid."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    device = device_of_token(token.strip()) if scheme.lower() == "bearer" and token else None
    if device is None:
        raise DeviceTokenInvalid("the device is not connected, or was revoked; ask the office for a code")
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    if device.last_seen_hour != hour:
        Device.objects.filter(pk=device.pk).update(last_seen_hour=hour)
        device.last_seen_hour = hour
    return device
