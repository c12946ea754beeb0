# SPDX-License-Identifier: Apache-2.0
"""The city of 2020 with the people of the scenarios (docs/rollout.md), one of each role where it works."""

import pytest
from tests.builders.directives import city, person
from tests.builders.office import data_folder, furnished_folder, quick_passwords, server

from bluezone.directory.models import Agency

__all__ = ["data_folder", "furnished_folder", "quick_passwords", "server"]
WARD = "ubnd-phuong-song-cau"


@pytest.fixture
def committee(db):
    """The issuing People's Committee; every agency has an address and an identifier, the wards answer to the city."""
    issuer = city()
    for agency in Agency.objects.all():
        agency.email, agency.edxml_id = f"{agency.key}@example.org", f"{agency.pk:02}.28.22.H17"
        agency.parent = None if agency == issuer else issuer
        agency.save()
    return issuer


@pytest.fixture
def ward(committee):
    return Agency.objects.get(key=WARD)


@pytest.fixture
def clerk(committee):
    return person("clerk", "clerk", committee, name="Hoàng Thị Mai")


@pytest.fixture
def signer(committee):
    return person("signer", "issuer", committee, name="Nguyễn Văn Ký")


@pytest.fixture
def officer(ward):
    return person("officer", "officer", ward, name="Lý Văn Cán")
