# SPDX-License-Identifier: Apache-2.0
"""For seven days a warned and an unwarned phone make the same requests, with the same sizes at the same times."""

import asyncio
import random
import threading
from contextlib import contextmanager
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from tests.builders.handset import PhoneClock, World, city_with_phones, meet_phone
from tests.builders.keyserver import DAY, HOUR, NOON

from bluezone.handset import Handset
from bluezone.handset.agent import PURGE_SECONDS, Agent
from bluezone.keyserver.http import Application
from bluezone.keyserver.venues.registrar import VenueDescription
from bluezone.radio.air import Scene, VirtualAir
from bluezone.radio.interface import PROFILES
from bluezone.radio.simulatedtime import run_simulated

pytestmark = pytest.mark.long

ERRANDS = 300.0
DAYS = 7


class LoopWorld(World):
    """True time that follows the loop of the simulation, from every thread."""

    def __init__(self):
        self._base, self.loop = float(NOON), None

    @property
    def now(self):
        return self._base + (self.loop.time() - self._begun if self.loop else 0.0)

    @now.setter
    def now(self, value):
        self._base = value

    def follow(self, loop):
        self.loop, self._begun = loop, loop.time()


class _Quiet(WSGIRequestHandler):
    def log_message(self, format, *args):
        pass


@contextmanager
def observed(key_server, world):
    """The same key server at an address of its own, and what passes there: when, path, bytes up, bytes down."""
    seen = []

    def application(environ, start_response):
        body = b"".join(Application(key_server.parts)(environ, start_response))
        seen.append((world.now, environ["PATH_INFO"], int(environ.get("CONTENT_LENGTH") or 0), len(body)))
        return [body]

    httpd = make_server("127.0.0.1", 0, application, WSGIServer, _Quiet)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{httpd.server_port}", seen
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


async def a_week(key_server, phones, world):
    """What the program does of itself, but for the radio: polls, errands, purge; the server ticks every hour."""
    world.follow(asyncio.get_running_loop())
    air = VirtualAir(Scene(), random.Random(1))
    tasks = []
    for number, phone in enumerate(phones):
        agent = Agent(phone, air.radio(str(number)), PROFILES["saver"], random.Random(6), 0x4E56)
        tasks += [agent._poll(), agent._every(ERRANDS, phone.make_due_calls), agent._every(PURGE_SECONDS, phone.purge)]

    async def ticks():
        while True:
            await asyncio.to_thread(key_server.tick)
            await asyncio.sleep(HOUR)

    running = [asyncio.ensure_future(task) for task in (*tasks, ticks())]
    # Between two polls, so that no request is cut in two.
    await asyncio.sleep(DAYS * DAY + 77)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


def test_a_warned_and_an_unwarned_phone_make_the_same_requests_for_a_week(tmp_path):
    world = LoopWorld()
    with (
        city_with_phones(tmp_path, world, publish_period_seconds=7200) as (server, others, _),
        observed(server.key_server, world) as (one_url, one_seen),
        observed(server.key_server, world) as (other_url, other_seen),
    ):
        key_server = server.key_server
        key_server.tick()
        venue = key_server.registrar.register_venue("dk-1", VenueDescription("Quán phở Bắc Hồ", "Tổ 5"))
        clock = PhoneClock(world, world.now - DAY)
        warned, unwarned = (
            Handset.open(tmp_path / name, url, clock, random.Random(5), "virtual", trust=server.trust())
            for name, url in (("warned", one_url), ("unwarned", other_url))
        )
        patient = others.new("patient")
        for phone in (warned, unwarned, patient):
            phone.check()
        stays = [(phone, phone.stays.check_in(venue.link, remember=True)) for phone in (warned, patient)]
        meet_phone(warned, patient, 25, world=world)
        for phone, stay in stays:
            phone.stays.check_out(stay.id)
        draft = patient.report.prepare_draft(key_server.codes.issue_code("confirmed", patient.time.today()).code)
        patient.report.submit_report(draft, None, [stays[1][1].id], consent=True)
        one_seen.clear()
        other_seen.clear()

        run_simulated(a_week(key_server, (warned, unwarned), world))

        assert {warning.kind for warning in warned.risk.warnings()} == {"near", "venue"}
        assert unwarned.risk.warnings() == []
        assert [seen[1:] for seen in one_seen] == [seen[1:] for seen in other_seen]
        assert max(abs(one[0] - other[0]) for one, other in zip(one_seen, other_seen, strict=True)) < 1.0
        paths = [path for _, path, _, _ in one_seen]
        assert paths.count("/v1/venues/index.json") == paths.count("/v1/exports/index.json") >= DAYS * 4
        assert len([path for path in paths if path.endswith(".bin")]) >= DAYS * 24 - 6
        assert "/v1/upload" in paths, "a rehearsal fell into the week"
        assert not any("push" in path or "declarations" in path for path in paths)
        for phone in (warned, unwarned):
            phone.close()
