# SPDX-License-Identifier: Apache-2.0
"""A canary fetches over HTTP what phones fetch, and health is red when it lacks a file that is due."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest
from tests.builders.epochs import RECOVERY, set_recovery_key
from tests.builders.handset import secrets_folder
from tests.builders.keyserver import HOUR, Clock, call, open_server, report_of, serve_application
from tests.builders.serving import free_port
from tests.builders.staleproxy import stale_proxy

from bluezone.canary.state import FOLDER, SILENT_SECONDS, CanaryState, last_states, load_state, state_file
from bluezone.city_settings import City
from bluezone.keyserver import statistics
from bluezone.keyserver.http import Application
from bluezone.networks import TLS_VARIABLE
from bluezone.protocol.signed.epoch import sign_epoch
from bluezone.protocol.upload import Status
from bluezone.refusal import Refused
from bluezone.server.canary_reports import OTHER, REASONS, Cells, HealthWithCanaries
from bluezone.server.canary_rounds import NONE, VARIABLE, Address, Canary, CanaryThreads, own_address, public_address
from bluezone.server.metrics.exposition import Exposition
from bluezone.server.metrics.meters import Meters

PERIOD = 2 * HOUR
GRACE = HOUR // 2


class PhoneClock:
    """The clocks of a canary: those of the simulated server."""

    def __init__(self, clock):
        self.boot_seconds = clock
        self.wall_seconds = clock


class Served:
    """A key server behind HTTP as `serve` has it, with the canaries' state in its health."""

    def __init__(self, server, clock):
        self.server = server
        self.clock = clock
        self.meters = Meters.make(1)
        self.cells = Cells(self.meters)
        self.cells.expect("own", time.monotonic())
        self.monotonic = time.monotonic
        server.application = HealthWithCanaries(
            Application(server.parts), self.cells, PERIOD, clock, lambda: self.monotonic()
        )

    def canary(self, name="own", address=None, trust=None):
        self.cells.expect(name, time.monotonic())
        return Canary(
            Address(name, address or self.address), lambda: trust or self.server.secrets.city_key,
            state_file(self.server.data_dir, name), self.cells, PERIOD, PhoneClock(self.clock),
        )  # fmt: skip

    @property
    def address(self):
        return "http://{}:{}".format(*self.server.address)

    def publish(self):
        """The file of the next period, as the worker publishes it; its round also repairs damaged files."""
        self.clock.pass_by(PERIOD)
        self.server.tick()

    def health(self):
        answer = call(self.server, "GET", "/v1/health")
        return answer.status, json.loads(answer.body)

    def metric(self):
        processes = SimpleNamespace(meters=self.meters, parts=(), children=[], restarts={}, replaced=0)
        page = Exposition(processes, None, self.clock()).text()
        return re.findall(r'bluezone_canary_trouble_seconds\{address="(\w+)",reason="(\w*)"\} (\S+)', page)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def city(tmp_path, clock):
    folder = tmp_path / "city"
    folder.mkdir()
    shutil.copytree(secrets_folder(), folder / "keys")
    server = open_server(folder, clock, publish_period_seconds=PERIOD)
    set_recovery_key(folder)
    server.tick()
    with serve_application(Application(server.parts)) as address:
        server.address = address
        yield Served(server, clock)
    server.close()


def newest_file(server):
    return server.data_dir / "exports" / server.indexes.read_index().entries[-1].name


def test_a_canary_receives_each_new_file_and_health_says_which(city):
    canary = city.canary()
    canary.make_round()
    assert city.health()[1]["canaries"]["own"]["export_number"] == 1
    city.publish()
    canary.make_round()

    status, report = city.health()
    assert (status, report["failing"]) == (200, [])
    assert report["canaries"] == {
        "own": {"export_number": 2, "received_seconds_ago": 0, "trouble_seconds": 0, "reason": None}
    }


def test_a_new_file_that_is_damaged_makes_health_fail_until_phones_get_it(city):
    canary = city.canary()
    canary.make_round()
    city.publish()
    path = newest_file(city.server)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    canary.make_round()
    assert city.health()[0] == 200, "a phone tries again, so not every refusal is a failure"
    city.clock.pass_by(GRACE + 60)
    canary.make_round()

    status, report = city.health()
    assert (status, report["failing"]) == (503, ["canary_late"])
    assert report["canaries"]["own"]["reason"] == "server_answer_refused"
    assert report["canaries"]["own"]["trouble_seconds"] == GRACE + 60
    path.write_bytes(whole)
    canary.make_round()
    assert city.health()[0] == 200


