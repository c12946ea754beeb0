# SPDX-License-Identifier: Apache-2.0
"""Every test of the portal has an office of its own, and the public origin as readers meet it."""

import pytest
from django.test import Client
from tests.builders.office import data_folder, furnished_folder, quick_passwords, server

from bluezone.web import settings_public

__all__ = ["data_folder", "furnished_folder", "quick_passwords", "server"]


@pytest.fixture
def public(settings, server):
    """The public origin's pages, with the settings they run under."""
    for name in ("ROOT_URLCONF", "MIDDLEWARE", "TEMPLATES", "CONTENT_SECURITY_POLICY"):
        setattr(settings, name, getattr(settings_public, name))
    return Client()
