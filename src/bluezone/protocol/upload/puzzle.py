# SPDX-License-Identifier: Apache-2.0
"""The puzzle that slows down guessing, but locks nobody out."""

import hashlib
import json
import re
from itertools import count

from bluezone.refusal import Refused

CHALLENGE_LENGTH = 32
NONCE_LENGTH = 8
NO_CHALLENGE = bytes(CHALLENGE_LENGTH)
NO_NONCE = bytes(NONCE_LENGTH)

# Where calls bring the answer to a challenge whose bodies have no room for it.
PUZZLE_HEADER = "X-Bluezone-Puzzle"
_SOLVED = re.compile(rf"[0-9a-f]{{{2 * (CHALLENGE_LENGTH + NONCE_LENGTH)}}}")
# About a million hashes, a second on a phone: nothing once, too much for guessing 36-bit codes.
PUZZLE_BITS = 20
# The first byte of a challenge says how many bits more it asks for. A client follows a server up to here, 16 million
# hashes, and no further.
MOST_BITS = 24
# How long a server accepts an answer to a challenge it gave out.
PUZZLE_SECONDS = 300


class PuzzleTooHard(Refused):
    """The server asks for more work than a phone gives."""

    code = "server_answer_refused"


def read_puzzle(text: str) -> tuple[bytes, bytes]:
    """Challenge and nonce of a solved puzzle as callers bring them, 80 hex digits; zero bytes for any other text."""
    if not _SOLVED.fullmatch(text):
        return NO_CHALLENGE, NO_NONCE
    solved = bytes.fromhex(text)
    return solved[:CHALLENGE_LENGTH], solved[CHALLENGE_LENGTH:]


def challenge_in(refusal: bytes) -> bytes | None:
    """The challenge, 32 bytes, in a refusal `{"error": {"challenge": 64 hex digits, ...}}`; None where it has none."""
    try:
        challenge = bytes.fromhex(json.loads(refusal)["error"]["challenge"])
    except (ValueError, KeyError, TypeError):
        return None
    return challenge if len(challenge) == CHALLENGE_LENGTH else None


def answer_to(challenge: bytes) -> str:
    """What the header PUZZLE_HEADER says to a challenge: 80 hex digits, found with the work of `solve`."""
    return (challenge + solve(challenge)).hex()


def bits_of(challenge: bytes) -> int:
    """How many zero bits a challenge of 32 bytes asks for: 20 and what its first byte says."""
    return PUZZLE_BITS + challenge[0]


def solve(challenge: bytes, bits: int | None = None) -> bytes:
    """Find the 8-byte nonce for which SHA-256(challenge || nonce) begins with `bits` zero bits.

    challenge: 32 bytes from a server's answer `puzzle_required`.
    bits:      as many as the challenge asks for unless given; the expected work is 2**bits hashes.
    Raises PuzzleTooHard beyond MOST_BITS.

    Source: docs/protocol.md section 4, Limits.
    """
    bits = bits_of(challenge) if bits is None else bits
    if bits > MOST_BITS:
        raise PuzzleTooHard(f"the server asks for a puzzle of {bits} bits, {MOST_BITS} are the most that are solved")
    begun = hashlib.sha256(challenge)
    bound = 1 << (256 - bits)
    for number in count():
        nonce = number.to_bytes(NONCE_LENGTH, "big")
        attempt = begun.copy()
        attempt.update(nonce)
        if int.from_bytes(attempt.digest(), "big") < bound:
            return nonce
    raise AssertionError("count() does not end")


def solved(challenge: bytes, nonce: bytes, bits: int | None = None) -> bool:
    """Tell whether the nonce answers the challenge; False too for values of another length."""
    if len(challenge) != CHALLENGE_LENGTH or len(nonce) != NONCE_LENGTH:
        return False
    digest = hashlib.sha256(challenge + nonce).digest()
    return int.from_bytes(digest, "big") < 1 << (256 - (bits_of(challenge) if bits is None else bits))
