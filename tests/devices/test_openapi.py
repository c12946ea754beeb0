# SPDX-License-Identifier: Apache-2.0
"""What devices call is what docs/reference/openapi-devices.yaml says."""

import uuid
from pathlib import Path

import pytest
import schemathesis
import yaml
from django.core.wsgi import get_wsgi_application
from django.urls import resolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import positive_data_acceptance

OPENAPI = Path(__file__).parents[2] / "docs" / "reference" / "openapi-devices.yaml"
SCHEMA = schemathesis.openapi.from_dict(yaml.safe_load(OPENAPI.read_text()))
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]


@pytest.mark.long
@pytest.mark.django_db
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_calls_do_what_openapi_says(public, operation, data):
    case = data.draw(operation.as_strategy())
    operation.app = get_wsgi_application()
    answer = case.call(app=operation.app, base_url="http://testserver")

    # A schema cannot say which codes the office has made.
    case.validate_response(answer, excluded_checks=[positive_data_acceptance])


def test_every_address_described_is_served(public):
    addresses = [
        operation.path.replace("{visit}", str(uuid.UUID(int=0))).replace("{platform}", "amd64-3.13")
        for operation in OPERATIONS
    ]
    assert [resolve(address, "bluezone.web.urls_public").url_name for address in addresses] == [
        "device-enrol",
        "device-self",
        "device-update",
        "gate-counters",
        "canvass-sync",
        "canvass-photo",
    ]
