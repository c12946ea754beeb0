# SPDX-License-Identifier: Apache-2.0
"""The requests of a report, byte by byte: verify 1, verify 2, upload.

The size of a body does not depend on its content: unused space is filled with random bytes. Decoders may be given any
bytes: they return a request or raise Refused. Source: docs/protocol.md section 4.
"""

import os
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from bluezone.protocol.upload.codes import Credential, CredentialKind, InvalidCode
from bluezone.protocol.upload.payload import (
    KEY_SIZE,
    MAX_KEYS,
    MAX_SLOTS,
    SALT_LENGTH,
    SLOT_SIZE,
    KeysRefused,
    Slot,
    UploadKey,
    decode_keys,
    decode_slots,
    encode_keys,
    encode_slots,
)
from bluezone.protocol.upload.puzzle import CHALLENGE_LENGTH, NO_CHALLENGE, NO_NONCE, NONCE_LENGTH
from bluezone.protocol.upload.slips import USE_LENGTH, SlipUse
from bluezone.refusal import Refused

VERIFY_SIZE = 1024
UPLOAD_SIZE = 4096

# RSA 2048: a blinded message, a blind signature and a signature are as long as the modulus.
SIGNATURE_LENGTH = 256
# The prefix that makes the signed message unpredictable (RFC 9474 section 4.1, PrepareRandomize).
RAND_LENGTH = 32

# Besides the two kinds of a credential.
SLIP_KIND = 2

_VERSION = 1
_CHAFF = 0x01
_PUZZLE = struct.Struct(f">{CHALLENGE_LENGTH}s{NONCE_LENGTH}s")
_VERIFY = struct.Struct(">BBBB16s")
_VERIFY_HEAD = struct.Struct(">BBBB")
_BLINDED = struct.Struct(f">H{SIGNATURE_LENGTH}s")
_UPLOAD = struct.Struct(f">BBH{RAND_LENGTH}s{SIGNATURE_LENGTH}s{SALT_LENGTH}s")
_COUNT = struct.Struct(">H")

RandomBytes = Callable[[int], bytes]


class BadRequest(Refused):
    """The body is not a message of this protocol version."""

    code = "bad_request"


@dataclass(frozen=True, kw_only=True)
class Request:
    """The fields of all requests.

    is_rehearsal: the server looks up no credential, signs with the chaff key and stores nothing.
    challenge, nonce: a solved puzzle, 32 and 8 bytes; zero bytes if there was no puzzle.
    """

    is_rehearsal: bool = False
    challenge: bytes = NO_CHALLENGE
    nonce: bytes = NO_NONCE

    def __post_init__(self) -> None:
        _require_length("challenge", self.challenge, CHALLENGE_LENGTH)
        _require_length("nonce", self.nonce, NONCE_LENGTH)


@dataclass(frozen=True, kw_only=True)
class Verify1Request(Request):
    """Asks what a code allows, and does not redeem it."""

    credential: Credential


@dataclass(frozen=True, kw_only=True)
class Verify2Request(Request):
    """Redeems a code for one blind signature.

    kid: number of the RSA key, from the answer to verify 1 and in the config. blinded: 256 bytes.
    """

    credential: Credential
    kid: int
    blinded: bytes

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_kid(self.kid)
        _require_length("blinded message", self.blinded, SIGNATURE_LENGTH)


@dataclass(frozen=True, kw_only=True)
class SlipRequest(Request):
    """Uses a slip of a code book for one blind signature: the only call in which a slip is sent. Never a rehearsal."""

    use: SlipUse


