# SPDX-License-Identifier: Apache-2.0
"""GatePass v1: the passes that a phone shows at a gate, and the messages between gate and phone.

Every pass consists of new random values. It contains nothing about the owner, nothing from the identifiers that other
phones hear, and nothing that is also in another pass. Source: docs/protocol.md section 7; docs/attacks.md rows 28-34,
43.

    gate's advertisement   0x01 | gate_id[4] | G_ble[8]      13 bytes, a new G_ble every 30 s, never displayed
    phone's advertisement  0x02 | R_g[16]                    17 bytes
    gate's screen          0x03 | gate_id[4] | G_qr[8]       QR "BZGQ:", a new G_qr every 30 s, never advertised
    pass A                 0x01 | flags | step | k_sess      QR "BZG1:", 22 bytes, of a phone that also answers by radio
    pass B                 0x02 | ... | token | signature    QR "BZG2:", 384 bytes, of a browser, without Bluetooth

QR texts are in Base45, an alphabet that QR codes store with 5.5 bits a character (RFC 9285).
"""

import hmac
import struct
from dataclasses import dataclass, field
from enum import IntFlag

from bluezone.protocol import blindrsa
from bluezone.protocol.gate import base45
from bluezone.protocol.primitives import Ed25519Signer, verify_ed25519
from bluezone.refusal import Refused

GATE_ID_LENGTH = 4
CHALLENGE_LENGTH = 8
SESSION_LENGTH = 16
SESSION_MARK_LENGTH = 8
RESPONSE_LENGTH = 16
OPK_LENGTH = 32
TOKEN_LENGTH = 256
SIGNATURE_LENGTH = 64

# How long a gate uses one challenge, and the unit in which a phone counts time in a pass.
CHALLENGE_SECONDS = 30
STEP_SECONDS = 15

_GATE_FRAME = 0x01
_PHONE_FRAME = 0x02
_PASS_A = 1
_PASS_B = 2
_SCREEN = 3
_CHALLENGE = struct.Struct(f">B{GATE_ID_LENGTH}s{CHALLENGE_LENGTH}s")
_ANSWER = struct.Struct(f">B{RESPONSE_LENGTH}s")
_A = struct.Struct(f">BBI{SESSION_LENGTH}s")
_B = struct.Struct(f">BBI{SESSION_LENGTH}s{CHALLENGE_LENGTH}s{OPK_LENGTH}sH{TOKEN_LENGTH}s{SIGNATURE_LENGTH}s")

GATE_FRAME_LENGTH = _CHALLENGE.size
PHONE_FRAME_LENGTH = _ANSWER.size
PASS_A_LENGTH = _A.size
PASS_B_LENGTH = _B.size

_PREFIX_A = "BZG1:"
_PREFIX_B = "BZG2:"
_PREFIX_SCREEN = "BZGQ:"
# Longer than any Bluezone code. Scanners also read other QR codes, which may be of any length.
MOST_QR_LETTERS = 600


class NotABluezoneCode(Refused):
    """The text is neither a pass nor a gate's screen: another QR code, or one that was truncated or altered."""

    code = "not_a_bluezone_code"


class PassSignatureInvalid(Refused):
    """The signature of a pass B is not by the key in it: the pass was altered."""

    code = "pass_signature_invalid"


class BluetoothState(IntFlag):
    """What a phone claims about its Bluetooth; only the radio answer of a pass A proves it."""

    BLUETOOTH_ON = 1
    ADVERTISING = 2
    HEARD = 4  # another phone within 15 minutes


_ALL_FLAGS = int(BluetoothState.BLUETOOTH_ON | BluetoothState.ADVERTISING | BluetoothState.HEARD)


@dataclass(frozen=True)
class Challenge:
    """gate_id: 4 bytes. value: 8 random bytes, advertised (G_ble) or on the gate's screen (G_qr)."""

    gate_id: bytes
    value: bytes

    def __post_init__(self) -> None:
        _require("gate id", self.gate_id, GATE_ID_LENGTH)
        _require("challenge", self.value, CHALLENGE_LENGTH)


