# SPDX-License-Identifier: Apache-2.0
"""Every test of the schools has an office of its own, and the public origin for class links."""

import pytest
from django.test import Client
from tests.builders.office import data_folder, furnished_folder, quick_passwords, user
from tests.builders.schools import schools_of_a_city

from bluezone.identity.models import Role
from bluezone.web import settings_public

__all__ = ["data_folder", "furnished_folder", "quick_passwords"]


@pytest.fixture
def admin(db):
    return user("mai", Role.ADMIN)


@pytest.fixture
def town(admin):
    """City, wards, schools."""
    return schools_of_a_city(admin)


@pytest.fixture
def school(town):
    """The first school, with classes 6A and 6B."""
    return town[2][0]


@pytest.fixture
def head(school, client):
    """Whoever keeps the school's classes, signed in and reading English."""
    client.cookies.load({"bluezone-language": "en"})
    made = user("binh", Role.OFFICER, within=school)
    client.force_login(made)
    return made


@pytest.fixture
def public(settings):
    """The public origin's pages, with the settings they run under."""
    for name in ("ROOT_URLCONF", "MIDDLEWARE", "TEMPLATES", "CONTENT_SECURITY_POLICY"):
        setattr(settings, name, getattr(settings_public, name))
    return Client()
