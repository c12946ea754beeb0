# SPDX-License-Identifier: Apache-2.0
"""The one key the phone is given at set-up, from which all other trust follows.

Source: protocol.md section 5: pinned in the build, or scanned at set-up; its fingerprint is on the portal.
"""

import base64
import re
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from bluezone.refusal import Refused

PUBLIC_KEY_LENGTH = 32


class TrustMissing(Refused):
    """The phone was never told whose files to believe."""

    code = "trust_missing"


class InvalidTrust(Refused):
    """What was given is no Ed25519 public key, or not the one this phone was set up with."""

    code = "trust_invalid"


def parse_trust(text: str) -> Ed25519PublicKey:
    """Read the city's public key: 64 hex digits, base64, PEM, or the path of a file with one of them.

    Raises InvalidTrust.
    """
    path = Path(text)
    if len(text) < 1024 and "\n" not in text and path.is_file():
        text = path.read_text("utf-8", errors="replace")
    text = text.strip()
    if text.startswith("-----BEGIN PUBLIC KEY-----"):
        return _from_pem(text)
    raw = bytes.fromhex(text) if re.fullmatch(r"[0-9a-fA-F]{64}", text) else _from_base64(text)
    if len(raw) != PUBLIC_KEY_LENGTH:
        raise InvalidTrust(f"the city's key is {len(raw)} bytes, expected {PUBLIC_KEY_LENGTH}")
    return Ed25519PublicKey.from_public_bytes(raw)


def _from_pem(text: str) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidTrust("the city's key is not a public key in PEM") from None
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidTrust("the city's key is not an Ed25519 key")
    return key


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise InvalidTrust("the city's key is neither 64 hex digits, base64, PEM nor a file with one of them") from None
