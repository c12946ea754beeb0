# SPDX-License-Identifier: Apache-2.0
"""The envelope of every file that phones fetch except exports, and the hash chain of its history.

A signed file is `{"payload": base64, "kid": text, "sig": base64}`. The signature is Ed25519 over
`"BZ-SIGNED-v1\\0" || kind || "\\0" || payload`, so that a file of one kind is not accepted as one of another kind.

Source: docs/protocol.md section 5, "Signed JSON" and "History".
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from bluezone.protocol.primitives import Ed25519Signer, verify_ed25519
from bluezone.refusal import Refused

CHAIN_START = bytes(32)
FINGERPRINT_DIGITS = 16
# 2 MiB, forty times the size of a config with three weeks of keys. A phone has memory for a garbage file of this size.
MAX_SIGNED_BYTES = 2 * 1024 * 1024


class InvalidSignedFile(Refused):
    """Not a signed envelope: truncated, oversized or in another encoding."""

    code = "signed_file_invalid"


class UntrustedSignature(InvalidSignedFile):
    """The envelope is complete, but no trusted key signed this payload for this kind."""

    code = "signature_untrusted"


def fingerprint(public_key: bytes) -> str:
    """Return the first 16 hex digits of the SHA-256 of a public key of 32 bytes: its `kid`, which the portal shows."""
    return hashlib.sha256(public_key).hexdigest()[:FINGERPRINT_DIGITS]


def canonical_json(value: Any) -> bytes:
    """Return the canonical JSON text of `value`: members sorted, no spaces, UTF-8."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def sign_payload(kind: str, payload: bytes, private_key: Ed25519Signer) -> bytes:
    """Return the signed file of `payload`. The bytes are the same each time, because Ed25519 is deterministic."""
    signature = private_key.sign(_signed_bytes(kind, payload))
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "kid": fingerprint(private_key.public_key().public_bytes_raw()),
        "sig": base64.b64encode(signature).decode(),
    }
    return canonical_json(envelope)


def open_signed(kind: str, data: bytes, trusted: Mapping[str, bytes]) -> bytes:
    """Return the payload of a signed file of `kind`.

    data:    the file as fetched, at most 2 MiB.
    trusted: Ed25519 public keys, 32 bytes each, by their fingerprint.
    Raises InvalidSignedFile for another shape, UntrustedSignature if no trusted key signed it for this kind.
    """
    if len(data) > MAX_SIGNED_BYTES:
        raise InvalidSignedFile(f"signed file is {len(data)} bytes, expected at most {MAX_SIGNED_BYTES}")
    try:
        envelope = json.loads(data)
    except (ValueError, RecursionError):
        raise InvalidSignedFile(f"signed file of {len(data)} bytes is not JSON") from None
    if not isinstance(envelope, dict) or set(envelope) != {"payload", "kid", "sig"}:
        raise InvalidSignedFile("signed file does not consist of payload, kid and sig")
    payload = _base64_member(envelope, "payload")
    signature = _base64_member(envelope, "sig")
    key = trusted.get(envelope["kid"]) if isinstance(envelope["kid"], str) else None
    if key is None:
        raise UntrustedSignature("signed file names a key that is not trusted here")
    if not verify_ed25519(key, signature, _signed_bytes(kind, payload)):
        raise UntrustedSignature(f"signature does not belong to this {kind} file")
    return payload


def extend_chain(previous: bytes, file_sha256: bytes) -> bytes:
    """Return the chain value after a file: SHA-256 of the previous chain value and the file's SHA-256."""
    return hashlib.sha256(previous + file_sha256).digest()


def _signed_bytes(kind: str, payload: bytes) -> bytes:
    return b"BZ-SIGNED-v1\0" + kind.encode() + b"\0" + payload


def _base64_member(envelope: dict[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(envelope[name], validate=True)
    except (ValueError, TypeError):
        raise InvalidSignedFile(f"{name} of the signed file is not base64") from None
