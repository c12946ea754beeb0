# SPDX-License-Identifier: Apache-2.0
"""The key server's own secrets, in `<data>/keys`, readable by the service alone.

signing-ed25519.pem signs config and indexes; export-p256.pem signs export files; venue-ed25519.pem signs venue codes;
vapid-p256.pem says to push services who is sending (RFC 8292); pepper hides credentials in the codes store and
authenticates puzzles; week keys sign certificates.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from bluezone.keyserver.secrets.files import read_secret, write_whole
from bluezone.keyserver.secrets.weekkeys import WeekKeyRing
from bluezone.keyserver.storage.store import StoreDamaged
from bluezone.protocol.exports.files import SignatureInfo
from bluezone.protocol.upload.codes import Credential

PEPPER_LENGTH = 32
# Under which number the config lists the key of venue codes, and codes name it.
VENUE_KID = 1
VAPID_FILE = "vapid-p256.pem"
# What a verifier on a phone looks a key up by (docs/exposure-notification.md section 2, SignatureInfo).
EXPORT_KEY_VERSION = "v1"


@dataclass(frozen=True)
class Secrets:
    """Everything in `<data>/keys`; none of it is printed."""

    signing_key: Ed25519PrivateKey
    export_key: ec.EllipticCurvePrivateKey
    week_keys: WeekKeyRing
    venue_key: Ed25519PrivateKey
    push_key: ec.EllipticCurvePrivateKey
    _pepper: bytes

    def __repr__(self) -> str:
        return "Secrets(…)"

    def credential_hash(self, credential: Credential) -> bytes:
        """The 32 bytes under which the codes store knows a credential: HMAC(pepper, kind || cred)."""
        return hmac.digest(self._pepper, bytes([credential.kind]) + credential.value, "sha256")

    def derived(self, purpose: str) -> bytes:
        """A key of 32 bytes for another purpose, the same in every process of this service."""
        return hmac.digest(self._pepper, b"BZ-DERIVED\0" + purpose.encode(), "sha256")

    @property
    def export_public_pem(self) -> str:
        """The public key of export files, as the config lists it."""
        public = self.export_key.public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    @property
    def venue_keys(self) -> dict[str, str]:
        """Public keys of venue codes by number, as the config lists them."""
        return {str(VENUE_KID): self.venue_key.public_key().public_bytes_raw().hex()}

    @property
    def push_public(self) -> str:
        """The public key of Web Push, as the config and browsers want it: uncompressed point, base64url."""
        point = self.push_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return base64.urlsafe_b64encode(point).rstrip(b"=").decode()

    def export_signature_info(self) -> SignatureInfo:
        """How export files name the key that signed them; the id is the public key's fingerprint."""
        public = self.export_key.public_key()
        der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return SignatureInfo(hashlib.sha256(der).hexdigest()[:16], EXPORT_KEY_VERSION)


def open_secrets(folder: Path) -> Secrets:
    """Read the secrets in `folder`, making those that are missing.

    Call it under the service's lock, so that two processes do not make two. Raises KeyFileExposed, StoreDamaged.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    signing = _private_key(folder / "signing-ed25519.pem", Ed25519PrivateKey.generate)
    export = _private_key(folder / "export-p256.pem", lambda: ec.generate_private_key(ec.SECP256R1()))
    venue = _private_key(folder / "venue-ed25519.pem", Ed25519PrivateKey.generate)
    push = _private_key(folder / VAPID_FILE, lambda: ec.generate_private_key(ec.SECP256R1()))
    pepper = _made_once(folder / "pepper", lambda: os.urandom(PEPPER_LENGTH))
    right_kinds = all(isinstance(key, Ed25519PrivateKey) for key in (signing, venue)) and all(
        isinstance(key, ec.EllipticCurvePrivateKey) for key in (export, push)
    )
    if not right_kinds or len(pepper) != PEPPER_LENGTH:
        raise StoreDamaged(f"{folder.name} holds keys of another kind than expected")
    return Secrets(signing, export, WeekKeyRing(folder), venue, push, pepper)


def _private_key(path: Path, generate: Callable[[], Any]) -> Any:
    def new_pem() -> bytes:
        pem = generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        assert isinstance(pem, bytes)
        return pem

    try:
        return load_pem_private_key(_made_once(path, new_pem), password=None)
    except ValueError:
        raise StoreDamaged(f"{path.name} is not a private key in PEM") from None


def _made_once(path: Path, make: Callable[[], bytes]) -> bytes:
    if not path.exists():
        write_whole(path, make(), mode=0o600)
    return read_secret(path)
