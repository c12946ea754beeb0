# SPDX-License-Identifier: Apache-2.0
"""A second implementation of RFC 9180, to compare the library with; only the suite that declarations use.

Base mode, one message, DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM. Source: RFC 9180 sections 4, 4.1, 5.1.
"""

import hmac
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEM_SUITE = b"KEM" + bytes.fromhex("0010")
HPKE_SUITE = b"HPKE" + bytes.fromhex("0010 0001 0001")


def extract(suite, salt, label, ikm):
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + ikm, "sha256")


def expand(suite, prk, label, info, length):
    labelled = length.to_bytes(2) + b"HPKE-v1" + suite + label + info
    return hmac.digest(prk, labelled + b"\x01", "sha256")[:length]


def point(public_key):
    return public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@dataclass
class Context:
    """The values that both ends derive: a 16-byte key and the 12-byte nonce of the first message."""

    key: bytes
    nonce: bytes


def context(dh, enc, recipient, info):
    """Derive a context. dh: the 32-byte x coordinate that both ends compute. enc, recipient: points of 65 bytes."""
    shared = expand(KEM_SUITE, extract(KEM_SUITE, b"", b"eae_prk", dh), b"shared_secret", enc + recipient, 32)
    schedule = b"\0" + extract(HPKE_SUITE, b"", b"psk_id_hash", b"") + extract(HPKE_SUITE, b"", b"info_hash", info)
    secret = extract(HPKE_SUITE, shared, b"secret", b"")
    return Context(
        expand(HPKE_SUITE, secret, b"key", schedule, 16), expand(HPKE_SUITE, secret, b"base_nonce", schedule, 12)
    )


def open_message(message, private_key, info, aad=b""):
    enc = message[:65]
    ephemeral = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), enc)
    derived = context(private_key.exchange(ec.ECDH(), ephemeral), enc, point(private_key.public_key()), info)
    return AESGCM(derived.key).decrypt(derived.nonce, message[65:], aad)


def seal_message(plain, public_key, info, aad=b""):
    ephemeral = ec.generate_private_key(ec.SECP256R1())
    enc = point(ephemeral.public_key())
    derived = context(ephemeral.exchange(ec.ECDH(), public_key), enc, point(public_key), info)
    return enc + AESGCM(derived.key).encrypt(derived.nonce, plain, aad)
