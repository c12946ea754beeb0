# SPDX-License-Identifier: Apache-2.0
"""The health authority's key pair for declarations, and opening a declaration with it. Phones do neither.

The public key is in the config. The private key is sealed with a passphrase:

    sealed private key: salt[16] | nonce[12] | AES-256-GCM(scrypt(passphrase, salt), nonce, PKCS #8) with its tag

An encrypted PEM would be too weak: `cryptography` stretches its passphrase only 2,048 times, so an attacker with a copy
of the office store could try billions. The scrypt parameters, 64 MiB for each try, are from OWASP's password storage
cheat sheet. Source: docs/protocol.md section 8.
"""

import os
import unicodedata
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from bluezone.protocol.declaration import DECLARATION_SIZE, INFO, Declaration, DeclarationUnreadable, decode_declaration
from bluezone.refusal import Refused

MIN_PASSPHRASE_CHARACTERS = 16

_SALT_LENGTH = 16
_NONCE_LENGTH = 12
_PURPOSE = b"BZ-DECLARATION-KEY-v1"

RandomBytes = Callable[[int], bytes]


class PassphraseTooShort(Refused):
    """The passphrase is so short that it could be guessed."""

    code = "passphrase_too_short"


class PassphraseWrong(Refused):
    """The passphrase is wrong, or the sealed key was altered or truncated; both look the same."""

    code = "passphrase_wrong"


def new_private_key() -> ec.EllipticCurvePrivateKey:
    """Generate a P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def public_key_pem(private_key: ec.EllipticCurvePrivateKey) -> str:
    """Return the public key in PEM, as in the config's `declaration_key`."""
    return private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def seal_private_key(
    private_key: ec.EllipticCurvePrivateKey, passphrase: str, random_bytes: RandomBytes = os.urandom
) -> bytes:
    """Return the key sealed with a passphrase, for the office store.

    passphrase: at least 16 characters, including the spaces between words; raises PassphraseTooShort.
    """
    if len(_normal(passphrase)) < MIN_PASSPHRASE_CHARACTERS:
        raise PassphraseTooShort(
            f"the passphrase has fewer than {MIN_PASSPHRASE_CHARACTERS} characters; a sentence of five words is good"
        )
    salt = random_bytes(_SALT_LENGTH)
    nonce = random_bytes(_NONCE_LENGTH)
    plain = private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return salt + nonce + _cipher(passphrase, salt).encrypt(nonce, plain, _PURPOSE)


def unseal_private_key(sealed: bytes, passphrase: str) -> ec.EllipticCurvePrivateKey:
    """Open a sealed key, in about a third of a second; raises PassphraseWrong."""
    salt = sealed[:_SALT_LENGTH]
    nonce = sealed[_SALT_LENGTH : _SALT_LENGTH + _NONCE_LENGTH]
    ciphertext = sealed[_SALT_LENGTH + _NONCE_LENGTH :]
    try:
        plain = _cipher(passphrase, salt).decrypt(nonce, ciphertext, _PURPOSE)
    except (InvalidTag, ValueError):
        raise PassphraseWrong("the passphrase does not open the private key for declarations") from None
    key = load_der_private_key(plain, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def open_declaration(message: bytes, private_key: ec.EllipticCurvePrivateKey) -> Declaration:
    """Read a message sealed for this key.

    message: 1,024 bytes. Raises DeclarationUnreadable if the key does not open it, InvalidDeclaration if its content is
    not a declaration.
    """
    if len(message) != DECLARATION_SIZE:
        raise DeclarationUnreadable(f"message is {len(message)} bytes, expected {DECLARATION_SIZE}")
    try:
        plain = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_128_GCM).decrypt(message, private_key, info=INFO)
    except (InvalidTag, ValueError):
        raise DeclarationUnreadable("the message was sealed for another key, or was changed on the way") from None
    return decode_declaration(plain)


def _cipher(passphrase: str, salt: bytes) -> AESGCM:
    return AESGCM(Scrypt(salt=salt, length=32, n=2**16, r=8, p=2).derive(_normal(passphrase).encode()))


def _normal(passphrase: str) -> str:
    """Return the same text for all spellings: keyboards write Vietnamese tone marks as different code points."""
    return unicodedata.normalize("NFKC", passphrase).strip()
