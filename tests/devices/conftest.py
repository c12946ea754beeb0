# SPDX-License-Identifier: Apache-2.0
"""Every test of devices has an office of its own, with an agency in it."""

import pytest
from django.test import Client
from tests.builders.devices import agency
from tests.builders.office import data_folder, furnished_folder, quick_passwords, server

from bluezone.web import settings_public

__all__ = ["data_folder", "furnished_folder", "quick_passwords", "server"]


@pytest.fixture
def keeper(db):
    """The agency that keeps the devices."""
    return agency()


@pytest.fixture
def public(settings):
    """A caller of the public origin, with the settings it runs under."""
    for name in ("ROOT_URLCONF", "MIDDLEWARE", "TEMPLATES"):
        setattr(settings, name, getattr(settings_public, name))
    return Client()
