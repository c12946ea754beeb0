# SPDX-License-Identifier: Apache-2.0
"""Asking witnesses: they are set up apart from the city, asked within a limit, and believed only what they signed."""

import dataclasses
import json
import socket
import threading

import pytest
from tests.builders.handset import World, serve_city
from tests.builders.keyserver import Clock, open_server
from tests.builders.witnesses import NAMES, OPERATORS, serving, watching

from bluezone.keyserver.publication.log.witnesses import (
    WitnessNotApart,
    WitnessRounds,
    WitnessUnreachable,
    absent_witnesses,
    request_cosignature,
    set_witnesses,
)
from bluezone.server.metrics.meters import Meters
from bluezone.server.metrics.survey import Survey
from bluezone.server.worker import make_announcer
from bluezone.transparency.notes import cosigned_at
from bluezone.transparency.watch import Policy, Witness, WitnessesInvalid, encode_policy
from bluezone.witness.watcher import Watcher

pytestmark = pytest.mark.long

FAR = "https://203.0.113.9"


@pytest.fixture
def watchmen(tmp_path):
    world = World()
    (tmp_path / "city").mkdir()
    with (
        serve_city(tmp_path / "city", world, publish_period_seconds=7200) as server,
        watching(server, world, tmp_path / "witnesses") as watchmen,
    ):
        watchmen.go_round()
        yield watchmen


def signed(watchmen) -> set[str]:
    log = watchmen.server.key_server.public_log
    return {
        name for name, one in watchmen.watchers.items() if cosigned_at(log.newest_checkpoint()[1], one.key) is not None
    }


def test_every_witness_cosigns_each_checkpoint_and_is_asked_no_more_than_once_for_it(watchmen):
    assert signed(watchmen) == set(NAMES)
    assert WitnessRounds(lambda: watchmen.server.key_server.public_log).start_round() == []
    watchmen.world.pass_by(7200)
    watchmen.go_round()
    assert signed(watchmen) == set(NAMES)


def test_a_witness_that_never_answers_delays_neither_the_others_nor_the_next_round(watchmen):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        addresses = {**watchmen.addresses, NAMES[0]: f"http://127.0.0.1:{silent.getsockname()[1]}"}
        log = watchmen.server.key_server.public_log
        log.set_policy(encode_policy(watchmen.policy(2)), json.dumps(addresses))
        watchmen.world.pass_by(7200)
        watchmen.server.key_server.tick()
        rounds = WitnessRounds(lambda: watchmen.server.key_server.public_log)
        begun = {thread.name: thread for thread in rounds.start_round()}
        for name in NAMES[1:]:
            begun[f"witness {name}"].join()

        assert signed(watchmen) == set(NAMES[1:])
        assert begun[f"witness {NAMES[0]}"].is_alive()
        # It is not asked again while it is being asked.
        assert rounds.start_round() == []
        assert begun[f"witness {NAMES[0]}"].daemon
    begun[f"witness {NAMES[0]}"].join()


def test_a_witness_that_is_away_is_let_alone_for_a_minute_and_catches_up(watchmen):
    log, moments = watchmen.server.key_server.public_log, [0.0]
    addresses = {**watchmen.addresses, NAMES[0]: "http://127.0.0.1:1"}
    log.set_policy(encode_policy(watchmen.policy(2)), json.dumps(addresses))
    watchmen.world.pass_by(7200)
    watchmen.server.key_server.tick()
    rounds = WitnessRounds(lambda: watchmen.server.key_server.public_log, lambda: moments[0])
    for thread in rounds.start_round():
        thread.join()
    assert signed(watchmen) == set(NAMES[1:])
    log.set_policy(encode_policy(watchmen.policy(2)), json.dumps(watchmen.addresses))
    assert rounds.start_round() == []
    moments[0] = 61.0
    for thread in rounds.start_round():
        thread.join()

    assert signed(watchmen) == set(NAMES)


