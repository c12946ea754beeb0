# SPDX-License-Identifier: Apache-2.0
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.protocol.upload.puzzle import (
    MOST_BITS,
    PUZZLE_BITS,
    PuzzleTooHard,
    difficulty_bits,
    is_solution,
    solve_puzzle,
)


@given(st.binary(min_size=32, max_size=32), st.integers(0, 10))
def test_a_solution_is_accepted_for_its_challenge(challenge, bits):
    nonce = solve_puzzle(challenge, bits)

    assert len(nonce) == 8
    assert is_solution(challenge, nonce, bits)
    assert int.from_bytes(hashlib.sha256(challenge + nonce).digest(), "big") >> (256 - bits) == 0


@pytest.mark.long
@pytest.mark.usefixtures("real_puzzles")
def test_twenty_bits_are_solved_and_a_wrong_nonce_is_not_enough():
    challenge = bytes(range(32))
    nonce = solve_puzzle(challenge)

    assert is_solution(challenge, nonce)
    assert not is_solution(challenge, bytes(8))
    assert not is_solution(challenge[::-1], nonce)
    assert PUZZLE_BITS == 20


@pytest.mark.usefixtures("real_puzzles")
def test_a_challenge_says_itself_how_many_bits_more_it_asks_for():
    challenge, nonce = bytes([1, *range(31)]), (83718).to_bytes(8, "big")
    zeros = 256 - int.from_bytes(hashlib.sha256(challenge + nonce).digest(), "big").bit_length()

    assert zeros == difficulty_bits(challenge) == PUZZLE_BITS + 1
    assert is_solution(challenge, nonce)
    assert not is_solution(bytes([2]) + challenge[1:], nonce)


@pytest.mark.usefixtures("real_puzzles")
def test_a_server_that_asks_for_more_work_than_a_phone_gives_is_refused():
    with pytest.raises(PuzzleTooHard):
        solve_puzzle(bytes([MOST_BITS - PUZZLE_BITS + 1, *range(31)]))


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=8, max_size=8))
def test_the_zero_bits_are_counted_exactly(challenge, nonce):
    zeros = 256 - int.from_bytes(hashlib.sha256(challenge + nonce).digest(), "big").bit_length()

    assert is_solution(challenge, nonce, zeros)
    assert not is_solution(challenge, nonce, zeros + 1)


@pytest.mark.parametrize(("challenge", "nonce"), [(b"", bytes(8)), (bytes(32), b""), (bytes(31), bytes(9))])
def test_values_of_another_length_solve_nothing(challenge, nonce):
    assert not is_solution(challenge, nonce, 0)
