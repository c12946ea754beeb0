# SPDX-License-Identifier: Apache-2.0
"""`bluezone log check`, as a journalist types it, on a city that is honest and on one that is not."""

import dataclasses
import json

import pytest
from click.testing import CliRunner
from tests.builders.handset import World, serve_city
from tests.builders.liar import Liar
from tests.builders.stores import with_week_keys

from bluezone.cli.main import root
from bluezone.transparency.leaves import config_leaf, head_leaf
from bluezone.transparency.merkle import EMPTY_ROOT
from bluezone.transparency.notes import Checkpoint, sign_checkpoint

pytestmark = pytest.mark.long


@pytest.fixture
def city(tmp_path):
    world = World()
    (tmp_path / "city").mkdir()
    with_week_keys(tmp_path / "city", world.now)
    with serve_city(tmp_path / "city", world) as server:
        for _ in range(3):
            server.key_server.tick()
            world.pass_by(7200)
        server.key_server.tick()
        yield server


def check(city, *options):
    arguments = ["log", "check", city.url, "--trust", city.trust(), *map(str, options)]
    done = CliRunner().invoke(root, [*arguments, "--json"])
    return done.exit_code, json.loads(done.stdout)


def problems(city, *options):
    code, result = check(city, *options)
    assert code == (1 if result["problems"] else 0)
    return [problem["code"] for problem in result["problems"]]


def append(city, content: bytes) -> None:
    """Append a leaf as an operator can who has the city's stores and keys."""
    city.key_server.public_log.request_leaf(content)
    city.key_server.public_log.renew_log()


def test_an_honest_city_has_no_problems_and_needs_no_web_edition(city):
    log = city.key_server.public_log
    code, result = check(city)

    assert (code, result["problems"], result["edition"]) == (0, [], None)
    assert (result["log"], result["size"], result["witnesses"]) == (log.key.name, log.size(), [])


def test_two_leaves_of_one_name_are_printed_with_their_numbers(city):
    number = city.key_server.configs.newest_number()
    append(city, config_leaf(number, "f" * 64))
    ((problem,),) = [check(city)[1]["problems"]]

    assert problem["code"] == "log_second_leaf"
    genuine, other = problem["leaves"]
    assert genuine["number"] < other["number"]
    assert other == {"number": city.key_server.public_log.size() - 1, "leaf": config_leaf(number, "f" * 64).decode()}


def test_a_config_that_is_not_in_the_log_is_a_problem(city):
    liar = Liar(city)
    liar.show("/v1/config", liar.sign(dataclasses.replace(liar.config(), hotline="0")))
    assert problems(city) == ["log_leaf_missing"]


def test_a_week_key_and_a_key_of_the_city_that_are_not_in_the_log_are_problems(city):
    liar = Liar(city)
    config = liar.config()
    random_packets, first, second, *keys = config.week_keys
    swapped = [random_packets, dataclasses.replace(first, n=second.n), second, *keys]
    liar.show("/v1/config", liar.sign(dataclasses.replace(config, week_keys=tuple(swapped), recovery_key="0" * 64)))
    messages = [problem["message"] for problem in check(city)[1]["problems"]]

    assert any(f"week key {first.kid} " in message for message in messages)
    assert any("the keys of the city" in message for message in messages)
    assert len(messages) == 3


@pytest.mark.parametrize("kind", ["exports", "venues"])
def test_a_file_that_is_not_in_the_log_is_a_problem(city, kind):
    liar = Liar(city)
    path = f"/v1/{kind}/index.json"
    index = liar._index(kind)
    last = dataclasses.replace(index.entries[-1], sha256="0" * 64)
    genuine = (city.key_server.data_dir / kind / "index.json").read_bytes()
    liar.show(path, liar.changed_index(genuine, entries=(*index.entries[:-1], last)))
    assert problems(city) == ["log_leaf_missing"]


@pytest.mark.parametrize("leaf", [config_leaf(90, "f" * 64), head_leaf("venues", 0, 90, "f" * 64)])
def test_a_gap_in_the_numbers_is_a_problem(city, leaf):
    append(city, leaf)
    assert problems(city) == ["log_gap"]


def test_a_checkpoint_of_another_key_or_of_other_leaves_is_refused(city):
    log = city.key_server.public_log
    other = sign_checkpoint(
        Checkpoint(log.key.name, log.size(), EMPTY_ROOT), log.key, city.key_server.secrets.signing_key.sign
    )
    for body, code in (
        (other.data.replace(b"\n\n", b" \n\n"), "log_note_untrusted"),
        (other.data, "log_proof_invalid"),
    ):
        Liar(city).show("/v1/log/checkpoint", body)
        assert check(city) == (1, {"error": check(city)[1]["error"]})
        assert check(city)[1]["error"]["code"] == code


def test_a_log_that_does_not_continue_the_last_checked_one_is_a_problem(city, tmp_path):
    file = tmp_path / "checkpoint"
    log = city.key_server.public_log
    assert problems(city, "--since", file) == []
    append(city, b"another leaf")
    assert problems(city, "--since", file) == []
    assert file.read_bytes() == log.newest_checkpoint()[1].data

    other = Checkpoint(log.key.name, 3, EMPTY_ROOT)
    stored = sign_checkpoint(other, log.key, city.key_server.secrets.signing_key.sign).data
    file.write_bytes(stored)
    assert problems(city, "--since", file) == ["split_view"]
    assert file.read_bytes() == stored
