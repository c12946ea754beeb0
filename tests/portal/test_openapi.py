# SPDX-License-Identifier: Apache-2.0
"""What programs call on the public site is what docs/reference/openapi-portal.yaml says."""

from pathlib import Path

import pytest
import schemathesis
import yaml
from django.core.wsgi import get_wsgi_application
from django.urls import resolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import positive_data_acceptance

from bluezone.portal import views
from bluezone.publicpages.form_limits import FormLimit

OPENAPI = Path(__file__).parents[2] / "docs" / "reference" / "openapi-portal.yaml"
SCHEMA = schemathesis.openapi.from_dict(yaml.safe_load(OPENAPI.read_text()))
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]


@pytest.fixture(autouse=True)
def no_limit(monkeypatch):
    monkeypatch.setattr(views, "help_limit", FormLimit(10_000, 10_000))


@pytest.mark.long
@pytest.mark.django_db
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_calls_do_what_openapi_says(public, operation, data):
    case = data.draw(operation.as_strategy())
    operation.app = get_wsgi_application()
    answer = case.call(app=operation.app, base_url="http://testserver")

    # A schema cannot say which codes of units are in force.
    case.validate_response(answer, excluded_checks=[positive_data_acceptance])


def test_every_address_described_is_served(public):
    names = [resolve(operation.path, "bluezone.web.urls_public").url_name for operation in OPERATIONS]

    assert names == ["news-feed", "help-open"]
