# SPDX-License-Identifier: Apache-2.0
"""What loudspeakers call is what docs/reference/openapi-speakers.yaml says, with a token and without."""

import secrets
from pathlib import Path

import pytest
import schemathesis
import yaml
from django.core.wsgi import get_wsgi_application
from django.urls import resolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance
from tests.builders.bulletins import machine, zone
from tests.devices.conftest import public

from bluezone.devices.enrolment import token_digest
from bluezone.devices.models import Device
from bluezone.rollout.loudspeakers.plan_server import PlanServer, answers

__all__ = ["public"]
OPENAPI = Path(__file__).parents[3] / "docs" / "reference" / "openapi-speakers.yaml"
SCHEMA = schemathesis.openapi.from_dict(yaml.safe_load(OPENAPI.read_text()))
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]


def public_origin():
    """The plan server in front of Django, as web/wsgi_public.py puts it."""
    plans, pages = PlanServer(), get_wsgi_application()
    return lambda environ, start: (plans if answers(environ["PATH_INFO"]) else pages)(environ, start)


@pytest.mark.long
@pytest.mark.django_db
@pytest.mark.parametrize("connected", [True, False])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_calls_do_what_openapi_says(public, operation, connected, data):
    case = data.draw(operation.as_strategy())
    operation.app = public_origin()
    if connected:
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {_token()}"}
    answer = case.call(app=operation.app, base_url="http://testserver")
    # A schema cannot say which tokens the office has made; that a call without one is refused is tried by itself.
    case.validate_response(answer, excluded_checks=[positive_data_acceptance, ignored_auth])


def _token():
    """The token of one machine, made at the first example of a test."""
    device = Device.objects.filter(kind="speaker").first()
    if device is None:
        return machine(zone())[1]
    token = secrets.token_urlsafe(32)
    Device.objects.filter(pk=device.pk).update(token_digest=token_digest(token))
    return token


def test_every_address_described_is_served(public):
    assert [operation.path for operation in OPERATIONS if answers(operation.path)] == [
        "/v1/speakers/plan",
        "/v1/speakers/audio/{sha256}",
    ]
    assert resolve("/v1/speakers/played", "bluezone.web.urls_public").url_name == "speaker-played"
