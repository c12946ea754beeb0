# SPDX-License-Identifier: Apache-2.0
"""What the form of an account asks for."""

import pytest
from django.test import Client
from tests.builders.devices import agency
from tests.builders.office import prove_second_factor, user

from bluezone.healthauthority.facilities import facility_of
from bluezone.identity.models import Role, User

pytestmark = pytest.mark.django_db


def test_a_health_worker_is_given_the_facility_they_work_for(client):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(user("root", Role.ADMIN))
    prove_second_factor(client)
    form = {"name": "Nông Thị Lan", "agency": "TYT", "username": "lan", "role": "health_worker"}
    station = agency("Trạm Y tế Sông Cầu")
    without = client.post("/accounts/new/", form)
    with_it = client.post("/accounts/new/", {**form, "within_agency": station.pk})

    assert without.status_code == 422
    assert "Choose the facility the person works for" in without.text
    assert with_it.url.startswith("/waiting/")
    second = Client()
    second.force_login(user("second", Role.ADMIN))
    assert prove_second_factor(second).post(with_it.url).status_code == 201
    assert facility_of(User.objects.get(username="lan")) == station
