# SPDX-License-Identifier: Apache-2.0
"""A witness cosigns only a log that grows; every status of the protocol tlog-witness."""

import http.client
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.builders.witnesses import AnyLog, serving, serving_log
from tests.transparency.vectors import contents

from bluezone.keyserver.publication.log.witnesses import post_checkpoint
from bluezone.transparency.merkle import consistency_ranges, leaf_hash, tree_root
from bluezone.transparency.notes import (
    Checkpoint,
    Note,
    NoteInvalid,
    cosigned_at,
    hash_lines,
    log_key,
    read_note,
    read_signature,
    sign_checkpoint,
)
from bluezone.witness.service import answer_get
from bluezone.witness.watcher import (
    LogInconsistent,
    LogUnknown,
    LogUnreachable,
    Watcher,
    WitnessExists,
    WitnessMisplaced,
    WitnessMissing,
)

CITY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = log_key(CITY.public_key().public_bytes_raw())
NOW = 1_795_608_000
LEAVES = [leaf_hash(content) for content in contents(40)]


def note(size: int, leaves=LEAVES, signer=CITY) -> Note:
    return sign_checkpoint(Checkpoint(KEY.name, size, tree_root(leaves[:size])), KEY, signer.sign)


def grown(old: int, size: int, leaves=LEAVES) -> list[bytes]:
    return [tree_root(leaves[first:end]) for first, end in consistency_ranges(old, size)]


def request(old: int, size: int, leaves=LEAVES, proof=None, signer=CITY) -> bytes:
    hashes = grown(old, size, leaves) if proof is None else proof
    return f"old {old}\n".encode() + hash_lines(hashes) + b"\n" + note(size, leaves, signer).data


@pytest.fixture
def public_log() -> Iterator[AnyLog]:
    """The log as the witness sees it at its address."""
    log = AnyLog(CITY, contents(40))
    with serving_log(log) as log.address:
        yield log


@pytest.fixture
def watcher(tmp_path: Path, public_log: AnyLog) -> Watcher:
    made = Watcher.create(tmp_path / "witness", "witness.example/one", lambda: NOW)
    made.watch(str(KEY), public_log.address)
    return made


def status(watcher: Watcher, body: bytes) -> int:
    return watcher.add_checkpoint(body).status


def test_a_log_that_grows_is_cosigned_with_the_time(watcher):
    for old, size in ((0, 5), (5, 5), (5, 8), (8, 33)):
        answer = watcher.add_checkpoint(request(old, size))
        signed = Note(note(size).text, (read_signature(answer.body[:-1]),))

        assert answer.status == http.client.OK
        assert cosigned_at(signed, watcher.key) == NOW
    assert watcher.log(KEY.name).size == 33


def test_what_was_seen_last_must_be_named(watcher):
    assert status(watcher, request(0, 8)) == http.client.OK
    answer = watcher.add_checkpoint(request(5, 12))

    assert (answer.status, answer.body, answer.media_type) == (http.client.CONFLICT, b"8\n", "text/x.tlog.size")


def test_a_log_that_shrinks_or_is_replayed_is_not_cosigned(watcher):
    assert status(watcher, request(0, 8)) == http.client.OK

    assert status(watcher, request(0, 5)) == http.client.CONFLICT
    assert status(watcher, request(0, 8)) == http.client.CONFLICT
    assert status(watcher, b"old 8\n\n" + note(5).data) == http.client.BAD_REQUEST
    assert watcher.log(KEY.name).size == 8


def test_another_root_at_the_same_size_is_kept_as_evidence(watcher):
    other = [leaf_hash(b"other"), *LEAVES[1:]]
    assert status(watcher, request(0, 8)) == http.client.OK
    assert status(watcher, request(8, 8, other)) == http.client.CONFLICT
    ((at, origin, stored, offered),) = watcher.evidence()

    assert (at, origin) == (NOW, KEY.name)
    assert read_note(stored).text == note(8).text
    assert read_note(offered).text == note(8, other).text
    assert answer_get(watcher, "/evidence").body == stored + b"\n" + offered


@pytest.mark.parametrize("damage", ["another history", "a hash too few", "a hash too many", "a hash changed"])
def test_a_log_that_does_not_continue_is_not_cosigned(watcher, damage):
    assert status(watcher, request(0, 7)) == http.client.OK
    proof = grown(7, 20)
    bodies = {
        "another history": request(7, 20, [leaf_hash(b"other"), *LEAVES[1:]]),
        "a hash too few": request(7, 20, proof=proof[:-1]),
        "a hash too many": request(7, 20, proof=[*proof, bytes(32)]),
        "a hash changed": request(7, 20, proof=[*proof[:-1], bytes(32)]),
    }

    assert status(watcher, bodies[damage]) == http.client.UNPROCESSABLE_ENTITY
    assert watcher.log(KEY.name).size == 7