@dataclass(frozen=True)
class PassA:
    """step: Unix seconds // 15 when the pass was made. session: 16 random bytes, never used in another pass."""

    state: BluetoothState
    step: int
    session: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _require("session", self.session, SESSION_LENGTH)
        _require_step(self.step)


@dataclass(frozen=True)
class PassB:
    """A browser's pass: the challenge from the gate's screen and a token that was signed blind.

    opk:       32 bytes, an Ed25519 key for one use.
    kid:       number in the config of the gate(week) key that signed the token.
    token:     256 bytes, RSABSSA-SHA384-PSS-Deterministic over "BZ-OPK-v1" || opk.
    signature: 64 bytes, by opk over "BZ-PASS-v1" and all bytes before the signature.
    """

    state: BluetoothState
    step: int
    session: bytes = field(repr=False)
    challenge: bytes
    opk: bytes = field(repr=False)
    kid: int
    token: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _require("session", self.session, SESSION_LENGTH)
        _require("challenge", self.challenge, CHALLENGE_LENGTH)
        _require("one-time key", self.opk, OPK_LENGTH)
        _require("token", self.token, TOKEN_LENGTH)
        _require("signature", self.signature, SIGNATURE_LENGTH)
        _require_step(self.step)
        if not 0 <= self.kid < 2**16:
            raise NotABluezoneCode(f"kid is {self.kid}, expected 0..65535")


Pass = PassA | PassB


def compute_response(session: bytes, challenge: bytes) -> bytes:
    """Return R_g, the 16 bytes with which a phone answers a gate by radio.

    session: k_sess of the pass on its screen, 16 bytes. challenge: G_ble, 8 bytes.
    """
    _require("session", session, SESSION_LENGTH)
    _require("challenge", challenge, CHALLENGE_LENGTH)
    return hmac.digest(session, b"BZ-GATE-v1" + challenge, "sha256")[:RESPONSE_LENGTH]


def session_mark(session: bytes) -> bytes:
    """Return 8 bytes by which gates recognise a used session. No one can answer a challenge with them."""
    _require("session", session, SESSION_LENGTH)
    return hmac.digest(session, b"BZ-USED-v1", "sha256")[:SESSION_MARK_LENGTH]


def encode_gate_frame(challenge: Challenge) -> bytes:
    """The 13 bytes of service data that a gate advertises."""
    return _CHALLENGE.pack(_GATE_FRAME, challenge.gate_id, challenge.value)


def decode_gate_frame(data: bytes) -> Challenge | None:
    """Read a gate's service data; None if it is something else, which is common."""
    if len(data) != _CHALLENGE.size or data[0] != _GATE_FRAME:
        return None
    _, gate_id, value = _CHALLENGE.unpack(data)
    return Challenge(gate_id, value)


def encode_phone_frame(answer: bytes) -> bytes:
    """The 17 bytes of service data with which a phone answers."""
    _require("response", answer, RESPONSE_LENGTH)
    return _ANSWER.pack(_PHONE_FRAME, answer)


def decode_phone_frame(data: bytes) -> bytes | None:
    """Read a phone's answer, 16 bytes, from service data; None if it is something else."""
    return data[1:] if len(data) == _ANSWER.size and data[0] == _PHONE_FRAME else None


def screen_text(challenge: Challenge) -> str:
    """The QR text that a gate shows to browsers."""
    return _PREFIX_SCREEN + base45.encode(_CHALLENGE.pack(_SCREEN, challenge.gate_id, challenge.value))


def read_screen(text: str) -> Challenge:
    """Read the QR text that a gate shows; raises NotABluezoneCode."""
    data = _decode_text(text, _PREFIX_SCREEN, _CHALLENGE.size, _SCREEN)
    _, gate_id, value = _CHALLENGE.unpack(data)
    return Challenge(gate_id, value)


