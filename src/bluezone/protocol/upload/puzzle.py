# SPDX-License-Identifier: Apache-2.0
"""The puzzle that slows down guessing, but locks nobody out."""

import hashlib
from itertools import count

CHALLENGE_LENGTH = 32
NONCE_LENGTH = 8
NO_CHALLENGE = bytes(CHALLENGE_LENGTH)
NO_NONCE = bytes(NONCE_LENGTH)

# About a million hashes, a second on a phone: nothing once, too much for guessing 36-bit codes.
PUZZLE_BITS = 20
# How long a server accepts an answer to a challenge it gave out.
PUZZLE_SECONDS = 300


def solve(challenge: bytes, bits: int = PUZZLE_BITS) -> bytes:
    """Find the 8-byte nonce for which SHA-256(challenge || nonce) begins with `bits` zero bits.

    challenge: 32 bytes from a server's answer `puzzle_required`.
    bits:      0..32; the expected work is 2**bits hashes.

    Source: docs/protocol.md section 4, Limits.
    """
    begun = hashlib.sha256(challenge)
    bound = 1 << (256 - bits)
    for number in count():
        nonce = number.to_bytes(NONCE_LENGTH, "big")
        attempt = begun.copy()
        attempt.update(nonce)
        if int.from_bytes(attempt.digest(), "big") < bound:
            return nonce
    raise AssertionError("count() does not end")


def solved(challenge: bytes, nonce: bytes, bits: int = PUZZLE_BITS) -> bool:
    """Tell whether the nonce answers the challenge; False too for values of another length."""
    if len(challenge) != CHALLENGE_LENGTH or len(nonce) != NONCE_LENGTH:
        return False
    digest = hashlib.sha256(challenge + nonce).digest()
    return int.from_bytes(digest, "big") < 1 << (256 - bits)
