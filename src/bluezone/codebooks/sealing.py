# SPDX-License-Identifier: Apache-2.0
"""The sealed file of a facility: its slips by day, which a worker's browser opens offline with the facility's key.

Format: nonce[12] | AES-256-GCM(HKDF-SHA256(key, no salt, INFO), nonce, JSON, associated data INFO). The key is 128
random bits, so it needs no slow function, and WebCrypto opens the file.
"""

import base64
import json
import os
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bluezone.protocol.primitives import InvalidTag, seal, unseal
from bluezone.refusal import Refused

INFO = b"bluezone-book-sealed/v1"
KEY_LENGTH = 16
_NONCE_LENGTH = 12


class SealedBookInvalid(Refused):
    """The sealed file of a facility does not open with this key, or is damaged."""

    code = "sealed_book_invalid"


def new_key() -> bytes:
    """A new key of a facility, 16 bytes."""
    return os.urandom(KEY_LENGTH)


def key_text(key: bytes) -> str:
    """The key as it is written on paper: 26 letters and digits in groups."""
    text = base64.b32encode(key).decode().rstrip("=")
    return "-".join(text[start : start + 5] for start in range(0, len(text), 5))


def read_key(text: str) -> bytes:
    """The key that `key_text` wrote. Raises SealedBookInvalid."""
    letters = "".join(text.split()).replace("-", "").upper()
    try:
        key = base64.b32decode(letters + "=" * (-len(letters) % 8))
    except ValueError:
        key = b""
    if len(key) != KEY_LENGTH:
        raise SealedBookInvalid("this is not the key of a facility: 26 letters and digits were expected")
    return key


def seal_slips(content: dict[str, Any], key: bytes) -> bytes:
    """Seal the slips of a facility."""
    nonce = os.urandom(_NONCE_LENGTH)
    return nonce + seal(_cipher_key(key), nonce, json.dumps(content, ensure_ascii=False).encode(), INFO)


def open_slips(sealed: bytes, key: bytes) -> dict[str, Any]:
    """Open what `seal_slips` made. Raises SealedBookInvalid."""
    try:
        content = unseal(_cipher_key(key), sealed[:_NONCE_LENGTH], sealed[_NONCE_LENGTH:], INFO)
    except (InvalidTag, ValueError):
        raise SealedBookInvalid("the file does not open with this key, or it is damaged") from None
    return dict(json.loads(content))


def _cipher_key(key: bytes) -> bytes:
    return HKDF(SHA256(), 32, None, INFO).derive(key)
