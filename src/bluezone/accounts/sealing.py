# SPDX-License-Identifier: Apache-2.0
"""Secrets of people at rest: sealed under keys in the data folder, so that the database alone gives nothing away."""

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from bluezone.accounts.secretfiles import office_secret
from bluezone.refusal import Refused

NONCE_BYTES = 12


class SealBroken(Refused):
    """The sealed secret does not open: the data folder's key was changed, or the row is another account's."""

    code = "seal_broken"


def seal(secret: bytes, bound_to: str) -> bytes:
    """AES-256-GCM of a secret, bound to the words that say whose it is; nonce first."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(_key()).encrypt(nonce, secret, bound_to.encode())


def unseal(sealed: bytes, bound_to: str) -> bytes:
    """The secret again; raises SealBroken."""
    try:
        return AESGCM(_key()).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to.encode())
    except (InvalidTag, ValueError):
        raise SealBroken("the sealed secret does not open under this data folder's key") from None


def keyed_digest(kind: str, text: str) -> str:
    """HMAC-SHA-256 under the same key, 64 hex digits: for what is compared and never read again."""
    return hmac.digest(_key(), f"{kind}\0{text}".encode(), "sha256").hex()


def _key() -> bytes:
    return hashlib.sha256(b"bluezone factors v1\0" + office_secret(settings.DATA_FOLDER, "factors").encode()).digest()
