# SPDX-License-Identifier: Apache-2.0
"""The call with which a browser gets tokens for its passes: 20 blind signatures at once, in messages of one size.

    request  6144 B: u8 1 | u8 flags | u16 kid | 20 * blinded[256] | … | challenge[32] | nonce[8]
    answer   6144 B: u8 1 | u8 status | u16 kid | 20 * blind_sig[256]
                    with status puzzle_required, challenge[32] follows the status

Source: docs/protocol.md section 7; the statuses are those of section 4.
"""

import os
import struct
from collections.abc import Callable
from dataclasses import dataclass

from bluezone.protocol.upload.answers import BadAnswer, Status
from bluezone.protocol.upload.puzzle import CHALLENGE_LENGTH, NO_CHALLENGE, NO_NONCE, NONCE_LENGTH
from bluezone.protocol.upload.requests import BadRequest

TOKENS_SIZE = 6144
BATCH = 20
BLINDED_LENGTH = 256

_VERSION = 1
_HEADER = struct.Struct(">BBH")
_ANSWER_HEADER = struct.Struct(">BB")
_KID = struct.Struct(">H")
_PUZZLE = struct.Struct(f">{CHALLENGE_LENGTH}s{NONCE_LENGTH}s")
_BATCH_LENGTH = BATCH * BLINDED_LENGTH

RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True)
class TokensRequest:
    """kid: number of a gate(week) key; blinded: 20 blinded messages of 256 bytes; challenge 32, nonce 8 bytes."""

    kid: int
    blinded: tuple[bytes, ...]
    challenge: bytes = NO_CHALLENGE
    nonce: bytes = NO_NONCE

    def __post_init__(self) -> None:
        _check_batch("blinded messages", self.blinded, BadRequest)
        if not 0 <= self.kid < 2**16:
            raise BadRequest(f"kid is {self.kid}, expected 0..65535")
        if (len(self.challenge), len(self.nonce)) != (CHALLENGE_LENGTH, NONCE_LENGTH):
            raise BadRequest(f"challenge and nonce are {len(self.challenge)} and {len(self.nonce)} bytes")


@dataclass(frozen=True)
class TokensAnswer:
    """blind_signatures: 20 of 256 bytes if the status is OK, else none; challenge: 32 bytes if a puzzle is required."""

    status: Status
    kid: int = 0
    blind_signatures: tuple[bytes, ...] = ()
    challenge: bytes | None = None

    def __post_init__(self) -> None:
        if self.status is Status.OK:
            _check_batch("blind signatures", self.blind_signatures, BadAnswer)
        elif self.blind_signatures:
            raise BadAnswer(f"status {self.status.name} comes with signatures")
        if (self.challenge is not None) != (self.status is Status.PUZZLE_REQUIRED):
            raise BadAnswer(f"status {self.status.name} and its challenge do not match")


def encode_tokens(request: TokensRequest, random_bytes: RandomBytes = os.urandom) -> bytes:
    """Return the 6,144 bytes of the request."""
    content = _HEADER.pack(_VERSION, 0, request.kid) + b"".join(request.blinded)
    filler = random_bytes(TOKENS_SIZE - len(content) - _PUZZLE.size)
    return content + filler + _PUZZLE.pack(request.challenge, request.nonce)


def decode_tokens(body: bytes) -> TokensRequest:
    """Read a body of `POST /v1/tokens`; raises BadRequest."""
    if len(body) != TOKENS_SIZE:
        raise BadRequest(f"body is {len(body)} bytes, expected {TOKENS_SIZE}")
    version, flags, kid = _HEADER.unpack_from(body)
    if version != _VERSION:
        raise BadRequest(f"protocol version is {version}, expected {_VERSION}")
    if flags:
        raise BadRequest(f"flags are {flags:#04x}, expected 0")
    challenge, nonce = _PUZZLE.unpack_from(body, TOKENS_SIZE - _PUZZLE.size)
    return TokensRequest(kid, _batch(body, _HEADER.size), challenge, nonce)


def encode_tokens_answer(answer: TokensAnswer, random_bytes: RandomBytes = os.urandom) -> bytes:
    """Return the 6,144 bytes of the answer, filled up with random bytes."""
    content = _ANSWER_HEADER.pack(_VERSION, answer.status)
    if answer.status is Status.OK:
        content += _KID.pack(answer.kid) + b"".join(answer.blind_signatures)
    else:
        content += answer.challenge or b""
    return content + random_bytes(TOKENS_SIZE - len(content))


def decode_tokens_answer(body: bytes) -> TokensAnswer:
    """Read the answer; raises BadAnswer. The signatures themselves are checked by `blindrsa.finalize`."""
    if len(body) != TOKENS_SIZE:
        raise BadAnswer(f"answer is {len(body)} bytes, expected {TOKENS_SIZE}")
    version, number = _ANSWER_HEADER.unpack_from(body)
    if version != _VERSION:
        raise BadAnswer(f"protocol version is {version}, expected {_VERSION}")
    try:
        status = Status(number)
    except ValueError:
        raise BadAnswer(f"status is {number}, expected 0..{max(Status)}") from None
    start = _ANSWER_HEADER.size
    if status is Status.PUZZLE_REQUIRED:
        return TokensAnswer(status, challenge=body[start : start + CHALLENGE_LENGTH])
    if status is not Status.OK:
        return TokensAnswer(status)
    (kid,) = _KID.unpack_from(body, start)
    return TokensAnswer(status, kid, _batch(body, start + _KID.size))


def _batch(body: bytes, start: int) -> tuple[bytes, ...]:
    """Return the 20 messages that begin at `start`, 256 bytes each."""
    end = start + _BATCH_LENGTH
    return tuple(body[place : place + BLINDED_LENGTH] for place in range(start, end, BLINDED_LENGTH))


def _check_batch(name: str, batch: tuple[bytes, ...], refusal: type[BadRequest] | type[BadAnswer]) -> None:
    if len(batch) != BATCH or any(len(message) != BLINDED_LENGTH for message in batch):
        raise refusal(f"got {len(batch)} {name}, expected {BATCH} of {BLINDED_LENGTH} bytes")
