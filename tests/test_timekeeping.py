# SPDX-License-Identifier: Apache-2.0
"""A clock that has jumped stops what cannot be taken back, and only that, until it is right or a person has looked."""

import datetime
import json
import ssl
import threading
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from click.testing import CliRunner
from tests.builders.keyserver import Clock
from tests.builders.office import data_folder, furnished_folder

from bluezone import timekeeping
from bluezone.city_settings import write_default
from bluezone.cli.server.backup import backup as backup_command
from bluezone.cli.server.clock import clock as clock_command
from bluezone.duties.duty import Work
from bluezone.keyserver.service import KeyServer
from bluezone.server.metrics.meters import Meters
from bluezone.server.metrics.survey import Survey
from bluezone.server.recurring_work import RecurringWork
from bluezone.server.worker import make_announcer, tick_until
from bluezone.timekeeping import Believed, Boot, ClockDoubted, ClockGuard, DatabaseClock, doubt
from bluezone.tls import ensure_identity

__all__ = ["data_folder", "furnished_folder"]

NOTED: list[object] = []
HOUR, DAY = 3600.0, 86_400.0
NOW = 1_800_000_000.0
RUNNING = Boot("a boot", 50_000.0, synchronised=False)
LAST = Believed(NOW, "a boot", 50_000.0)


@pytest.mark.parametrize("days", [45, -45, 1, -1])
@pytest.mark.parametrize("synchronised", [False, True])
def test_a_jump_while_the_machine_runs_is_never_believed(days, synchronised):
    boot = Boot("a boot", 50_015.0, synchronised)

    assert doubt(NOW + 15 + days * DAY, LAST, boot, DatabaseClock(NOW + 15 + days * DAY, elsewhere=True))


@pytest.mark.parametrize("passed", [0.0, 15.0, 12 * HOUR, 100 * DAY])
def test_time_that_the_machine_has_run_for_is_believed(passed):
    assert doubt(NOW + passed, LAST, Boot("a boot", 50_000 + passed, synchronised=False), None) is None


def test_after_a_new_start_a_short_rest_is_believed_and_a_long_one_needs_a_witness():
    def anew(hours, synchronised=False, database=None):
        return doubt(NOW + hours * HOUR, LAST, Boot("another", 20.0, synchronised), database)

    assert anew(0.5) is None
    assert anew(10)
    assert anew(10, synchronised=True) is None
    assert anew(10, database=DatabaseClock(NOW + 10 * HOUR, elsewhere=True)) is None
    assert anew(10, database=DatabaseClock(NOW + 10 * HOUR, elsewhere=False)), "the same clock is no witness"
    assert anew(-10, synchronised=True), "work was done after this moment"


def test_a_database_that_says_another_time_is_never_overruled():
    for off in (2 * HOUR, -2 * HOUR):
        assert doubt(NOW, None, RUNNING, DatabaseClock(NOW + off, elsewhere=True))
    assert doubt(NOW, None, RUNNING, DatabaseClock(NOW + 60, elsewhere=True)) is None


class SaysTime(BaseHTTPRequestHandler):
    """Answers 403, as a bucket does to a stranger, with the time of its server."""

    def do_HEAD(self):
        self.send_response(403)
        self.end_headers()

    def date_time_string(self, timestamp=None):
        return super().date_time_string(self.server.now)

    def log_message(self, format, *args):
        pass


@pytest.fixture
def time_server():
    with HTTPServer(("127.0.0.1", 0), SaysTime) as server:
        server.now = NOW
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def address_of(server):
    return f"http://127.0.0.1:{server.server_port}/health"


@pytest.mark.parametrize("days", [45, -45, 0.1])
def test_a_first_start_whose_clock_differs_from_a_servers_is_doubted(tmp_path, time_server, days):
    guard = ClockGuard(tmp_path, boot=lambda: RUNNING, servers=[address_of(time_server)])

    assert "that of 127.0.0.1 2027-01-15 08:00 UTC" in guard.doubt(NOW + days * DAY)
    guard.require(NOW + 60)
    time_server.now += 45 * DAY
    guard.require(NOW + 60)


def test_a_server_that_does_not_answer_keeps_no_city_from_its_first_start(tmp_path, time_server):
    time_server.shutdown()
    time_server.server_close()
    ClockGuard(tmp_path, boot=lambda: RUNNING, servers=[address_of(time_server)]).require(NOW)


def test_after_a_long_rest_a_server_is_the_witness(tmp_path, time_server):
    addresses = [address_of(time_server)]
    ClockGuard(tmp_path, boot=lambda: RUNNING, servers=addresses).require(NOW)
    restarted = ClockGuard(tmp_path, boot=lambda: Boot("another", 20.0, synchronised=False), servers=addresses)

    assert restarted.doubt(NOW + DAY)
    time_server.now += DAY
    restarted.require(NOW + DAY)


def test_after_a_reboot_a_clock_that_went_back_is_doubted_although_it_says_a_later_time(tmp_path, time_server):
    addresses = [address_of(time_server)]
    ClockGuard(tmp_path, boot=lambda: RUNNING, servers=addresses).require(NOW)
    restarted = ClockGuard(tmp_path, boot=lambda: Boot("another", 20.0, synchronised=True), servers=addresses)

    time_server.now += 3 * HOUR
    assert restarted.doubt(NOW + 0.5 * HOUR)
    restarted.require(NOW + 3 * HOUR)


