# SPDX-License-Identifier: Apache-2.0
"""Wards of 2020, an officer of one of them, and a key server that signs."""

import pytest
from tests.builders.drives import city
from tests.builders.office import data_folder, furnished_folder, quick_passwords, server, user

from bluezone.directory.models import Agency
from bluezone.identity.models import Role
from bluezone.rollout.venues import public_views

__all__ = ["data_folder", "furnished_folder", "quick_passwords", "server"]


@pytest.fixture
def wards(db):
    """The wards Sông Cầu and Đức Xuân."""
    return city()


@pytest.fixture
def officer(client, wards):
    """Officer in charge at the People's Committee of Sông Cầu, signed in, reading English."""
    made = user("mai", Role.OFFICER, within=Agency.objects.get(key="ubnd-phuong-song-cau"))
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(made)
    return made


@pytest.fixture(autouse=True)
def fresh_limits():
    """Every test has the hour for itself."""
    for limit in (public_views.apply_limit, public_views.code_limit):
        limit._counts.clear()


@pytest.fixture
def public(settings):
    """Ask the public origin: path, form or None, content type."""
    from django.test import Client, override_settings

    def ask(path, data=None, **more):
        with override_settings(ROOT_URLCONF="bluezone.web.urls_public"):
            client = Client()
            client.cookies.load({"bluezone-language": "en"})
            return client.get(path, **more) if data is None else client.post(path, data, **more)

    return ask
