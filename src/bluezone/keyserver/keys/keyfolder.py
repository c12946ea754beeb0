# SPDX-License-Identifier: Apache-2.0
"""The folder of the key server's secrets. If the signer is a separate process, only it opens the keys that sign."""

import base64
import hashlib
import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from bluezone.keyserver.keys.weekkeys import WeekKeyRing
from bluezone.keyserver.securefiles import read_secret, write_atomically
from bluezone.keyserver.storage.sqlite import STORES_FOLDER
from bluezone.keyserver.storage.store import StoreDamaged, StoreRefused
from bluezone.protocol.exports.files import SignatureInfo
from bluezone.protocol.exports.writer import P256Signer
from bluezone.protocol.primitives import Ed25519Signer
from bluezone.protocol.upload.codes import Credential

PEPPER_LENGTH = 32
# The folder, in the data folder, of a signer that `serve` runs.
SIGNER_FOLDER = "signer"
# The number of the key that signs venue codes, in the config and in the codes.
VENUE_KID = 1
VAPID_FILE = "vapid-p256.pem"
# Phones find the key of an export file by its id and this version (docs/exposure-notification.md section 2,
# SignatureInfo).
EXPORT_KEY_VERSION = "v1"


class SignerAway(StoreRefused):
    """The signer does not answer; nothing was lost, and the call will be repeated."""

    code = "signer_away"


class SigningRefused(StoreRefused):
    """The signer refuses to sign: its rules do not allow it, or not for this user."""

    code = "signing_refused"


class ApprovalMissing(SigningRefused):
    """A config contains something new that two persons have not approved yet; the previous content stays valid."""

    code = "approval_missing"


class ExportKey(P256Signer, Protocol):
    """The private key of export files, or a stand-in that calls the signer."""

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """Its public half."""


@dataclass(frozen=True)
class SigningKeys:
    """The keys that sign what phones receive: city key, export key, week keys.

    If there is a signer, it alone has them.
    """

    signing_key: Ed25519Signer
    export_key: ExportKey
    week_keys: WeekKeyRing

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    @property
    def city_key(self) -> bytes:
        """The city's public key, 32 bytes."""
        return self.signing_key.public_key().public_bytes_raw()

    @property
    def export_public_pem(self) -> str:
        """The public key of export files, as the config lists it."""
        public = self.export_key.public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def export_signature_info(self) -> SignatureInfo:
        """How export files name the key that signed them."""
        return signature_info(self.export_key.public_key())


def signature_info(public: ec.EllipticCurvePublicKey) -> SignatureInfo:
    """How export files name a key; the id is its fingerprint."""
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return SignatureInfo(hashlib.sha256(der).hexdigest()[:16], EXPORT_KEY_VERSION)


@dataclass(frozen=True)
class Pepper:
    """The secret from which hashes of codes and the keys of their sealed cases are derived; it is not printed.

    value: 32 bytes.
    """

    value: bytes = field(repr=False)

    def credential_hash(self, credential: Credential) -> bytes:
        """The 32 bytes that stand for a credential in the codes store: HMAC(pepper, kind || cred)."""
        return hmac.digest(self.value, bytes([credential.kind]) + credential.value, "sha256")

    def case_key(self, credential: Credential, handle: bytes) -> bytes:
        """The key that seals the case of a code, 32 bytes; it cannot be derived without the code itself.

        handle: that of the code's row, 16 bytes, so that the key differs if the same digits are drawn again.
        """
        message = b"BZ-CASE\0" + handle + bytes([credential.kind]) + credential.value
        return hmac.digest(self.value, message, "sha256")

    def derived(self, purpose: str) -> bytes:
        """A key of 32 bytes for another purpose, the same in every process of this service."""
        return hmac.digest(self.value, b"BZ-DERIVED\0" + purpose.encode(), "sha256")


@dataclass(frozen=True, repr=False)
class Secrets(SigningKeys):
    """The secrets in `<data>/keys`, and the signing keys, which another folder or process may have; none is printed."""

    venue_key: Ed25519PrivateKey
    push_key: ec.EllipticCurvePrivateKey
    pepper: Pepper

    @property
    def venue_keys(self) -> dict[str, str]:
        """Public keys of venue codes by number, as the config lists them."""
        return {str(VENUE_KID): self.venue_key.public_key().public_bytes_raw().hex()}

    @property
    def push_public(self) -> str:
        """The public key of Web Push, as config and browsers need it: uncompressed point, base64url."""
        point = self.push_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


def open_secrets(folder: Path, signing: SigningKeys | None = None) -> Secrets:
    """Read the secrets in `folder`, making those that are missing.

    signing: the signing keys, if another process has them.
    Call it under the service's lock, so that two processes do not both make keys. Raises KeyFileExposed, StoreDamaged.
    """
    signing = signing or open_signing_keys(signing_folder(folder))
    venue = _private_key(folder / "venue-ed25519.pem", Ed25519PrivateKey.generate, Ed25519PrivateKey)
    push = _private_key(folder / VAPID_FILE, _new_p256, ec.EllipticCurvePrivateKey)
    pepper = open_pepper(folder)
    return Secrets(signing.signing_key, signing.export_key, signing.week_keys, venue, push, pepper)


def open_pepper(folder: Path) -> Pepper:
    """Read the pepper of codes, making it if it is missing; otherwise as `open_secrets`."""
    path = folder / "pepper"
    if not path.exists():
        write_atomically(path, os.urandom(PEPPER_LENGTH), mode=0o600)
    # If each store has a separate user, the codes process may read the pepper because of the file's group.
    pepper = read_secret(path, shared=(folder.parent / STORES_FOLDER).is_dir())
    if len(pepper) != PEPPER_LENGTH:
        raise StoreDamaged(f"{folder.name}/pepper has {len(pepper)} bytes, expected {PEPPER_LENGTH}")
    return Pepper(pepper)


def random_pepper() -> Pepper:
    """A pepper for a process without codes, which uses it only for its puzzles."""
    return Pepper(os.urandom(PEPPER_LENGTH))


def signing_folder(folder: Path) -> Path:
    """The folder with the signing keys: the signer's in the data folder, if there is one, else `folder`."""
    signer_keys = folder.parent / SIGNER_FOLDER / "keys"
    return signer_keys if signer_keys.is_dir() else folder


def open_signing_keys(folder: Path) -> SigningKeys:
    """Read the signing keys, making those that are missing; otherwise as `open_secrets`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    signing = _private_key(folder / "signing-ed25519.pem", Ed25519PrivateKey.generate, Ed25519PrivateKey)
    export = _private_key(folder / "export-p256.pem", _new_p256, ec.EllipticCurvePrivateKey)
    return SigningKeys(signing, export, WeekKeyRing(folder))


def _new_p256() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _private_key(path: Path, generate: Callable[[], Any], kind: type) -> Any:
    def new_pem() -> bytes:
        pem = generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        assert isinstance(pem, bytes)
        return pem

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        key = load_pem_private_key(_read_or_make(path, new_pem), password=None)
    except ValueError:
        raise StoreDamaged(f"{path.name} is not a private key in PEM") from None
    if not isinstance(key, kind):
        raise StoreDamaged(f"{path.name} is a key of another kind than expected")
    return key


def _read_or_make(path: Path, make: Callable[[], bytes]) -> bytes:
    if not path.exists():
        write_atomically(path, make(), mode=0o600)
    return read_secret(path)