def test_a_first_start_with_a_clock_before_this_release_is_doubted():
    assert "before this release" in doubt(timekeeping.RELEASED - 1, None, RUNNING, None)


def test_a_certificate_that_is_not_valid_at_this_time_says_that_the_clock_is_wrong(tmp_path, monkeypatch):
    then = datetime.datetime.fromtimestamp(NOW, datetime.UTC) - datetime.timedelta(days=365 * 20)
    identity = ensure_identity(tmp_path / "tls", ["localhost"], then)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.certificate, identity.key)
    monkeypatch.setenv("SSL_CERT_FILE", str(identity.authority))
    with HTTPServer(("127.0.0.1", 0), SaysTime) as server:
        server.now = NOW
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        address = f"https://localhost:{server.server_port}"
        assert "the certificate of localhost is not valid" in ClockGuard(tmp_path, servers=[address]).doubt(NOW)
        thread.join()


def test_a_first_start_with_a_clock_that_is_ahead_signs_nothing_until_it_is_right(tmp_path, time_server):
    write_default(tmp_path, name_vi="Bắc Kạn", name_en="Bac Kan", hotline="0209 3870 000")
    clock = Clock(NOW + 45 * DAY)
    guard = ClockGuard(tmp_path, boot=lambda: RUNNING, servers=[address_of(time_server)])

    server = KeyServer.open(tmp_path, clock, guard)
    assert not [path for folder in ("configs", "exports") for path in (tmp_path / folder).glob("*")]
    clock.now = NOW
    server.tick()
    assert any((tmp_path / "configs").iterdir())
    server.close()


def test_what_is_not_believed_is_not_noted_and_a_persons_word_is(tmp_path):
    guard = ClockGuard(tmp_path, boot=lambda: RUNNING)
    guard.require(NOW)
    with pytest.raises(ClockDoubted, match="bluezone clock --confirm"):
        guard.require(NOW + 45 * DAY)
    assert guard.believed() == LAST
    guard.confirm(NOW + 45 * DAY)
    guard.require(NOW + 45 * DAY)


def test_a_note_that_cannot_be_read_counts_as_none(tmp_path):
    (tmp_path / timekeeping.NAME).write_text("{")
    assert ClockGuard(tmp_path).believed() is None


def test_of_this_machine_its_own_next_moment_is_believed(tmp_path):
    ClockGuard(tmp_path).require(NOW)
    ClockGuard(tmp_path).require(NOW + 1)
    with pytest.raises(ClockDoubted):
        ClockGuard(tmp_path).require(NOW + 2 * DAY)


class Once(threading.Event):
    """Stops after one round."""

    def wait(self, timeout=None):
        self.set()
        return True


@pytest.mark.long
@pytest.mark.django_db
@pytest.mark.parametrize("days", [45, -45])
def test_one_tick_of_a_wrong_clock_destroys_and_signs_nothing_and_the_next_goes_on(data_folder, days):
    clock, done = Clock(KeyServer.open(data_folder).clock()), NOTED
    done.clear()
    uptime = [1000.0]
    guard = ClockGuard(data_folder, boot=lambda: Boot("a boot", uptime[0], synchronised=True))
    guard.confirm(clock())
    server = KeyServer.open(data_folder, clock, guard)
    meters = Meters.make(1)
    survey = Survey(server, meters, make_announcer(server))
    rounds = RecurringWork(meters, [Work("purge_sms", f"{__name__}.note")], [Work("send_mail", f"{__name__}.note")])

    class Leads:
        def renew(self):
            return True

    def files():
        return {
            path: path.read_bytes()
            for folder in ("configs", "keys", "exports")
            for path in (data_folder / folder).rglob("*")
            if path.is_file()
        }

    def tick():
        tick_until(Once(), server, survey, rounds, Leads())

    clock.now += days * DAY
    uptime[0] += 15
    before = files()
    tick()
    assert files() == before
    assert meters.gauge("clock_doubted") == 1
    assert len(done) == 1, "mail goes out; nothing is forgotten"

    clock.now += 15 - days * DAY
    uptime[0] += 15
    tick()
    assert meters.gauge("clock_doubted") == 0
    assert len(done) == 3
    assert server.pages.ticked_at() == clock.now
    server.close()


def test_a_server_that_starts_under_a_doubted_clock_serves_and_signs_nothing_until_it_is_confirmed(data_folder):
    first = KeyServer.open(data_folder)
    first.close()
    now = first.clock()
    ahead = Believed(now + 45 * DAY, "another", 0.0)
    (data_folder / timekeeping.NAME).write_text(json.dumps(asdict(ahead)))
    configs = sorted((data_folder / "configs").iterdir())
    for path in configs:
        path.unlink()
    run = CliRunner().invoke(clock_command, ["--data", str(data_folder), "--json"])
    assert "before" in json.loads(run.output)["doubt"]
    assert not any((data_folder / "configs").iterdir())
    assert CliRunner().invoke(backup_command, ["--data", str(data_folder)]).exit_code == 1

    assert (
        json.loads(CliRunner().invoke(clock_command, ["--data", str(data_folder), "--json", "--confirm"]).output)[
            "doubt"
        ]
        is None
    )
    KeyServer.open(data_folder).close()
    assert sorted((data_folder / "configs").iterdir()) == configs


def note(now):
    """A work that notes that it was done."""
    NOTED.append(now)
