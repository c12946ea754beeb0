# SPDX-License-Identifier: Apache-2.0
"""Blind RSA signatures: the health authority signs messages that it cannot see, and cannot recognise them later.

Variants with SHA-384 and MGF1-SHA-384 (RFC 9474 section 5). The input message selects the variant: 32 random bytes || M
for RSABSSA-SHA384-PSS-Randomized (reports), M itself for RSABSSA-SHA384-PSS-Deterministic (gate tokens). Both have a
salt of 48 bytes. The PSSZERO variants, with an empty salt, are only for the published test vectors.
"""

import hashlib
import importlib
import math
import os
import secrets
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from bluezone.protocol.primitives import verify_pss
from bluezone.refusal import Refused

gmpy2: Any
try:
    gmpy2 = importlib.import_module("gmpy2")
except ImportError:  # pow() gives the same numbers, but is several times slower
    gmpy2 = None

SALT_LENGTH = 48
MODULUS_BITS = 2048
PUBLIC_EXPONENT = 65537

_HASH_LENGTH = 48


class InvalidBlindSignature(Refused):
    """A blinded message, blind signature or key that RFC 9474 refuses."""

    code = "blind_signature_invalid"


@dataclass(frozen=True)
class PublicKey:
    """n: modulus, odd, at least 2048 bits; e: public exponent, odd, above 1. Raises InvalidBlindSignature otherwise."""

    n: int
    e: int

    def __post_init__(self) -> None:
        bits = self.n.bit_length()
        if bits < MODULUS_BITS:
            raise InvalidBlindSignature(f"modulus has {bits} bits, expected at least {MODULUS_BITS}")
        if self.n % 2 == 0:
            raise InvalidBlindSignature("modulus is even, expected an odd one")
        if not (2 < self.e < self.n and self.e % 2):
            raise InvalidBlindSignature("public exponent is even or out of range")

    @property
    def length(self) -> int:
        """Bytes of a blinded message, a blind signature and a signature."""
        return (self.n.bit_length() + 7) // 8


