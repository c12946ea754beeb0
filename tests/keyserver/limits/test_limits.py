# SPDX-License-Identifier: Apache-2.0
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.keyserver import HOUR, Clock, Phone, call, poster

from bluezone.keyserver.limits.limits import Limits
from bluezone.keyserver.limits.tally import SIZE, shared_memory
from bluezone.networks import network_of
from bluezone.protocol.upload import Status
from bluezone.protocol.upload.codes import Credential
from bluezone.protocol.upload.puzzle import PUZZLE_SECONDS, solve_puzzle

HOME = bytes([203, 0, 113, 5])
NONE = (bytes(32), bytes(8))


@pytest.fixture
def alarms():
    return []


@pytest.fixture
def limits(clock, alarms):
    return Limits(bytes(32), clock, alarms.append)


def exhaust(limits, network=HOME, tries=10):
    for _ in range(tries):
        limits.count_call(network, invalid=True)


def test_the_eleventh_invalid_try_of_a_network_meets_a_puzzle_and_other_networks_do_not(limits):
    exhaust(limits, tries=9)
    assert limits.challenge_for(HOME, *NONE) is None

    exhaust(limits, tries=1)
    assert len(limits.challenge_for(HOME, *NONE)) == 32
    assert limits.challenge_for(b"\xcb\0\x71\x06", *NONE) is None


@pytest.mark.long
def test_a_solved_puzzle_lets_one_request_through(limits):
    exhaust(limits)
    challenge = limits.challenge_for(HOME, *NONE)
    nonce = solve_puzzle(challenge)

    assert limits.challenge_for(HOME, challenge, nonce) is None
    assert limits.challenge_for(HOME, challenge, nonce) is not None


@pytest.mark.long
def test_a_puzzle_is_asked_for_at_hand_of_those_who_have_solved_none(limits, clock):
    assert limits.challenge_at_hand(HOME, *NONE) is None
    exhaust(limits)
    challenge = limits.challenge_at_hand(HOME, *NONE)
    assert limits.challenge_at_hand(b"\xcb\0\x71\x06", *NONE) is None
    assert limits.challenge_at_hand(HOME, challenge, bytes(8)) is not None, "an unsolved one"

    nonce = solve_puzzle(challenge)
    # Looking at a solution does not use it up.
    assert [limits.challenge_at_hand(HOME, challenge, nonce) for _ in range(2)] == [None, None]
    assert limits.challenge_for(HOME, challenge, nonce) is None
    # In another hour the counts begin again, which `challenge_for` sees to.
    clock.pass_by(HOUR)
    assert limits.challenge_at_hand(HOME, *NONE) is None


@pytest.mark.long
def test_a_puzzle_is_good_for_five_minutes_and_in_every_process_of_the_service(limits, clock):
    exhaust(limits)
    challenge = limits.challenge_for(HOME, *NONE)
    nonce = solve_puzzle(challenge)
    sibling = Limits(bytes(32), clock, lambda hour: None)
    exhaust(sibling)

    clock.pass_by(PUZZLE_SECONDS - 1)
    assert sibling.challenge_for(HOME, challenge, nonce) is None
    clock.pass_by(1)
    assert limits.challenge_for(HOME, challenge, nonce) is not None


def test_a_puzzle_of_ones_own_making_is_not_accepted(limits, clock):
    exhaust(limits)
    own = int(clock.now).to_bytes(8, "big") + os.urandom(24)

    assert limits.challenge_for(HOME, own, solve_puzzle(own)) is not None


