# SPDX-License-Identifier: Apache-2.0
"""The air log as a page: who may say what of which airing, with what evidence."""

import datetime

import pytest
from tests.builders.bulletins import NOW, approved, machine, planned, zone
from tests.builders.devices import agency
from tests.builders.office import user

from bluezone.rollout.bulletins.airing import Aired, airings_between, counts_of, rows_of
from bluezone.rollout.bulletins.models import Airing, Attestation

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


@pytest.fixture
def operator(client):
    """Somebody who keeps the outlets of the ward, in Vietnamese."""
    client.force_login(user("loa", "speaker_operator", within=agency(), factor=False))
    return client


def first_airing(outlet):
    planned(approved(seconds=2.0), outlet, last=NOW.date())
    return Airing.objects.get(outlet=outlet)


def log(client, **asked):
    return client.get("/air-log/", {"on": "2020-08-10", **asked}).content.decode()


def counted():
    rows = rows_of(list(airings_between(NOW, NOW + DAY)), NOW + DAY)
    return rows, counts_of(rows)


def test_a_zone_whose_machine_is_silent_is_played_by_hand_and_said_to_have_been(operator):
    place = zone()
    machine(place)
    airing = first_airing(place.outlet)
    tap = f"/airings/{airing.pk}/aired/"
    assert tap in log(operator)
    assert tap in operator.get(f"/loudspeakers/{place.pk}/?on=2020-08-10").content.decode()

    operator.post(tap)

    (row,), counts = counted()
    assert row.aired is Aired.AIRED
    assert (counts.machine_airings, counts.proven, counts.other_airings, counts.attested) == (0, 0, 1, 1)
    assert tap not in log(operator)
    assert Attestation.objects.get().airing == airing


def test_what_a_machine_reported_takes_no_word_of_a_person(operator):
    place = zone()
    device, _token = machine(place)
    airing = first_airing(place.outlet)
    airing.playings.create(device=device, outcome="missed", sink="ffplay", reason="was_off")

    assert f"/airings/{airing.pk}/" not in log(operator)
