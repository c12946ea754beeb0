# SPDX-License-Identifier: Apache-2.0
"""A server's answers to verify 1, verify 2 and upload, which always have 1,024 bytes.

Source: docs/protocol.md section 4.
"""

import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from bluezone.protocol.upload.puzzle import CHALLENGE_LENGTH
from bluezone.refusal import Refused

ANSWER_SIZE = 1024
BLIND_SIGNATURE_LENGTH = 256

_VERSION = 1
_HEADER = struct.Struct(">BB")
_WORTH = struct.Struct(">BHi")
_SIGNED = struct.Struct(f">H{BLIND_SIGNATURE_LENGTH}s")

REHEARSAL_CLASS = 0
CONFIRMED_CLASS = 1
CLINICAL_CLASS = 2

RandomBytes = Callable[[int], bytes]


class BadAnswer(Refused):
    """A server's answer does not follow this version of the protocol; the phone keeps its state and retries later."""

    code = "bad_answer"


class Status(IntEnum):
    """The second byte of every answer."""

    # fmt: off
    OK                = 0
    CODE_INVALID      = 1  # unknown or revoked: the answer is the same for both
    CODE_USED         = 2
    CODE_EXPIRED      = 3
    KID_REFUSED       = 4
    BAD_REQUEST       = 5
    PUZZLE_REQUIRED   = 6
    SIGNATURE_INVALID = 7
    KEYS_REFUSED      = 8
    LATER             = 9  # to slips alone: the city takes no more reports now; nothing was used
    # fmt: on


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The fields of all answers.

    challenge: 32 bytes if the status is PUZZLE_REQUIRED, else None. Raises BadAnswer for anything else.
    """

    status: Status
    challenge: bytes | None = None

    def __post_init__(self) -> None:
        length = None if self.challenge is None else len(self.challenge)
        expected = CHALLENGE_LENGTH if self.status is Status.PUZZLE_REQUIRED else None
        if length != expected:
            raise BadAnswer(f"challenge of status {self.status.name} is {length} bytes, expected {expected}")


@dataclass(frozen=True, kw_only=True)
class Verify1Answer(Answer):
    """What a code allows. All fields of this class are 0 unless the status is OK.

    klass:     1 confirmed test, 2 clinical, 0 for chaff.
    kid:       number of the RSA key for which the phone blinds its message.
    onset_day: UTC day since 1970-01-01 on which the case's symptoms started.
    """

    klass: int = 0
    kid: int = 0
    onset_day: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.klass not in (REHEARSAL_CLASS, CONFIRMED_CLASS, CLINICAL_CLASS):
            raise BadAnswer(f"class is {self.klass}, expected 0..2")


@dataclass(frozen=True, kw_only=True)
class Verify2Answer(Answer):
    """The blind signature, 256 bytes, and the number of its key; empty and 0 unless the status is OK."""

    kid: int = 0
    blind_signature: bytes = b""

    def __post_init__(self) -> None:
        super().__post_init__()
        expected = BLIND_SIGNATURE_LENGTH if self.status is Status.OK else 0
        if len(self.blind_signature) != expected:
            raise BadAnswer(f"blind signature is {len(self.blind_signature)} bytes, expected {expected}")


@dataclass(frozen=True, kw_only=True)
class UploadAnswer(Answer):
    """The answer to an upload; the status says whether it was accepted."""


def encode_verify1_answer(answer: Verify1Answer, random_bytes: RandomBytes = os.urandom) -> bytes:
    """Return the 1,024 bytes that answer verify 1."""
    return _encode(answer, _WORTH.pack(answer.klass, answer.kid, answer.onset_day), random_bytes)


def encode_verify2_answer(answer: Verify2Answer, random_bytes: RandomBytes = os.urandom) -> bytes:
    """Return the 1,024 bytes that answer verify 2."""
    return _encode(answer, _SIGNED.pack(answer.kid, answer.blind_signature), random_bytes)


def encode_upload_answer(answer: UploadAnswer, random_bytes: RandomBytes = os.urandom) -> bytes:
    """Return the 1,024 bytes that answer an upload."""
    return _encode(answer, b"", random_bytes)


def _encode(answer: Answer, content: bytes, random_bytes: RandomBytes) -> bytes:
    if answer.status is not Status.OK:
        content = answer.challenge or b""
    encoded = _HEADER.pack(_VERSION, answer.status) + content
    return encoded + random_bytes(ANSWER_SIZE - len(encoded))


def decode_verify1_answer(body: bytes) -> Verify1Answer:
    """Read the answer to verify 1; raises BadAnswer."""
    status, challenge = _decode(body)
    if status is not Status.OK:
        return Verify1Answer(status=status, challenge=challenge)
    klass, kid, onset_day = _WORTH.unpack_from(body, _HEADER.size)
    return Verify1Answer(status=status, klass=klass, kid=kid, onset_day=onset_day)


def decode_verify2_answer(body: bytes) -> Verify2Answer:
    """Read the answer to verify 2; raises BadAnswer. The signature itself is checked by `blindrsa.finalize`."""
    status, challenge = _decode(body)
    if status is not Status.OK:
        return Verify2Answer(status=status, challenge=challenge)
    kid, blind_signature = _SIGNED.unpack_from(body, _HEADER.size)
    return Verify2Answer(status=status, kid=kid, blind_signature=blind_signature)


def decode_upload_answer(body: bytes) -> UploadAnswer:
    """Read the answer to an upload; raises BadAnswer."""
    status, challenge = _decode(body)
    return UploadAnswer(status=status, challenge=challenge)


def _decode(body: bytes) -> tuple[Status, bytes | None]:
    if len(body) != ANSWER_SIZE:
        raise BadAnswer(f"answer is {len(body)} bytes, expected {ANSWER_SIZE}")
    version, number = _HEADER.unpack_from(body)
    if version != _VERSION:
        raise BadAnswer(f"protocol version is {version}, expected {_VERSION}")
    try:
        status = Status(number)
    except ValueError:
        raise BadAnswer(f"status is {number}, expected 0..{max(Status)}") from None
    if status is not Status.PUZZLE_REQUIRED:
        return status, None
    return status, body[_HEADER.size : _HEADER.size + CHALLENGE_LENGTH]
