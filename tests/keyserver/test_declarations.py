# SPDX-License-Identifier: Apache-2.0
"""Declarations: taken in sealed, kept sealed, limited without a lock, gone after 30 days."""

import os

import pytest
from tests.builders.hpke import point
from tests.builders.keyserver import DAY, HOUR, call

from bluezone.keyserver import declarations
from bluezone.keyserver.declarations import DeclarationsFull
from bluezone.protocol.declaration import Declaration, InvalidDeclarationKey, seal_declaration
from bluezone.protocol.declarationkey import new_private_key, open_declaration, public_key_pem
from bluezone.protocol.signed.config import decode_config
from bluezone.protocol.upload import Status, decode_upload_answer
from bluezone.protocol.upload.puzzle import solve_puzzle

WORDS = Declaration(18_000, "high", "0912345678", "Tôi bị sốt từ hôm qua")


@pytest.fixture
def key(server):
    private = new_private_key()
    declarations.publish_declaration_key(server.data_dir, public_key_pem(private))
    return private


def message_for(key) -> bytes:
    return seal_declaration(WORDS, point(key.public_key()))


def send(server, body, **more):
    return call(server, "POST", "/v1/declarations", body, **more)


def status_of(answered) -> Status:
    return decode_upload_answer(answered.body).status


def test_what_was_sent_is_kept_sealed_and_opens_with_the_authority_s_key_alone(server, key):
    answered = send(server, message_for(key))
    ((handle, _hour),) = server.declarations.list_declarations()
    kept = server.declarations.read_declaration(handle).message

    assert (answered.status, len(answered.body), status_of(answered)) == (200, 1024, Status.OK)
    assert open_declaration(kept, key) == WORDS
    assert b"0912345678" not in kept


def test_nothing_is_kept_of_the_sender_but_the_hour(server, key, clock):
    send(server, message_for(key), remote="203.0.113.77")

    (row,) = server.keys_store.read("SELECT * FROM declaration")
    assert row[2] == clock.now // HOUR
    assert len(row) == 3
    assert b"203.0.113.77" not in bytes(row[0]) + bytes(row[1])


def test_the_same_message_again_is_kept_once(server, key):
    message = message_for(key)

    assert [status_of(send(server, message)) for _ in range(2)] == [Status.OK, Status.OK]
    assert len(server.declarations.list_declarations()) == 1


def test_before_there_is_a_key_nothing_is_taken(server):
    answered = send(server, message_for(new_private_key()))

    assert answered.status == 404
    assert b"declarations_closed" in answered.body
    assert server.declarations.list_declarations() == []


@pytest.mark.parametrize("body", [bytes(1024), b"\x04" + bytes(1023), b"\x02" + os.urandom(1023)])
def test_what_nobody_could_open_is_not_kept(server, key, body):
    answered = send(server, body)

    assert (answered.status, status_of(answered)) == (200, Status.BAD_REQUEST)
    assert server.declarations.list_declarations() == []


@pytest.mark.parametrize(("size", "status"), [(0, 400), (1023, 400), (1025, 413), (4096, 413)])
def test_another_size_is_refused(server, key, size, status):
    assert send(server, bytes(size)).status == status


def test_only_post_is_answered(server, key):
    answered = call(server, "GET", "/v1/declarations")

    assert (answered.status, answered.headers["Allow"]) == (405, "POST")


@pytest.mark.long
def test_after_ten_from_one_place_each_solves_a_puzzle_and_nobody_is_locked_out(server, key):
    for _ in range(10):
        assert status_of(send(server, message_for(key))) is Status.OK
    message = message_for(key)
    asked = decode_upload_answer(send(server, message).body)

    assert asked.status is Status.PUZZLE_REQUIRED
    assert status_of(send(server, message_for(key), remote="198.51.100.9")) is Status.OK
    solution = (asked.challenge + solve_puzzle(asked.challenge)).hex()
    assert status_of(send(server, message, HTTP_X_BLUEZONE_PUZZLE=solution)) is Status.OK
    assert len(server.declarations.list_declarations()) == 12
    assert status_of(send(server, message_for(key), HTTP_X_BLUEZONE_PUZZLE=solution)) is Status.PUZZLE_REQUIRED


@pytest.mark.parametrize("header", ["", "nonsense", "00" * 40, "00" * 39])
def test_a_puzzle_that_is_none_helps_nobody(server, key, header):
    for _ in range(10):
        send(server, message_for(key))

    assert status_of(send(server, message_for(key), HTTP_X_BLUEZONE_PUZZLE=header)) is Status.PUZZLE_REQUIRED


def test_declarations_do_not_make_codes_harder_to_use(server, key):
    for _ in range(10):
        send(server, message_for(key))

    assert server.codes_part.limits.challenge_for(bytes([203, 0, 113, 5]), bytes(32), bytes(8)) is None


def test_when_as_many_are_held_as_may_be_those_held_stay(server, key, monkeypatch):
    monkeypatch.setattr(declarations, "MOST_DECLARATIONS", 1)
    first = message_for(key)
    send(server, first)

    with pytest.raises(DeclarationsFull):
        server.declarations.accept_declaration(message_for(key), bytes(4))
    assert send(server, message_for(key)).status == 503
    assert status_of(send(server, first)) is Status.OK


def test_a_declaration_is_gone_after_30_days_and_not_before(server, key, clock):
    send(server, message_for(key))
    server.ticks.purge(clock.now + 30 * DAY - HOUR)
    assert len(server.declarations.list_declarations()) == 1

    server.ticks.purge(clock.now + 30 * DAY)
    assert server.declarations.list_declarations() == []


@pytest.mark.long
def test_the_tick_forgets_declarations(server, key, clock):
    send(server, message_for(key))
    clock.pass_by(30 * DAY)
    server.tick()

    assert server.declarations.list_declarations() == []


@pytest.mark.long
def test_the_config_carries_the_key_once_it_is_made(server, clock):
    private = new_private_key()
    before = decode_config(server.configs.payload(server.configs.newest_number()))
    declarations.publish_declaration_key(server.data_dir, public_key_pem(private))
    server.tick()
    after = decode_config(server.configs.payload(server.configs.newest_number()))

    assert before.declaration_key is None
    assert after.declaration_key == public_key_pem(private)
    assert after.number == before.number + 1


def test_what_is_no_key_is_not_published(server):
    with pytest.raises(InvalidDeclarationKey):
        declarations.publish_declaration_key(server.data_dir, "no key")
    assert declarations.published_key(server.data_dir) is None


@pytest.mark.parametrize("handle", ["", "zz", "00" * 16])
def test_an_unknown_handle_names_nothing(server, handle):
    assert server.declarations.read_declaration(handle) is None
