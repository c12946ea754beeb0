# SPDX-License-Identifier: Apache-2.0
"""A witness reads every leaf before it cosigns; a second leaf of a name is evidence, and stops no one."""

import http.client
import json
import multiprocessing
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.builders.witnesses import AnyLog, serving, serving_log

from bluezone.keyserver.publication.log.witnesses import post_checkpoint
from bluezone.transparency.leaves import config_leaf
from bluezone.transparency.notes import Note, cosigned_at, read_signature
from bluezone.witness import leafstore
from bluezone.witness import watcher as watcher_module
from bluezone.witness.service import answer_get
from bluezone.witness.watcher import READING_SECONDS, STORE_NAME, LeavesDiffer, LogUnreachable, Watcher

NOW = 1_795_608_000
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = config_leaf(3, "f" * 64)


def configs(count: int) -> list[bytes]:
    return [config_leaf(number, f"{number:064x}") for number in range(count)]


@pytest.fixture
def log():
    log = AnyLog(SIGNER, configs(40))
    with serving_log(log) as log.address:
        yield log


@pytest.fixture
def watcher(tmp_path: Path, log: AnyLog) -> Watcher:
    watcher = Watcher.create(tmp_path, "witness.example", lambda: NOW)
    watcher.watch(str(log.key), log.address)
    return watcher


def ask(watcher: Watcher, log: AnyLog, old: int, size: int) -> int:
    """Ask for a cosignature over HTTP; returns the status, after checking the signature."""
    with serving(watcher) as address:
        status, body = post_checkpoint(address, log.request(old, size))
    if status == http.client.OK:
        assert cosigned_at(Note(log.note(size).text, (read_signature(body[:-1]),)), watcher.key) == NOW
    return status


def test_each_leaf_is_read_once_and_before_the_cosignature(watcher, log):
    assert [ask(watcher, log, 0, 5), ask(watcher, log, 5, 12), ask(watcher, log, 12, 12)] == [200, 200, 200]
    assert log.requests == ["/leaves/0/5", "/leaves/5/12"]


def test_other_leaves_than_the_signed_ones_are_not_cosigned_and_not_remembered(watcher, log):
    assert ask(watcher, log, 0, 5) == 200
    body = log.request(5, 12)
    log.contents[7] = OTHER
    with serving(watcher) as address:
        assert post_checkpoint(address, body)[0] == 422
    assert watcher.log(log.key.name).size == 5
    assert watcher.second_leaves() == []

    log.contents = configs(40)
    assert ask(watcher, log, 5, 12) == 200
    assert watcher.second_leaves() == []


def test_looking_finds_leaves_that_are_not_the_signed_ones(watcher, log):
    genuine = log.note(40)
    log.contents[7] = OTHER
    log.note = lambda size: genuine
    with pytest.raises(LeavesDiffer):
        watcher.check_log(log.key.name)
    assert watcher.log(log.key.name).size == 0


def test_a_second_leaf_of_a_name_is_cosigned_and_is_evidence(watcher, log):
    log.contents[7] = OTHER
    assert ask(watcher, log, 0, 12) == 200
    (second,) = watcher.second_leaves()

    assert (second.first_number, second.first, second.number, second.content) == (3, log.contents[3], 7, OTHER)
    assert json.loads(answer_get(watcher, "/evidence").body)["leaves"][1] == {"number": 7, "leaf": OTHER.decode()}
    log.contents[20] = OTHER
    assert ask(watcher, log, 12, 30) == 200
    assert [second.number for second in watcher.second_leaves()] == [7, 20]


def test_evidence_is_bounded(watcher, log):
    log.contents = [*configs(4), *[config_leaf(3, f"{number:064x}") for number in range(4, 400)]]
    assert ask(watcher, log, 0, 400) == 200
    assert len(watcher.second_leaves()) == leafstore.MOST_SECONDS


def test_leaves_that_cannot_be_fetched_are_not_cosigned_until_they_can(watcher, log):
    log.hidden = "leaves|tile"
    assert ask(watcher, log, 0, 12) == 503
    with pytest.raises(LogUnreachable):
        watcher.check_log(log.key.name)
    assert watcher.log(log.key.name).size == 0

    log.hidden = "nothing"
    assert ask(watcher, log, 0, 12) == 200


def test_too_few_leaves_are_not_cosigned(watcher, log):
    body = log.request(0, 40)
    del log.contents[30:]
    with serving(watcher) as address:
        assert post_checkpoint(address, body)[0] == 503


def test_a_log_without_ranges_of_leaves_is_read_by_tiles(watcher, log):
    log.contents = configs(700)
    log.hidden = "leaves"
    assert [ask(watcher, log, 0, 300), ask(watcher, log, 300, 700)] == [200, 200]


def test_a_long_log_is_read_by_several_calls(tmp_path, watcher, log):
    log.contents = configs(1500)
    body = log.request(0, 1500)
    # Each answer of the log takes longer than a call may read.
    slow = Watcher(tmp_path, lambda: NOW, lambda: len(log.requests) * 2 * READING_SECONDS)
    answers = [slow.add_checkpoint(body) for _ in range(3)]

    assert [answer.status for answer in answers] == [503, 503, 200]
    assert b"reading, 512 of 1500 leaves" in answers[0].body
    assert log.requests == ["/leaves/0/512", "/leaves/512/1024", "/leaves/1024/1500"]


def older_store(folder: Path) -> None:
    """Make the store one of the version before witnesses read leaves."""
    with closing(sqlite3.connect(folder / STORE_NAME)) as store:
        store.executescript("DROP TABLE reading; DROP TABLE first_leaf; DROP TABLE second_leaf")


def test_an_older_store_is_read_from_the_first_leaf(tmp_path, watcher, log):
    log.contents[7] = OTHER
    assert ask(watcher, log, 0, 12) == 200
    older_store(tmp_path)
    log.requests.clear()
    newer = Watcher(tmp_path, lambda: NOW)

    assert ask(newer, log, 12, 20) == 200
    assert log.requests == ["/leaves/0/12", "/leaves/12/20"]
    assert [second.number for second in newer.second_leaves()] == [7]


def test_an_older_store_is_read_through_the_root_that_it_has_cosigned(tmp_path, watcher, log):
    assert ask(watcher, log, 0, 12) == 200
    older_store(tmp_path)
    body = log.request(12, 20)
    log.contents[3] = b"other"
    newer = Watcher(tmp_path, lambda: NOW)
    with serving(newer) as address:
        assert post_checkpoint(address, body)[0] == 422
    assert not [path for path in log.requests if path.startswith("/leaves/12")]
    assert newer.log(log.key.name).size == 12


def _die_before_the_cosignature(folder: str, body: bytes) -> None:
    watcher = Watcher(Path(folder))
    watcher_module.cosign = lambda *_: os._exit(9)
    watcher.add_checkpoint(body)


def test_a_witness_that_is_killed_between_reading_and_cosigning_continues(tmp_path, watcher, log):
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_die_before_the_cosignature, args=(str(tmp_path), log.request(0, 12)))
    process.start()
    process.join(120)

    assert process.exitcode == 9
    assert Watcher(tmp_path).log(log.key.name).size == 0
    assert log.requests == ["/leaves/0/12"]
    assert ask(watcher, log, 0, 12) == 200
    assert log.requests == ["/leaves/0/12"]
    assert ask(watcher, log, 12, 20) == 200
