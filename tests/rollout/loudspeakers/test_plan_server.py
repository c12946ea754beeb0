# SPDX-License-Identifier: Apache-2.0
import datetime
import json

import pytest
from tests.builders.bulletins import NOW, approved_bulletin, machine, make_people, schedule_bulletin, zone

from bluezone.devices import enrolment
from bluezone.devices.models import Device, DeviceKind
from bluezone.rollout.bulletins.air import timetable
from bluezone.rollout.bulletins.texts import scripts
from bluezone.rollout.loudspeakers import health, zone_setup
from bluezone.rollout.loudspeakers.models import Unit
from bluezone.rollout.loudspeakers.plan_server import PLAN_PATH, VERSION_SECONDS, PlanServer

pytestmark = pytest.mark.django_db


class Time:
    """Wall and monotonic clock that only the test moves."""

    def __init__(self, now=NOW):
        self.unix, self.boot = now.timestamp(), 1000.0

    def on(self, seconds):
        self.unix += seconds
        self.boot += seconds


class Caller:
    """Somebody with a token in front of a plan server."""

    def __init__(self, time, token):
        self.server = PlanServer(lambda: time.unix, lambda: time.boot)
        self.token, self.etag = token, ""

    def at_hand(self):
        """What the origin asks first: whether there is an answer that needs no store."""
        return self.server.unchanged(f"Bearer {self.token}", self.etag)

    def get(self, path=PLAN_PATH, method="GET"):
        environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "HTTP_AUTHORIZATION": f"Bearer {self.token}"}
        if self.etag:
            environ["HTTP_IF_NONE_MATCH"] = self.etag
        if path == PLAN_PATH and method == "GET" and (quick := self.at_hand()):
            return {**dict(quick), "status": 304}, b""
        told = {}

        def start(status, headers):
            told.update(dict(headers), status=int(status.split()[0]))

        body = b"".join(self.server(environ, start))
        return told, body


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def place():
    return zone()


@pytest.fixture
def caller(place, time):
    return Caller(time, machine(place)[1])


def test_the_usual_answer_asks_no_store_until_something_is_due(caller, time, django_assert_num_queries):
    caller.etag = caller.get()[0]["ETag"]
    with django_assert_num_queries(0):
        assert dict(caller.at_hand())["ETag"] == caller.etag
    time.on(VERSION_SECONDS)
    assert caller.at_hand() is None
    assert caller.get()[0]["status"] == 304
    assert caller.at_hand()
    caller.token += "x"
    assert caller.at_hand() is None


def test_a_plan_is_told_once_and_then_304_until_it_changes(caller, time, place):
    bulletin = approved_bulletin(seconds=2.0)
    schedule_bulletin(bulletin, place.outlet)
    told, body = caller.get()
    plan = json.loads(body)
    assert (told["status"], plan["zone"], plan["volume"]) == (200, "Tổ 5", 80)
    assert [one["due"] for one in plan["items"]] == [
        (NOW + datetime.timedelta(hours=10, minutes=30, days=day)).timestamp() for day in range(2)
    ]
    caller.etag = told["ETag"]

    for _ in range(5):
        time.on(2)
        told, body = caller.get()
        assert (told["status"], body) == (304, b"")
        assert float(told["Bluezone-Time"]) == time.unix * 1000
    zone_setup.configure_zone("bien", place, 30, (datetime.time(22), datetime.time(4)), NOW, by_hand=False)
    time.on(2)
    told, body = caller.get()
    assert (told["status"], json.loads(body)["volume"]) == (200, 30)


def test_an_emergency_is_in_the_very_next_poll(caller, time, place):
    caller.etag = caller.get()[0]["ETag"]
    timetable.air_at_once(approved_bulletin("emergency", seconds=2.0), [place.outlet], ["vi"], make_people()[0], NOW)
    time.on(0.25)
    told, body = caller.get()

    assert told["status"] == 200
    item = json.loads(body)["items"][0]
    assert (item["importance"], item["due"]) == ("emergency", NOW.timestamp())
    sound = caller.get(f"/v1/speakers/audio/{item['sound']}")
    assert sound[0]["status"] == 200
    assert len(sound[1]) == int(sound[0]["Content-Length"]) > 1000


