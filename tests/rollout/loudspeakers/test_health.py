# SPDX-License-Identifier: Apache-2.0
"""How loudspeakers are, as the office shows it: what they say of themselves, and the silent ones first."""

import datetime

import pytest
from django.utils import timezone
from tests.builders.bulletins import approved_bulletin, machine, schedule_bulletin, zone
from tests.builders.devices import agency
from tests.builders.office import user

from bluezone.edge.speaker.player import has_sound_device
from bluezone.rollout.bulletins.models import Airing
from bluezone.rollout.loudspeakers import health, playback
from bluezone.rollout.loudspeakers.health import UnitState
from bluezone.rollout.loudspeakers.models import Unit
from bluezone.rollout.loudspeakers.playback import PlayedInvalid

pytestmark = pytest.mark.django_db
WELL = {"sink": "aplay", "clock_off": 0, "missing": 0, "problem": "", "version": "1.2", "free_mb": 4000,
        "device": True, "listens": True}  # fmt: skip


@pytest.fixture
def reader(client):
    client.force_login(user("loa", "speaker_operator", within=agency(), factor=False))
    return client


def told(of, **more):
    health.note_status(of, {**WELL, **more}, timezone.now())


def state(device):
    zones = [Unit.objects.get(pk=device.pk).zone]
    return {unit.pk: word for unit, word in health.rows_of(zones, timezone.now())[0].units}[device.pk]


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({}, UnitState.WELL),
        ({"device": False}, UnitState.NO_DEVICE),
        ({"free_mb": 50}, UnitState.FULL),
        ({"clock_off": 1200}, UnitState.CLOCK),
        ({"missing": 2}, UnitState.FETCHING),
        ({"sink": "null"}, UnitState.UNHEARD),
        ({"version": 7, "free_mb": "much", "device": "yes", "listens": 1}, UnitState.WELL),
    ],
)
def test_what_a_machine_says_of_itself_gives_one_word(more, word):
    device, _token = machine(zone())
    told(device, **more)
    assert state(device) is word


def test_a_machine_that_plays_and_is_not_heard_in_the_street_is_called_so_until_it_is_heard_again():
    place = zone()
    device, _token = machine(place)
    schedule_bulletin(approved_bulletin(seconds=2.0), place.outlet, times=("06:30", "17:30"))
    told(device)
    airings = Airing.objects.order_by("due_at")
    for airing, street, word in zip(
        airings, ("not_heard", "not_known", "heard"), (UnitState.MUTE, UnitState.MUTE, UnitState.WELL), strict=False
    ):
        began = airing.due_at.timestamp()
        row = {"airing": airing.key, "outcome": "played", "began": began, "ended": began + 2, "heard": 2.0,
               "sink": "aplay", "street": street}  # fmt: skip
        playback.store_playings(device, [row], timezone.now())
        assert state(device) is word


def test_silent_machines_and_their_zones_come_first(reader):
    well, silent = zone("An tổ 1"), zone("Bình tổ 2")
    told(machine(well, "Loa tốt")[0])
    one, _token = machine(silent, "Loa A")
    told(one)
    machine(silent, "Loa Z")

    rows = health.rows_of(health.zones_under(None), timezone.now())
    assert [row.zone for row in rows] == [silent, well]
    assert [unit.device.name for unit, _state in rows[0].units] == ["Loa Z", "Loa A"]
    page = reader.get("/loudspeakers/").content.decode()
    assert page.index("Bình tổ 2") < page.index("An tổ 1")
    for word in ("4.000 MB", "1.2"):
        assert word in page


def test_states_of_a_hundred_machines_take_two_queries(django_assert_num_queries):
    for number in range(3):
        place = zone(f"Tổ {number}")
        for one in range(2):
            told(machine(place, f"Loa {number} {one}")[0])
    zones = list(health.zones_under(None))
    with django_assert_num_queries(1):
        rows = health.rows_of(zones, timezone.now())
    assert sum(len(row.units) for row in rows) == 6


def test_a_status_without_its_form_is_refused_and_one_of_an_older_program_is_not():
    device, _token = machine(zone())
    with pytest.raises(PlayedInvalid):
        health.note_status(device, {"clock_off": "slow"}, timezone.now())
    health.note_status(device, {"sink": "aplay", "clock_off": 0, "missing": 0, "problem": ""}, timezone.now())
    assert state(device) is UnitState.WELL
    later = timezone.now() + datetime.timedelta(minutes=6)
    unit = Unit.objects.select_related("device").get(pk=device.pk)
    assert health.state_of(unit, later) is UnitState.DEAD


@pytest.mark.parametrize(("cards", "there"), [(" 0 [PCH]: HDA", True), ("--- no soundcards ---", False), (None, False)])
def test_a_sound_card_that_is_pulled_out_is_noticed(tmp_path, cards, there):
    path = tmp_path / "cards"
    if cards is not None:
        path.write_text(cards)
    assert has_sound_device("aplay", path) is there
    assert has_sound_device("rtp", path) is None
