# SPDX-License-Identifier: Apache-2.0
"""The gate before endpoints of devices, tried on an endpoint for gates."""

import json

import pytest
from tests.builders.devices import bearer_header, connected_device

from bluezone.devices.audience import DeviceRequest, device_audience, read_json_body
from bluezone.devices.models import DeviceKind
from bluezone.identity.duty import DEVICES
from bluezone.refusal import Refused

pytestmark = pytest.mark.django_db


class CounterRefused(Refused):
    """A refusal of another app, which knows no status."""

    code = "not_in_the_catalogue"


CounterRefused.__module__ = "tests.devices"


@device_audience(DeviceKind.GATE, DeviceKind.DRIVE, method="POST", status=202)
def count(request: DeviceRequest):
    """Take counters of a gate."""
    passed = read_json_body(request, 100).get("passed")
    if passed is None:
        raise CounterRefused("no count")
    return {"device": request.device.pk, "passed": passed}


def post(rf, token, body):
    return count(
        rf.post("/v1/gates/counters", json.dumps(body), content_type="application/json", **bearer_header(token))
    )


def test_the_endpoint_is_for_devices_and_says_so():
    assert count.audience is DEVICES


@pytest.mark.parametrize("kind", [DeviceKind.GATE, DeviceKind.DRIVE])
def test_a_device_of_its_kind_comes_in(rf, keeper, kind):
    made, token = connected_device(keeper, kind)
    answer = post(rf, token, {"passed": 3})

    assert (answer.status_code, json.loads(answer.content)) == (202, {"device": made.pk, "passed": 3})


@pytest.mark.parametrize("kind", [DeviceKind.SPEAKER, DeviceKind.CANVASS])
def test_a_device_of_another_kind_does_not(rf, keeper, kind):
    _, token = connected_device(keeper, kind)
    answer = post(rf, token, {"passed": 3})

    assert (answer.status_code, json.loads(answer.content)["error"]["code"]) == (403, "device_kind_refused")


def test_a_refusal_of_the_endpoint_itself_is_answered_in_the_same_shape(rf, keeper):
    _, token = connected_device(keeper)
    answer = post(rf, token, {})

    assert (answer.status_code, json.loads(answer.content)) == (
        422,
        {"error": {"code": "not_in_the_catalogue", "message": "no count"}},
    )
