# SPDX-License-Identifier: Apache-2.0
"""A hotel with somebody at its desk, and a message centre that its notices go to."""

import pytest
from tests.builders.directives import city, person
from tests.builders.office import data_folder, furnished_folder, quick_passwords, server
from tests.messaging.sms.conftest import centre, running_centre, sender
from tests.portal.conftest import public

from bluezone.directory.kinds import AgencyKind
from bluezone.directory.models import Agency
from bluezone.directory.records.store import rewrite_paths

__all__ = [
    "centre",
    "data_folder",
    "furnished_folder",
    "public",
    "quick_passwords",
    "running_centre",
    "sender",
    "server",
]


@pytest.fixture
def hotel(db):
    """A house that serves a ward."""
    city()
    ward = Agency.objects.get(key="ubnd-phuong-song-cau")
    house = Agency.objects.create(
        key="khach-san-bac-kan", name="Khách sạn Bắc Kạn", kind=AgencyKind.ENTERPRISE, unit=ward.unit,
        valid_from=ward.valid_from,
    )  # fmt: skip
    rewrite_paths(Agency)
    house.refresh_from_db()
    return house


@pytest.fixture
def desk(client, hotel, server):
    """The browser at its desk."""
    client.force_login(person("desk", "venue_owner", hotel))
    return client