def test_sixty_invalid_tries_a_minute_ask_everybody_for_a_puzzle_and_raise_one_alarm(limits, clock, alarms):
    for number in range(120):
        limits.count_call(number.to_bytes(4, "big"), invalid=True)

    assert limits.challenge_for(HOME, *NONE) is not None
    assert alarms == [clock.now // HOUR]

    clock.pass_by(61)
    assert limits.challenge_for(HOME, *NONE) is None


def test_rehearsals_use_up_a_minute_of_their_own_and_raise_no_alarm(clock, alarms, caplog):
    limits = Limits(bytes(32), clock, alarms.append, rehearsals_a_minute=100)
    for number in range(99):
        limits.count_call(number.to_bytes(4, "big"), invalid=False, rehearsal=True)
    assert limits.challenge_for(HOME, *NONE) is None

    limits.count_call(bytes(4), invalid=False, rehearsal=True)
    assert limits.challenge_for(HOME, *NONE) is not None
    assert alarms == []
    assert "rehearsals_a_minute" in caplog.text

    clock.pass_by(61)
    assert limits.challenge_for(HOME, *NONE) is None


def test_a_network_is_forgotten_with_the_hour(limits, clock):
    exhaust(limits)
    clock.pass_by(HOUR)

    assert limits.challenge_for(HOME, *NONE) is None


def test_no_address_is_kept_in_memory_or_log(limits, caplog):
    exhaust(limits, tries=70)

    held = repr(vars(limits)) + caplog.text
    assert repr(HOME)[2:-1] not in held
    assert "203" not in caplog.text


@pytest.mark.parametrize(
    ("remote", "forwarded", "network"),
    [
        ("203.0.113.5", None, HOME),
        ("203.0.113.5", "198.51.100.1", HOME),  # not a trusted proxy: what it says is not believed
        ("10.0.0.1", "198.51.100.1", bytes([198, 51, 100, 1])),
        ("10.0.0.1", "1.2.3.4, 198.51.100.1", bytes([198, 51, 100, 1])),  # the client's own claim is on the left
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", bytes([198, 51, 100, 1])),
        ("10.0.0.1", "rubbish", bytes([10, 0, 0, 1])),
        ("10.0.0.1", None, bytes([10, 0, 0, 1])),
        ("::ffff:203.0.113.5", None, HOME),
        ("2001:db8:1:2ff::1", None, bytes.fromhex("20010db8000102")),
        ("", None, bytes(4)),
    ],
)
def test_the_network_is_the_address_the_proxy_saw(remote, forwarded, network):
    assert network_of(remote, forwarded, ("10.0.0.0/8",)) == network


@given(forwarded=st.text(max_size=80))
def test_no_forwarded_header_breaks_anything(forwarded):
    assert len(network_of("10.0.0.1", forwarded, ("10.0.0.0/8",))) in (4, 7)


def test_ipv6_neighbours_in_one_56_share_a_count_and_others_do_not():
    one, same, other = (network_of(f"2001:db8:0:{part}::1", None, ()) for part in ("1200", "12ff", "1300"))

    assert one == same != other


@pytest.mark.long
def test_an_unknown_code_counts_and_a_valid_one_never_does(server, patient):
    for _ in range(40):
        assert patient.check_code().status is Status.OK
    stranger = Phone(poster(server), server, Credential.from_link(os.urandom(16)))
    for _ in range(10):
        assert stranger.check_code().status is Status.CODE_INVALID

    assert stranger.check_code().status is Status.PUZZLE_REQUIRED


@pytest.mark.long
def test_a_valid_user_behind_a_guessing_network_succeeds_after_the_puzzle(server, patient):
    exhaust(server.codes_part.limits)

    assert patient.check_code().status is Status.PUZZLE_REQUIRED
    assert patient.check_code().status is Status.OK
    assert patient.redeem_code().status is Status.PUZZLE_REQUIRED
    assert patient.redeem_code().status is Status.OK
    assert patient.upload().status is Status.PUZZLE_REQUIRED
    assert patient.upload().status is Status.OK


def test_rehearsals_count_toward_the_puzzle(server, patient):
    patient.chaff = True
    statuses = [patient.check_code().status for _ in range(11)]

    assert statuses == [Status.OK] * 10 + [Status.PUZZLE_REQUIRED]


@pytest.mark.long
def test_forged_uploads_count_toward_the_puzzle(server, patient):
    patient.certified()
    statuses = [patient.upload(rand=bytes(32)).status for _ in range(11)]

    assert statuses == [Status.SIGNATURE_INVALID] * 10 + [Status.PUZZLE_REQUIRED]


def test_a_revoked_code_counts_like_an_unknown_one(server, patient):
    server.codes.revoke_code(patient.issued.code)
    statuses = [patient.check_code().status for _ in range(11)]

    assert statuses == [Status.CODE_INVALID] * 10 + [Status.PUZZLE_REQUIRED]


def test_the_proxy_of_the_city_is_believed(tmp_path, monkeypatch):
    from tests.builders.keyserver import open_server

    server = open_server(tmp_path, Clock(), trusted_proxies=["192.0.2.1/32"])
    exhaust(server.codes_part.limits)
    body = b"\x01\x00\x01\x01" + os.urandom(1020)
    through = call(server, "POST", "/v1/verify", body, "192.0.2.1", HTTP_X_FORWARDED_FOR="203.0.113.5")
    direct = call(server, "POST", "/v1/verify", body, "192.0.2.1")
    server.close()

    assert through.body[1] == Status.PUZZLE_REQUIRED
    assert direct.body[1] == Status.CODE_INVALID


@pytest.mark.long
def test_processes_that_share_memory_count_together_and_redeem_a_puzzle_once(clock, alarms):
    memory = shared_memory(2 * SIZE)
    one, other = (Limits(bytes(32), clock, alarms.append) for _ in range(2))
    for limits in (one, other):
        limits.share_tally(memory, 1)
    exhaust(one, tries=5)
    exhaust(other, tries=5)
    challenge = one.challenge_for(HOME, *NONE)
    nonce = solve_puzzle(challenge)

    assert other.challenge_for(HOME, challenge, nonce) is None
    assert one.challenge_for(HOME, challenge, nonce) is not None
    for number in range(120):
        one.count_call(number.to_bytes(4, "big"), invalid=True)
        other.count_call(number.to_bytes(4, "big"), invalid=True)
    assert alarms == [clock.now // HOUR]


def test_counts_are_of_one_hour_and_kinds_are_apart(clock):
    memory = shared_memory(2 * SIZE)
    limits, another_kind = (Limits(bytes(32), clock, lambda hour: None) for _ in range(2))
    limits.share_tally(memory, 0)
    another_kind.share_tally(memory, 1)
    exhaust(limits)

    assert another_kind.challenge_for(HOME, *NONE) is None
    assert limits.challenge_for(HOME, *NONE) is not None
    clock.pass_by(HOUR)
    assert limits.challenge_for(HOME, *NONE) is None