def test_nobody_without_a_speakers_token_is_answered(caller, time, place):
    caller.token = "x" * 43
    told, body = caller.get()
    assert (told["status"], told["WWW-Authenticate"]) == (401, "Bearer")
    assert json.loads(body)["error"]["code"] == "device_token_invalid"
    from tests.builders.devices import agency, connected_device

    caller.token = connected_device(agency(), DeviceKind.GATE)[1]
    time.on(10)
    assert caller.get()[0]["status"] == 401
    assert caller.get(method="POST")[0]["status"] == 405


def test_a_machine_that_was_cut_off_is_refused_within_five_seconds(caller, time):
    assert caller.get()[0]["status"] == 200
    enrolment.revoke_device("admin", Device.objects.get(), NOW)
    time.on(5)
    assert caller.get()[0]["status"] == 401


def test_a_new_machine_is_known_at_its_first_word(caller, time, place):
    caller.get()
    caller.token = machine(place, "Loa 2")[1]
    time.on(1)
    assert caller.get()[0]["status"] == 200


def test_a_dead_machine_is_flagged_five_minutes_after_its_last_word(caller, time):
    now = lambda: datetime.datetime.fromtimestamp(time.unix, datetime.UTC)  # noqa: E731
    unit = Unit.objects.select_related("device").get()
    assert health.state_of(unit, now()) is health.UnitState.NEVER
    for _ in range(20):
        caller.get()
        time.on(2)
    unit.refresh_from_db()
    assert health.state_of(unit, now()) is health.UnitState.WELL
    last_word = now() - datetime.timedelta(seconds=2)

    time.unix = (last_word + datetime.timedelta(minutes=5)).timestamp()
    unit.refresh_from_db()
    assert health.state_of(unit, now()) is health.UnitState.DEAD


def test_a_zone_that_is_played_by_hand_and_a_machine_without_a_zone_get_nothing_to_play(time):
    by_hand = zone("Tổ 6", by_hand=True)
    schedule_bulletin(approved_bulletin(seconds=2.0), by_hand.outlet)
    told, body = Caller(time, machine(by_hand)[1]).get()
    assert (told["status"], json.loads(body)["items"]) == (200, [])


LATER = NOW + datetime.timedelta(seconds=6)
STOPS = {
    "stopped": lambda made, place, who: timetable.stop_schedule(made, who, LATER),
    "stopped here": lambda made, place, who: timetable.stop_schedule_at(made, place.outlet, who, LATER),
    "withdrawn": lambda made, place, who: scripts.withdraw_bulletin(made.bulletin, "nhầm", who, LATER),
}


@pytest.mark.parametrize("way", STOPS)
def test_what_is_stopped_is_out_of_the_very_next_poll_although_it_fell_due(caller, time, place, way):
    who = make_people()[0]
    made = timetable.air_at_once(approved_bulletin("emergency", seconds=2.0), [place.outlet], ["vi"], who, NOW)
    time.on(6)
    told, body = caller.get()
    assert len(json.loads(body)["items"]) == 1
    caller.etag = told["ETag"]
    STOPS[way](made, place, who)
    time.on(0.25)
    told, body = caller.get()

    assert (told["status"], json.loads(body)["items"]) == (200, [])


def test_what_is_stopped_at_one_zone_goes_on_at_the_others(caller, time, place):
    other = zone("Tổ 6")
    who = make_people()[0]
    made = timetable.air_at_once(
        approved_bulletin("emergency", seconds=2.0), [place.outlet, other.outlet], ["vi"], who, NOW
    )
    timetable.stop_schedule_at(made, place.outlet, who, LATER)
    time.on(6)

    assert json.loads(caller.get()[1])["items"] == []
    there = Caller(time, machine(other, "Loa 2")[1])
    assert len(json.loads(there.get()[1])["items"]) == 1
