# SPDX-License-Identifier: Apache-2.0
"""The public log of a city: what stands in it, how it is served, and what it survives."""

import base64
import dataclasses
import hashlib
import json
import shutil

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.builders.keyserver import HOUR, Clock, call, open_server, postgresql_database, postgresql_server
from tests.transparency.vectors import independent_root

from bluezone.keyserver.publication.log.logwriter import LogForked
from bluezone.keyserver.publication.log.publiclog import LogPathMissing
from bluezone.protocol.intervals import SECONDS_PER_WEEK, week_name
from bluezone.transparency.leaves import config_leaf, head_leaf, name_of, week_key_leaf
from bluezone.transparency.merkle import leaf_hash, verify_consistency
from bluezone.transparency.notes import cosign, open_checkpoint, read_hashes, read_note, read_proof, verify_proof
from bluezone.transparency.watch import Policy, Witness


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def city(tmp_path, clock):
    server = open_server(tmp_path / "city", clock, padding_mean=1)
    yield server
    server.close()


def published(city, clock, hours: int) -> None:
    for _ in range(hours):
        clock.pass_by(HOUR)
        city.tick()


def served(city, path: str) -> bytes:
    answered = call(city, "GET", f"/v1/log/{path}")
    assert answered.status == 200, (path, answered)
    return answered.body


def failing(city) -> list[str]:
    return json.loads(call(city, "GET", "/v1/health").body)["failing"]


def entries(data: bytes) -> list[bytes]:
    found = []
    while data:
        length = int.from_bytes(data[:2], "big")
        found.append(data[2 : 2 + length])
        data = data[2 + length :]
    return found


@pytest.mark.long
def test_what_is_published_stands_in_the_log_before_phones_can_fetch_it(city, clock):
    published(city, clock, 5)
    log = city.public_log
    contents = log.leaves(0, log.size())

    assert config_leaf(1, city.configs.sha256_of(1)) in contents
    certifying = [key for key in city.configs.newest_config().week_keys if key.purpose != "chaff"]
    assert sum(b" week-key " in content for content in contents) == len(certifying)
    index = city.indexes.read_index()
    chain = city.ticks.history.journal.heads("exports")[-1].chain
    assert head_leaf("exports", 0, index.number, chain) in contents
    assert len(set(contents)) == len(contents)