@dataclass(frozen=True)
class PrivateKey(PublicKey):
    """d: private exponent; p, q: the primes of n. They are left out of `repr`."""

    d: int = field(repr=False)
    p: int = field(repr=False)
    q: int = field(repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.p * self.q != self.n or self.d * self.e % math.lcm(self.p - 1, self.q - 1) != 1:
            raise InvalidBlindSignature("private key does not belong to its modulus and exponent")

    @property
    def public(self) -> PublicKey:
        """The public half of the key."""
        return PublicKey(self.n, self.e)

    @cached_property
    def crt(self) -> tuple[int, int, int]:
        """d mod (p - 1), d mod (q - 1) and q**-1 mod p, each half as long as d (RFC 8017 section 3.2)."""
        return self.d % (self.p - 1), self.d % (self.q - 1), pow(self.q, -1, self.p)


class Blinded(NamedTuple):
    """message: for the signer, as long as the modulus. inverse: for the owner, to unblind the answer."""

    message: bytes
    inverse: int


def generate(bits: int = MODULUS_BITS) -> PrivateKey:
    """Make a key pair of 2048 bits or more; this takes between a tenth of a second and a second."""
    # Imported here, because phones make no such keys.
    from cryptography.hazmat.primitives.asymmetric import rsa

    numbers = rsa.generate_private_key(PUBLIC_EXPONENT, bits).private_numbers()
    return PrivateKey(numbers.public_numbers.n, PUBLIC_EXPONENT, numbers.d, numbers.p, numbers.q)


def blind(public: PublicKey, input_msg: bytes, *, salt: bytes | None = None, r: int | None = None) -> Blinded:
    """Hide a message from its signer.

    input_msg: as the variant prepares it, see the module's docstring.
    salt:      by default 48 random bytes; only tests pass it.
    r:         blinding factor, by default a random number in 1..n-1; only tests pass it.
    Returns the blinded message, `public.length` bytes, and the inverse that `finalize` needs.
    Raises InvalidBlindSignature for a message or r that shares a factor with n.

    Source: RFC 9474 section 4.2.
    """
    if salt is None:
        salt = os.urandom(SALT_LENGTH)
    encoded = _encode_pss(input_msg, public.n.bit_length() - 1, salt)
    message = int.from_bytes(encoded, "big")
    if math.gcd(message, public.n) != 1:
        raise InvalidBlindSignature("message shares a factor with the modulus")
    factor = 1 + secrets.randbelow(public.n - 1) if r is None else r
    inverse = _inverse(factor, public.n)
    blinded = message * _power(factor, public.e, public.n) % public.n
    return Blinded(blinded.to_bytes(public.length, "big"), inverse)


def blind_sign(private: PrivateKey, blinded: bytes) -> bytes:
    """Sign a blinded message; the same message gives the same signature.

    blinded: `private.length` bytes, a number below n.
    Strangers choose `blinded`, so it is multiplied by a random factor first: then the time of the exponentiation
    reveals nothing about the key. The signature is verified before it is returned, because a fault in half of the
    computation would reveal a prime (Boneh, DeMillo, Lipton 1997).
    Raises InvalidBlindSignature for another length, a number out of range, or a result that does not verify.

    Source: RFC 9474 section 4.3.
    """
    if len(blinded) != private.length:
        raise InvalidBlindSignature(f"blinded message is {len(blinded)} bytes, expected {private.length}")
    message = int.from_bytes(blinded, "big")
    if message >= private.n:
        raise InvalidBlindSignature("blinded message is not below the modulus")
    factor = 1 + secrets.randbelow(private.n - 1)
    masked = message * _power(factor, private.e, private.n) % private.n
    signature = _private_power(private, masked) * _inverse(factor, private.n) % private.n
    if _power(signature, private.e, private.n) != message:
        raise InvalidBlindSignature("the signature does not verify: this machine computes wrongly")
    return signature.to_bytes(private.length, "big")


def finalize(
    public: PublicKey, input_msg: bytes, blind_sig: bytes, inverse: int, *, salt_length: int = SALT_LENGTH
) -> bytes:
    """Unblind the signer's answer and verify it.

    Returns the signature of `input_msg`, `public.length` bytes.
    Raises InvalidBlindSignature if the answer is not this key's signature of the blinded message.

    Source: RFC 9474 section 4.4.
    """
    if len(blind_sig) != public.length:
        raise InvalidBlindSignature(f"blind signature is {len(blind_sig)} bytes, expected {public.length}")
    signature = int.from_bytes(blind_sig, "big") * inverse % public.n
    encoded = signature.to_bytes(public.length, "big")
    if not verify(public, input_msg, encoded, salt_length=salt_length):
        raise InvalidBlindSignature("the answer is not a signature of this message by this key")
    return encoded


def verify(public: PublicKey, input_msg: bytes, sig: bytes, *, salt_length: int = SALT_LENGTH) -> bool:
    """Return whether `sig` is the key's RSASSA-PSS signature of `input_msg` with a salt of `salt_length` bytes.

    Source: RFC 9474 section 4.5; RFC 8017 section 8.1.2.
    """
    return verify_pss(public.n, public.e, salt_length, sig, input_msg)


def _private_power(private: PrivateKey, message: int) -> int:
    exponent_p, exponent_q, q_inverse = private.crt
    modulo_p = _power(message % private.p, exponent_p, private.p)
    modulo_q = _power(message % private.q, exponent_q, private.q)
    return modulo_q + private.q * (q_inverse * (modulo_p - modulo_q) % private.p)


def _power(base: int, exponent: int, modulus: int) -> int:
    return pow(base, exponent, modulus) if gmpy2 is None else int(gmpy2.powmod(base, exponent, modulus))


def _inverse(number: int, modulus: int) -> int:
    try:
        return pow(number, -1, modulus) if gmpy2 is None else int(gmpy2.invert(number, modulus))
    except (ValueError, ZeroDivisionError):
        raise InvalidBlindSignature("blinding factor shares a factor with the modulus") from None


def _encode_pss(message: bytes, bits: int, salt: bytes) -> bytes:
    """EMSA-PSS encoding with SHA-384, `bits` bits long (RFC 8017 section 9.1.1)."""
    length = (bits + 7) // 8
    digest = hashlib.sha384(bytes(8) + hashlib.sha384(message).digest() + salt).digest()
    block = bytes(length - len(salt) - _HASH_LENGTH - 2) + b"\x01" + salt
    mask = _mask(digest, len(block))
    masked = bytearray(left ^ right for left, right in zip(block, mask, strict=True))
    masked[0] &= 0xFF >> (8 * length - bits)
    return bytes(masked) + digest + b"\xbc"


def _mask(seed: bytes, length: int) -> bytes:
    """MGF1 with SHA-384 (RFC 8017 section B.2.1)."""
    blocks = range((length + _HASH_LENGTH - 1) // _HASH_LENGTH)
    return b"".join(hashlib.sha384(seed + block.to_bytes(4, "big")).digest() for block in blocks)[:length]