@pytest.mark.django_db
def test_the_operator_is_told_of_witnesses_that_stay_away_and_no_file_waits_for_them(watchmen):
    server, world = watchmen.server.key_server, watchmen.world
    meters, log = Meters.make(1), server.public_log
    survey = Survey(server, meters, make_announcer(server))

    def told():
        survey.measure(world.now)
        return meters.gauge("witnesses_absent"), meters.gauge("witness_quorum_missing")

    world.pass_by(7200)
    watchmen.go_round()
    assert server.configs.newest_config().witnesses, "the policy is in force"
    assert (told(), absent_witnesses(log, world.now)) == ((0, 0), ([], False))
    for away, quorum_missing in ((NAMES[:1], 0), (NAMES[:2], 1)):
        gone = dict.fromkeys(away, "http://127.0.0.1:1")
        log.set_policy(encode_policy(watchmen.policy(2)), json.dumps({**watchmen.addresses, **gone}))
        world.pass_by(7200)
        watchmen.go_round()
        assert NAMES[len(away) - 1] not in absent_witnesses(log, world.now)[0], "two hours are an outage like any"
        files = len(server.indexes.read_index().entries)
        world.pass_by(7200)
        watchmen.go_round()
        assert told() == (len(away), quorum_missing)
        assert len(server.indexes.read_index().entries) == files + 1
    # With nothing new to cosign nobody is away.
    log.set_policy(encode_policy(watchmen.policy(2)), json.dumps(watchmen.addresses))
    watchmen.go_round()
    assert told() == (0, 0)
    world.pass_by(10 * 3600)
    assert told() == (0, 0)


def test_a_server_that_has_forgotten_what_a_witness_has_seen_goes_on_from_there(watchmen):
    keys = watchmen.server.key_server.keys_store
    keys.write(lambda transaction: transaction.execute("DELETE FROM log_cosignature"))
    watchmen.world.pass_by(7200)
    watchmen.go_round()

    assert signed(watchmen) == set(NAMES)


def test_what_is_not_signed_by_the_witnesss_own_key_is_not_kept(watchmen, tmp_path):
    log = watchmen.server.key_server.public_log
    stranger = Watcher.create(tmp_path / "stranger", NAMES[0], lambda: watchmen.world.now)
    stranger.watch(str(log.key), f"{watchmen.server.url}/v1/log")
    size, note = log.newest_checkpoint()
    witness = watchmen.policy(2).witnesses[0]
    log.store.write(lambda transaction: transaction.execute("DELETE FROM log_cosignature"))
    with serving(stranger) as address, pytest.raises(WitnessUnreachable, match="not signed by its key"):
        request_cosignature(log, witness, address, size, note)


@pytest.mark.parametrize(
    ("changes", "address"),
    [
        ({}, "http://127.0.0.1:8470"), ({}, "http://localhost:8470"), ({}, f"http://{socket.gethostname()}"),
        ({}, "https://city.example"), ({"name": "city.example"}, FAR), ({"name": "office.example/x"}, FAR),
        ({"name": "localhost"}, FAR), ({"operator": OPERATORS[1]}, FAR), ({"name": f"{NAMES[1]}x"}, FAR),
        ({"key": "cd" * 32}, FAR),
    ],
)  # fmt: skip
def test_a_witness_on_a_host_of_the_city_or_of_another_witness_is_not_set(tmp_path, changes, address):
    city = open_server(tmp_path / "city", Clock(), public_host="city.example", office_host="office.example")
    try:
        other = Witness(NAMES[1], OPERATORS[1], "cd" * 32)
        one = dataclasses.replace(Witness(NAMES[0], OPERATORS[0], "ab" * 32), **changes)
        with pytest.raises(WitnessNotApart):
            set_witnesses(
                city.public_log, Policy(1, (other, one)), {other.name: FAR, one.name: address}, city.data_dir,
                ("city.example", "office.example:443"),
            )  # fmt: skip
        assert city.public_log.policy(0) is None
    finally:
        city.close()


def test_a_witness_whose_store_lies_in_the_data_folder_is_not_set(tmp_path):
    city = open_server(tmp_path / "city", Clock())
    try:
        Watcher.create(tmp_path / "city" / "watch", NAMES[0])
        one = Witness(NAMES[0], OPERATORS[0], "ab" * 32)
        with pytest.raises(WitnessNotApart, match="data folder"):
            set_witnesses(city.public_log, Policy(1, (one,)), {one.name: FAR}, city.data_dir, ())
    finally:
        city.close()


def test_a_quorum_that_can_never_come_is_not_set(tmp_path):
    city = open_server(tmp_path / "city", Clock())
    try:
        one = Witness(NAMES[0], OPERATORS[0], "ab" * 32)
        with pytest.raises(WitnessesInvalid):
            set_witnesses(city.public_log, Policy(2, (one,)), {one.name: FAR}, city.data_dir, ())
        assert set_witnesses(city.public_log, Policy(1, (one,)), {one.name: FAR}, city.data_dir, ()) == 0
    finally:
        city.close()


def test_no_thread_is_begun_where_nobody_watches(tmp_path):
    city = open_server(tmp_path / "city", Clock())
    try:
        before = threading.active_count()
        city.tick()
        assert WitnessRounds(lambda: city.public_log).start_round() == []
        assert threading.active_count() == before
    finally:
        city.close()