def test_a_cache_that_answers_old_copies_makes_health_fail_until_it_follows(city):
    with stale_proxy(*city.server.address) as proxy:
        own, public = city.canary(), city.canary("public", proxy.address)
        for canary in (own, public):
            canary.make_round()
        proxy.frozen = True
        city.publish()
        city.clock.pass_by(GRACE + 60)
        for canary in (own, public):
            canary.make_round()

        status, report = city.health()
        assert (status, report["failing"]) == (503, ["canary_late"])
        late = {name: canary["trouble_seconds"] for name, canary in report["canaries"].items()}
        assert late == {"own": 0, "public": GRACE + 60}
        assert report["canaries"]["public"]["reason"] is None
        proxy.frozen = False
        public.make_round()
        assert city.health()[0] == 200


def test_a_cache_that_goes_back_is_named_as_phones_name_it(city):
    with stale_proxy(*city.server.address) as proxy:
        canary = city.canary("public", proxy.address)
        canary.make_round()
        old = dict(proxy.copies)
        city.publish()
        canary.make_round()
        proxy.frozen, proxy.copies = True, old
        canary.make_round()
        city.clock.pass_by(GRACE + 60)
        canary.make_round()

        assert city.health()[1]["failing"] == ["canary_late"]
        assert city.health()[1]["canaries"]["public"]["reason"] == "index_rolled_back"


def test_an_address_that_does_not_answer_is_named_and_the_other_canary_is_well(city):
    own, public = city.canary(), city.canary("public", f"http://127.0.0.1:{free_port()}")
    for _ in range(2):
        own.make_round()
        public.make_round()
        city.clock.pass_by(GRACE + 60)
    own.make_round()

    assert city.health()[1]["canaries"]["public"]["reason"] == "offline"
    assert city.health()[1]["failing"] == ["canary_late"]
    assert city.health()[1]["canaries"]["own"]["trouble_seconds"] == 0


def test_a_canary_that_makes_no_rounds_is_not_well(city):
    city.canary().make_round()
    assert city.health()[0] == 200
    city.monotonic = lambda: time.monotonic() + SILENT_SECONDS + 1

    status, report = city.health()
    assert (status, report["failing"]) == (503, ["canary_silent"])
    assert report["canaries"]["own"]["reason"] == "canary_silent"


def test_a_canary_that_never_began_is_not_well_once_the_service_has_been_up_long_enough(city):
    assert city.health()[0] == 200
    city.monotonic = lambda: time.monotonic() + SILENT_SECONDS + 1
    assert city.health()[1]["failing"] == ["canary_silent"]


def test_a_city_that_publishes_no_first_file_is_late_a_period_after_the_canary_began(tmp_path, clock):
    folder = tmp_path / "city"
    folder.mkdir()
    shutil.copytree(secrets_folder(), folder / "keys")
    server = open_server(folder, clock, publish_period_seconds=PERIOD)
    server.publication.renew_lists(clock(), None)
    with serve_application(Application(server.parts)) as address:
        server.address = address
        city = Served(server, clock)
        canary = city.canary()
        canary.make_round()
        city.clock.pass_by(PERIOD)
        canary.make_round()
        assert "canary_late" not in city.health()[1]["failing"]
        city.clock.pass_by(GRACE + 60)
        canary.make_round()
        assert "canary_late" in city.health()[1]["failing"]
    server.close()


def test_a_full_disk_keeps_no_file_from_the_canary(city):
    (city.server.data_dir / FOLDER).write_text("no folder can be made here")
    canary = city.canary()
    canary.make_round()
    city.publish()
    canary.make_round()

    assert city.health()[1]["canaries"]["own"]["export_number"] == 2
    assert list(last_states(city.server.data_dir)) == []


def test_after_a_restart_it_goes_on_where_it_was(city):
    city.canary().make_round()
    began = city.clock()
    city.clock.pass_by(60)
    canary = city.canary()
    canary.make_round()

    ((name, round_at, state),) = last_states(city.server.data_dir)
    assert (name, round_at, state.number, state.received_at) == ("own", began + 60, 1, began)
    assert canary.state == state