@dataclass(frozen=True, kw_only=True)
class UploadRequest(Request):
    """Keys and slots with the certificate for their commitment.

    kid: number of the RSA key. rand, salt: 32 bytes each. signature: 256 bytes, over rand || commitment(salt, keys,
    slots).
    """

    kid: int
    rand: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    salt: bytes = field(repr=False)
    keys: tuple[UploadKey, ...]
    slots: tuple[Slot, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_kid(self.kid)
        _require_length("rand", self.rand, RAND_LENGTH)
        _require_length("signature", self.signature, SIGNATURE_LENGTH)
        _require_length("salt", self.salt, SALT_LENGTH)
        if len(self.keys) > MAX_KEYS:
            raise KeysRefused(f"got {len(self.keys)} keys, expected at most {MAX_KEYS}")
        if len(self.slots) > MAX_SLOTS:
            raise KeysRefused(f"got {len(self.slots)} slots, expected at most {MAX_SLOTS}")


def _require_length(name: str, value: bytes, length: int) -> None:
    if len(value) != length:
        raise BadRequest(f"{name} is {len(value)} bytes, expected {length}")


def _require_kid(kid: int) -> None:
    if not 0 <= kid < 2**16:
        raise BadRequest(f"kid is {kid}, expected 0..65535")


def _request_body(content: bytes, size: int, request: Request, random_bytes: RandomBytes) -> bytes:
    filler = random_bytes(size - _PUZZLE.size - len(content))
    return content + filler + _PUZZLE.pack(request.challenge, request.nonce)


def _verify_header(request: Verify1Request | Verify2Request, step: int) -> bytes:
    credential = request.credential
    return _VERIFY.pack(_VERSION, request.is_rehearsal, step, credential.kind, credential.value)


def encode_verify1(request: Verify1Request, random_bytes: RandomBytes = os.urandom) -> bytes:
    """Return the 1,024 bytes of verify 1."""
    return _request_body(_verify_header(request, 1), VERIFY_SIZE, request, random_bytes)


def encode_verify2(request: Verify2Request, random_bytes: RandomBytes = os.urandom) -> bytes:
    """Return the 1,024 bytes of verify 2."""
    content = _verify_header(request, 2) + _BLINDED.pack(request.kid, request.blinded)
    return _request_body(content, VERIFY_SIZE, request, random_bytes)


def encode_slip(request: SlipRequest, random_bytes: RandomBytes = os.urandom) -> bytes:
    """Return the 1,024 bytes of verify 2 by slip."""
    content = _VERIFY_HEAD.pack(_VERSION, 0, 2, SLIP_KIND) + request.use.to_bytes()
    return _request_body(content, VERIFY_SIZE, request, random_bytes)


def encode_upload(request: UploadRequest, random_bytes: RandomBytes = os.urandom) -> bytes:
    """Return the 4,096 bytes of an upload, keys and slots sorted."""
    head = _UPLOAD.pack(_VERSION, request.is_rehearsal, request.kid, request.rand, request.signature, request.salt)
    content = head + encode_keys(request.keys) + encode_slots(request.slots)
    return _request_body(content, UPLOAD_SIZE, request, random_bytes)


def _check_envelope(body: bytes, size: int) -> None:
    _require_length("body", body, size)
    if body[0] != _VERSION:
        raise BadRequest(f"protocol version is {body[0]}, expected {_VERSION}")
    if body[1] & ~_CHAFF:
        raise BadRequest(f"flags are {body[1]:#04x}, expected only bit 0")


def decode_verify(body: bytes) -> Verify1Request | Verify2Request | SlipRequest:
    """Read a body of `POST /v1/verify`: verify 1, verify 2 or verify 2 by slip. Raises BadRequest."""
    _check_envelope(body, VERIFY_SIZE)
    _, flags, step, kind, value = _VERIFY.unpack_from(body)
    challenge, nonce = _PUZZLE.unpack_from(body, VERIFY_SIZE - _PUZZLE.size)
    if (flags, step, kind) == (0, 2, SLIP_KIND):
        use = SlipUse.from_bytes(body[_VERIFY_HEAD.size : _VERIFY_HEAD.size + USE_LENGTH])
        return SlipRequest(use=use, challenge=challenge, nonce=nonce)
    try:
        credential = Credential(CredentialKind(kind), value)
    except ValueError:
        raise BadRequest(f"credential is of kind {kind}, expected 0, 1, or in verify 2 of no rehearsal 2") from None
    except InvalidCode as refused:
        raise BadRequest(refused.message) from None
    if step == 1:
        return Verify1Request(is_rehearsal=bool(flags), credential=credential, challenge=challenge, nonce=nonce)
    if step == 2:
        kid, blinded = _BLINDED.unpack_from(body, _VERIFY.size)
        return Verify2Request(
            is_rehearsal=bool(flags), credential=credential, kid=kid, blinded=blinded, challenge=challenge, nonce=nonce
        )
    raise BadRequest(f"step is {step}, expected 1 or 2")


def decode_upload(body: bytes) -> UploadRequest:
    """Read a body of `POST /v1/upload`; raises BadRequest, or KeysRefused for too many keys or slots.

    Callers check the keys and slots with `check_keys` and `check_slots`.
    """
    _check_envelope(body, UPLOAD_SIZE)
    _, flags, kid, rand, signature, salt = _UPLOAD.unpack_from(body)
    end = UPLOAD_SIZE - _PUZZLE.size
    challenge, nonce = _PUZZLE.unpack_from(body, end)
    keys, after_keys = _split_counted("keys", body[_UPLOAD.size : end], KEY_SIZE, MAX_KEYS)
    slots, _filler = _split_counted("slots", after_keys, SLOT_SIZE, MAX_SLOTS)
    return UploadRequest(
        is_rehearsal=bool(flags), kid=kid, rand=rand, signature=signature, salt=salt,
        keys=decode_keys(keys), slots=decode_slots(slots), challenge=challenge, nonce=nonce,
    )  # fmt: skip


def _split_counted(name: str, data: bytes, size: int, most: int) -> tuple[bytes, bytes]:
    """Return the bytes of the counted items at the beginning of `data`, and the bytes after them."""
    # The most keys and slots fit into the body, so after this check no item can be truncated.
    (count,) = _COUNT.unpack_from(data)
    if count > most:
        raise KeysRefused(f"got {count} {name}, expected at most {most}")
    end = _COUNT.size + count * size
    return data[_COUNT.size : end], data[end:]
