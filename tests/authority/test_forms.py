# SPDX-License-Identifier: Apache-2.0
"""What the form of an account asks for."""

import pytest
from tests.builders.devices import agency
from tests.builders.office import user

from bluezone.healthauthority.quotas import facility_of
from bluezone.identity.models import Role, User

pytestmark = pytest.mark.django_db


def test_a_health_worker_is_given_the_facility_they_work_for(client):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(user("root", Role.ADMIN))
    form = {"name": "Nông Thị Lan", "agency": "TYT", "username": "lan", "role": "health_worker"}
    station = agency("Trạm Y tế Sông Cầu")
    without = client.post("/accounts/new/", form)
    with_it = client.post("/accounts/new/", {**form, "within_agency": station.pk})

    assert without.status_code == 422
    assert "Choose the facility the person works for" in without.text
    assert with_it.status_code == 201
    assert facility_of(User.objects.get(username="lan")) == station