def test_a_damaged_state_begins_anew(city):
    path = state_file(city.server.data_dir, "own")
    far = '{"state": {"began_at": 1e300}, "values": {}}'
    text = '{"state": {"began_at": "1"}, "values": {}}'
    for damaged in (
        "",
        "{",
        "[]",
        "[" * 100_000,
        far,
        text,
        '{"state": {}, "values": {}}',
        '{"state": {"began_at": 1, "x": 2}, "values": 3}',
    ):
        path.parent.mkdir(exist_ok=True)
        path.write_text(damaged)
        canary = city.canary()
        canary.make_round()
        assert (canary.state.number, canary.state.problem) == (1, "")
    path.unlink()
    os.mkfifo(path)
    assert load_state(path) is None
    path.unlink()
    path.symlink_to(city.server.data_dir / "city.toml")
    assert load_state(path) is None


def test_a_server_that_was_put_back_is_named_across_a_restart_until_phones_can_follow(city):
    with stale_proxy(*city.server.address) as proxy:
        city.canary("public", proxy.address).make_round()
        earlier = dict(proxy.copies)
        city.publish()
        city.canary("public", proxy.address).make_round()
        proxy.frozen, proxy.copies = True, earlier
        after = city.canary("public", proxy.address)
        after.make_round()
        assert (after.state.number, after.state.problem) == (2, "index_rolled_back")
        proxy.frozen = False
        after.make_round()
        assert after.state.problem == ""


def test_a_canary_enters_a_new_epoch_as_phones_do(city):
    city.canary().make_round()
    ticks = city.server.ticks
    assert ticks.open_epoch(sign_epoch(ticks.propose_epoch({}, []), RECOVERY), []).number == 1
    city.publish()
    canary = city.canary()
    canary.make_round()
    assert canary.state.problem == ""
    assert canary.state.number >= 100_000
    assert city.health()[0] == 200


def test_another_key_of_the_city_is_refused(city):
    city.canary().make_round()
    for key in (bytes(32), RECOVERY.public_key().public_bytes_raw()):
        canary = city.canary(trust=key)
        canary.make_round()
        assert canary.state.problem == "trust_invalid"


def test_a_clock_that_was_ahead_leaves_no_time_to_come(city):
    canary = city.canary("own", f"http://127.0.0.1:{free_port()}")
    city.clock.pass_by(45 * 86_400)
    canary.make_round()
    city.clock.pass_by(-45 * 86_400)
    canary.make_round()
    city.clock.pass_by(GRACE + 60)
    canary.make_round()

    assert "canary_late" in city.health()[1]["failing"]


def test_what_nobody_foresaw_is_a_failure_with_a_code_and_ends_no_rounds(city, caplog):
    def trust():
        raise RuntimeError("not foreseen")

    canary = Canary(
        Address("own", city.address), trust, state_file(city.server.data_dir, "own"), city.cells, PERIOD,
        PhoneClock(city.clock),
    )  # fmt: skip
    canary.make_round()
    assert canary.state.problem == OTHER
    assert "canary_failed" in [getattr(record, "event", "") for record in caplog.records]


