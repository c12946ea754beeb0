# SPDX-License-Identifier: Apache-2.0
"""The health authority's key for declarations, and what it opens; phones have neither.

The public half is for the config, the private half lies under a passphrase.

    sealed private key: salt[16] | nonce[12] | AES-256-GCM(scrypt(passphrase, salt), nonce, PKCS #8) with its tag

It is no encrypted PEM, because the one that `cryptography` writes stretches the passphrase only 2,048 times, and
whoever copies the office store could try billions. Source: docs/protocol.md section 8; scrypt parameters of OWASP's
password storage cheat sheet, 64 MiB for each try.
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

from bluezone.protocol.declaration import DECLARATION_SIZE, INFO, Declaration, DeclarationUnreadable, decode
from bluezone.refusal import Refused

MIN_PASSPHRASE_CHARACTERS = 16

_SALT_LENGTH = 16
_NONCE_LENGTH = 12
_PURPOSE = b"BZ-DECLARATION-KEY-v1"

RandomBytes = Callable[[int], bytes]


class PassphraseTooShort(Refused):
    """A passphrase that could be guessed in time."""

    code = "passphrase_too_short"


class PassphraseWrong(Refused):
    """The passphrase does not open the private key, or the sealed key was changed or cut; these look the same."""

    code = "passphrase_wrong"


def new_private_key() -> ec.EllipticCurvePrivateKey:
    """Draw a P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def public_key_pem(private_key: ec.EllipticCurvePrivateKey) -> str:
    """The public half as the config's `declaration_key` carries it."""
    return private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def seal_private_key(
    private_key: ec.EllipticCurvePrivateKey, passphrase: str, random_bytes: RandomBytes = os.urandom
) -> bytes:
    """Return the key sealed under a passphrase, for the office store.

    passphrase: at least 16 characters, spaces count; raises PassphraseTooShort.
    """
    if len(_normal(passphrase)) < MIN_PASSPHRASE_CHARACTERS:
        raise PassphraseTooShort(
            f"the passphrase has fewer than {MIN_PASSPHRASE_CHARACTERS} characters; a sentence of five words is good"
        )
    salt, nonce = random_bytes(_SALT_LENGTH), random_bytes(_NONCE_LENGTH)
    plain = private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return salt + nonce + _cipher(passphrase, salt).encrypt(nonce, plain, _PURPOSE)


def unseal_private_key(sealed: bytes, passphrase: str) -> ec.EllipticCurvePrivateKey:
    """Open a sealed key, in about a third of a second; raises PassphraseWrong."""
    salt, nonce = sealed[:_SALT_LENGTH], sealed[_SALT_LENGTH : _SALT_LENGTH + _NONCE_LENGTH]
    try:
        plain = _cipher(passphrase, salt).decrypt(nonce, sealed[_SALT_LENGTH + _NONCE_LENGTH :], _PURPOSE)
    except (InvalidTag, ValueError):
        raise PassphraseWrong("the passphrase does not open the private key for declarations") from None
    key = load_der_private_key(plain, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def open_declaration(message: bytes, private_key: ec.EllipticCurvePrivateKey) -> Declaration:
    """Read a message sealed for this key.

    message: 1,024 bytes. Raises DeclarationUnreadable when the key does not open it, InvalidDeclaration when what
    is inside is not a declaration.
    """
    if len(message) != DECLARATION_SIZE:
        raise DeclarationUnreadable(f"message is {len(message)} bytes, expected {DECLARATION_SIZE}")
    try:
        plain = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_128_GCM).decrypt(message, private_key, info=INFO)
    except (InvalidTag, ValueError):
        raise DeclarationUnreadable("the message was sealed for another key, or was changed on the way") from None
    return decode(plain)


def _cipher(passphrase: str, salt: bytes) -> AESGCM:
    return AESGCM(Scrypt(salt=salt, length=32, n=2**16, r=8, p=2).derive(_normal(passphrase).encode()))


def _normal(passphrase: str) -> str:
    """Return one spelling of what keyboards write as different code points (Vietnamese tone marks above all)."""
    return unicodedata.normalize("NFKC", passphrase).strip()
