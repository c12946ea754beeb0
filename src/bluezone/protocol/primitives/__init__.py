# SPDX-License-Identifier: Apache-2.0
"""The cryptography that phone and protocol need beyond the standard library's hashes, by one of two providers.

`cryptography` is for servers and desktops. It is not published for Android, so phones use `libcrypto`, the OpenSSL of
Python's own ssl module. One provider is chosen at the start of the program: the one named by BLUEZONE_PRIMITIVES, by
default `cryptography` if it is installed.

Keys are bytes here. A public key on P-256 is its uncompressed point, 65 bytes; an Ed25519 key is its 32 bytes. Sizes,
and whether a point is on its curve, are checked here, so that both providers refuse the same input. Verifying returns
False for every kind of invalid signature.

Source: FIPS 197, SP 800-38A, SP 800-38D (AES and its modes); RFC 8032 (Ed25519); FIPS 186-4, SEC 1 (P-256); RFC 8017
(RSASSA-PSS); RFC 5480, RFC 8410 (public keys in PEM).
"""

import base64
import os
import re
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, Protocol

from bluezone.refusal import Refused

if TYPE_CHECKING:
    from bluezone.protocol.primitives import pyca

# Which provider: `cryptography` or `libcrypto`.
CHOICE_VARIABLE: Final = "BLUEZONE_PRIMITIVES"

AES_BLOCK = 16
GCM_NONCE_LENGTH = 12
GCM_TAG_LENGTH = 16
ED25519_KEY_LENGTH = 32
ED25519_SIGNATURE_LENGTH = 64
P256_POINT_LENGTH = 65

_P256_PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1
_P256_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B

# SubjectPublicKeyInfo up to the key itself: the beginning of every Ed25519 key and every uncompressed key on P-256.
ED25519_PREFIX = bytes.fromhex("302a300506032b6570032100")
P256_PREFIX = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
_PEM = re.compile(r"\s*-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]{1,4000})-----END PUBLIC KEY-----\s*")


class ProviderMissing(Refused):
    """The chosen provider of cryptography is unknown, not installed, or too old."""

    code = "primitives_missing"


class InvalidTag(Exception):
    """The message was sealed with another key, nonce or associated data, or was altered or truncated."""


class InvalidPublicKey(ValueError):
    """Not a public key of the expected kind, or a point that is not on its curve."""


class Ed25519Signer(Protocol):
    """A private key of `cryptography`; phones have none."""

    def sign(self, data: bytes, /) -> bytes:
        """Return the signature, 64 bytes."""

    def public_key(self) -> "Ed25519Public":
        """Return the public key that belongs to this private key."""


class Ed25519Public(Protocol):
    """A public key of `cryptography`."""

    def public_bytes_raw(self) -> bytes:
        """Return the 32 bytes of the key."""


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):  # a blocked import may raise either
        return False


def _choose() -> str:
    name = os.environ.get(CHOICE_VARIABLE) or ("cryptography" if _is_installed("cryptography") else "libcrypto")
    if name not in ("cryptography", "libcrypto"):
        raise ProviderMissing(f"{CHOICE_VARIABLE}: got {name!r}, expected one of: cryptography libcrypto")
    return name


def _load() -> "type[pyca.Provider]":
    module = "pyca" if PROVIDER == "cryptography" else "libcrypto"
    try:
        provider: type[pyca.Provider] = import_module(f"{__name__}.{module}").Provider
    except (ImportError, OSError, AttributeError) as error:
        raise ProviderMissing(f"{PROVIDER} cannot be used here: {error}") from error
    return provider


PROVIDER: Final = _choose()
_provider = _load()


def encrypt_blocks(key: bytes, blocks: bytes) -> bytes:
    """Encrypt blocks of 16 bytes with AES-128, each separately (ECB). Raises ValueError for other sizes."""
    if len(key) != 16 or len(blocks) % AES_BLOCK:
        raise ValueError(f"key of {len(key)} bytes and {len(blocks)} bytes, expected 16 and a multiple of {AES_BLOCK}")
    return _provider.encrypt_blocks(key, blocks)


def apply_counter(key: bytes, counter: bytes, data: bytes) -> bytes:
    """Encrypt or decrypt with AES-128 in counter mode. counter: 16 bytes. Raises ValueError for other sizes."""
    if len(key) != 16 or len(counter) != AES_BLOCK:
        raise ValueError(f"key of {len(key)} bytes and counter of {len(counter)}, expected 16 and {AES_BLOCK}")
    return _provider.apply_counter(key, counter, data)