def test_a_server_that_is_slow_for_ever_holds_up_neither_the_other_canary_nor_for_ever_its_own(city, monkeypatch):
    monkeypatch.setattr("bluezone.server.canary_rounds.BYTE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        canary = city.canary("public", f"http://127.0.0.1:{silent.getsockname()[1]}")
        thread = threading.Thread(target=canary.make_round)
        thread.start()
        city.canary().make_round()
        thread.join(120)
        assert not thread.is_alive()
    assert canary.state.problem == "offline"


def test_a_canary_counts_in_no_figure(city):
    assert report_of(city.server).upload().status is Status.OK
    city.publish()

    def figures():
        store = city.server.keys_store
        return (
            statistics.uploads_by_day(store), statistics.files(store), statistics.waiting_keys(store),
            *(city.server.keys_store.read(f"SELECT COUNT(*) FROM {table}") for table in tables()),
            *(city.server.codes_store.read(f"SELECT COUNT(*) FROM {table}") for table in tables("codes_store")),
        )  # fmt: skip

    def tables(store="keys_store"):
        rows = getattr(city.server, store).read("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        return [name for (name,) in rows]

    before = figures()
    canary = city.canary()
    for _ in range(3):
        canary.make_round()
    assert canary.state.number == 2
    assert figures() == before


def test_health_without_canaries_is_unchanged_and_a_head_has_its_status(city):
    city.cells.forget("own")
    assert city.health()[1]["canaries"] == {}
    city.cells.expect("own", time.monotonic())
    city.monotonic = lambda: time.monotonic() + SILENT_SECONDS + 1
    answer = call(city.server, "HEAD", "/v1/health")
    assert (answer.status, answer.body) == (503, b"")
    assert call(city.server, "GET", "/v1/health/ready").status == 200


def test_a_demo_without_periods_is_late_only_when_phones_are_refused(clock):
    assert CanaryState(clock()).trouble_at(0) == float("inf")
    refused = CanaryState(clock(), 1, clock(), int(clock()), "offline", clock() + 5)
    assert refused.trouble_at(0) == clock() + 5


def test_the_metric_says_for_how_long_and_why(city):
    now = time.time()
    period_end = int(now) // PERIOD * PERIOD
    assert city.metric() == [("own", "", "0.0")]
    city.cells.write("own", CanaryState(now, 3, now, period_end), PERIOD, time.monotonic())
    assert city.metric() == [("own", "", "0.0")]
    city.cells.write("own", CanaryState(now, 3, now, period_end, "offline", now - 100), PERIOD, time.monotonic())
    ((address, reason, seconds),) = city.metric()
    assert (address, reason) == ("own", "offline")
    assert float(seconds) >= 100


def subclasses(kind):
    for sub in kind.__subclasses__():
        yield sub
        yield from subclasses(sub)


def test_every_refusal_of_a_phone_that_follows_has_its_name():
    rooms = (
        "bluezone.handset.client", "bluezone.handset.city.config", "bluezone.handset.city.histories",
        "bluezone.protocol.signed", "bluezone.protocol.exports.files", "bluezone.protocol.exports.wire",
        "bluezone.transparency", "bluezone.protocol.risk.profiletables",
    )  # fmt: skip
    codes = {kind.code for kind in subclasses(Refused) if kind.__module__.startswith(rooms)}
    assert codes - set(REASONS) == set()


@pytest.mark.parametrize(
    ("host", "secured", "origin"),
    [
        ("127.0.0.1", False, "http://127.0.0.1:8000"),
        ("0.0.0.0", True, "https://127.0.0.1:8000"),
        ("::", False, "http://[::1]:8000"),
        ("192.168.1.5", False, "http://192.168.1.5:8000"),
    ],
)
def test_its_own_address_is_the_one_on_which_it_listens(host, secured, origin):
    assert own_address(host, 8000, secured).origin == origin


@pytest.mark.parametrize(
    ("public_host", "variable", "origin"),
    [
        ("localhost:8000", "", None),
        ("192.168.1.5:8000", "", None),
        ("bluezone.example.vn", "", "https://bluezone.example.vn"),
        ("bluezone.example.vn", NONE, None),
        ("bluezone.example.vn", "http://10.0.0.7:8080", "http://10.0.0.7:8080"),
        ("localhost:8000", "http://127.0.0.1:9", "http://127.0.0.1:9"),
    ],
)
def test_the_public_address_is_asked_where_it_is_a_public_one(tmp_path, monkeypatch, public_host, variable, origin):
    monkeypatch.setenv(VARIABLE, variable)
    monkeypatch.setenv(TLS_VARIABLE, "0")
    address = public_address(City("Bắc Kạn", "Bac Kan", "0209", public_host=public_host), tmp_path)
    assert (address and address.origin) == origin


HOLD = """
import fcntl, sys
fcntl.lockf(int(sys.argv[1]), fcntl.LOCK_EX, 1, 0)
print("holds", flush=True)
sys.stdin.read()
"""


def test_one_process_of_an_origin_runs_a_canary_and_another_takes_over_when_it_has_ended(city, monkeypatch):
    monkeypatch.setenv(VARIABLE, NONE)
    own = Address("own", city.address)
    key = city.server.secrets.city_key
    threads = CanaryThreads(city.server.data_dir, city.server.city, own, lambda: key, city.meters)
    descriptor = city.meters.descriptor
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(descriptor)], pass_fds=(descriptor,), stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert other.stdout.readline() == b"holds\n"
    assert not threads._takes_over("own")
    assert threads._takes_over("public")
    other.communicate(timeout=120)
    assert threads._takes_over("own")