def test_tiles_checkpoint_and_entries_lead_to_one_root_by_a_verifier_written_apart(city, clock):
    city.keys_store.write(
        lambda transaction: transaction.execute_each(
            "INSERT INTO log_waiting VALUES (?)", [(f"of others {number}".encode(),) for number in range(290)]
        )
    )
    published(city, clock, 2)
    log, note = city.public_log, read_note(served(city, "checkpoint"))
    size = open_checkpoint(note, log.key).size
    assert size > 256
    width = size % 256
    whole = [f"tile/entries/{n:03d}" for n in range(size // 256)]
    partial = [f"tile/entries/{size // 256:03d}.p/{width}"] if width else []
    leaves = [leaf for path in whole + partial for leaf in entries(served(city, path))]

    assert len(leaves) == size
    assert independent_root(leaves) == open_checkpoint(note, log.key).root
    hashes = served(city, f"tile/0/{size // 256:03d}.p/{width}")
    assert [hashes[at : at + 32] for at in range(0, len(hashes), 32)] == [
        hashlib.sha256(b"\0" + leaf).digest() for leaf in leaves[size // 256 * 256 :]
    ]


@pytest.mark.long
def test_leaves_are_served_from_any_number_on(city, clock):
    published(city, clock, 3)
    log = city.public_log
    assert entries(served(city, f"leaves/3/{log.size()}")) == log.leaves(3, log.size())
    for path in (f"leaves/3/{log.size() + 1}", "leaves/3/3", "leaves/5/4", "leaves/0/513"):
        assert call(city, "GET", f"/v1/log/{path}").status == 404


@pytest.mark.long
def test_a_week_key_whose_name_is_taken_is_not_announced_and_health_says_so_in_its_week(city, clock):
    """As after a key was lost with its folder, and made again."""
    newest = max(
        (key for key in city.configs.newest_config().week_keys if key.purpose == "upload"),
        key=lambda key: (key.use_from, key.klass),
    )
    start = newest.use_from + SECONDS_PER_WEEK
    lost = dataclasses.replace(newest, kid=999, week=week_name(start), use_from=start)
    city.public_log.request_leaf(week_key_leaf(lost, 0))
    city.tick()
    clock.pass_by(SECONDS_PER_WEEK)
    city.tick()
    made = [key for key in city.secrets.week_keys.all() if (key.klass, key.week) == (lost.klass, lost.week)]
    assert len(made) == 1
    assert made[0] not in city.configs.newest_config().week_keys
    # A new epoch gives new names.
    assert city.public_log.has_other_key(made[0], 0)
    assert not city.public_log.has_other_key(made[0], 1)
    assert "week_key_missing" not in failing(city)
    clock.pass_by(3 * SECONDS_PER_WEEK)
    city.tick()
    assert failing(city) == ["week_key_missing"]
    names = [name for content in city.public_log.leaves(0, city.public_log.size()) if (name := name_of(content))]
    assert len(set(names)) == len(names)


@pytest.mark.long
def test_a_leaf_is_proved_and_growth_is_proved_in_a_few_hundred_bytes(city, clock):
    published(city, clock, 3)
    old = open_checkpoint(read_note(served(city, "checkpoint")), city.public_log.key)
    published(city, clock, 12)
    new = open_checkpoint(read_note(served(city, "checkpoint")), city.public_log.key)
    leaf = config_leaf(1, city.configs.sha256_of(1))
    proof = served(city, f"proof/{leaf_hash(leaf).hex()}")
    grown = served(city, f"consistency/{old.size}/{new.size}")

    assert verify_proof(read_proof(proof), leaf, city.public_log.key) == new
    verify_consistency(old.size, old.root, new.size, new.root, read_hashes(grown.decode().splitlines()))
    assert len(proof) < 1000
    assert len(grown) < 1000


@pytest.mark.parametrize(
    "path",
    ["tile/0/001", "tile/0/000.p/0", "tile/0/000.p/257", "tile/9/000", f"proof/{'0' * 64}", "consistency/5/99999",
     "consistency/9/3", "nothing", "tile/0/x001/000", "checkpoint/1"],
)  # fmt: skip
def test_what_the_log_has_not_got_is_not_found(city, path):
    assert call(city, "GET", f"/v1/log/{path}").status == 404


def test_a_tick_without_news_signs_no_other_checkpoint(city):
    city.tick()
    before = served(city, "checkpoint")
    city.tick()

    assert served(city, "checkpoint") == before


@pytest.mark.long
def test_a_store_restored_from_a_backup_takes_its_leaves_from_the_journal_and_signs_no_other_log(tmp_path, clock):
    city = open_server(tmp_path / "city", clock, padding_mean=1)
    published(city, clock, 3)
    city.close()
    shutil.copytree(tmp_path / "city", tmp_path / "backup")
    city = open_server(tmp_path / "city", clock, padding_mean=1)
    published(city, clock, 4)
    seen = open_checkpoint(read_note(served(city, "checkpoint")), city.public_log.key)
    city.close()
    for name in ("keys.sqlite3", "keys.sqlite3-wal", "keys.sqlite3-shm"):
        (tmp_path / "city" / name).unlink(missing_ok=True)
    shutil.copy(tmp_path / "backup" / "keys.sqlite3", tmp_path / "city")

    city = open_server(tmp_path / "city", clock, padding_mean=1)
    try:
        published(city, clock, 2)
        log = city.public_log
        assert log.size() > seen.size
        assert log.root(seen.size) == seen.root
    finally:
        city.close()


def test_a_store_with_another_log_than_was_signed_signs_none_and_publishes_all_the_same(city, clock):
    published(city, clock, 2)
    log = city.public_log
    number = log.size() - 1
    city.keys_store.write(lambda t: t.execute("UPDATE log_leaf SET content = ? WHERE number = ?", (b"other", number)))
    with pytest.raises(LogForked):
        log.renew_log()
    before = city.indexes.read_index().number
    published(city, clock, 2)

    assert city.indexes.read_index().number > before
    assert log.newest_checkpoint()[0] == number + 1


def test_a_leaf_that_is_asked_for_once_is_not_replaced_by_another_of_the_same_day(city):
    city.public_log.request_leaf_once("audit", 5, b"first")
    city.public_log.request_leaf_once("audit", 5, b"second")
    city.tick()

    assert city.public_log.find_leaf(leaf_hash(b"first")) is not None
    assert city.public_log.find_leaf(leaf_hash(b"second")) is None
    with pytest.raises(LogPathMissing):
        city.public_log.proof(leaf_hash(b"second"))


def test_the_log_is_known_by_the_citys_key(city):
    fingerprint = hashlib.sha256(city.public_log.key.public).hexdigest()[:16]

    assert served(city, "checkpoint").startswith(f"bluezone/{fingerprint}\n".encode())
    assert base64.b64decode(str(city.public_log.key).split("+", 2)[2])[0] == 1


@pytest.mark.postgres
def test_on_postgresql_the_log_is_the_same(tmp_path, clock, monkeypatch):
    with postgresql_database(postgresql_server()) as url:
        monkeypatch.setenv("BLUEZONE_DATABASE_URL", url)
        city = open_server(tmp_path / "city", clock, padding_mean=1)
        try:
            city.public_log.request_leaf_once("audit", 5, b"asked for")
            published(city, clock, 3)
            log = city.public_log
            leaf = config_leaf(1, city.configs.sha256_of(1))
            old = open_checkpoint(log.newest_checkpoint()[1], log.key)
            published(city, clock, 2)
            new = open_checkpoint(read_note(served(city, "checkpoint")), log.key)

            assert verify_proof(read_proof(served(city, f"proof/{leaf_hash(leaf).hex()}")), leaf, log.key) == new
            verify_consistency(old.size, old.root, new.size, new.root, log.consistency(old.size, new.size))
            assert independent_root(log.leaves(0, new.size)) == new.root
            assert b"asked for" in log.leaves(0, new.size)
            witness = Ed25519PrivateKey.generate()
            public = witness.public_key().public_bytes_raw()
            policy = Policy(1, (Witness("witness.example", "Trường", public.hex()),))
            signature = cosign(new.text, policy.witnesses[0].verifier, witness.sign, int(clock()))
            assert log.newest_watched(policy, city.configs.newest_config()) is None
            for _ in range(2):
                log.store_cosignature(new.size, signature)
            assert (
                log.newest_watched(policy, city.configs.newest_config())[0]
                == log.cosigned_size("witness.example")
                == new.size
            )
            assert log.set_policy(b"first", "{}") == 0
            assert (log.policy(0), log.addresses()) == (b"first", ["{}"])
        finally:
            city.close()
