# SPDX-License-Identifier: Apache-2.0
"""The sending half of HPKE (RFC 9180), base mode, one message: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM."""

import hmac

from bluezone.protocol import primitives

_KEM = b"KEM\x00\x10"
_SUITE = b"HPKE\x00\x10\x00\x01\x00\x01"
_BASE_MODE = b"\x00"
_SECRET_LENGTH = 32


def seal(plain: bytes, public_key: bytes, info: bytes) -> bytes:
    """Return enc[65] || ciphertext || tag[16], readable only with the private key; no associated data.

    public_key: point on P-256, 65 bytes. info: the purpose of the message, known to both sides.
    """
    enc, secret = primitives.agree_on_p256(public_key)
    prk = _extract(_KEM, b"", b"eae_prk", secret)
    shared = _expand(_KEM, prk, b"shared_secret", enc + public_key, _SECRET_LENGTH)
    schedule = _BASE_MODE + _extract(_SUITE, b"", b"psk_id_hash", b"") + _extract(_SUITE, b"", b"info_hash", info)
    secret = _extract(_SUITE, shared, b"secret", b"")
    key = _expand(_SUITE, secret, b"key", schedule, 16)
    nonce = _expand(_SUITE, secret, b"base_nonce", schedule, 12)
    return enc + primitives.seal(key, nonce, plain)


def _extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    """LabeledExtract; an empty salt means 32 zero bytes."""
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + material, "sha256")


def _expand(suite: bytes, prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    """LabeledExpand, at most one block of 32 bytes, which is enough here."""
    labelled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.digest(prk, labelled + b"\x01", "sha256")[:length]
