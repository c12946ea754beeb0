# SPDX-License-Identifier: Apache-2.0
"""A city of today with the people of one letter: clerk and signer of the city, and three people of one ward."""

import pytest
from django.utils import timezone
from tests.builders.directives import DAY, city, enter_letter, person
from tests.builders.office import data_folder, furnished_folder, quick_passwords, server

from bluezone.directory.models import Agency

__all__ = ["data_folder", "furnished_folder", "quick_passwords", "server"]


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def committee(db, server):
    return city()


@pytest.fixture
def ward(committee):
    return Agency.objects.get(key="ubnd-phuong-song-cau")


@pytest.fixture
def clerk(committee):
    return person("clerk", "clerk", committee, name="Hoàng Thị Mai")


@pytest.fixture
def signer(committee):
    return person("signer", "issuer", committee, name="Nguyễn Văn Ký")


@pytest.fixture
def ward_clerk(ward):
    return person("ward-clerk", "clerk", ward, name="Lý Thị Sen")


@pytest.fixture
def officer(ward):
    return person("officer", "officer", ward, name="Triệu Văn Páo")


@pytest.fixture
def draft(committee, clerk, now):
    """The letter of 2020, dated five days ago."""
    directive = enter_letter(committee, clerk, now)
    directive.date = timezone.localdate(now - 5 * DAY)
    directive.save()
    return directive
