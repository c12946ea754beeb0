# SPDX-License-Identifier: Apache-2.0
"""A ward with a committee and an officer, and the public origin on a clock that stands still."""

import pytest
from django.utils import timezone
from tests.builders.canvass import NOW, Phone, agency, city, street
from tests.builders.office import data_folder, furnished_folder, quick_passwords, server, user
from tests.devices.conftest import public

from bluezone.identity.models import Role

__all__ = ["data_folder", "furnished_folder", "public", "quick_passwords", "server"]


@pytest.fixture
def clock(monkeypatch):
    """The time that the server sees; a test moves it."""

    class Clock:
        now = NOW

    monkeypatch.setattr(timezone, "now", lambda: Clock.now)
    monkeypatch.setattr(
        timezone, "localdate", lambda value=None, tz=None: timezone.localtime(value or Clock.now).date()
    )
    return Clock


@pytest.fixture
def ward(db):
    """phường Đức Xuân of a city of two wards."""
    _top, (ours, _other) = city("phường Đức Xuân", "phường Sông Cầu")
    return ours


@pytest.fixture
def committee(ward):
    return agency("UBND phường Đức Xuân", ward, kind="committee")


@pytest.fixture
def phone(committee, ward, clock):
    """A phone with a list of three doors."""
    return Phone.leasing(street(ward), committee)


@pytest.fixture
def officer(client, committee):
    """The officer of the ward's committee, signed in, reading English."""
    client.cookies.load({"bluezone-language": "en"})
    found = user("officer", Role.OFFICER, within=committee)
    client.force_login(found)
    return found
