# SPDX-License-Identifier: Apache-2.0
"""The seal of a letter that was sent, as a file that can be checked without the office.

JSON: "bluezone" names the form; "letter" is everything that the signer confirmed; "seal" is its hash with number, day,
the PDF with the signature and who received it; "key" is the office's Ed25519 key, "signature" its signature over the
seal. Both hashes are SHA-256 of the canonical JSON: keys sorted, no spaces, UTF-8, NFC.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from bluezone.refusal import Refused

FORM = "bluezone letter seal 1"
LARGEST_FILE = 16 * 1024 * 1024
_SIGNED = b"bluezone letter seal 1\0"


class SealInvalid(Refused):
    """The file is no seal of a letter, or what it says was changed after it was sealed."""

    code = "letter_seal_invalid"


@dataclass(frozen=True)
class Sealed:
    """A seal whose signature and hashes fit. letter, seal: as in the file. key: 32 bytes, of whoever sealed it."""

    letter: Mapping[str, Any]
    seal: Mapping[str, Any]
    key: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the seal, as it stands on the letter's page and in each receipt."""
        return digest_of(self.seal)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the key, 64 hex digits, as two people compare it by telephone."""
        return fingerprint_of(self.key)

    @property
    def files(self) -> dict[str, str]:
        """The letter's files by SHA-256: their names, and "" for the PDF that the signer signed."""
        found = {one["sha256"]: one["name"] for part in ("original", "files") for one in self.letter[part]}
        return found | ({self.seal["signed_copy"]: ""} if self.seal["signed_copy"] else {})


def canonical(content: Mapping[str, Any]) -> bytes:
    """The one way to write a content in bytes."""
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def digest_of(content: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON, 64 hex digits."""
    return hashlib.sha256(canonical(content)).hexdigest()


def fingerprint_of(key: bytes) -> str:
    """SHA-256 of a public key of 32 bytes, 64 hex digits."""
    return hashlib.sha256(key).hexdigest()


def sign_seal(seal: Mapping[str, Any], key: Ed25519PrivateKey) -> dict[str, str]:
    """Key and signature, in base64, as the file has them."""
    signature = key.sign(_SIGNED + canonical(seal))
    public = key.public_key().public_bytes_raw()
    return {"key": base64.b64encode(public).decode(), "signature": base64.b64encode(signature).decode()}


def write_seal(letter: Mapping[str, Any], seal: Mapping[str, Any], signed: Mapping[str, str]) -> bytes:
    """The file. signed: of `sign_seal`."""
    whole = {"bluezone": FORM, "letter": letter, "seal": seal, "key": signed["key"], "signature": signed["signature"]}
    return json.dumps(whole, ensure_ascii=False, indent=1).encode() + b"\n"


def read_seal(data: bytes) -> Sealed:
    """Read a file whose signature fits its seal, and whose seal fits its letter. Raises SealInvalid.

    Whose key it is, is to be compared with what the office itself says.
    """
    if len(data) > LARGEST_FILE:
        raise SealInvalid(f"the file is {len(data)} bytes, at most {LARGEST_FILE} are read")
    try:
        whole = json.loads(data)
        letter, seal = whole["letter"], whole["seal"]
        key, signature = (base64.b64decode(whole[name], validate=True) for name in ("key", "signature"))
        known, confirmed = whole["bluezone"] == FORM, seal["confirmed"]
        sealed = Sealed(letter, seal, key)
        _ = [sealed.files, *(seal[name] for name in ("number", "notation", "date", "sent_to")), letter["subject"]]
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        raise SealInvalid("the file is not of the form of a seal") from None
    if not known:
        raise SealInvalid(f"the file is not of the form {FORM!r}")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, _SIGNED + canonical(seal))
    except (InvalidSignature, ValueError):
        raise SealInvalid("the signature does not fit: number, day or recipients were changed after sealing") from None
    if digest_of(letter) != confirmed:
        raise SealInvalid("the letter is not the one that was sealed")
    return sealed