def test_a_log_is_watched_that_was_named_and_signed_for_by_its_key(watcher):
    stranger = Ed25519PrivateKey.generate()
    other = log_key(stranger.public_key().public_bytes_raw())
    theirs = sign_checkpoint(Checkpoint(other.name, 3, bytes(32)), other, stranger.sign)

    assert status(watcher, b"old 0\n\n" + theirs.data) == http.client.NOT_FOUND
    assert status(watcher, request(0, 8, signer=stranger)) == http.client.FORBIDDEN
    assert watcher.log(KEY.name).size == 0


@pytest.mark.parametrize(
    "body",
    [b"", b"old 0", b"old -1\n\n" + note(3).data, b"old 00\n\n" + note(3).data, b"new 0\n\n" + note(3).data,
     b"old 0\nxx\n\n" + note(3).data, b"old 0\n\n" + note(3).text, b"\xff\n\n\n", b"old 0\n" + b"A\n" * 70 + b"\nx"],
)  # fmt: skip
def test_a_request_that_is_none_is_refused(watcher, body):
    assert status(watcher, body) == http.client.BAD_REQUEST


def test_over_http_the_same_and_nothing_else_is_served(watcher):
    with serving(watcher) as address:
        code, body = post_checkpoint(address, request(0, 9))
        assert (code, cosigned_at(Note(note(9).text, (read_signature(body[:-1]),)), watcher.key)) == (200, NOW)
        assert post_checkpoint(address, request(0, 9))[0] == 409
        assert post_checkpoint(address, b"x" * 200_000)[0] == 413
        assert post_checkpoint(f"{address}/elsewhere", request(9, 10))[0] == 200
    assert answer_get(watcher, f"/checkpoint/{KEY.name}").status == 200
    assert answer_get(watcher, "/checkpoint/other").status == 404
    assert answer_get(watcher, "/").status == 404


def test_looking_at_a_log_as_anybody_would_remembers_what_it_showed(watcher, public_log):
    # An older checkpoint from a cache is no contradiction.
    for public_log.size in (6, 20, 9):
        assert watcher.check_log(KEY.name).size == public_log.size
    assert watcher.log(KEY.name).size == 20


@pytest.mark.parametrize(
    ("size", "first", "hidden"),
    [(20, b"other", "nothing"), (12, b"other", "nothing"), (30, b"other", "nothing"), (12, b"leaf 0", "consistency")],
    ids=["same size", "smaller", "larger", "rolled back"],
)
def test_a_log_that_shows_strangers_another_history_than_the_witness_is_evidence(
    watcher, public_log, size, first, hidden
):
    assert status(watcher, request(0, 20)) == http.client.OK
    public_log.size, public_log.contents[0], public_log.hidden = size, first, hidden
    with pytest.raises(LogInconsistent):
        watcher.check_log(KEY.name)

    assert len(watcher.evidence()) == 1
    assert watcher.log(KEY.name).size == 20


def test_a_log_that_shows_no_checkpoint_is_no_evidence(watcher, public_log):
    public_log.hidden = "checkpoint"
    with pytest.raises(LogUnreachable):
        watcher.check_log(KEY.name)
    with pytest.raises(LogUnknown):
        watcher.check_log("bluezone/other")
    assert watcher.evidence() == []


def test_a_witness_has_a_folder_and_a_key_of_its_own_and_lives_in_no_citys(tmp_path, watcher):
    (tmp_path / "city").mkdir()
    (tmp_path / "city" / "city.toml").write_text("")
    with pytest.raises(WitnessMisplaced):
        Watcher.create(tmp_path / "city", "witness.example")
    with pytest.raises(WitnessExists):
        Watcher.create(tmp_path / "witness", "witness.example/one")
    with pytest.raises(WitnessMissing):
        Watcher(tmp_path / "nowhere")
    with pytest.raises(NoteInvalid):
        Watcher.create(tmp_path / "other", "a name+with plus")
    again = Watcher(tmp_path / "witness", lambda: NOW)
    assert again.key == watcher.key
    assert (tmp_path / "witness" / "witness.sqlite3").stat().st_mode & 0o077 == 0