def seal(key: bytes, nonce: bytes, plain: bytes, associated: bytes = b"") -> bytes:
    """Encrypt and authenticate with AES-GCM; return the ciphertext followed by the tag of 16 bytes.

    key: 16 or 32 bytes. nonce: 12 bytes, never used again under this key. associated: authenticated, not encrypted.
    Raises ValueError for other sizes.
    """
    if len(key) not in (16, 32) or len(nonce) != GCM_NONCE_LENGTH:
        raise ValueError(f"key of {len(key)} bytes and nonce of {len(nonce)}, expected 16 or 32, and 12")
    return _provider.seal(key, nonce, plain, associated)


def unseal(key: bytes, nonce: bytes, sealed: bytes, associated: bytes = b"") -> bytes:
    """Return the plain bytes of a result of `seal`.

    Raises InvalidTag, also for a nonce of another size or sealed bytes shorter than a tag; ValueError for a key of
    another size.
    """
    if len(key) not in (16, 32):
        raise ValueError(f"key of {len(key)} bytes, expected 16 or 32")
    if len(nonce) != GCM_NONCE_LENGTH or len(sealed) < GCM_TAG_LENGTH:
        raise InvalidTag
    return _provider.unseal(key, nonce, sealed, associated)


def verify_ed25519(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether `signature` is an Ed25519 signature over `message` by the key `public`, 32 bytes."""
    if len(public) != ED25519_KEY_LENGTH or len(signature) != ED25519_SIGNATURE_LENGTH:
        return False
    return _provider.verify_ed25519(public, signature, message)


def sign_ed25519(secret: bytes, message: bytes) -> bytes:
    """The Ed25519 signature, 64 bytes, of a message by the private key `secret`, 32 bytes."""
    return _provider.sign_ed25519(secret, message)


def public_ed25519(secret: bytes) -> bytes:
    """The public key, 32 bytes, that belongs to the private key `secret`, 32 bytes."""
    return _provider.public_ed25519(secret)


def verify_ecdsa(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether `signature` (DER) is an ECDSA signature with SHA-256 over `message` by the key `public` on P-256."""
    return is_on_p256(public) and _provider.verify_ecdsa(public, signature, message)


def verify_pss(modulus: int, exponent: int, salt_length: int, signature: bytes, message: bytes) -> bool:
    """Whether `signature` is an RSASSA-PSS signature with SHA-384 and MGF1-SHA-384 over `message`.

    modulus: odd, 2048 bits or more. exponent: odd, above 2. salt_length: of the signature, exactly, in bytes.
    """
    if len(signature) != (modulus.bit_length() + 7) // 8:
        return False
    return _provider.verify_pss(modulus, exponent, salt_length, signature, message)


def agree_on_p256(public: bytes) -> tuple[bytes, bytes]:
    """Make a key on P-256 for one use and agree on a secret with the owner of the key `public` (ECDH).

    Returns the point of the new key, 65 bytes, and the shared secret, 32 bytes. Raises InvalidPublicKey.
    """
    if not is_on_p256(public):
        raise InvalidPublicKey("the other side's key is no point on P-256")
    return _provider.agree_on_p256(public)


def is_on_p256(point: bytes) -> bool:
    """Whether 65 bytes are an uncompressed point on P-256."""
    if len(point) != P256_POINT_LENGTH or point[0] != 4:
        return False
    x = int.from_bytes(point[1:33], "big")
    y = int.from_bytes(point[33:], "big")
    return x < _P256_PRIME and y < _P256_PRIME and (y * y - x * x * x + 3 * x - _P256_B) % _P256_PRIME == 0


def read_p256_pem(pem: str) -> bytes:
    """Read a PEM ("PUBLIC KEY") of an uncompressed key on P-256. Returns its point. Raises InvalidPublicKey."""
    point = _read_pem(pem, P256_PREFIX, P256_POINT_LENGTH)
    if not is_on_p256(point):
        raise InvalidPublicKey("the public key is no point on P-256")
    return point


def read_ed25519_pem(pem: str) -> bytes:
    """Read a PEM ("PUBLIC KEY") of an Ed25519 key. Returns its 32 bytes. Raises InvalidPublicKey."""
    return _read_pem(pem, ED25519_PREFIX, ED25519_KEY_LENGTH)


def _read_pem(pem: str, prefix: bytes, length: int) -> bytes:
    match = _PEM.fullmatch(pem)
    if match is None:
        raise InvalidPublicKey("the text is not one public key in PEM")
    try:
        der = base64.b64decode("".join(match[1].split()), validate=True)
    except ValueError:
        raise InvalidPublicKey("the text is not a public key in PEM: its base64 is damaged") from None
    if len(der) != len(prefix) + length or not der.startswith(prefix):
        raise InvalidPublicKey("the public key is of another kind")
    return der[len(prefix) :]
