# SPDX-License-Identifier: Apache-2.0
"""A puzzle for callers to solve with computing time: it slows down guessing of codes without locking anyone out."""

import hashlib
import json
import re
from itertools import count

from bluezone.refusal import Refused

CHALLENGE_LENGTH = 32
NONCE_LENGTH = 8
NO_CHALLENGE = bytes(CHALLENGE_LENGTH)
NO_NONCE = bytes(NONCE_LENGTH)

# Header with a solved puzzle, for calls that have no field for it in the body.
PUZZLE_HEADER = "X-Bluezone-Puzzle"
_SOLVED = re.compile(rf"[0-9a-f]{{{2 * (CHALLENGE_LENGTH + NONCE_LENGTH)}}}")
# About a million hashes, or a second on a phone: little for one call, too much for guessing 36-bit codes.
PUZZLE_BITS = 20
# A client solves no puzzle with more bits than this, which are 16 million hashes.
MOST_BITS = 24
# How long a server accepts a solution of its challenge.
PUZZLE_SECONDS = 300


class PuzzleTooHard(Refused):
    """The server's challenge needs more computing time than a phone spends."""

    code = "server_answer_refused"


def read_solution(text: str) -> tuple[bytes, bytes]:
    """Return challenge and nonce of a solved puzzle in 80 hex digits; zero bytes for any other text."""
    if not _SOLVED.fullmatch(text):
        return NO_CHALLENGE, NO_NONCE
    solved = bytes.fromhex(text)
    return solved[:CHALLENGE_LENGTH], solved[CHALLENGE_LENGTH:]


def read_challenge(refusal: bytes) -> bytes | None:
    """Return the challenge, 32 bytes, in a refusal `{"error": {"challenge": 64 hex digits}}`; None if it has none."""
    try:
        challenge = bytes.fromhex(json.loads(refusal)["error"]["challenge"])
    except (ValueError, KeyError, TypeError):
        return None
    return challenge if len(challenge) == CHALLENGE_LENGTH else None


def solve_for_header(challenge: bytes) -> str:
    """Solve the puzzle of a challenge and return the value of the header PUZZLE_HEADER: 80 hex digits."""
    return (challenge + solve_puzzle(challenge)).hex()


def difficulty_bits(challenge: bytes) -> int:
    """Return how many zero bits a challenge of 32 bytes requires: 20 plus its first byte."""
    return PUZZLE_BITS + challenge[0]


def solve_puzzle(challenge: bytes, bits: int | None = None) -> bytes:
    """Find the 8-byte nonce for which SHA-256(challenge || nonce) begins with `bits` zero bits.

    challenge: 32 bytes from a server's answer `puzzle_required`.
    bits:      by default the number that the challenge requires; the expected work is 2**bits hashes.
    Raises PuzzleTooHard for more than MOST_BITS bits.

    Source: docs/protocol.md section 4, Limits.
    """
    bits = difficulty_bits(challenge) if bits is None else bits
    if bits > MOST_BITS:
        raise PuzzleTooHard(f"the server asks for a puzzle of {bits} bits, {MOST_BITS} are the most that are solved")
    prefix = hashlib.sha256(challenge)
    bound = 1 << (256 - bits)
    for number in count():
        nonce = number.to_bytes(NONCE_LENGTH, "big")
        attempt = prefix.copy()
        attempt.update(nonce)
        if int.from_bytes(attempt.digest(), "big") < bound:
            return nonce
    raise AssertionError("count() does not end")


def is_solution(challenge: bytes, nonce: bytes, bits: int | None = None) -> bool:
    """Whether the nonce solves the puzzle of the challenge; False also for values of another length."""
    if len(challenge) != CHALLENGE_LENGTH or len(nonce) != NONCE_LENGTH:
        return False
    bits = difficulty_bits(challenge) if bits is None else bits
    digest = hashlib.sha256(challenge + nonce).digest()
    return int.from_bytes(digest, "big") < 1 << (256 - bits)