def encode_pass(pass_: Pass) -> bytes:
    """The 22 or 384 bytes of a pass."""
    if isinstance(pass_, PassA):
        return _A.pack(_PASS_A, pass_.state, pass_.step, pass_.session)
    return _before_signature(pass_) + pass_.signature


def pass_text(pass_: Pass) -> str:
    """The QR text of a pass."""
    prefix = _PREFIX_A if isinstance(pass_, PassA) else _PREFIX_B
    return prefix + base45.encode(encode_pass(pass_))


def read_pass(text: str) -> Pass:
    """Read a pass from a QR text, without checking that it is valid here and now.

    Raises NotABluezoneCode for any text that `pass_text` does not write.
    """
    if text.startswith(_PREFIX_A):
        _, flags, step, session = _A.unpack(_decode_text(text, _PREFIX_A, _A.size, _PASS_A))
        return PassA(_state(flags), step, session)
    data = _decode_text(text, _PREFIX_B, _B.size, _PASS_B)
    _, flags, step, session, challenge, opk, kid, token, signature = _B.unpack(data)
    return PassB(_state(flags), step, session, challenge, opk, kid, token, signature)


def token_message(opk: bytes) -> bytes:
    """Return the message about a one-time key that a gate(week) key signs blind: the input of `blindrsa.blind`."""
    _require("one-time key", opk, OPK_LENGTH)
    return b"BZ-OPK-v1" + opk


def sign_pass_b(
    state: BluetoothState, step: int, session: bytes, challenge: bytes, key: Ed25519Signer, kid: int, token: bytes
) -> PassB:
    """Sign a pass B with its one-time key, which the caller deletes afterwards."""
    opk = key.public_key().public_bytes_raw()
    unsigned = PassB(state, step, session, challenge, opk, kid, token, bytes(SIGNATURE_LENGTH))
    signature = key.sign(b"BZ-PASS-v1" + _before_signature(unsigned))
    return PassB(state, step, session, challenge, opk, kid, token, signature)


def verify_pass_signature(pass_b: PassB) -> None:
    """Raise PassSignatureInvalid unless the pass is signed by its one-time key."""
    if not verify_ed25519(pass_b.opk, pass_b.signature, b"BZ-PASS-v1" + _before_signature(pass_b)):
        raise PassSignatureInvalid("the signature is not by the key in the pass")


def verify_token(public: blindrsa.PublicKey, pass_b: PassB) -> bool:
    """Whether a gate(week) key signed the pass's one-time key."""
    return blindrsa.verify(public, token_message(pass_b.opk), pass_b.token)


def _before_signature(pass_b: PassB) -> bytes:
    packed = _B.pack(
        _PASS_B, pass_b.state, pass_b.step, pass_b.session, pass_b.challenge, pass_b.opk, pass_b.kid, pass_b.token,
        bytes(SIGNATURE_LENGTH),
    )  # fmt: skip
    return packed[:-SIGNATURE_LENGTH]


def _decode_text(text: str, prefix: str, length: int, kind: int) -> bytes:
    if len(text) > MOST_QR_LETTERS or not text.startswith(prefix):
        raise NotABluezoneCode("this is not a code that Bluezone makes")
    try:
        data = base45.decode(text[len(prefix) :])
    except base45.InvalidBase45:
        raise NotABluezoneCode("the code is damaged") from None
    if len(data) != length or data[0] != kind:
        raise NotABluezoneCode(f"the code has {len(data)} bytes of kind {data[0] if data else 'none'}")
    return data


def _state(flags: int) -> BluetoothState:
    if flags & ~_ALL_FLAGS:
        raise NotABluezoneCode(f"flags are {flags:#04x}, expected only bits 0..2")
    return BluetoothState(flags)


def _require(name: str, value: bytes, length: int) -> None:
    if len(value) != length:
        raise NotABluezoneCode(f"{name} is {len(value)} bytes, expected {length}")


def _require_step(step: int) -> None:
    if not 0 <= step < 2**32:
        raise NotABluezoneCode(f"step is {step}, expected 0..4294967295")
