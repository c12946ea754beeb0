# SPDX-License-Identifier: Apache-2.0
"""Relay of a station in the office: who may be relayed, what machines are told, and what the log says of it."""

import dataclasses
import datetime

import pytest
from django.conf import settings as present
from django.db import IntegrityError, transaction
from tests.builders.bulletins import NOW, approved_bulletin, machine, schedule_bulletin, zone
from tests.builders.devices import agency, bearer_header
from tests.builders.office import user
from tests.devices.conftest import public

from bluezone.rollout.bulletins.models import Airing, Bulletin
from bluezone.rollout.loudspeakers import playback
from bluezone.rollout.loudspeakers.models import Playing
from bluezone.rollout.loudspeakers.plan_server import plan_of

__all__ = ["public"]
pytestmark = pytest.mark.django_db
STREAM = "https://radio.example.vn/live.m3u8"


@pytest.fixture(autouse=True)
def stations(settings):
    settings.CITY = dataclasses.replace(present.CITY, relay_stations={"Đài tỉnh": STREAM})


@pytest.fixture
def editor(client):
    client.force_login(user("bien", "editor", within=agency()))
    return client


def relayed(minutes=30):
    bulletin = approved_bulletin(seconds=2.0)
    Bulletin.objects.filter(pk=bulletin.pk).update(relay="Đài tỉnh", relay_minutes=minutes)
    bulletin.refresh_from_db()
    return bulletin


def written(editor, **more):
    values = {"title": "Thời sự", "importance": "normal", "agency": agency().pk, "text_vi": "Đài đang mất sóng."}
    return editor.post("/bulletins/new/", {**values, "relay": "Đài tỉnh", "relay_minutes": 30, **more})


def test_an_editor_chooses_a_station_of_the_city_and_no_other(editor):
    assert written(editor).status_code == 302
    assert written(editor, relay="http://192.168.1.7/").status_code == 422
    assert written(editor, relay_minutes="").status_code == 422
    assert written(editor, relay_minutes=61).status_code == 422
    assert written(editor, importance="emergency").status_code == 422

    made = Bulletin.objects.get()
    assert (made.relay, made.relay_minutes) == ("Đài tỉnh", 30)
    assert "Đài tỉnh" in editor.get(f"/bulletins/{made.pk}/").content.decode()


def test_without_stations_nobody_is_asked(editor, settings):
    settings.CITY = dataclasses.replace(settings.CITY, relay_stations={})
    assert 'name="relay"' not in editor.get("/bulletins/new/").content.decode()
    assert written(editor).status_code == 302
    assert Bulletin.objects.get().relay == ""


def test_the_store_takes_no_relay_in_an_emergency(editor):
    bulletin = relayed()
    with pytest.raises(IntegrityError), transaction.atomic():
        Bulletin.objects.filter(pk=bulletin.pk).update(importance="emergency")


def test_machines_are_told_the_stream_for_its_minutes_and_the_text_where_it_fails(settings):
    place = zone()
    schedule_bulletin(relayed(), place.outlet)
    hour = int(NOW.timestamp()) + 10 * 3600
    item = plan_of(place.pk, hour)["items"][0]

    assert (item["relay"], item["seconds"]) == (STREAM, 1800)
    assert item["sound"] == Airing.objects.first().sound.sha256

    settings.CITY = dataclasses.replace(settings.CITY, relay_stations={})
    item = plan_of(place.pk, hour)["items"][0]
    assert "relay" not in item
    assert item["seconds"] == pytest.approx(2.0, abs=0.2)


def test_nothing_else_is_planned_while_a_station_is_relayed():
    place = zone()
    schedule_bulletin(relayed(), place.outlet, times=("17:30",), last=NOW.date())
    schedule_bulletin(approved_bulletin(title="Khác", seconds=2.0), place.outlet, times=("17:50",), last=NOW.date())

    later = Airing.objects.get(schedule__bulletin__title="Khác")
    assert later.starts_at - later.due_at >= datetime.timedelta(minutes=10)


def report(key, began, parts):
    body = {"airing": key, "outcome": "played", "began": began, "ended": began + 1800, "heard": 1790, "sink": "ffplay"}
    return {"played": [{**body, "reason": "fell_back", "parts": parts}]}


def test_the_log_says_from_when_to_when_the_station_was_heard_and_what_instead(editor):
    place = zone()
    device, _token = machine(place)
    schedule_bulletin(relayed(), place.outlet, last=NOW.date())
    airing = Airing.objects.get()
    began = airing.due_at.timestamp()
    parts = [["station", began, 600.0], ["fall_back", began + 600, 65.0], ["silence", began + 665, 10.0],
             ["station", began + 675, 1125.0]]  # fmt: skip
    rows = report(airing.key, began, parts)["played"]
    assert playback.store_playings(device, rows, airing.due_at + datetime.timedelta(hours=1)).accepted == 1

    page = editor.get("/air-log/?on=2020-08-10").content.decode()
    for span in ("17:30:00–17:40:00", "17:40:00–17:41:05", "17:41:05–17:41:15", "17:41:15–18:00:00"):
        assert span in page
    assert "Đài tỉnh" in page


@pytest.mark.parametrize("parts", [
    [["a stranger", 1.0, 2.0]], [["station", -1, 2.0]], [["station", 1.0]], "station", [["silence", 1, 1]] * 201,
])  # fmt: skip
def test_a_report_with_parts_of_another_form_is_refused(public, parts):
    place = zone()
    _device, token = machine(place)
    schedule_bulletin(relayed(), place.outlet, last=NOW.date())
    airing = Airing.objects.get()
    body = report(airing.key, airing.due_at.timestamp(), parts)
    answer = public.post("/v1/speakers/played", body, "application/json", **bearer_header(token))

    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "speaker_report_invalid")
    assert not Playing.objects.exists()
