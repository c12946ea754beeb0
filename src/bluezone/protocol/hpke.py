# SPDX-License-Identifier: Apache-2.0
"""The sending half of HPKE (RFC 9180), base mode, one message: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM.

Written here because the newest cryptography that is built for Android has no HPKE; what a phone seals with it, the
office opens with the library's own. Source: RFC 9180 sections 4, 4.1, 5.1 and 6.1.
"""

import hmac

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_KEM = b"KEM\x00\x10"
_SUITE = b"HPKE\x00\x10\x00\x01\x00\x01"
_BASE_MODE = b"\x00"
_SECRET_LENGTH = 32


def seal(plain: bytes, public_key: ec.EllipticCurvePublicKey, info: bytes) -> bytes:
    """Return enc[65] || ciphertext || tag[16], readable with the private key alone; no associated data.

    public_key: on P-256. info: what the message is for, known to both sides.
    """
    ephemeral = ec.generate_private_key(ec.SECP256R1())
    enc, recipient = _point(ephemeral.public_key()), _point(public_key)
    prk = _extract(_KEM, b"", b"eae_prk", ephemeral.exchange(ec.ECDH(), public_key))
    shared = _expand(_KEM, prk, b"shared_secret", enc + recipient, _SECRET_LENGTH)
    schedule = _BASE_MODE + _extract(_SUITE, b"", b"psk_id_hash", b"") + _extract(_SUITE, b"", b"info_hash", info)
    secret = _extract(_SUITE, shared, b"secret", b"")
    key, nonce = _expand(_SUITE, secret, b"key", schedule, 16), _expand(_SUITE, secret, b"base_nonce", schedule, 12)
    return enc + AESGCM(key).encrypt(nonce, plain, None)


def _point(public_key: ec.EllipticCurvePublicKey) -> bytes:
    return public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    """LabeledExtract; an empty salt stands for 32 zero bytes."""
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + material, "sha256")


def _expand(suite: bytes, prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    """LabeledExpand; one block of 32 bytes is enough for all that is asked here."""
    labelled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.digest(prk, labelled + b"\x01", "sha256")[:length]
