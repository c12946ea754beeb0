# SPDX-License-Identifier: Apache-2.0
"""Row 4: false alerts by guessing codes. Limits and puzzle of docs/protocol.md section 4; nobody is locked out."""

import datetime
import random
from collections import Counter

import pytest
from tests.builders.keyserver import NOON, Clock, Phone, keys_for, open_server, poster

from bluezone.keyserver import statistics
from bluezone.protocol.upload import Status, Verify1Request, decode_verify1_answer, encode_verify1
from bluezone.protocol.upload.codes import Credential, new_code
from bluezone.protocol.upload.puzzle import NO_CHALLENGE, NO_NONCE, PUZZLE_BITS, difficulty_bits, solve_puzzle

ONSET = datetime.date(2026, 11, 23)


@pytest.fixture
def server(tmp_path):
    key_server = open_server(tmp_path, Clock())
    yield key_server
    key_server.close()


def guess(server, rng, remote):
    credential = Credential.from_digits(new_code(lambda below: rng.randrange(below)))
    body = encode_verify1(Verify1Request(credential=credential), rng.randbytes)
    return decode_verify1_answer(poster(server, remote)("/v1/verify", body)).status


@pytest.mark.long
def test_10000_guesses_from_one_network_get_ten_looks_and_no_hit_and_its_neighbours_still_report(server):
    rng = random.Random(4)
    live = [server.codes.issue_code("confirmed", ONSET) for _ in range(200)]
    seen = Counter(guess(server, rng, "203.0.113.5") for _ in range(10_000))

    assert seen == {Status.CODE_INVALID: 10, Status.PUZZLE_REQUIRED: 9_990}

    neighbour = Phone(poster(server, "203.0.113.5"), server, Credential.from_text(live[0].code), keys=keys_for(NOON))
    assert [neighbour.check_code().status for _ in range(2)] == [Status.PUZZLE_REQUIRED, Status.OK]
    assert [neighbour.redeem_code().status for _ in range(2)] == [Status.PUZZLE_REQUIRED, Status.OK]
    assert [neighbour.upload().status for _ in range(2)] == [Status.PUZZLE_REQUIRED, Status.OK]


def test_guesses_from_1000_networks_raise_the_alarm_and_meet_a_puzzle_after_60_a_minute(server, caplog):
    rng = random.Random(44)
    live = server.codes.issue_code("confirmed", ONSET)
    seen = Counter(guess(server, rng, f"198.51.{n // 250}.{n % 250}") for n in range(1000))

    assert seen == {Status.CODE_INVALID: 60, Status.PUZZLE_REQUIRED: 940}
    assert statistics.guessing_alarm_hours(server.codes_store) == [NOON // 3600]
    assert "invalid codes in a minute" in caplog.text
    assert "198.51" not in caplog.text

    honest = Phone(poster(server, "203.0.113.9"), server, Credential.from_text(live.code))
    assert [honest.check_code().status for _ in range(2)] == [Status.PUZZLE_REQUIRED, Status.OK]


def guesses_of(server, number, clock):
    """So many wrong codes, evenly over one hour and from as many networks, as if every puzzle had been solved."""
    for n in range(number):
        clock.pass_by(3600 / number)
        server.codes_part.limits.count_call(n.to_bytes(4, "big"), invalid=True)


@pytest.mark.long
@pytest.mark.usefixtures("real_puzzles")
@pytest.mark.parametrize(("guesses", "bits"), [(2000, 20), (4000, 21), (8000, 22), (33_000, 24)])
def test_the_puzzle_grows_with_what_is_guessed_and_not_with_the_codes_that_are_open(tmp_path, guesses, bits):
    asked = []
    for codes in (0, 50):
        clock = Clock()
        server = open_server(tmp_path / str(codes), clock)
        for _ in range(codes):
            server.codes.issue_code("confirmed", ONSET)
        guesses_of(server, guesses, clock)
        asked.append(difficulty_bits(server.codes_part.limits.challenge_always(NO_CHALLENGE, NO_NONCE)))
        server.close()

    assert asked == [bits, bits]


@pytest.mark.long
@pytest.mark.usefixtures("real_puzzles")
def test_a_challenge_with_fewer_bits_than_were_asked_opens_nothing(server):
    challenge = server.codes_part.limits.challenge_always(NO_CHALLENGE, NO_NONCE)
    easier = bytes([256 - PUZZLE_BITS]) + challenge[1:]

    assert server.codes_part.limits.challenge_always(easier, solve_puzzle(easier, 0)) is not None
    assert server.codes_part.limits.challenge_always(challenge, solve_puzzle(challenge)) is None


@pytest.mark.long
def test_where_guesses_might_hit_a_code_new_codes_have_16_digits_and_work(tmp_path):
    clock = Clock()
    server = open_server(tmp_path, clock)
    before = [server.codes.issue_code("confirmed", ONSET) for _ in range(1500)]
    guesses_of(server, 5000, clock)
    after = server.codes.issue_code("confirmed", ONSET)
    patient = Phone(poster(server, "203.0.113.9"), server, Credential.from_text(after.code), keys=keys_for(NOON))
    answers = [patient.check_code().status for _ in range(2)]
    clock.pass_by(25 * 3600)
    a_day_later = server.codes.issue_code("confirmed", ONSET)
    server.close()

    assert {len(one.code) for one in before} == {14}
    assert len(after.code) == 19
    assert answers[-1] is Status.OK
    assert len(a_day_later.code) == 14


def test_the_rehearsals_of_a_country_leave_guessers_their_60_a_minute(tmp_path):
    """5 million phones rehearse 2,083 calls a minute: nobody is asked for a puzzle, and guesses are counted as ever."""
    country = open_server(tmp_path, Clock(), rehearsals_a_minute=4200)
    rng = random.Random(444)
    seen = Counter()
    for n in range(2083):
        country.codes_part.limits.count_call((n << 8).to_bytes(4, "big"), invalid=False, rehearsal=True)
        if n % 20 == 0:
            seen[guess(country, rng, f"198.51.{n // 250}.{n % 250}")] += 1
    alarms = statistics.guessing_alarm_hours(country.codes_store)
    country.close()

    assert seen == {Status.CODE_INVALID: 60, Status.PUZZLE_REQUIRED: 45}
    assert alarms == [NOON // 3600]


def test_the_code_space_makes_a_hit_rarer_than_once_in_ten_years():
    # 200 live codes, 60 looks a minute without a puzzle, 11 random digits: docs/protocol.md section 4, Limits.
    hits_a_day = 200 * 60 * 24 * 60 / 10**11

    assert hits_a_day == pytest.approx(1.7e-4, rel=0.02)
    assert hits_a_day * 3650 < 1
